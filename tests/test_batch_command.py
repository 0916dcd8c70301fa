"""``batch submit``, ``status``, ``fetch``, ``cancel`` against a local provider.

Another day is another process where that matters, and another call of the command
elsewhere: they share the run's folder and nothing else.
"""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builder.cli.main import app
from synthesis import Pair, synthesize
from synthesis.engines.openai import OpenAIEngine
from tests.batch_server import Late, serve_batches, tale
from tests.openai_helpers import KEY
from tests.openai_server import Reply, failure
from tests.programs import running

LENGTHS = ("--lengths", "1k")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def batch(*args: object, code: int = 0) -> str:
    """Calls ``context-synthesis batch ...`` and expects it to end well, or with ``code``."""
    done = CliRunner().invoke(app, ["batch", *map(str, args)])
    assert done.exit_code == code, done.output
    assert KEY not in done.output
    return done.output


def batch_elsewhere(command, *args: object) -> str:
    """The same in a process of its own."""
    done = command("batch", *args)
    assert done.returncode == 0, done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr
    return done.stdout + done.stderr


def options(server, out: Path, pairs: Path, *more: object) -> tuple[object, ...]:
    where = ("--option", f"base_url={server.url}", "--option", "poll_seconds=0.01", "--option", "retries=1")
    return ("--pairs", pairs, "--out", out, "--model", "tiny", "--words", "60", *LENGTHS, *where, *more)


def answers(out: Path, name: str = "tiny") -> dict[str, str]:
    """The contexts in the dataset, by answer."""
    import pyarrow.parquet as pq

    (path,) = (out / "dataset" / "data" / name).glob("*/train-*.parquet")
    rows = pq.read_table(path, columns=["answer", "context"]).to_pylist()
    return {row["answer"]: row["context"] for row in rows}


def test_submit_another_day_status_fetch(tmp_path, write_pairs, command) -> None:
    out, pairs = tmp_path / "run", write_pairs(9)
    with serve_batches(tale, key=KEY, looks=4) as server:
        said = batch_elsewhere(command, "submit", *options(server, out, pairs, "--option", "max_requests=4"))
        assert "sent 9 requests in 3 batches" in said
        assert "nothing to send; 9 requests in flight" in batch("submit", out / "run.toml")
        assert len(server.batches) == 3

        said = batch("status", out)
        assert said.count("validating: 0 of") == 3
        assert "0 batches to fetch, 3 under way" in said
        said = batch("fetch", out)
        assert "0 replies from 0 batches" in said and "9 requests still in flight" in said
        assert not (out / "dataset").exists()

        pairs.unlink()  # the folder alone is enough
        batch("status", out)
        assert "3 batches to fetch" in batch("status", out)
        said = batch_elsewhere(command, "fetch", out)
        assert "9 replies from 3 batches" in said and "9 contexts, 0 rejected" in said
        assert len(server.sent) == len(set(server.sent)) == 9
        assert "fetched: 4 requests" in batch("status", out)
        assert "nothing changed" in batch("fetch", out)
        everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
        assert KEY.encode() not in everything

        # The engine openai, asked directly, comes to the same contexts.
        numbers = range(9)
        wanted = [
            Pair(instruction=f"Who kept lighthouse number {n}?", answer=f"Keeper {n} Holm") for n in numbers
        ]
        plain = list(synthesize(wanted, OpenAIEngine("tiny", base_url=server.url), words=60))
    by_pair = {pair.id: pair.answer for pair in wanted}
    assert answers(out) == {by_pair[context.pair_id]: context.text for context in plain}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["engine"] == "batch" and manifest["counts"]["contexts"] == 9
    assert manifest["usage"]["replies"] == 9
    assert manifest["source"]["kind"] == "files"


