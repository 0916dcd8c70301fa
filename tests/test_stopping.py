"""A run in which everything fails alike stops, says why, and loses nothing."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from builder.cli.main import app
from builder.cli.progress import TerminalReporter
from synthesis.data import Context, Rejected
from synthesis.run.alike import Alike, kind_of_rejection
from tests.openai_server import Asked, Reply, Server, failure, serve
from tests.pretend import prose

WORDS = 100


def good(asked: Asked) -> Reply:
    """A context for a pair of ``write_pairs``."""
    return telling(asked, wanted(asked))


def bad(asked: Asked) -> Reply:
    """A text on the subject that does not tell the answer."""
    return telling(asked, "somebody")


def wanted(asked: Asked) -> str:
    return asked.body["messages"][1]["content"].split("<response>")[1].split("</response>")[0].strip()


def telling(asked: Asked, who: str) -> Reply:
    told = f"Lighthouse number {wanted(asked).split()[1]} was kept by {who} for years."
    return Reply(f"Context: {prose(50, str(asked.number))} {told} {prose(45, 'later')}")


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(bad) as running:
        yield running


def asked(server: Server) -> int:
    return sum("messages" in one.body for one in server.asked)


def command(name: str, server: Server, tmp_path: Path, pairs: Path, *more: str) -> Result:
    options = ["--pairs", str(pairs), "--out", str(tmp_path / "run"), "--engine", "openai", "--model", "tiny"]
    options += ["--option", f"base_url={server.url}", "--option", "concurrency=1", "--words", str(WORDS)]
    return CliRunner().invoke(app, [name, *options, "--lengths", "1k", "--repairs", "0", *more])


def test_twenty_alike_stop_the_run_and_the_next_goes_on(server, tmp_path, write_pairs) -> None:
    pairs = write_pairs(30)
    # A reply that arrives while the run stops would be on record, and no longer be asked for.
    never = threading.Event()
    server.script = lambda one: replace(bad(one), until=never) if asked(server) > 20 else bad(one)
    stopped = command("run", server, tmp_path, pairs)
    assert stopped.exit_code == 1
    assert 20 <= asked(server) <= 21  # the next request may be under way
    assert "stopped: 20 pairs in a row came to the same, check: missing: " in stopped.output
    assert "10 pairs of 30 left" in stopped.output and "--stop-after 0" in stopped.output
    assert "rejected for: check: missing (20)" in stopped.output
    # What was done is on record; the model is better now.
    server.script = good
    rest = command("run", server, tmp_path, pairs)
    assert rest.exit_code == 0, rest.output
    assert 30 <= asked(server) <= 31
    assert "10 contexts, 20 rejected" in rest.output


def test_a_context_in_between_begins_the_count_anew(server, tmp_path, write_pairs) -> None:
    server.script = lambda asked: good(asked) if asked.number % 4 == 3 else bad(asked)
    mixed = command("run", server, tmp_path, write_pairs(12), "--stop-after", "4")
    assert mixed.exit_code == 0, mixed.output
    assert asked(server) == 12
    assert "3 contexts, 9 rejected" in mixed.output
    assert re.search(r"coherence: (?:0\.\d+|1\.0+) on average", mixed.output), mixed.output


def test_told_to_go_on_it_asks_for_all_and_none_made_is_a_failure(server, tmp_path, write_pairs) -> None:
    none = command("run", server, tmp_path, write_pairs(6), "--stop-after", "0")
    assert none.exit_code == 1
    assert asked(server) == 6
    assert "0 contexts, 6 rejected" in none.output
    assert "rejected for: check: missing (6)" in none.output
    assert "no context was made" in none.output
    kept = (tmp_path / "run" / "journal" / "rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["stage"] for line in kept] == ["check"] * 6


def test_only_the_same_kind_counts() -> None:
    def dropped(stage: str, reason: str) -> Rejected:
        return Rejected("p", stage, reason)

    alike = Alike(2)
    outcomes = [
        dropped("check", "missing: a"),
        dropped("parse", "missing: a"),
        dropped("parse", "short: 3 words"),
        Context("p", "text"),
        dropped("parse", "short: 3 words"),
        Context("p", "text"),
        Context("p", "text"),
    ]
    assert all(map(alike.goes_on, outcomes))
    assert alike.goes_on(dropped("check", "missing: x; asked 3 times"))
    assert not alike.goes_on(dropped("check", "missing: y"))
    assert alike.reason == "check: missing: y"


@pytest.mark.parametrize(
    ("stage", "reason", "kind"),
    [
        ("check", "missing: 12 tokens; asked 3 times", "check: missing"),
        ("engine", "HTTP 400 from it", "engine: HTTP 400 from it"),
        ("pairs", "answer is missing (no column answer, output)", "pairs: answer is missing"),
        (
            "assembly",
            "the context takes 2,413 tokens and the budget is 2,048 (2k): ask for more",
            "assembly: the context takes more tokens than its budget",
        ),
    ],
)
def test_rejections_are_counted_by_what_they_are_not_by_their_numbers(stage, reason, kind) -> None:
    assert kind_of_rejection(stage, reason) == kind


def test_a_run_that_failed_alike_to_its_last_pair_has_stopped_nothing(server, tmp_path, write_pairs) -> None:
    none = command("run", server, tmp_path, write_pairs(5), "--stop-after", "5")
    assert none.exit_code == 1
    assert "no context was made" in none.output
    assert "stopped" not in none.output and "left" not in none.output


@pytest.mark.parametrize("job", ["run", "evaluate"])
def test_why_no_reply_comes_is_shown_while_the_server_is_asked_again(
    job, server, tmp_path, write_pairs, monkeypatch
) -> None:
    """Not when all is given up: a server that refuses everything takes the better part of a minute to."""
    monkeypatch.setattr("synthesis.engines.serving.pace.FIRST_DELAY", 0.01)
    shown: list[str] = []
    made: list[TerminalReporter] = []
    monkeypatch.setattr(
        "builder.cli.progress.TerminalReporter",
        lambda console: made.append(TerminalReporter(console)) or made[-1],
    )

    def refusing(one: Asked) -> Reply:
        shown.append(made[0].line())
        if asked(server) <= 4:
            return failure(429, "3 requests a minute are allowed")
        return good(one) if job == "run" else Reply("Answer: nobody")

    server.script = refusing
    if job == "run":
        done = command("run", server, tmp_path, write_pairs(2))
    else:
        questions = tmp_path / "questions.jsonl"
        rows = [{"question": f"Who is {n}?", "answer": "Ada", "context": "Ada is 1."} for n in range(2)]
        questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
        options = ["--questions", str(questions), "--out", str(tmp_path / "scores"), "--engine", "openai"]
        options += ["--model", "tiny", "--option", f"base_url={server.url}", "--option", "concurrency=1"]
        done = CliRunner().invoke(app, ["evaluate", *options])
    assert done.exit_code == 0, done.output
    assert "429" not in shown[1]
    assert "the server is overloaded: HTTP 429, 3 requests a minute are allowed" in shown[4]
    assert "429" not in made[0].line()
