"""The tab "Batch": rows checked with their lines, partial results, and an archive that loads."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tempfile
import zipfile

import pytest

from space.datasets import archive  # noqa: E402
from space.making import rows  # noqa: E402
from space.making.rows import MOST_ROWS, Board  # noqa: E402
from space.making.sessions import Run  # noqa: E402
from space.tabs import batch  # noqa: E402
from space.view.table import batch_table  # noqa: E402

WORDS = {"length": "500w", "seed": 0}
GOOD = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt"}
HOSTILE = "<script>alert(1)</script>{{x}}${y}"


def jsonl(*values: object) -> str:
    return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values)


def boards(text: object, run: Run | None = None, **settings: object) -> list[Board]:
    return list(rows.work(text, {**WORDS, **settings}, run or Run()))


def numbered(count: int) -> str:
    return jsonl(*({"instruction": f"Who kept lamp {n}?", "answer": f"Ada Holm {n}"} for n in range(count)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "There are no rows"),
        (" \n\n", "There are no rows"),
        (numbered(MOST_ROWS + 1), "There are 21 rows; this page takes 20"),
        ("x" * (rows.MOST_BYTES + 1), "this page takes 2 MB"),
        (json.dumps([GOOD, GOOD], indent=1), "one JSON array"),
    ],
)
def test_what_cannot_be_used_as_a_whole_is_refused_before_any_work(text, says) -> None:
    (board,) = boards(text)
    assert board.stage == "problem" and says in board.note and not board.lines


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"length": "32k"}, "no length '32k'"),
        ({"length": None}, "no length"),
        ({"seed": -1}, "whole number"),
        ({"distractors": "corpus"}, "no distractors"),
        ({"depth": 7}, "from 0 (start)"),
    ],
)
def test_a_wrong_setting_is_told_once_and_not_per_row(settings, says) -> None:
    (board,) = boards(jsonl(GOOD), **settings)
    assert board.stage == "problem" and says in board.note


def test_every_bad_row_has_its_line_and_reason_and_the_others_are_done() -> None:
    text = jsonl(
        GOOD, "", "nope", [1], {"question": "only"}, GOOD, {"instruction": "x" * 3000, "answer": "y"}
    )
    *_, last = boards(text.replace("\n", "\r\n"))
    assert [(line.number, line.stage) for line in last.lines] == [
        (1, "done"),
        (3, "rejected"),
        (4, "rejected"),
        (5, "rejected"),
        (6, "rejected"),
        (7, "rejected"),
    ]
    reasons = [line.note for line in last.lines[1:]]
    for reason, says in zip(
        reasons,
        ["broken JSON", "but a list", "answer is missing", "duplicate of line 1", "takes 2,000"],
        strict=True,
    ):
        assert says in reason
    assert last.stage == "done" and last.note == "1 of 6 rows done, 5 rejected."
    assert not any(tempfile.gettempdir() in reason or "generic.jsonl" in reason for reason in reasons)


def test_a_file_without_a_good_row_still_has_a_reason_for_each() -> None:
    *_, last = boards("nope\n{}\n")
    assert [line.stage for line in last.lines] == ["rejected", "rejected"]
    assert archive.pack(last.lines) == b""


def test_stopping_keeps_what_is_done_and_gives_the_rest_back() -> None:
    run, seen = Run(), []
    for board in rows.work(numbered(4), WORDS, run):
        seen.append(board)
        if board.note.startswith("Line 2"):
            run.stop()
    assert seen[-1].stage == "stopped" and "2 not begun when you stopped" in seen[-1].note
    assert [line.stage for line in seen[-1].lines] == ["done", "done", "left", "left"]
    with zipfile.ZipFile(io.BytesIO(archive.pack(seen[-1].lines))) as opened:
        assert opened.read("not-done.jsonl").decode().splitlines() == numbered(4).splitlines()[2:]
        assert len(opened.read("samples.jsonl").splitlines()) == 2


def test_the_archive_is_a_dataset_that_loads_with_the_rows_as_given(tmp_path) -> None:
    from datasets import load_dataset

    mine = {**GOOD, "answer": " Ilse Brandt\n", "id": "mine-1", "task": "narrativeqa", "source": "a book"}
    *_, last = boards(jsonl(mine, "nope"), length="4k")
    packed = archive.pack(last.lines)
    assert packed == archive.pack(last.lines)  # the same rows, the same bytes
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        opened.extractall(tmp_path)
    cache = str(tmp_path / "cache")
    raw = load_dataset(str(tmp_path / "dataset"), "composer", split="train", cache_dir=cache)[0]
    assert raw["task"] == "narrativeqa"
    assert json.loads(raw["metadata"]) == {"id": "mine-1", "source": "a book"}
    assert all(GOOD["answer"] in raw["context"][one["start"] : one["end"]] for one in raw["evidence"])
    chat = load_dataset(str(tmp_path / "dataset"), "composer-chat-4k", split="train", cache_dir=cache)[0]
    assert chat["pair_id"] == raw["id"] in chat["documents"] and 4000 < chat["tokens"] <= 4096
    assert chat["messages"][0]["content"][chat["evidence_start"] : chat["evidence_end"]] == raw["context"]
    assert chat["coherence"] == raw["coherence"] > 0.5
    rejected = load_dataset(str(tmp_path / "dataset"), "composer-rejected", split="train", cache_dir=cache)[0]
    assert rejected["pair_id"] == "line 2"
    assert raw["answer"] == chat["messages"][1]["content"] == mine["answer"]  # blanks and all
    assert json.loads((tmp_path / "samples.jsonl").read_text())["messages"] == chat["messages"]


def test_nothing_is_left_on_the_disk(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    *_, last = boards(jsonl(GOOD, "nope"))
    assert archive.pack(last.lines)
    assert list(tmp_path.iterdir()) == []


def test_what_a_visitor_wrote_is_escaped_in_the_table() -> None:
    *_, last = boards(jsonl({"instruction": HOSTILE, "answer": HOSTILE}, f"nope {HOSTILE}"))
    table = batch_table(last.lines)
    assert "<script" not in table and "{{" not in table and "${" not in table
    assert "alert(1)" in table


def test_a_chosen_file_is_read_and_deleted(tmp_path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + jsonl(GOOD).encode())
    text, said = batch.read_file(str(file))
    assert text == jsonl(GOOD) and "Press Run" in said
    assert not file.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            jsonl(GOOD).encode() + '\n{"instruction": "Köln?"}'.encode("latin-1"),
            "Line 2 of the file is not UTF-8",
        ),
        (jsonl(GOOD).encode("utf-16"), "UTF-16"),
        (gzip.compress(jsonl(GOOD).encode()), "packed"),
        (b"PAR1 columns", "Save it as JSON Lines in UTF-8"),
        ("é".encode() * rows.MOST_BYTES, "more than 2 MB"),
    ],
)
def test_a_file_whose_letters_would_be_lost_is_refused_and_deleted(tmp_path, content, says) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    text, said = batch.read_file(str(file))
    assert not isinstance(text, str) and "cs-problem" in said and says in said
    assert not file.exists()


@pytest.mark.parametrize(
    "text",
    ["instruction,answer\nWho?,Ada", "Dear all,\nno rows.", json.dumps(GOOD, indent=2), '["a"'],
    ids=repr,
)
def test_lines_of_which_none_is_an_object_are_refused_once(text) -> None:
    (only,) = boards(text)
    assert only.stage == "problem" and not only.lines
    assert "None of the lines is a JSON object" in only.note and '{"instruction"' in only.note


def test_the_buttons_and_the_archive_follow_the_stage() -> None:
    begun, *_, last = boards(jsonl(GOOD))
    _, _, packed, away, go, stop = batch.drawn(begun)
    assert (packed, away["visible"], go["interactive"], stop["interactive"]) == (b"", False, False, True)
    said, table, packed, away, go, stop = batch.drawn(last)
    assert "cs-done" in said and "cs-state-done" in table and away["visible"]
    assert (go["interactive"], stop["interactive"]) == (True, False)
    saved = json.loads(batch.file_of(packed))
    assert base64.b64decode(saved["base64"]) == packed and saved["name"].endswith(".zip")
    assert batch.file_of(b"") == ""
    # Rows refused as a whole: nothing of a batch before stands beside it.
    (refused,) = boards("")
    said, table, packed, away, *_ = batch.drawn(refused)
    assert "cs-problem" in said and (table, packed, away["visible"]) == ("", b"", False)


def test_the_example_shows_both_ends() -> None:
    lines = rows.read_lines(rows.example(), WORDS)
    assert {line.stage for line in lines} == {"waiting", "rejected"} and len(lines) == 6
