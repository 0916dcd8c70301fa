"""The check against benchmarks: what counts as shared, what is dropped, what is recorded."""

from __future__ import annotations

import gzip
import json
import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthesis.gate.contamination as index_module
from synthesis.errors import ConfigError, SourceError
from synthesis.gate.contamination import (
    Overlap,
    digest_of,
    named_benchmarks,
    parse_benchmark,
    probe,
    read_benchmarks,
    reason_to_drop,
)
from synthesis.text.ngrams import ngram_hashes, plain_words
from tests.programs import under_hash_seeds
from tests.real_texts import rows, sets

ROOT = Path(__file__).parent.parent
QUESTION = (
    "In which year did the harbour master of Varrow order that all lamps on the northern quay be put out?"
)
DOCUMENT = (
    "The harbour office kept a ledger of every lamp along the quay, and each spring two clerks walked the "
    "whole length of it with chalk and a lantern, marking the glass that had cracked in the frost. "
)


def _write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def _benchmarks(path: Path, name: str = "bench", ngram: int = 13, choices: str = ""):
    return read_benchmarks([parse_benchmark(name, f"{path}{choices}")], ngram)


@pytest.fixture
def bench(tmp_path: Path):
    return _benchmarks(_write(tmp_path / "bench.jsonl", [{"input": QUESTION, "context": DOCUMENT}]))


# N-grams


def test_words_have_one_spelling() -> None:
    assert plain_words("The CAFÉ—opened, “at” 9:30!") == ["the", "cafe", "opened", "at", "9", "30"]
    assert plain_words(unicodedata.normalize("NFD", "Café")) == plain_words("cafe") == plain_words("ＣＡＦÉ")
    assert plain_words("灯塔的守护") == list("灯塔的守护")
    assert plain_words("東京タワーへ 2024") == ["東", "京", "タ", "ワ", "ー", "へ", "2024"]
    assert plain_words("🙂 — …") == []


@given(st.lists(st.sampled_from(["ab", "c1", "é", "漢"]), max_size=30), st.integers(1, 6))
@settings(deadline=None)  # the first call imports numpy
def test_equal_runs_and_only_they_have_equal_hashes(words, n) -> None:
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    hashes = ngram_hashes(words, n).tolist()
    assert len(hashes) == len(runs)
    assert len(set(zip(runs, hashes, strict=True))) == len(set(runs)) == len(set(hashes))


def test_hashes_are_the_same_in_every_process() -> None:
    code = (
        "from synthesis.text.ngrams import *; "
        "print(ngram_hashes(plain_words('one two three four'), 3).tolist())"
    )
    under_hash_seeds(code, seeds=("0", "7"))


# What counts as shared


def test_each_text_is_checked_apart(bench) -> None:
    assert bench.check("Who was it?", "Nobody at all", "Nothing to see here.") == ()
    (found,) = bench.check(QUESTION, "1911", "Nothing to see here.")
    assert (found.benchmark, found.instruction, found.answer, found.context) == ("bench", 8, 0, 0)
    (found,) = bench.check("Who?", QUESTION.upper().replace("?", " ..."), DOCUMENT)
    assert (found.instruction, found.answer) == (0, 8)
    assert (found.context, found.share) == (len(plain_words(DOCUMENT)) - 12, 1.0)


def test_twelve_words_are_not_thirteen(bench) -> None:
    words = QUESTION.split()
    assert bench.check("x " + " ".join(words[:12]) + " y", "", "") == ()
    (found,) = bench.check("x " + " ".join(words[:13]) + " y", "", "")
    assert found.instruction == 1


def test_runs_do_not_go_across_texts_but_through_a_list(tmp_path) -> None:
    words = DOCUMENT.split()
    path = _write(tmp_path / "b.jsonl", [
        {"a": " ".join(words[:8]), "b": " ".join(words[8:16])},
        {"passages": [" ".join(words[16:24]), " ".join(words[24:32])]},
        {"deep": {"er": [{"text": " ".join(words[32:])}]}, "number": 5, "none": None},
    ])  # fmt: skip
    found = _benchmarks(path, ngram=8)
    assert found.check("", "", " ".join(words[2:14])) == ()
    (one,) = found.check("", "", " ".join(words[18:30]))
    assert one.context == 5
    assert found.check("", "", " ".join(words[31:39])) == ()


def test_a_short_question_is_known_as_a_whole(tmp_path) -> None:
    path = _write(
        tmp_path / "b.jsonl", [{"prompt": f"{DOCUMENT}\nQuestion: Who mended the clock in Varrow?\nAnswer:"}]
    )
    bench = _benchmarks(path)
    (found,) = bench.check("who mended the clock in VARROW", "Ilse", "")
    assert found.instruction == 1
    assert bench.check("Who mended the clock in Harrow?", "Ilse", "") == ()
    assert bench.check("the clock in Varrow", "Ilse", "") == (), "four words tell nothing"
    # A context or an answer may say what a short sentence says.
    assert bench.check("?", "Who mended the clock in Varrow?", "Who mended the clock in Varrow?") == ()


def test_chinese_is_compared_by_characters(tmp_path) -> None:
    told = "港务局保存着码头上每一盏灯的记录，每年春天都有两名职员沿着码头走一遍。"
    bench = _benchmarks(_write(tmp_path / "b.jsonl", [{"context": told}]))
    (found,) = bench.check("", "", f"据说{told[2:20]}了")
    assert found.context == 18 - 1 - 12


def test_the_benchmarks_own_wording_does_not_count(tmp_path) -> None:
    told = (
        "Read the passage below with care and then answer the question in as few words as you possibly can."
    )
    chance = random.Random(0)
    rows = [{"prompt": f"{told} {' '.join(chance.choices('abcdefgh', k=20))} {n}"} for n in range(40)]
    bench = _benchmarks(_write(tmp_path / "b.jsonl", rows))
    assert bench.check(told, "", "") == ()
    assert bench.indexes[0].common == len(plain_words(told)) - 12
    few = _benchmarks(_write(tmp_path / "few.jsonl", rows[:10]))
    assert few.indexes[0].common == 0
    assert few.check(told, "", "")[0].instruction == 7


def test_sorting_in_by_parts_changes_nothing(tmp_path, monkeypatch) -> None:
    chance = random.Random(3)
    rows = [{"t": " ".join(chance.choices("abcdefghij", k=60))} for _ in range(50)]
    path = _write(tmp_path / "b.jsonl", [*rows, *rows[:5] * 8])
    whole = _benchmarks(path, ngram=5).indexes[0]
    monkeypatch.setattr(index_module, "_BUFFER", 10)
    parts = _benchmarks(path, ngram=5).indexes[0]
    assert (whole.hashes == parts.hashes).all()
    assert (whole.rows, whole.common) == (parts.rows, parts.common) == (90, 0)
    true = {tuple(row["t"].split()[i : i + 5]) for row in rows for i in range(56)}
    assert len(whole.hashes) == len(true)


@pytest.mark.parametrize("name", sets("hotpotqa"))
def test_real_contexts_against_sets_of_words(name, tmp_path) -> None:
    texts = [row["context"] for row in rows(name)]
    path = tmp_path / f"{name}.jsonl"
    path.write_text("".join(json.dumps({"context": text}) + "\n" for text in texts), encoding="utf-8")
    bench = _benchmarks(path).indexes[0]
    runs = set()
    for text in texts:
        words = plain_words(text)
        runs |= {tuple(words[i : i + 13]) for i in range(len(words) - 12)}
    pieces = {piece for text in texts for piece in index_module.piece_hashes(text, 13)}
    assert len(bench.hashes) == len(runs) + len(pieces)


# What is dropped


@pytest.mark.parametrize(
    ("overlap", "reason"),
    [
        (Overlap("b", 3, 0, 0, 0.0), "b: 3 shared 13-grams in the instruction"),
        (Overlap("b", 0, 1, 9, 0.5), "b: 1 shared 13-gram in the answer"),
        (Overlap("b", 0, 0, 200, 0.1), "b: 10% of the context's 13-grams"),
        (Overlap("b", 0, 0, 90, 0.0999), None),
    ],
)
def test_the_rule_for_dropping(overlap, reason) -> None:
    assert reason_to_drop([overlap], 13) == reason
    assert reason_to_drop([Overlap("a", 0, 0, 1, 0.01), overlap], 13) == reason


# Naming and reading


