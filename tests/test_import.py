"""Importing contexts that exist: the paper's rows and chats, bad rows, resuming, what may follow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.folder.facts import IMPORTED
from builder.folder.versions import read_manifests
from builder.job.execute import Summary, execute, plan, reassemble
from builder.job.importing import import_contexts, parse_layout
from synthesis.coherence import locate
from synthesis.errors import FolderError, SourceError, UsageError
from synthesis.options import RunConfig, load_config, override
from synthesis.sources.values import BadRow
from synthesis.text.words import count_words
from tests import real_texts
from tests.jobs import Quiet
from tests.pretend import prose
from tests.real_texts import sets

MODEL = "org/Model-72B"
Row = dict[str, Any]


class Stopping(Quiet):
    """Stops the job after so many steps."""

    def __init__(self, stop_after: int) -> None:
        self.left = stop_after

    def advance(self, steps: int = 1) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def story(number: int) -> Row:
    """A row as in the paper's collections."""
    text = f"The lighthouse of Varrow {number} stood alone. {prose(50, str(number))} "
    return {
        "synthesis_task": "narrativeqa" if number % 2 else "hotpotqa",
        "instruction": f"Who kept lighthouse {number}?",
        "answer": f"Keeper {number} Holm",
        "synthesized_context": f"{text}In the end Keeper {number} Holm kept lighthouse {number}. {prose(58)}",
    }


def chat(number: int, turn: str = "{context}\n\n{instruction}") -> Row:
    """The same as a chat."""
    row = story(number)
    context, instruction = row["synthesized_context"].strip(), row["instruction"]
    user = turn.replace("{context}", context).replace("{instruction}", instruction)
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": row["answer"]}]
    return {"messages": turns, "source": f"s{number}"}


Import = Callable[..., Summary]


@pytest.fixture
def bring(tmp_path: Path) -> Import:
    """Writes rows to a file and imports it into ``out``."""

    def bring(rows: list[Row | str], out: str = "run", stop: int | None = None, **changes: Any) -> Summary:
        source = tmp_path / f"{changes.pop('stem', 'train')}.jsonl"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        given = {
            "out": str(tmp_path / out),
            "pairs.source": str(source),
            "generation.engine": IMPORTED,
            "generation.model": MODEL,
            "samples.lengths": ("1k",),
            "samples.distractors": "random",
        }
        return import_contexts(override(RunConfig(), given | changes), Stopping(stop) if stop else Quiet())

    return bring


def raw(folder: Path, config: str = "model-72b") -> list[Row]:
    import pyarrow.parquet as pq

    manifest = read_manifests(folder / "dataset")[config][-1]
    return [
        row for file in manifest.files for row in pq.read_table(folder / "dataset" / file.path).to_pylist()
    ]


def files(folder: Path) -> dict[str, bytes]:
    """What must not depend on how often the job was interrupted."""
    kept = [*(folder / "dataset").rglob("*"), *(folder / "journal").rglob("*")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in kept if p.is_file()}


def spans(row: Row) -> list[tuple[int, int]]:
    return [(one["start"], one["end"]) for one in row["evidence"]]


# --- what is read -------------------------------------------------------------------------


