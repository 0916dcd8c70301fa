"""One row, one file, one reply: what commands print says "1 row", never "1 rows"."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cli.main import main
from synthesis.wording import counted
from tests.openai_server import Reply, serve

SHORT = ("--words", "60", "--section-words", "0", "--lengths", "512")
SEVERAL = re.compile(r"(?<![\w.,:/-])1 (?:[a-z]+ )?[a-z]{2,}s\b")
NOT_PLURAL = re.compile(r"(?:1 is|was|has|as|less|this|does|class|loss|across|others?)\b")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Gives arguments to the command line, in this process; what it printed."""

    def run(*given: object) -> str:
        monkeypatch.setattr(sys, "argv", ["context-synthesis", *map(str, given)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert not ended.value.code, err
        return out + err

    return run


def slips(text: str) -> list[str]:
    return [slip for slip in SEVERAL.findall(text) if not NOT_PLURAL.search(slip)]


def test_a_slip_is_seen() -> None:
    assert slips("wrote 1 rows") and slips("1 damaged records asked") and slips("(1 files)")
    assert not slips("21 rows, 1,001 rows, v1.1 rows, 1 row, 1 row has one, /x/1 rows")
    assert (counted(1, "row"), counted(0, "row"), counted(1_000, "reply", "replies")) == (
        "1 row",
        "0 rows",
        "1,000 replies",
    )


def test_of_one_row_commands_speak_as_of_one(
    tmp_path: Path, told: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    run, pairs = tmp_path / "run", tmp_path / "pairs.jsonl"
    pair = {"instruction": "Who kept the lighthouse at Varrow?", "answer": "Ilse Brandt"}
    pairs.write_text(json.dumps(pair) + "\n" + '{"answer": "no question"}\n', encoding="utf-8")
    asked = tmp_path / "questions.jsonl"
    row = {"question": pair["instruction"], "answers": [pair["answer"]], "context": "Ilse Brandt kept it."}
    asked.write_text(json.dumps(row) + "\n" + '{"context": "Nothing."}\n', encoding="utf-8")
    said = [
        told("plan", "--pairs", pairs, *SHORT, "--out", run),
        told("plan", "--pairs", pairs, *SHORT, "--out", run, "--engine", "openai", "--model", "m"),
        told("run", "--pairs", pairs, *SHORT, "--out", run),
        told("run", "--pairs", pairs, *SHORT, "--out", run),
        told("assemble", run, "--lengths", "1k"),
        told("score", run),
        told("import", run, "--out", tmp_path / "import", "--lengths", "512"),
        told("export", run, tmp_path / "a.jsonl", "--config", "composer-chat-1k"),
        told("report", run),
        told("compare", run, tmp_path / "import", "--out", tmp_path / "compared"),
        told("show", run),
        told("publish", run, "ada/one", "--dry-run"),
    ]
    with serve(lambda _: Reply(text="Ilse Brandt")) as server:
        given = ("--questions", asked, "--engine", "openai", "--model", "m", "--out", tmp_path / "scores")
        more = (*given, "--option", f"base_url={server.url}")
        said += [told("evaluate", *more, "--plan"), told("evaluate", *more)]
    assert not {slip: text for text in said for slip in slips(text)}
    assert all(re.search(r"\b1 [a-z]", text) for text in said[:2]), "there is something to look at"