def test_what_failed_in_passing_is_sent_again_and_only_that(tmp_path, write_pairs) -> None:
    out = tmp_path / "run"

    def first_day(asked) -> Reply:
        if "number 2?" in asked.text:
            return failure(429, "slow down")
        return failure(400, "filtered", code="content_filter") if "number 3?" in asked.text else tale(asked)

    with serve_batches(first_day, expire_after=5) as server:
        batch("submit", *options(server, out, write_pairs(8)))
        said = batch("fetch", out)
        assert "5 replies" not in said and "4 replies from 1 batch" in said
        assert "1, the server is overloaded" in said
        assert "3, the batch ended before this prompt's turn" in said
        # Those four, and the refused one, which is asked again in other words.
        assert f"5 requests to send: context-synthesis batch submit {out / 'run.toml'}" in said
        assert not (out / "dataset").exists()

        server.script, server.plan.expire_after = tale, None
        (tmp_path / "story_qa.jsonl").unlink()
        assert "used its copy" in batch("submit", out / "run.toml")
        assert "8 contexts, 0 rejected" in batch("fetch", out)
        first, second = server.batches.values()
        assert [len(first.requests), len(second.requests)] == [8, 5]
        assert len(set(server.sent)) == 9
        assert "nothing to send; 0 requests in flight" in batch("submit", out / "run.toml")


def test_what_would_fail_again_is_rejected_and_not_sent_again(tmp_path, write_pairs) -> None:
    out = tmp_path / "run"

    def script(asked) -> Reply:
        long = "number 1?" in asked.text
        return failure(400, "maximum context length is 8 tokens") if long else tale(asked)

    with serve_batches(script) as server:
        batch("submit", *options(server, out, write_pairs(3)))
        assert "2 contexts, 1 rejected" in batch("fetch", out)
        assert "nothing to send" in batch("submit", out / "run.toml")
        assert "2 contexts, 1 rejected" in batch("fetch", out)
        assert len(server.sent) == 3
    (line,) = {*(out / "journal" / "rejected.jsonl").read_text().splitlines()}
    assert "do not fit the model's context window" in json.loads(line)["reason"]


def test_more_pairs_later(tmp_path, write_pairs) -> None:
    out = tmp_path / "run"
    with serve_batches(tale) as server:
        batch("submit", *options(server, out, write_pairs(3)))
        assert "3 contexts" in batch("fetch", out, "--wait")
        assert "sent 2 requests" in batch("submit", *options(server, out, write_pairs(5)))
        assert "5 contexts" in batch("fetch", out, "--wait")
        assert len(server.sent) == 5


def test_a_creation_that_went_unheard_is_found(tmp_path, write_pairs) -> None:
    """The reply to the creation is lost, and so is every call after it: as a crash would have it."""
    out = tmp_path / "run"

    def dying(method, path, before):
        if (method, path) == ("POST", "/batches"):
            return Late(failure(500))
        return failure(500) if path == "/batches" else None

    with serve_batches(tale) as server:
        server.calls = dying
        said = batch("submit", *options(server, out, write_pairs(4)), code=1)
        assert "did not list its batches" in said
        assert "nothing is sent twice" in said
        server.calls = lambda *_: None
        assert "sent or not?" in batch("status", out)
        said = batch("submit", out / "run.toml")
        assert "1 batch sent before went unheard; found again" in said
        assert "nothing to send; 4 requests in flight" in said
        assert "4 contexts" in batch("fetch", out)
        assert len(server.batches) == 1


@pytest.mark.parametrize(
    ("where", "when", "late"),
    [
        ("POST", "/files", False),
        ("POST", "/batches", False),
        ("POST", "/batches", True),
        ("GET", "/files/file-1/content", True),
    ],
    ids=["before-upload", "before-creation", "after-creation", "while-fetching"],
)
def test_killed_at_any_call_nothing_is_paid_twice(tmp_path, write_pairs, where, when, late) -> None:
    """By kill -9 while a call runs, whether or not it took effect; then the same commands again."""
    out, pairs = tmp_path / "run", write_pairs(4)
    struck, killed = threading.Event(), threading.Event()

    def strike(method, path, before):
        if (method, path) != (where, when) or struck.is_set():
            return None
        if late:
            return Late(Reply(raw=b"", until=_after(struck, killed)))
        struck.set()
        killed.wait(30)
        return failure(500)

    with serve_batches(tale) as server:
        server.calls = strike
        steps = [("submit", *options(server, out, pairs)), ("fetch", out, "--wait")]
        for step in steps:
            with running("-m", "builder.cli", "batch", *step, heard=False) as process:
                while process.poll() is None and not struck.wait(0.05):
                    pass
            killed.set()
            if struck.is_set():
                break
        assert process.returncode == -signal.SIGKILL
        batch(*steps[0])
        assert "4 contexts, 0 rejected" in batch(*steps[1])
        assert len(server.sent) == len(set(server.sent)) == 4


class _after(threading.Event):  # noqa: N801 (used as a value)
    """Says that the call has taken effect, then holds its reply back until the client is gone."""

    def __init__(self, struck: threading.Event, killed: threading.Event) -> None:
        super().__init__()
        self._struck, self._killed = struck, killed

    def wait(self, timeout: float | None = None) -> bool:
        self._struck.set()
        return self._killed.wait(timeout)


def test_a_cut_download_keeps_what_came_and_is_fetched_again(tmp_path, write_pairs) -> None:
    out = tmp_path / "run"
    with serve_batches(tale) as server:
        batch("submit", *options(server, out, write_pairs(6), "--option", "max_requests=3"))
        server.calls = lambda method, path, before: (
            Reply(cut=1500) if path == "/files/file-2/content" else None
        )
        said = batch("fetch", out, code=1)
        assert "did not send all of the file file-2" in said
        # The other batch is no worse for it.
        assert "fetched: 3 requests" in batch("status", out)
        server.calls = lambda *_: None
        assert "6 contexts" in batch("fetch", out)
        assert len(server.sent) == 6


def test_cancel(tmp_path, write_pairs) -> None:
    out = tmp_path / "run"
    with serve_batches(tale, looks=99) as server:
        batch("submit", *options(server, out, write_pairs(6)))
        assert "1 batch cancelled" in batch("cancel", out)
        said = batch("fetch", out)
        assert "3 replies from 1 batch" in said and "3 requests to send" in said
        assert "0 batches cancelled" in batch("cancel", out)


def test_another_server_meanwhile_is_noticed(tmp_path, write_pairs) -> None:
    out, pairs = tmp_path / "run", write_pairs(2)
    with serve_batches(tale) as server, serve_batches(tale) as other:
        batch("submit", *options(server, out, pairs))
        said = batch("submit", *options(other, out, pairs), code=2)
        assert "was sent to" in said and "base_url" in said
        assert not other.batches


def test_wrong_use(tmp_path, write_pairs) -> None:
    pairs = write_pairs(2)
    assert "is not there" in batch("fetch", tmp_path / "none", code=2)
    assert "batch submit --out" in batch("status", tmp_path, code=2)
    with serve_batches(tale) as server:
        given = options(server, tmp_path / "run", pairs)
        assert "has no batches" in batch("submit", *given, "--engine", "composer", code=2)
        assert "length 'many'" in batch("submit", *given, "--lengths", "many", code=2)
        assert "was not found" in batch("submit", *given, "--pairs", tmp_path / "absent.jsonl", code=2)
        assert not server.files and not server.batches
        batch("submit", *given)
        assert "same-task, random" in batch("submit", *given, "--distractors", "odd", code=2)


def test_each_candidate_is_a_request_of_its_own(tmp_path, write_pairs) -> None:
    out, pairs = tmp_path / "run", write_pairs(3)
    with serve_batches(tale, key=KEY) as server:
        asked = options(server, out, pairs, "--candidates", "2", "--repairs", "0")
        assert "sent 6 requests in 1 batch" in batch("submit", *asked)
        said = batch("fetch", out, "--wait")
        assert "6 replies from 1 batch" in said and "3 contexts, 0 rejected" in said
        assert "nothing to send" in batch("submit", *asked)
        assert "sent 3 requests in 1 batch" in batch("submit", *asked, "--candidates", "3")