def test_formats_and_folders_are_read_alike(tmp_path) -> None:
    row = {"input": QUESTION, "context": DOCUMENT}
    folder = tmp_path / "folder"
    folder.mkdir()
    with gzip.open(folder / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    (folder / "b.csv").write_text(f'input,context\n"{QUESTION}","{DOCUMENT}"\n')
    (folder / "c.json").write_text(json.dumps([row]))
    found = _benchmarks(folder)
    assert found.indexes[0].rows == 3
    assert found.check(QUESTION, "", "")[0].instruction == 8


def test_only_named_columns_count(tmp_path) -> None:
    path = _write(tmp_path / "b.jsonl", [{"input": QUESTION, "context": DOCUMENT}])
    bench = _benchmarks(path, choices="?columns=input")
    assert bench.check(QUESTION, "", "")
    assert bench.check("", "", DOCUMENT) == ()
    wrong = parse_benchmark("b", f"{path}?columns=input,question")
    for use in (probe, lambda one: read_benchmarks([one], 13)):
        with pytest.raises(
            SourceError, match=r"^the benchmark b .* no column 'question'; it has input, context"
        ):
            use(wrong)


def test_broken_rows_are_counted_and_no_row_is_an_error(tmp_path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_text(json.dumps({"q": QUESTION}) + "\n{broken\n[1, 2]\n")
    index = _benchmarks(path).indexes[0]
    assert (index.rows, index.skipped) == (1, 2)
    path.write_text("{broken\n")
    with pytest.raises(SourceError, match="^the benchmark b .*b.jsonl has no row that can be used"):
        probe(parse_benchmark("b", str(path)))
    absent = parse_benchmark("b", str(tmp_path / "absent.jsonl"))
    for use in (probe, lambda one: read_benchmarks([one], 13), lambda one: digest_of([one], 13)):
        with pytest.raises(
            SourceError, match="^the benchmark b cannot be read: .*absent.jsonl was not found"
        ):
            use(absent)


@pytest.mark.parametrize("name", ["a b", "", "../b", "b" * 65])
def test_names_that_cannot_be_used(name) -> None:
    with pytest.raises(ConfigError, match="cannot name a benchmark"):
        parse_benchmark(name, "x.jsonl")


def test_an_address_that_cannot_be_used() -> None:
    with pytest.raises(SourceError, match="^the benchmark b cannot be read: .*config, split, columns"):
        named_benchmarks({"b": "x.jsonl?splitt=test"})


def test_the_digest_tells_of_content_not_of_place(tmp_path) -> None:
    one = _write(tmp_path / "one.jsonl", [{"q": QUESTION}])
    (tmp_path / "other").mkdir()
    two = _write(tmp_path / "other" / "two.jsonl", [{"q": QUESTION}])
    digest = digest_of(named_benchmarks({"b": str(one)}), 13)
    assert digest_of(named_benchmarks({"b": str(two)}), 13) == digest
    assert digest_of(named_benchmarks({"b": str(one)}), 8) != digest
    assert digest_of(named_benchmarks({"b": f"{one}?columns=q"}), 13) != digest
    _write(one, [{"q": DOCUMENT}])
    assert digest_of(named_benchmarks({"b": str(one)}), 13) != digest


# The command line


def _rows(out: Path, config: str) -> list[dict[str, object]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, object]] = []
    for path in sorted((out / "dataset" / "data" / config).rglob("*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return rows


def _manifest(out: Path, config: str) -> dict[str, object]:
    return json.loads(max((out / "dataset" / "manifests" / config).glob("*.json")).read_text())


SECRET = "the quay ledger of Varrow lists nine cracked lamps in the year the bell fell silent"


def test_rows_are_marked_and_dropped_only_if_asked(tmp_path, write_pairs, command) -> None:
    out, pairs = tmp_path / "run", write_pairs(10)
    with pairs.open("a") as file:
        file.write(json.dumps({"instruction": QUESTION, "answer": "1911"}) + "\n")
    bench = _write(tmp_path / "bench.jsonl", [{"q": QUESTION, "context": SECRET}])
    run = ("run", "--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k")
    assert command(*run).returncode == 0
    chat = (out / "dataset/manifests/composer-chat-1k/1.0.0.json").read_bytes()

    marked = command(*run, "--benchmark", f"harbour={bench}")
    assert marked.returncode == 0, marked.stderr
    assert "11 contexts, 0 rejected" in marked.stdout
    rows = _rows(out, "composer")
    (hit,) = (row for row in rows if row["contamination"])
    assert hit["instruction"] == QUESTION
    assert hit["contamination"][0] | {"context": 0} == {
        "benchmark": "harbour", "instruction": 8, "answer": 0, "context": 0,
    }  # fmt: skip
    assert (out / "dataset/manifests/composer-chat-1k/1.0.0.json").read_bytes() == chat, "samples stay"
    details = _manifest(out, "composer")["details"]["contamination"]
    assert (details["contexts"], details["rows"], details["dropped"]) == (11, 1, 0)
    (told,) = details["benchmarks"]
    assert (told["name"], told["rows"], told["instruction"], told["answer"]) == ("harbour", 1, 1, 0)
    assert "nothing changed" in command(*run, "--benchmark", f"harbour={bench}").stdout
    assert "nothing changed" in command("run", out / "run.toml").stdout

    dropped = command("assemble", out, "--lengths", "1k", "--drop-contaminated")
    assert dropped.returncode == 0, dropped.stderr
    assert "10 contexts, 1 rejected" in dropped.stdout
    (gone,) = _rows(out, "composer-rejected")
    assert (gone["stage"], gone["pair_id"]) == ("contamination", hit["id"])
    assert gone["reason"] == "harbour: 8 shared 13-grams in the instruction"
    assert all(hit["id"] not in row["documents"] for row in _rows(out, "composer-chat-1k"))
    assert _manifest(out, "composer-rejected")["statistics"]["reasons"] == {"contamination: harbour": 1}
    # Hashes and counts of the benchmark are kept, never its text or where it was.
    for path in (out / "dataset").rglob("*.*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
            assert str(bench).encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--benchmark", "bench"], "--benchmark takes two sides"),
        (["--benchmark", "b=absent.jsonl"], "absent.jsonl was not found"),
        (["--benchmark", "b=examples/pairs.jsonl?columns=nothing"], "no column 'nothing'"),
        (["--benchmark", "b=examples/pairs.jsonl?splits=test"], "SOURCE?split=test"),
        (["--benchmark", "b=examples/pairs.jsonl", "--ngram", "1"], "--ngram"),
    ],
)
def test_wrong_use_is_told_before_any_work(tmp_path, command, options, said) -> None:
    done = command("run", "--out", tmp_path / "run", "--words", "120", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
