"""Reading pairs: every kind of source, columns, chats, limits and memory."""

from __future__ import annotations

import csv
import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthesis.data import Pair, Rejected
from synthesis.errors import SourceError
from synthesis.sources.pairs import describe_source, read_pairs
from tests.pair_files import GOOD, error_of, one_bad, only_pairs, write_jsonl
from tests.programs import run_python
from tests.real_texts import LARGE, OWN, needs_large, own_rows

ROWS = [
    {"instruction": "Who keeps the bees?", "answer": "Ondine", "level": "easy"},
    {
        "instruction": "Où est la clé, et « pourquoi » ?\nDis-le.",
        "answer": "sous le pot, hélas",
        "level": "hard",
    },
    {"instruction": ' "Quoted", with a comma ', "answer": "  kept; as is\t", "level": "hard"},
]


def as_jsonl(path: Path) -> None:
    write_jsonl(path, *ROWS)


def as_array(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=1), "utf-8")


def as_delimited(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        delimiter = {".tsv": "\t", ".csv": ","}[path.suffix]
        writer = csv.DictWriter(handle, ["instruction", "answer", "level"], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)


def as_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(ROWS), path)


WRITERS: Mapping[str, Callable[[Path], None]] = {
    "bees.jsonl": as_jsonl,
    "bees.NDJSON": as_jsonl,
    "bees.json": as_array,
    "bees.csv": as_delimited,
    "bees.tsv": as_delimited,
    "bees.parquet": as_parquet,
}


# Parquet has its own compression and no byte order mark.
WRAPPED = [("bees.parquet", "plain")] + [
    (name, wrap) for name in WRITERS if name != "bees.parquet" for wrap in ("plain", "gz", "bom")
]


@pytest.mark.parametrize(("name", "wrap"), WRAPPED)
def test_every_format_gives_the_same_untouched_pairs(tmp_path: Path, name: str, wrap: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    if wrap == "gz":
        packed = gzip.compress(path.read_bytes())
        path = tmp_path / f"{name}.gz"
        path.write_bytes(packed)
    if wrap == "bom":
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    pairs = only_pairs(path)
    assert [(pair.instruction, pair.answer) for pair in pairs] == [
        (r["instruction"], r["answer"]) for r in ROWS
    ]
    assert [pair.metadata for pair in pairs] == [{"level": row["level"]} for row in ROWS]
    assert {pair.task for pair in pairs} == {"bees"}
    assert pairs[0].id == Pair(instruction="Who keeps the bees?", answer="Ondine").id


# --- columns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "instruction", "answer"),
    [
        ({"question": "q?", "output": "a"}, "q?", "a"),
        ({"query": "q?", "response": "a"}, "q?", "a"),
        ({"prompt": "q?", "completion": "a"}, "q?", "a"),
        ({"input": "q?", "target": "a"}, "q?", "a"),
        ({"Question ": "q?", "ANSWER": "a"}, "q?", "a"),
        ({"question": "q?", "answers": ["a", "b"]}, "q?", "a"),
        ({"question": "q?", "answers": {"text": ["a"], "answer_start": [3]}}, "q?", "a"),
        ({"question": {"text": "q?"}, "answers": [{"text": "a"}]}, "q?", "a"),
        ({"instruction": "Do.", "input": "This text", "output": "a"}, "Do.\n\nThis text", "a"),
        ({"instruction": "Do.", "input": " ", "output": "a"}, "Do.", "a"),
        ({"question": "q?", "answer": None, "output": "a"}, "q?", "a"),
        ({"question": "q?", "answer": 12}, "q?", "12"),
        ({"question": "q?", "answer": 4.5}, "q?", "4.5"),
        ({"question": "q?", "answer": True}, "q?", "yes"),
        ({"question": "q?", "answer": False}, "q?", "no"),
    ],
)
def test_usual_columns_are_guessed(tmp_path: Path, row: object, instruction: str, answer: str) -> None:
    (pair,) = only_pairs(write_jsonl(tmp_path / "data.jsonl", row))
    assert (pair.instruction, pair.answer) == (instruction, answer)


def test_numbers_are_kept_as_written(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"question": "Price?", "answer": 4.10, "share": 0.50, "odd": NaN}\n')
    (pair,) = only_pairs(path)
    assert pair.answer == "4.10"
    assert pair.metadata == {"share": 0.5}
    assert type(pair.metadata["share"]) is float


def test_columns_can_be_named(tmp_path: Path) -> None:
    row = {"q": "q?", "a": "a", "kind": "riddle", "nr": 7, "question": "other", "tags": ["x"], "n": None}
    path = write_jsonl(tmp_path / "data.jsonl", row)
    (pair,) = only_pairs(path, columns={"instruction": "q", "answer": "a", "task": "kind", "id": "nr"})
    assert pair == Pair("7", "q?", "a", "riddle", {"question": "other"})