def test_the_papers_rows_become_a_run_with_everything_in_it(tmp_path: Path, bring: Import) -> None:
    import datasets

    summary = bring([story(n) for n in range(6)])
    assert (summary.contexts, summary.rejected) == (6, 0)
    rows = raw(tmp_path / "run")
    for number, row in enumerate(rows):
        given = story(number)
        assert (row["instruction"], row["answer"]) == (given["instruction"], given["answer"])
        assert (row["context"], row["task"]) == (given["synthesized_context"], given["synthesis_task"])
        assert (row["engine"], row["model"], row["attempts"]) == (IMPORTED, MODEL, 0)
        assert row["words"] == len(given["synthesized_context"].split()) and row["tokens"] > row["words"]
        assert row["coherence"] > 0.5
        found = locate(row["context"], row["instruction"], row["answer"])
        assert row["evidence"] == [span._asdict() for span in found] and row["evidence_source"] == "located"
        assert any(given["answer"] in row["context"][s["start"] : s["end"]] for s in row["evidence"])
    assert "synthesized_context" not in rows[0]["metadata"]
    names = datasets.get_dataset_config_names(str(tmp_path / "run" / "dataset"))
    assert {"model-72b", "model-72b-chat-1k"} <= set(names)
    card = (tmp_path / "run" / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "were written elsewhere" in card and "| words | 2000 |" not in card and "narrative |" not in card


def test_chats_give_the_same_rows(tmp_path: Path, bring: Import) -> None:
    bring([chat(n) for n in range(4)], "chats", **{"pairs.task": "t"})
    plain = [{**story(n), "synthesized_context": story(n)["synthesized_context"].strip()} for n in range(4)]
    bring(plain, "plain", **{"pairs.task": "t"})
    one, other = raw(tmp_path / "chats"), raw(tmp_path / "plain")
    assert [row.pop("metadata") for row in one] == [f'{{"source": "s{n}"}}' for n in range(4)]
    assert [row.pop("metadata") for row in other] == ["{}"] * 4
    assert one == other


@pytest.mark.parametrize("format", ["messages", "prompt-completion", "longalign", "sharegpt"])
def test_what_was_exported_comes_back(tmp_path: Path, bring: Import, format: str) -> None:
    from builder.export.write import export

    bring([story(n) for n in range(4)], "first", **{"samples.distractors": "none"})
    export(tmp_path / "first", tmp_path / "back.jsonl", config="model-72b-chat-1k", format=format)
    rows = [json.loads(line) for line in (tmp_path / "back.jsonl").read_text("utf-8").splitlines()]
    summary = bring(list(rows), "back")
    assert (summary.contexts, summary.rejected) == (4, 0)
    again = {(row["instruction"], row["answer"], row["context"]) for row in raw(tmp_path / "back")}
    assert again == {(row["instruction"], row["answer"], row["context"]) for row in raw(tmp_path / "first")}
    assert {row["task"] for row in raw(tmp_path / "back")} == {"story_qa", "multihop_bridge"}


@pytest.mark.parametrize("given", ["spans", "pairs", "sentence", "json"])
def test_evidence_that_a_row_tells_is_kept(tmp_path: Path, bring: Import, given: str) -> None:
    row = story(1)
    said = "The lighthouse of Varrow 1 stood alone."
    start = row["synthesized_context"].index(said)
    evidence = {
        "spans": [{"start": start, "end": start + len(said), "what": "which one"}],
        "pairs": [[start, start + len(said)]],
        "sentence": [said],
        "json": json.dumps([[start, start + len(said)]]),
    }[given]
    bring([row | {"proof": evidence, "form": "steps", "hops": 2}], **{"pairs.columns": {"evidence": "proof"}})
    (kept,) = raw(tmp_path / "run")
    what = "which one" if given == "spans" else "what is asked about"
    assert kept["evidence"] == [{"start": start, "end": start + len(said), "what": what}]
    assert (kept["evidence_source"], kept["form"], kept["hops"]) == ("exact", "steps", 2)


@pytest.mark.parametrize(
    "evidence",
    [[[0, 99_999]], [[5, 2]], ["Nobody wrote this of anything."], "see page 4", 7, [], [None], [{"start": 1}]]
    + [{"title": ["Nobody"], "sent_id": [0]}, [["Varrow", 3]], [[0, 4], "Not in the text at all, sir."]]
    + [{"title": title, "sent_id": number} for title, number in ((5, 3), (None, None), (["Varrow"], 5))]
    + ["[" * 100_000, '{"title": 5, "sent_id": 3}', [[3, 4]]],
)
def test_evidence_of_another_text_is_looked_for(tmp_path: Path, bring: Import, evidence: Any) -> None:
    summary = bring([story(1) | {"evidence": evidence}])
    assert (summary.contexts, summary.rejected) == (1, 0)
    (row,) = raw(tmp_path / "run")
    found = locate(row["context"], row["instruction"], row["answer"])
    assert spans(row) == [span[:2] for span in found] and row["evidence_source"] == "located"


@pytest.mark.parametrize(
    "told",
    [
        {"hops": True},
        {"hops": 10**30},
        {"hops": "2"},
        {"hops": -1},
        {"form": "a\0b"},
        {"form": 3},
    ],
)
def test_what_a_row_tells_wrongly_beside_its_evidence_is_passed_over(
    tmp_path: Path, bring: Import, told: dict[str, Any]
) -> None:
    said = "The lighthouse of Varrow 1 stood alone."
    start = story(1)["synthesized_context"].index(said)
    evidence = [{"start": start, "end": start + len(said), "what": {"a": 1}}]
    summary = bring([story(1) | {"evidence": evidence} | told])
    assert (summary.contexts, summary.rejected) == (1, 0)
    (row,) = raw(tmp_path / "run")
    assert spans(row) == [(start, start + len(said))] and row["evidence"][0]["what"] == "what is asked about"
    assert (row["evidence_source"], row["form"], row["hops"]) == ("exact", "", 0)


def test_a_run_comes_back_as_it_is(tmp_path: Path, bring: Import, command: Any) -> None:
    made = tmp_path / "made"
    done = command(
        "run", "--limit", "6", "--words", "80", "--section-words", "0", "--lengths", "512", "--out", made
    )
    assert done.returncode == 0, done.stderr
    given = {
        "out": str(tmp_path / "back"),
        "pairs.source": str(made),
        "generation.engine": IMPORTED,
        "samples.lengths": ("512",),
    }
    summary = import_contexts(override(RunConfig(), given), Quiet())
    assert (summary.contexts, summary.rejected) == (6, 0)
    before, after = raw(made, "composer"), raw(tmp_path / "back", "imported")
    names = (
        "id",
        "instruction",
        "answer",
        "context",
        "evidence",
        "evidence_source",
        "form",
        "hops",
        "coherence",
    )
    assert [[row[name] for name in names] for row in after] == [
        [row[name] for name in names] for row in before
    ]


def test_places_in_the_message_of_a_chat_are_places_in_its_context(tmp_path: Path, bring: Import) -> None:
    turn = "Read this.\n{context}\n---\n{instruction}"
    row = chat(1, turn)
    said = "The lighthouse of Varrow 1 stood alone."
    start = row["messages"][0]["content"].index(said)
    row["evidence"] = [{"start": start, "end": start + len(said), "what": "x"}]
    bring([row], **{"generation.options": {"layout": turn}})
    (kept,) = raw(tmp_path / "run")
    assert [kept["context"][a:b] for a, b in spans(kept)] == [said]


@pytest.mark.parametrize(
    ("turns", "wanted"),
    [("first", ["Who kept lighthouse 0?"]), ("every", ["Who kept lighthouse 0?", "Why?"])],
)
def test_exchanges_of_a_chat_can_be_taken(
    tmp_path: Path, bring: Import, turns: str, wanted: list[str]
) -> None:
    more = [
        {"role": "user", "content": "He fell ill.\n\nWhy?"},
        {"role": "assistant", "content": "He fell ill."},
    ]
    row = {"messages": chat(0)["messages"] + more}
    bring([row, chat(1)], **{"pairs.turns": turns})
    assert [one["instruction"] for one in raw(tmp_path / "run")] == [*wanted, "Who kept lighthouse 1?"]


@pytest.mark.parametrize(
    ("layout", "turn"),
    [
        ("{context}\\n\\nQuestion: {instruction}", "{context}\n\nQuestion: {instruction}"),
        ("Read.\n{context}\n---\n{instruction}\nAnswer:", "Read.\n{context}\n---\n{instruction}\nAnswer:\n"),
        ("Q: {instruction}\n\n{context}", "Q: {instruction}\n\n{context}"),
    ],
)
def test_other_layouts_of_a_chat(tmp_path: Path, bring: Import, layout: str, turn: str) -> None:
    bring([chat(n, turn) for n in range(3)], **{"generation.options": {"layout": layout}})
    for number, row in enumerate(raw(tmp_path / "run")):
        assert row["instruction"] == story(number)["instruction"]
        assert row["context"] == story(number)["synthesized_context"].strip()


def test_the_last_paragraph_is_the_instruction() -> None:
    assert parse_layout("{context}\n\n{instruction}").split("a\n\nb\n\nc\nd\n") == ("a\n\nb", "c\nd")
    # The other way round, what comes first does.
    assert parse_layout("{instruction}\n\n{context}").split("a\n\nb\n\nc") == ("b\n\nc", "a")
    for turn in ("one line", "\n\nonly", "   \n\nx", "a\n\n  "):
        with pytest.raises(BadRow, match="--layout says"):
            parse_layout("{context}\n\n{instruction}").split(turn)
    with pytest.raises(BadRow, match="begin and end"):
        parse_layout("Read: {context}\n\n{instruction}").split("a\n\nb")


@pytest.mark.parametrize(
    "layout", ["", "{context}", "{context}{instruction}", "{context} {context}", "{a} {b}"]
)
def test_a_layout_that_cannot_be_used(tmp_path: Path, bring: Import, layout: str) -> None:
    with pytest.raises(UsageError, match="Write {context} and {instruction} once each"):
        bring([chat(1)], **{"generation.options": {"layout": layout}})
    assert not (tmp_path / "run").exists()


def test_bad_rows_are_rejected_with_line_and_reason(tmp_path: Path, bring: Import) -> None:
    good = story(1)
    two_turns = chat(2)
    two_turns["messages"] *= 2
    rows: list[Row | str] = [
        good,
        "{broken",
        {key: value for key, value in story(2).items() if key != "synthesized_context"},
        {**story(3), "synthesized_context": "  "},
        {**story(4), "synthesized_context": ["a", "list"]},
        {**story(5), "answer": None},
        good,
        two_turns,
        {"messages": [{"role": "user", "content": "one paragraph"}, {"role": "assistant", "content": "a"}]},
        {**story(6), "synthesized_context": "half \ud800 of"},
        story(7),
    ]
    summary = bring(rows)
    assert (summary.contexts, summary.rejected) == (2, 9)
    found = {
        row["pair_id"]: (row["stage"], row["reason"]) for row in raw(tmp_path / "run", "model-72b-rejected")
    }
    expected = {
        2: "broken JSON",
        3: "context is missing (no column context, synthesized_context",
        4: "context is empty",
        5: "context is ",
        6: "answer is missing",
        7: "duplicate of train.jsonl:1",
        8: "chat is not one exchange",
        9: "cannot be split",
        10: "surrogate",
    }
    assert {int(place.rpartition(":")[2]) for place in found} == set(expected)
    for line, reason in expected.items():
        stage, told = found[f"train.jsonl:{line}"]
        assert stage == "import" and reason in told, (line, told)


def test_columns_limit_and_task_can_be_chosen(tmp_path: Path, bring: Import) -> None:
    rows = [{"q": f"Who was {n}?", "a": f"Ada {n}", "body": f"Ada {n} was {n}. " * 9} for n in range(9)]
    columns = {"instruction": "q", "answer": "a", "context": "body"}
    summary = bring(rows, **{"pairs.columns": columns, "pairs.limit": 5, "pairs.task": "t"})
    assert summary.contexts == 5
    assert {row["task"] for row in raw(tmp_path / "run")} == {"t"}
    with pytest.raises(SourceError, match=r"train\.jsonl:1: context is missing \(no column other"):
        bring(rows, "again", **{"pairs.columns": columns | {"context": "other"}})
    assert not (tmp_path / "again").exists()


def test_words_of_any_script_are_counted(tmp_path: Path, bring: Import) -> None:
    context = "水车立在河边，由艾达经营。" * 9
    bring([{"instruction": "谁经营水车？", "answer": "艾达", "synthesized_context": context}])
    assert [row["words"] for row in raw(tmp_path / "run")] == [count_words(context)] != [1]


def test_nothing_to_import_is_an_error_that_says_why(tmp_path: Path, bring: Import) -> None:
    with pytest.raises(SourceError, match=r"no row to import.*answer is missing.*--column context=NAME"):
        bring([{**story(1), "answer": None}])
    # The folder is still free.
    assert bring([story(1)]).contexts == 1


@pytest.mark.parametrize("name", sets("hotpotqa", "multinews"))
def test_real_rows(tmp_path: Path, bring: Import, name: str) -> None:
    given = real_texts.rows(name)[: 50 if name == "own" else 12]
    rows: list[Row | str] = [{key: row[key] for key in ("instruction", "answer", "context")} for row in given]
    summary = bring(rows, stem=name, **{"samples.lengths": ("8k",)})
    assert summary.contexts == len(rows)
    found = raw(tmp_path / "run")
    assert {row["task"] for row in found} == {name}
    assert [row["context"] for row in found] == [row["context"] for row in given]


# --- again, interrupted, and what may follow ------------------------------------------------


@pytest.mark.parametrize("stop", [1, 7, 12])
def test_an_interrupted_import_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, bring: Import, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builder.job.importing as importing

    rows: list[Row | str] = [*(story(n) for n in range(10)), "{broken", story(3), chat(30)]
    bring(rows, "whole")
    with pytest.raises(KeyboardInterrupt):
        bring(rows, "torn", stop=stop)
    with (tmp_path / "torn" / "journal" / "contexts.jsonl").open("ab") as journal:
        journal.write(b'{"fingerprint":"torn in the middle of a li')
    searched: list[str] = []
    monkeypatch.setattr(
        importing, "locate", lambda text, *pair: (searched.append(text), locate(text, *pair))[1]
    )
    bring(rows, "torn")
    assert len(searched) == 11 - min(stop, 10)  # what was done is not done again
    assert files(tmp_path / "torn") == files(tmp_path / "whole")


def test_the_same_import_changes_nothing_and_another_model_makes_it_new(
    tmp_path: Path, bring: Import
) -> None:
    rows: list[Row | str] = [story(n) for n in range(4)]
    bring(rows)
    before = files(tmp_path / "run")
    assert not any(one.built for one in bring(rows).dataset.configs)
    assert files(tmp_path / "run") == before
    assert bring([*rows, story(9)]).dataset.configs[0].version == "1.1.0"
    other = bring(rows, **{"generation.model": "org/other", "dataset.name": "model-72b"})
    assert other.dataset.configs[0].version == "2.0.0"


def test_no_engine_writes_into_imported_contexts_nor_the_other_way_round(
    tmp_path: Path, bring: Import
) -> None:
    bring([story(n) for n in range(3)])
    saved = load_config(tmp_path / "run" / "run.toml")
    composed = override(RunConfig(), {"out": str(tmp_path / "run")})
    before = files(tmp_path / "run")
    for config in (saved, composed):
        for work in (lambda c: execute(c, Quiet()), plan):
            with pytest.raises(FolderError, match="holds imported contexts.*choose another folder"):
                work(config)
    assert files(tmp_path / "run") == before
    written = override(
        RunConfig(),
        {"out": str(tmp_path / "w"), "pairs.limit": 2, "generation.words": 60, "samples.lengths": ("500",)},
    )
    execute(written, Quiet())
    with pytest.raises(FolderError, match="written by the engine 'composer'.*--out"):
        bring([story(1)], "w")


def test_assemble_report_and_score_work_on_it(tmp_path: Path, bring: Import) -> None:
    from builder.job.scoring import score_source
    from builder.report.write import report

    bring([story(n) for n in range(8)])
    saved = load_config(tmp_path / "run" / "run.toml")
    summary = reassemble(override(saved, {"samples.lengths": ("500",)}), Quiet())
    assert summary.contexts == 8
    assert {"model-72b", "model-72b-chat-500"} <= {one.name for one in summary.dataset.configs}
    page = report(tmp_path / "run").page.read_text(encoding="utf-8")
    assert MODEL in page and "imported" in page
    data = tmp_path / "run" / "dataset" / "data" / "model-72b"
    assert len(list(score_source(data))) == 8


def test_the_command(tmp_path: Path, command: Any) -> None:
    source = tmp_path / "paper.jsonl"
    source.write_text("".join(json.dumps(story(n)) + "\n" for n in range(5)), encoding="utf-8")
    options = ("--out", tmp_path / "run", "--model", MODEL, "--lengths", "1k", "--distractors", "random")
    done = command("import", source, *options)
    assert done.returncode == 0, done.stderr
    assert "5 contexts, 0 rejected" in done.stdout
    assert "nothing changed" in command("import", source, *options).stdout
    refused = command("run", "--out", tmp_path / "run")
    assert refused.returncode == 2 and "holds imported contexts" in refused.stderr
    wrong = command("import", source, *options[:-3], "9x")
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr
