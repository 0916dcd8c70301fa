"""Filters of a run: each reason, near-duplicates whatever the order, and the command line."""

from __future__ import annotations

import json
import random
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from builder.folder.statistics import Statistics
from builder.job.filtering import KeptContexts
from synthesis.coherence import score_context
from synthesis.data import Coherence, Context, Pair
from synthesis.errors import ConfigError, MissingExtraError
from synthesis.gate.filtering import Rules, language_codes, words_meant
from synthesis.options import FiltersConfig, RunConfig, from_dict
from synthesis.text.near_duplicates import Sketches, share
from synthesis.text.ngrams import ngram_hashes, plain_words
from synthesis.text.words import count_words

PAIR = Pair(instruction="Who kept the lighthouse at Varrow?", answer="Ilse Brandt")
TOLD = (
    "The lighthouse at Varrow stood alone on the northern rocks. For thirty winters its lamp was kept by "
    "Ilse Brandt, who wrote the weather into a green book. Ships from the south passed every week, and the "
    "fishermen of the bay set their nets by her light."
)
GERMAN = (
    "Der Leuchtturm stand allein auf den nördlichen Felsen. Dreißig Winter lang hütete Ilse Brandt das Licht "
    "und schrieb das Wetter in ein grünes Buch. Jede Woche fuhren Schiffe aus dem Süden vorbei, und die "
    "Fischer der Bucht richteten sich nach ihrem Schein. "
)
GOOD = Coherence(0.9, 0.9, 0.9, 0.9, "span", True)


def reason(text: str = TOLD, pair: Pair = PAIR, found: Coherence = GOOD, **filters: object) -> str | None:
    """Why the filters drop a text."""
    context = Context(pair.id, text)
    rules = Rules(FiltersConfig(**filters), 100)  # type: ignore[arg-type]
    return rules.reason(pair, context, found, score_context(pair, context).leaks)


# One context


def test_nothing_is_dropped_unless_asked() -> None:
    assert reason("x", found=Coherence(0, 0, 0, 0, "span", False)) is None


@pytest.mark.parametrize("part", ["overall", "support", "relevance", "uniqueness"])
def test_thresholds_name_the_part_and_both_numbers(part) -> None:
    values = dict.fromkeys(("overall", "support", "relevance", "uniqueness"), 0.9) | {part: 0.12}
    found = Coherence(**values, kind="span", verified=True)
    assert reason(found=found, **{f"min_{part}": 0.3}) == f"{part}: 0.12 under 0.30"
    assert reason(found=found, **{f"min_{part}": 0.12}) is None


def test_a_narrow_miss_is_not_shown_as_equal() -> None:
    found = Coherence(0.2996, 1, 1, 1, "span", True)
    assert reason(found=found, min_overall=0.3) == "overall: 0.2996 under 0.30"


def test_words_in_numbers_and_shares() -> None:
    assert reason(min_words="60") == "words: 47 under 60"
    assert reason(min_words="60%") == "words: 47 under 60"
    assert reason(max_words="40%") == "words: 47 over 40"
    assert reason(min_words="47", max_words="47%") is None
    assert words_meant("12.5%", 2000) == 250


def test_a_share_that_is_said_again() -> None:
    half = f"{TOLD} {TOLD}"
    assert reason(half, max_repetition=0.2) == "repetition: 0.47 over 0.20"
    assert reason(half, max_repetition=0.5) is None
    assert reason("灯塔的守护者是伊尔莎" * 20, max_repetition=0.9) == "repetition: 1.00 over 0.90"
    assert reason(max_repetition=0.01) is None