def test_a_field_that_pairs_do_not_have_is_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "data.jsonl", GOOD)
    with pytest.raises(SourceError, match="no field 'instructions'.*Known: instruction, answer"):
        read_pairs(path, columns={"instructions": "q"})


@pytest.mark.parametrize("name", ["odd.jsonl", "odd.csv", "odd.json"])
def test_no_usable_column_is_one_error_that_names_what_there_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    rows = [{"Frage": f"f{i}", "Antwort": "a"} for i in range(5)]
    if name.endswith("csv"):
        path.write_text("Frage,Antwort\n" + "".join(f"{r['Frage']},{r['Antwort']}\n" for r in rows))
    else:
        path.write_text(json.dumps(rows)) if name.endswith(".json") else write_jsonl(path, *rows)
    seen: list[object] = []
    with pytest.raises(SourceError) as caught:
        seen.extend(read_pairs(path))
    assert seen == []
    for part in (name, "'Frage', 'Antwort'", "instruction, question, query", "--column instruction=NAME"):
        assert part in str(caught.value)
    pairs = only_pairs(path, columns={"instruction": "Frage", "answer": "Antwort"})
    assert len(pairs) == 5
    with pytest.raises(SourceError, match="Tried for .*task: kind"):
        list(read_pairs(path, columns={"instruction": "Frage", "answer": "Antwort", "task": "kind"}))


def test_many_rows_without_columns_do_not_pile_up(tmp_path: Path) -> None:
    rows = [{"x": i} for i in range(3_000)]
    path = write_jsonl(tmp_path / "data.jsonl", *rows, GOOD)
    kinds = Counter(type(outcome) for outcome in read_pairs(path))
    assert kinds == {Rejected: 3_000, Pair: 1}


def test_task_comes_from_argument_column_or_file_name(tmp_path: Path) -> None:
    rows = [GOOD, GOOD | {"answer": "b", "task": "own"}, GOOD | {"answer": "c", "dataset": "set"}]
    path = write_jsonl(tmp_path / "fables_qa.jsonl", *rows)
    assert [pair.task for pair in only_pairs(path)] == ["fables_qa", "own", "set"]
    assert {pair.task for pair in only_pairs(path, task="given")} == {"given"}


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("train", "generic"),
        ("test", "generic"),
        ("data", "generic"),
        ("pairs", "generic"),
        ("part-00000", "generic"),
        ("train-00000-of-00012", "generic"),
        ("0001", "generic"),
        ("hotpotqa", "hotpotqa"),
        ("trains", "trains"),
        ("qasper_train", "qasper_train"),
    ],
)
def test_plain_file_names_are_no_task(tmp_path: Path, name: str, task: str) -> None:
    (pair,) = only_pairs(write_jsonl(tmp_path / f"{name}.jsonl", GOOD))
    assert pair.task == task


# --- chat ----------------------------------------------------------------------------------------------


def turns(*said: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in said]


def test_chat_rows_with_one_exchange(tmp_path: Path) -> None:
    messages = turns(("system", "Be brief."), ("user", "q?"), ("assistant", "a"))
    shared = [{"from": "human", "value": "p?"}, {"from": "gpt", "value": "b"}]
    parts = [{"role": "user", "content": [{"type": "text", "text": "r?"}]}, *turns(("assistant", "c"))]
    path = write_jsonl(
        tmp_path / "chat.jsonl",
        {"messages": messages, "source": "s"},
        {"conversations": shared},
        {"prompt": "r?", "messages": parts},
    )
    pairs = only_pairs(path)
    assert [(pair.instruction, pair.answer) for pair in pairs] == [("q?", "a"), ("p?", "b"), ("r?", "c")]
    assert pairs[0].metadata == {"system": "Be brief.", "source": "s"}


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (turns(("user", "q"), ("assistant", "a"), ("user", "q"), ("assistant", "a")), "4 turns"),
        (turns(("user", "q")), "1 turn (user)"),
        ([], "0 turns (none)"),
        (turns(("assistant", "a"), ("user", "q")), "assistant, user"),
        (turns(("user", "q"), ("tool", "t"), ("assistant", "a")), "role 'tool'"),
        (["user: q"], "chat turn is not an object but text"),
        ([{"role": "user", "content": [{"type": "image"}]}, *turns(("assistant", "a"))], "not text"),
    ],
)
def test_other_chats_are_rejected(tmp_path: Path, messages: object, reason: str) -> None:
    assert reason in one_bad(tmp_path / "chat.jsonl", {"messages": messages}).reason


# --- many files, describing, limits, memory ---


