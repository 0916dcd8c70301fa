"""Questions and answers for long texts: windows, replies, one loop and folder, with and without a model."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builder.cli.summary import failure
from builder.job import batch as batches
from builder.job.execute import execute, plan, retry
from builder.report.write import report
from synthesis.data import Completion, Pair
from synthesis.errors import ConfigError, FolderError, TemplateError
from synthesis.gate.questions import judged, read_reply
from synthesis.options import QuestionsConfig, RunConfig, from_dict, override
from synthesis.run.windows import asked_of, pieces_of, requests
from synthesis.sources.texts import LongText, read_texts
from tests.batch_server import serve_batches
from tests.jobs import Quiet
from tests.openai_helpers import KEY
from tests.openai_server import Asked, Reply, serve
from tests.pages import Page

TOWN = (
    "The Varrow tower clock was built in 1841 by Ilse Brandt, a smith of the lower town. Ilse Brandt was a "
    "smith who had learnt her trade in Kelm.\n\n"
    "Kelm is a harbour on the northern shore of the lake. Kelm had 412 houses when the storm came. The "
    "people of the harbour lived on fish and on what the ferries brought.\n\n"
    "Otto Reuss was an engineer from Hawley. Otto Reuss dredged the harbour of Kelm in 1873. "
    "He was paid in timber, as nobody in the town had money that year.\n\n"
    "The ferry Marta was launched in 1879 at Kelm. The ferry Marta carried 60 passengers across the lake "
    "twice a day."
)


def folder_of(tmp_path: Path, texts: dict[str, str] | None = None) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir(exist_ok=True)
    for name, text in (texts or {"town.md": TOWN}).items():
        (folder / name).write_text(text)
    return folder


def config(tmp_path: Path, **changes: Any) -> RunConfig:
    base = from_dict({"method": "instruction", "questions": {"contexts": str(folder_of(tmp_path))}})
    asked = {"out": str(tmp_path / "run"), "samples.lengths": ("1k",), "samples.distractors": "none"}
    return override(base, asked | changes)


def rows_of(run: Path, kind: str = "") -> list[dict[str, Any]]:
    files = (run / "dataset" / "data").rglob("*.parquet")
    wanted = [path for path in files if path.parts[-3].endswith(kind) and (kind or "-chat" not in str(path))]
    found = [path for path in wanted if kind or "-rejected" not in str(path)]
    return [row for path in sorted(found) for row in pq.read_table(path).to_pylist()]


def test_without_a_model_questions_come_of_the_texts_own_sentences(tmp_path: Path) -> None:
    summary = execute(config(tmp_path, **{"questions.per_document": 5}), Quiet())
    rows = rows_of(tmp_path / "run")
    assert summary.contexts == len(rows) >= 3
    for row in rows:
        assert row["context"] == TOWN
        assert row["evidence_source"] == "exact"
        assert row["form"] in QuestionsConfig().kinds
        quoted = " ".join(row["context"][piece["start"] : piece["end"]] for piece in row["evidence"])
        assert row["form"] in ("yes-no", "summary") or row["answer"] in quoted.replace("\n", " ")
        assert "text" not in json.loads(row["metadata"])["asked"]


def test_what_takes_the_place_of_another_kind_is_whole(tmp_path: Path) -> None:
    text = "The Kelm Bridge was opened by Otto Reuss in Varrow. It is of stone."
    texts = {f"{number}.txt": text.replace("Varrow", f"Varrow {number}") for number in range(6)}
    folder_of(tmp_path, texts)
    (tmp_path / "texts" / "town.md").unlink(missing_ok=True)
    changes = {"questions.kinds": ("summary", "yes-no"), "questions.per_document": 1}
    made = override(
        from_dict({"method": "instruction", "questions": {"contexts": str(tmp_path / "texts")}}), changes
    )
    execute(override(made, {"out": str(tmp_path / "run"), "samples.lengths": ("1k",)}), Quiet())
    rows = rows_of(tmp_path / "run")
    assert len(rows) == 6
    assert {row["answer"] for row in rows} <= {"yes", "no"}


def test_a_run_goes_on_where_it_stopped_and_knows_its_method(tmp_path: Path) -> None:
    first = execute(config(tmp_path), Quiet())
    again = execute(config(tmp_path), Quiet())
    assert again.counts.settled == first.counts.total
    assert not any(one.built for one in again.dataset.configs)
    assert plan(config(tmp_path)).counts.todo == 0
    with pytest.raises(FolderError, match="holds a run with --method instruction"):
        execute(from_dict({"out": str(tmp_path / "run")}), Quiet())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"method": "instruction"}, "name them with 'questions.contexts' .--contexts"),
        ({"method": "instruction", "questions": {"contexts": "x"}, "pairs": {"source": "y"}}, "--pairs"),
        ({"questions": {"contexts": "x"}}, "takes 'method' .--method. instruction"),
        ({"method": "question"}, "context or instruction"),
        (
            {"method": "instruction", "questions": {"contexts": "x", "kinds": ["essay"]}},
            "any of span, number",
        ),
        ({"questions": {"window": 500, "kinds": ["span"]}}, "--window.*--kinds.*give --method instruction"),
    ],
)
def test_each_method_has_its_own_source(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_dict(table)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pairs.config": "en"}, "--pairs-config.*config=en"),
        ({"pairs.split": "test"}, "--split.*split=test"),
        ({"pairs.turns": "every"}, "--turns"),
        ({"pairs.columns": {"instruction": "q"}}, "--column.*columns=body"),
        ({"generation.words": 500}, "--words. has no meaning where questions are written.*--window"),
        ({"generation.section_words": 200}, "--section-words"),
        ({"generation.words": 500, "generation.section_words": 200}, "--words. and .*--section-words. have"),
        ({"generation.template": "by-task"}, "--template"),
        ({"filters.near_duplicates": 0.8}, "--near-duplicates"),
        ({"filters.min_words": "80%"}, "--min-words. is 80%"),
        ({"filters.max_words": "120%"}, "--max-words"),
    ],
)
def test_what_has_no_meaning_for_questions_is_refused(tmp_path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config(tmp_path, **changes)


@pytest.mark.parametrize("name", ["mode", "hops", "telling", "decoys"])
def test_a_setting_of_contexts_is_refused_where_there_are_none_to_write(tmp_path: Path, name: str) -> None:
    value = {"mode": "needle", "hops": 2, "telling": "news", "decoys": 1}[name]
    with pytest.raises(ConfigError, match=f"--option {name}=.*has no meaning where questions are written"):
        plan(config(tmp_path, **{"generation.options": {name: value}}))


def test_a_template_that_is_none_of_questions_is_told_from_those(tmp_path: Path) -> None:
    for name in ("few-shot", str(tmp_path)):
        with pytest.raises(TemplateError, match="built-in name for questions .questions, short"):
            plan(config(tmp_path, **{"generation.template": name}))


def quoting(asked: Asked) -> Reply:
    """Ask about a sentence that names a year, by the paragraph named; of Otto at first what is not there."""
    shown = [one["content"] for one in asked.body["messages"] if "<passage" in one["content"]]
    text = shown[-1]  # an example may stand before it
    passage = " ".join(text.partition("<passage>")[2].partition("</passage>")[0].split())
    told = [one for one in re.findall(r"[^.]+\.", passage) if re.search(r"\b18\d\d\b", one)]
    quote = told[len(text.partition("begins:")[2].partition("…")[0]) % len(told)].strip()
    years = re.findall(r"\b18\d\d\b", quote)
    if len(asked.body["messages"]) < 4 and "Otto" in quote:
        quote = "Otto Reuss came on a Tuesday."
    question = f"In which year was it that {quote.split()[1]} {quote.split()[2]} did something?"
    return Reply(f'Question: {question}\nAnswer: {years[0]}\nEvidence: "{quote}"')


def test_a_model_is_asked_and_asked_again_with_what_was_wrong(tmp_path: Path) -> None:
    with serve(quoting) as server:
        changes = {
            "generation.engine": "openai",
            "generation.model": "tiny",
            "generation.options": {"base_url": server.url},
            "questions.kinds": ("number",),
            "filters.min_overall": 0.0,
        }
        execute(config(tmp_path, **changes), Quiet())
        asked = [one.text for one in server.asked]
    rows = rows_of(tmp_path / "run")
    assert rows, [row["reason"] for row in rows_of(tmp_path / "run", "-rejected")]
    assert {row["answer"] for row in rows} <= {"1841", "1873", "1879"}
    assert all(row["model"] == "tiny" and row["template"] == "questions" for row in rows)
    again = [text for text in asked if "does not stand in the text" in text]
    assert again
    assert max(row["attempts"] for row in rows) > 1


def test_what_was_rejected_is_asked_again_and_stands_in(tmp_path: Path) -> None:
    def refusing(asked: Asked) -> Reply:
        return quoting(asked) if hope else Reply("I would rather not.")

    hope: list[bool] = []
    with serve(refusing) as server:
        changes = {
            "generation.engine": "openai",
            "generation.model": "tiny",
            "generation.template": "short",
            "generation.options": {"base_url": server.url},
            "generation.repairs": 1,
            "questions.kinds": ("number",),
            "filters.min_overall": 0.0,
        }
        first = execute(config(tmp_path, **changes), Quiet())
        assert (first.contexts, first.rejected) == (0, 4)
        (tmp_path / "texts" / "town.md").unlink()  # what is asked again needs no source
        hope.append(True)
        again = retry(config(tmp_path, **changes), Quiet())
    assert again.contexts >= 1
    rows = rows_of(tmp_path / "run")
    assert len(rows) == again.contexts
    assert {row["template"] for row in rows} == {"short"}
    assert all(row["context"] == TOWN for row in rows)


def request(kind: str, windows: list[tuple[int, int]] | None = None, text: str = TOWN) -> dict[str, Any]:
    return {"kind": kind, "text": text, "windows": windows or [(0, len(text))]}


def faults(kind: str, reply: str, **more: Any) -> list[str]:
    return [fault.name for fault in judged(Completion("p", reply), request(kind, **more)).faults]


WHO = "Question: Who built the Varrow tower clock?\nAnswer: Ilse Brandt\n"
GOOD = WHO + 'Evidence: "The Varrow tower clock was built '
SMITH = "\nEvidence: Brandt was a smith"


@pytest.mark.parametrize(
    ("kind", "reply", "wrong"),
    [
        ("span", GOOD + 'in 1841 by Ilse Brandt"', []),
        ("span", GOOD + 'in 1842 by Ilse Brandt"', ["quote"]),
        ("span", GOOD + 'in 1841"', ["unproved"]),
        (
            "span",
            "Question: Who built it?\nAnswer: Brandt" + SMITH,
            ["dangling"],
        ),
        (
            "span",
            "Question: What does the passage say?\nAnswer: a smith" + SMITH,
            ["reference"],
        ),
        ("number", GOOD + 'in 1841 by Ilse Brandt"', ["answer"]),
        ("yes-no", GOOD + 'in 1841 by Ilse Brandt"', ["answer"]),
        (
            "span",
            "Question: Is Brandt a smith?\nAnswer: Brandt" + SMITH,
            ["gives-away"],
        ),
        ("span", "A question comes to mind.", ["form"]),
        ("span", "Question: the question, on one line\nAnswer: x", ["form"]),
        ("span", WHO, ["evidence"]),
        ("summary", GOOD + 'in 1841 by Ilse Brandt"', ["answer"]),
    ],
)
def test_what_is_wrong_with_a_reply(kind: str, reply: str, wrong: list[str]) -> None:
    assert faults(kind, reply) == wrong


def test_two_passages_are_both_quoted() -> None:
    middle = TOWN.index("Kelm is")
    windows = [(0, middle - 2), (middle, len(TOWN))]
    asked = "Question: In which year was the harbour dredged?\nAnswer: 1873\n"
    one = asked + 'Evidence: "dredged the harbour of Kelm in 1873"'
    both = one + '\nEvidence: "learnt her trade in Kelm"'
    assert faults("multi-hop", one, windows=windows) == ["one-passage"]
    assert faults("multi-hop", both, windows=windows) == []


@pytest.mark.parametrize(
    "text",
    [
        '**Question:** Who?\n\n**Answer:** Ann\n**Evidence 1:** "Ann came."\n**Evidence 2:** “She sang.”',
        '<think>Evidence: none</think>Question: Who?\nAnswer: Ann\nEvidence:\n- "Ann came."\n- "She sang."',
        '{"question": "Who?", "answer": "Ann", "evidence": ["Ann came.", "She sang."]}',
        '1. Question: Who?\nAnswer: Ann\nEvidence: "Ann came." and "She sang."\n\n2. Question: Why?',
        "Question: Who?\nAnswer: Ann\nEvidence: Ann came.\nShe sang.",
    ],
)
def test_replies_are_read_in_many_forms(text: str) -> None:
    assert read_reply(text) == ("Who?", "Ann", ("Ann came.", "She sang."))


def test_windows_end_where_paragraphs_do_and_are_spread() -> None:
    text = "\n\n".join(f"Paragraph {number} {'word ' * 60}ends." for number in range(100))
    asked = QuestionsConfig(contexts="x", per_document=20, window=500)
    made = [one for one in requests([LongText("d", text)], asked, 0) if isinstance(one, Pair)]
    assert len({one.id for one in made}) == 20
    kinds = Counter(asked_of(one)["kind"] for one in made)
    assert max(kinds.values()) - min(kinds.values()) <= 1
    ends = {(piece.start, piece.end) for piece in pieces_of(text)}
    for one in made:
        for start, end in asked_of(one)["windows"]:
            assert start in {first for first, _ in ends}
            assert end in {last for _, last in ends}
            assert len(text[start:end].split()) <= 500
    firsts = [asked_of(one)["windows"][0][0] for one in made if len(asked_of(one)["windows"]) == 1]
    assert firsts == sorted(firsts)
    assert firsts[-1] > len(text) * 0.8
    assert [one.id for one in requests([LongText("d", text)], asked, 1)] != [one.id for one in made]


def test_text_files_are_read_where_a_folder_has_no_rows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"b.txt": "Beta.", "a.md": "Alpha.", "c.log": "x", "e.txt": "  "})
    (folder / "d.txt").write_bytes(b"\xff\xfe\xff")
    found = list(read_texts(folder))
    assert [(one.id, one.text) for one in found if isinstance(one, LongText)] == [
        ("a.md", "Alpha."),
        ("b.txt", "Beta."),
    ]
    assert [one.pair_id for one in found if not isinstance(one, LongText)] == ["d.txt:1", "e.txt:1"]
    (folder / "rows.jsonl").write_text('{"text": "Gamma.", "year": 3}\n')
    (row,) = read_texts(folder)
    assert isinstance(row, LongText)
    assert (row.text, row.task, row.metadata) == ("Gamma.", "generic", {"year": 3})


def test_the_batch_api_asks_and_needs_no_texts_on_the_second_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    folder = folder_of(tmp_path)
    with serve_batches(quoting, key=KEY) as server:
        changes = {
            "generation.engine": "batch",
            "generation.model": "tiny",
            "generation.options": {"base_url": server.url, "poll_seconds": 0.01},
            "questions.kinds": ("number",),
            "filters.min_overall": 0.0,
        }
        asked = config(tmp_path, **changes)
        batches.submit(asked, Quiet())
        (folder / "town.md").unlink()
        for _ in range(4):  # what has a fault is asked again, on another day
            left = batches.fetch(tmp_path / "run", Quiet(), wait=True).left
            if not left.to_send:
                break
            batches.submit(asked, Quiet())
        summary = batches.finish(asked, Quiet())
    rows = rows_of(tmp_path / "run")
    assert summary.contexts == len(rows) >= 1
    assert all(row["engine"] == "batch" and row["context"] == TOWN for row in rows)


@pytest.mark.parametrize("unused", [{"kinds": ["span"]}, {"window": 100}, {"per_document": 8}])
def test_what_is_set_of_questions_needs_the_method(unused: dict[str, Any]) -> None:
    """Else it would be left out without a word."""
    with pytest.raises(ConfigError, match=rf"questions\.{next(iter(unused))}.* give --method instruction"):
        from_dict({"questions": unused})
    asked = {"method": "instruction", "questions": {**unused, "contexts": "books"}}
    assert from_dict(asked).questions.contexts == "books"


def test_the_column_of_the_texts_is_named_behind_their_source() -> None:
    table = {
        "method": "instruction",
        "questions": {"contexts": "books.jsonl"},
        "pairs": {"columns": {"answer": "b"}},
    }
    with pytest.raises(ConfigError, match=r"--column.*--contexts 'books.jsonl\?columns=body'"):
        from_dict(table)


def test_card_and_page_speak_of_questions_and_count_drops_by_what_they_are(tmp_path: Path) -> None:
    long = {f"long{number}.md": "\n\n".join([TOWN] * 8)[: 5000 + 300 * number] for number in range(4)}
    folder_of(tmp_path, {"town.md": TOWN, "note.txt": TOWN.split("\n")[0]} | long)
    execute(config(tmp_path, **{"filters.min_words": "40", "questions.kinds": ("span",)}), Quiet())
    dropped = [row["reason"] for row in rows_of(tmp_path / "run", "-rejected") if row["stage"] == "assembly"]
    assert len(set(dropped)) > 1  # each with its own figures
    card = (tmp_path / "run" / "dataset" / "README.md").read_text()
    written = report(tmp_path / "run").page.read_text()
    page = Page(written)
    kind = "assembly: the context with its question and answer takes more tokens than its budget"
    assert f"{kind} | {len(dropped)} |" in card
    (table,) = [rows for label, rows in page.tables.items() if label.startswith("Stage and reason")]
    assert [row[2] for row in table if row[0] == kind] == [str(len(dropped))]
    kept = len(rows_of(tmp_path / "run"))
    of = re.search(rf"kept {kept} of (\d+) questions", card)
    assert of and f"kept {kept} of {of[1]} questions" in written
    assert "<dt>questions</dt>" in written and "<dt>contexts</dt>" not in written
    assert "no pair was made" in failure_of(tmp_path)


def failure_of(tmp_path: Path) -> str:
    strict = config(tmp_path, out=str(tmp_path / "strict"), **{"filters.min_words": "9000"})
    return failure(execute(strict, Quiet()), strict)