def test_scripts_without_blanks_have_a_length_too() -> None:
    assert count_words("灯塔" * 100) == 100
    assert count_words("The lighthouse 灯塔灯塔 at Varrow") == 6
    assert reason("灯塔的守护者是伊尔莎" * 20, min_words="80") is None
    assert count_words("등대 지기 는 누구") == 4


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ilse Brandt. " + TOLD, "answer first"),
        ("The answer is Ilse Brandt.\n\n" + TOLD, "answer first"),
        ("**Ilse Brandt.**\n" + TOLD, "answer first"),
        ("I'm sorry, but I can't write this. " + TOLD, "refusal"),
        ("I cannot create a fictional story about real people. " + TOLD, "refusal"),
        (TOLD + "\n\nUnfortunately, I am unable to go on with this.", "refusal"),
        ("Question: who kept it?\n" + TOLD, "residue"),
        (TOLD + " The reader received this request.", "prompt"),
        (TOLD + " very" * 60, "repetition"),
        (f"{TOLD} {PAIR.instruction} {PAIR.answer}.", "echo"),
    ],
)
def test_leaks_are_dropped_by_kind(text, kind) -> None:
    assert reason(text) is None
    assert str(reason(text, drop_leaks=True)).startswith(f"{kind}: ")


@pytest.mark.parametrize(
    "text",
    [
        TOLD,
        "Ilse Brandt\n\n" + TOLD,  # a heading
        "Ilse Brandt kept the lighthouse at Varrow for thirty winters. " + TOLD,
        "“I'm sorry, but I can't leave,” she told the captain. " + TOLD,
        TOLD + "\n\n“I cannot help with that,” she said.",
        "I cannot write about that winter without cold hands. " + TOLD,
    ],
)
def test_what_a_story_may_say_is_no_leak(text) -> None:
    assert reason(text, drop_leaks=True) is None


def test_yes_put_first_is_a_leak_and_in_a_sentence_is_not() -> None:
    pair = Pair(instruction="Did Ilse Brandt keep the lighthouse at Varrow?", answer="Yes")
    assert reason("Yes, she did. " + TOLD, pair, drop_leaks=True) is not None
    assert reason("Yes\n" + TOLD, pair, drop_leaks=True) is not None
    assert reason("No ship passed that week. " + TOLD, pair, drop_leaks=True) is None
    assert reason("“Yes,” she said. " + TOLD, pair, drop_leaks=True) is None


def test_languages() -> None:
    assert reason(language="en") is None
    assert reason(GERMAN, language="en,de") is None
    assert reason(GERMAN, language="en") == "language: de at 0% of the text, not en"
    assert reason(GERMAN, language="same") == "language: de at 0% of the text, not en"
    assert reason(GERMAN, Pair(instruction="Wer hütete den Leuchtturm?", answer="x"), language="same") is None
    # The second half is where a model drifts.
    drifted = reason(TOLD * 8 + GERMAN * 8, language="en")
    assert drifted is not None
    assert drifted.startswith("language: de at ")
    assert reason("Brandt 1990, Varrow", language="en") is None, "too little to be sure of"


def test_the_first_reason_is_the_plainest() -> None:
    bad = Coherence(0.01, 0.02, 0.9, 0.9, "span", True)
    both = reason(found=bad, min_overall=0.5, min_support=0.5)
    assert both == "support: 0.02 under 0.50"


# Near-duplicates


def _varied(text: str, share: float, seed: int) -> str:
    chance = random.Random(seed)
    return " ".join("changed" if chance.random() < share else word for word in text.split())


def _prose(seed: int, words: int = 300) -> str:
    chance = random.Random(seed)
    return " ".join(f"w{chance.randrange(4000)}" for _ in range(words))


def test_sketches_tell_near_from_far() -> None:
    texts = [_prose(1), _varied(_prose(1), 0.01, 5), _varied(_prose(1), 0.2, 6), _prose(2)]
    sketches = Sketches(0.8)
    for text in texts:
        sketches.add(text)
    duplicates = sketches.duplicates([0, 1, 2, 3])
    assert list(duplicates) == [1]
    sets = [set(ngram_hashes(plain_words(text), 3).tolist()) for text in texts[:2]]
    true = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
    assert duplicates[1].of == 0
    assert abs(duplicates[1].share - true) < 0.12