def test_folders_and_globs_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.csv", ".hidden.jsonl", "deep/d.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if name.endswith("csv"):
            (tmp_path / name).write_text("question,answer\nin c.csv,a\n")
        else:
            write_jsonl(tmp_path / name, {"question": f"in {name}", "answer": "a"})
    (tmp_path / "README.md").write_text("# notes\n")
    names = ["in a.jsonl", "in b.jsonl", "in c.csv", "in deep/d.jsonl"]
    assert [pair.instruction for pair in only_pairs(tmp_path)] == names
    assert [pair.instruction for pair in only_pairs(str(tmp_path / "*.jsonl"))] == names[:2]
    described = describe_source(tmp_path)
    assert [entry["path"] for entry in described["files"]] == [
        str(tmp_path / name.removeprefix("in ")) for name in names
    ]


def test_describe_names_files_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_bytes(b"abc")
    assert describe_source("a.jsonl") == {
        "kind": "files",
        "name": "a.jsonl",
        "files": [
            {
                "path": "a.jsonl",
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "bytes": 3,
            }
        ],
    }
    with pytest.raises(SourceError, match="was not found"):
        describe_source("b.jsonl")


def test_limit_counts_pairs_and_stops_reading(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", {"question": "q"}, GOOD, GOOD | {"answer": "b"})
    assert [type(outcome) for outcome in read_pairs(path, limit=1)] == [Rejected, Pair]
    assert list(read_pairs(path, limit=0)) == []
    for options in ({"limit": -1}, {"task": " "}, {"split": "test"}, {"config": "c"}):
        assert error_of(path, **options)


def test_errors_come_with_the_call(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        read_pairs(tmp_path / "nothing.jsonl")


def test_rows_stream_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    note = "made up " * 60
    with path.open("w") as handle:
        for i in range(200_000):
            handle.write(
                f'{{"question": "What is the {i}th?", "answer": "Number {i}", "note": "{note}{i}"}}\n'
            )
    # A process of its own: memory that other tests have freed would hide growth.
    code = (
        "import psutil\nfrom synthesis.sources.pairs import read_pairs\n"
        f"stream, own, count = read_pairs({str(path)!r}), psutil.Process(), 0\n"
        "for count, _ in enumerate(stream, 1):\n"
        "    if count == 2_000: before = own.memory_info().rss\n"
        "    if count == 200_000: print(count, own.memory_info().rss - before)\n"
    )
    result = run_python("-c", code)
    assert result.returncode == 0, result.stderr
    count, grown = map(int, result.stdout.split())
    assert count == 200_000
    # Only the hashes of what was seen stay; the pairs themselves would take some 200 MB.
    assert grown < 60_000_000


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["question", "answer", "task", "x"]), st.none() | st.text() | st.integers()
        ),
        max_size=8,
    )
)
def test_every_row_has_one_outcome_and_text_is_untouched(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_jsonl(Path(folder, "rows.jsonl"), *rows)
        outcomes: list[object] = []
        try:
            outcomes.extend(read_pairs(path))
        except SourceError:
            assert not any(isinstance(outcome, Pair) for outcome in outcomes)
            return
    assert len(outcomes) == len(rows)
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, Pair):
            assert (outcome.instruction, outcome.answer) == (row["question"], str(row["answer"]))


def test_our_rows_give_one_pair_each() -> None:
    outcomes = list(read_pairs(OWN))
    pairs = [outcome for outcome in outcomes if isinstance(outcome, Pair)]
    assert len(pairs) == len(outcomes) == 50
    for row, pair in zip(own_rows(), pairs, strict=True):
        assert (pair.instruction, pair.answer, pair.task) == (row["instruction"], row["answer"], row["task"])
        assert pair.metadata["kind"] == row["kind"]


@needs_large
def test_the_seed_rows_give_one_outcome_each() -> None:
    folder = LARGE / "seed_instruction"
    outcomes = list(read_pairs(folder))
    rows = {path.stem: len(path.read_bytes().splitlines()) for path in folder.glob("*.jsonl")}
    assert len(outcomes) == sum(rows.values()) >= 800
    tasks = Counter(outcome.task for outcome in outcomes if isinstance(outcome, Pair))
    assert set(tasks) == set(rows)
    assert sum(tasks.values()) >= 0.98 * len(outcomes)


def test_a_runs_folder_stands_for_its_dataset(tmp_path: Path, command: Callable[..., Any]) -> None:
    made = tmp_path / "made"
    done = command(
        "run", "--limit", "3", "--words", "60", "--section-words", "0", "--lengths", "512", "--out", made
    )
    assert done.returncode == 0, done.stderr
    whole = list(read_pairs(made))
    assert whole == list(read_pairs(made / "dataset")) and len(whole) == 3
    assert describe_source(made)["files"] == describe_source(made / "dataset")["files"]


def test_a_run_without_a_dataset_is_none_to_read(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "run.toml").write_text("", encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "answer": "b"}\n', encoding="utf-8")
    for read in (read_pairs, describe_source):
        with pytest.raises(SourceError, match="has no dataset yet"):
            read(tmp_path)
    (tmp_path / "journal").rmdir()  # a configuration beside pairs
    assert len(list(read_pairs(tmp_path))) == 1