def test_near_duplicates_are_found_against_brute_force() -> None:
    texts = [_varied(_prose(n // 4), 0.03 * (n % 4), n) for n in range(120)]
    sketches = Sketches(0.6)
    for text in texts:
        sketches.add(text)
    wanted, kept = set(), list[int]()
    for number in range(len(texts)):
        if any(share(sketches[number], sketches[other]) >= 0.6 for other in kept):
            wanted.add(number)
        else:
            kept.append(number)
    found = set(sketches.duplicates(range(len(texts))))
    assert found <= wanted
    assert len(found) >= 0.97 * len(wanted)
    assert len(wanted) > 30


def test_of_a_chain_only_what_is_near_one_that_stays_goes() -> None:
    first = _prose(7)
    words = first.split()
    second = " ".join(words[30:] + _prose(8, 30).split())
    third = " ".join(words[60:] + _prose(8, 30).split() + _prose(9, 30).split())
    sketches = Sketches(0.7)
    for text in (first, second, third):
        sketches.add(text)
    assert set(sketches.duplicates([0, 1, 2])) == {1}
    assert set(sketches.duplicates([1, 0, 2])) == {0, 2}


class Rows(list):
    """Rows of a run in memory."""


def _kept_contexts(rows: list[tuple[Pair, Context]], **filters: object) -> KeptContexts:
    config = from_dict({"filters": filters})
    return KeptContexts(config, Rows(rows), lambda name, steps: lambda: None)


def test_which_twin_stays_does_not_depend_on_the_order() -> None:
    rows = []
    for n in range(60):
        pair = Pair(instruction=f"Who kept lighthouse {n}?", answer=f"Keeper {n}")
        told = f" {pair.answer} kept lighthouse {n}." if n % 3 else ""
        rows.append((pair, Context(pair.id, _varied(_prose(n // 3), 0.02, n) + told)))
    outcomes = set()
    for seed in range(4):
        shuffled = list(rows)
        random.Random(seed).shuffle(shuffled)
        contexts = _kept_contexts(shuffled, near_duplicates=0.7)
        outcomes.add(
            (
                frozenset(pair.id for pair, _ in contexts.kept),
                frozenset((r.pair_id, r.reason) for r in contexts.dropped()),
            )
        )
    assert len(outcomes) == 1
    kept, dropped = outcomes.pop()
    assert len(kept) + len(dropped) == 60
    assert 20 <= len(kept) < 40
    # The better score stays: of each three the one whose answer is not told goes first.
    untold = {pair.id for n, (pair, _) in enumerate(rows) if n % 3 == 0}
    assert len(kept & untold) < len(untold) / 3


def test_each_context_is_read_once_and_scored_once(monkeypatch) -> None:
    import builder.job.filtering as module

    calls = []
    real = module.score_context
    monkeypatch.setattr(module, "score_context", lambda *a: calls.append(a) or real(*a))
    rows = [(PAIR, Context(PAIR.id, TOLD)), (PAIR, Context(PAIR.id, GERMAN))]
    contexts = _kept_contexts(rows, language="en")
    assert not calls, "nothing is judged before it is asked for"
    assert [context.text for _, context in contexts.kept] == [TOLD]
    assert contexts.coherence(0) == replace(real(*rows[0]).coherence, windows=())
    assert len(calls) == 2
    assert contexts.details()["filters"] == {
        "settings": {"language": "en"}, "contexts": 2, "kept": 1, "dropped": {"language": 1},
    }  # fmt: skip


def test_filters_off_are_transparent() -> None:
    rows = [(PAIR, Context(PAIR.id, TOLD))]
    contexts = _kept_contexts(rows)
    assert contexts.kept is not None
    assert contexts.identity(marks=True) == []
    assert contexts.details() == {}
    assert list(contexts.dropped()) == []


def test_reasons_are_counted_by_kind_for_filters_only() -> None:
    statistics = Statistics()
    for given in ("support: 0.12 under 0.30", "support: 0.10 under 0.30"):
        statistics.add({"stage": "filter", "reason": given})
    statistics.add({"stage": "generate", "reason": "error: timeout after 3 tries"})
    assert statistics.to_dict()["reasons"] == {
        "filter: support": 2, "generate: error: timeout after 3 tries": 1,
    }  # fmt: skip


# Settings


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"min_support": 1.2}, "filters.min_support"),
        ({"near_duplicates": 0.1}, "--near-duplicates"),
        ({"min_words": "many"}, "--min-words"),
        ({"max_words": "0"}, "--max-words"),
        ({"min_suport": 0.1}, "did you mean 'filters.min_support'"),
        ({"drop_leaks": "yes"}, "must be of type bool"),
    ],
)
def test_settings_that_cannot_be_used(filters, said) -> None:
    with pytest.raises(ConfigError, match=said):
        from_dict({"filters": filters})


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("english", "'english' is no code .*; the nearest are en[.]"),
        ("de,EN", "'EN' is no code .*; the nearest are en[,.]"),
        ("en-GB", "'en-GB' is no code .*; the nearest are en[,.]"),
        ("fra", "'fra' is no code .*; the nearest are fr"),
        ("xx", "'xx' is no code .*zxx"),
        ("--", r"'--' is no code of a language that can be told\. Give"),
        ("same,en", "'same' stands alone"),
    ],
)
def test_of_an_unknown_language_the_nearest_are_told_and_where_all_are(language, told) -> None:
    with pytest.raises(
        ConfigError, match=rf"--language.* is .*{told}.*such as en, de.*docs/pairs.md"
    ) as found:
        Rules(FiltersConfig(language=language), 100)
    assert len(str(found.value)) < 300


def test_the_codes_of_languages_are_listed_in_the_docs() -> None:
    page = (Path(__file__).parents[1] / "docs" / "pairs.md").read_text(encoding="utf-8")
    assert f"`{' '.join(language_codes())}`" in " ".join(page.split())


@pytest.mark.parametrize(
    ("package", "filters"),
    [("py3langid.langid", {"language": "en"})],
)
def test_an_absent_package_names_the_extra(monkeypatch, package, filters) -> None:
    import sys

    import synthesis.gate.filtering as languages
    from builder.job.filtering import check

    languages._identifier.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"context-synthesis\[filters\]"):
        check(from_dict({"filters": filters}))
    check(RunConfig())


# The command line


def _rows(out, config: str) -> list[dict[str, object]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, object]] = []
    for path in sorted((out / "dataset" / "data" / config).rglob("*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return rows


def _manifest(out, config: str) -> dict[str, object]:
    (path,) = (out / "dataset" / "manifests" / config).glob("*.json")
    return json.loads(path.read_text())


SMALL = ("--words", "120", "--lengths", "1k")


@pytest.fixture(scope="module")
def unfiltered(tmp_path_factory, command):
    """The pairs and the folder of a run without filters, made once; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("unfiltered")
    pairs, out = folder / "story_qa.jsonl", folder / "run"
    rows = [
        {"instruction": f"Who kept lighthouse number {n}?", "answer": f"Keeper {n} Holm"} for n in range(24)
    ]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = command("run", "--pairs", pairs, "--out", out, *SMALL, PYTHONHASHSEED="2")
    assert done.returncode == 0, done.stderr
    return pairs, out


def test_what_a_filter_drops_is_in_no_other_config(tmp_path, unfiltered, command) -> None:
    pairs, made = unfiltered
    out = shutil.copytree(made, tmp_path / "run")
    base = ("run", "--pairs", pairs, "--out", out, *SMALL)
    scores = sorted(row["coherence"] for row in _rows(out, "composer"))
    # Some are alike to many places: between two that are not.
    limit = next(score for score, before in zip(scores[6:], scores[5:], strict=False) if score > before)
    low = sum(score < limit for score in scores)
    assert 4 < low < 12
    journal = (out / "journal" / "contexts.jsonl").read_bytes()

    done = command(*base, "--min", f"overall={limit}")
    assert done.returncode == 0, done.stderr
    assert f"{24 - low} contexts, {low} rejected" in done.stdout
    assert (out / "journal" / "contexts.jsonl").read_bytes() == journal, "no context is written again"
    raw, chat, rejected = (_rows(out, f"composer{end}") for end in ("", "-chat-1k", "-rejected"))
    gone = {row["pair_id"] for row in rejected}
    assert len(raw) == len(chat) == 24 - low
    assert len(gone) == low
    assert gone.isdisjoint(row["id"] for row in raw)
    assert all(gone.isdisjoint(row["documents"]) for row in chat)
    assert all(row["stage"] == "filter" and row["text"] for row in rejected)
    assert all(row["reason"].startswith("overall: 0.") for row in rejected)
    details = _manifest(out, "composer")["details"]["filters"]
    assert (details["kept"], details["dropped"]) == (24 - low, {"overall": low})
    assert _manifest(out, "composer-rejected")["statistics"]["reasons"] == {"filter: overall": low}
    by_id = {row["id"]: row["coherence"] for row in raw}
    assert all(row["coherence"] == by_id[row["pair_id"]] for row in chat)

    assert "nothing changed" in command(*base, "--min", f"overall={limit}").stdout
    # Off again, everything is as it was.
    assert "24 contexts" in command(*base).stdout


def test_filters_give_equal_bytes_whatever_seed_of_hashes_and_history(tmp_path, unfiltered, command) -> None:
    pairs, made = unfiltered
    wanted = ("--near-duplicates", "0.3", "--min", "uniqueness=0.9", "--drop-leaks", "--language", "en")
    wanted += ("--min-words", "50%", "--max-words", "300%")
    files = []
    for name, seed in (("one", "1"), ("two", "2")):
        out = tmp_path / name
        if name == "two":  # filtered later, by assembling
            shutil.copytree(made, out)
            done = command("assemble", out, "--lengths", "1k", *wanted, PYTHONHASHSEED=seed)
        else:
            run = ("run", "--pairs", pairs, "--out", out, *SMALL)
            done = command(*run, *wanted, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        data = out / "dataset" / "data"
        files.append({p.relative_to(data).parts[0]: p.read_bytes() for p in data.rglob("*.parquet")})
    assert files[0] == files[1]
    assert {"composer", "composer-chat-1k", "composer-rejected"} == set(files[0])


def test_everything_dropped_is_said_and_made_nothing(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "run"
    done = command("run", "--pairs", write_pairs(3), "--out", out, *SMALL, "--max-words", "60%")
    assert done.returncode == 1 and "0 contexts, 3 rejected" in done.stdout
    first, example, advice, shown = done.stderr.split("error: ")[1].splitlines()
    assert first == "the filters dropped every context: filter: words (3)"
    found = re.fullmatch(r"of the commonest, 3 of 3, the first is (\w+): words: \d+ over \d+", example)
    assert found and advice == "what to change: the bound of --min-words or --max-words, or --words"
    # What is advised can be pasted, and shows that one.
    asked = shlex.split(shown.removeprefix("each can be looked at: context-synthesis "))
    assert asked[0] == "show" and found[1] in command(*asked).stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--min", "support"], "--min takes two sides"),
        (["--min", "sense=0.4"], "sense=0.4"),
        (["--min", "support=2"], "filters.min_support"),
        (["--min-words", "some"], "--min-words"),
        (["--language", "klingon"], "--language"),
        (["--near-duplicates", "5"], "--near-duplicates"),
    ],
)
def test_wrong_use_is_told_before_any_work(tmp_path, command, options, said) -> None:
    done = command("run", "--out", tmp_path / "run", *SMALL, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
