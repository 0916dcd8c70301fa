"""Batches kept in a journal: what a run with the engine ``batch`` relies on when it is stopped."""

from __future__ import annotations

import json

import pytest

from synthesis.data import Pair
from synthesis.engines import make_engine
from synthesis.engines.base import Engine, Sampling
from synthesis.engines.openai.batch import BatchEngine, BatchJob, Unanswered
from synthesis.errors import ConfigError
from synthesis.prompts import load_template
from synthesis.run.batches import BatchLog, JournaledBatches, clear_up, journaled
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import generate
from tests.batch_server import Late, serve_batches, tale
from tests.openai_helpers import quick_and_clean
from tests.openai_server import failure

__all__ = ["quick_and_clean"]  # used by every test here


def engine(server, **options) -> BatchEngine:
    return BatchEngine("tiny", base_url=server.url, **{"poll_seconds": 0.001, "retries": 0} | options)


PAIRS = [Pair(instruction=f"Who kept lighthouse number {n}?", answer=f"Keeper {n} Holm") for n in range(8)]


def run(server, folder, **options):
    """What ``run`` does with such an engine."""
    made = journaled(engine(server, **options), folder)
    with Journal(folder) as journal:
        generate(Job(made, load_template("narrative"), Sampling(), 60), PAIRS, journal)
        return len(journal.current_contexts())


def test_only_engines_that_send_batches_are_wrapped(tmp_path) -> None:
    composer = make_engine("composer")
    assert journaled(composer, tmp_path) is composer
    with serve_batches() as server:
        plain = engine(server, extra_body={"top_k": 3})
        wrapped = journaled(plain, tmp_path)
    assert isinstance(wrapped, JournaledBatches) and isinstance(wrapped, Engine)
    assert (wrapped.name, wrapped.model, wrapped.settings) == ("batch", "tiny", plain.settings)
    assert not list(tmp_path.iterdir())


def test_a_run_left_in_the_middle_goes_on_with_the_batches_it_has(tmp_path) -> None:
    with serve_batches(tale) as server:
        server.calls = lambda method, path, before: (
            failure(400, "down") if path == "/batches/batch_1" and before == 0 else None
        )
        with pytest.raises(Exception, match="batch_1 stands"):
            run(server, tmp_path, max_requests=3, at_once=2)
        assert "cancelled" not in {batch.fields["status"] for batch in server.batches.values()}
        assert run(server, tmp_path, max_requests=3, at_once=2) == 8
        assert len(server.sent) == len(set(server.sent)) == 8
        assert run(server, tmp_path) == 8
        assert len(server.batches) == 3


def test_a_run_goes_on_where_a_submission_stopped(tmp_path) -> None:
    """More batches in flight than the engine would send at once."""
    with serve_batches(tale) as server:
        made = engine(server, max_requests=1)
        job = Job(made, load_template("narrative"), Sampling(), 60)
        with BatchLog(tmp_path) as log:
            list(made.submit(map(job.prompt, PAIRS[:6]), Sampling(), log.record))
        assert run(server, tmp_path, at_once=2) == 8
        assert len(server.sent) == len(set(server.sent)) == 8


def test_prompts_of_a_lost_batch_are_sent_again_even_if_asked_for_late(tmp_path) -> None:
    with serve_batches(tale, expire_after=0) as server:
        made = engine(server, max_requests=4)
        job = Job(made, load_template("narrative"), Sampling(), 60)
        with BatchLog(tmp_path) as log:
            list(made.submit(map(job.prompt, PAIRS), Sampling(), log.record))
            for batch in log.in_flight():
                made.status(batch)
        server.plan.expire_after = None
        assert run(server, tmp_path, at_once=1, max_requests=4) == 8
        assert len(server.sent) == 16


def test_the_log_survives_a_torn_line(tmp_path) -> None:
    first = BatchJob("a" * 32, ("id-1", "id-2"), "host", 5, "file-1")
    with BatchLog(tmp_path) as log:
        log.record(first)
        log.record(BatchJob("a" * 32, ("id-1", "id-2"), "host", 5, "file-1", "batch_1"))
        log.learn({"limit_name": "max_tokens", "left_out": []})
    with (tmp_path / "batches.jsonl").open("ab") as file:
        file.write(b'{"key":"b')
    seen = BatchLog(tmp_path, writable=False)
    assert [job.id for job in seen.in_flight()] == ["batch_1"]
    assert (tmp_path / "batches.jsonl").read_bytes().endswith(b'{"key":"b')
    with BatchLog(tmp_path) as log:
        log.record(BatchJob("c" * 32, ("id-3",), "host", 6, "file-2"))
        assert log.dialect == {"limit_name": "max_tokens", "left_out": []}
    with BatchLog(tmp_path) as log:
        assert [job.key[0] for job in log.unheard()] == ["c"]
        log.drop(log.unheard()[0])
        assert [job.id for job in log.jobs] == ["batch_1"]
    for line in (tmp_path / "batches.jsonl").read_bytes().splitlines():
        json.loads(line)


def test_replies_are_on_disk_before_they_are_used_and_stay_when_reading_breaks_off(tmp_path) -> None:
    from synthesis.data import Completion

    ids = ("1" * 32, "2" * 32, "3" * 32)
    job = BatchJob("a" * 32, ids, "host", 5, "file-1", "batch_1")
    replies = [
        Completion(ids[0], "Context: ä\u2028", "stop", 3, 4),
        Completion(ids[1], "", "refusal", detail="no"),
    ]

    def broken():
        yield from replies
        raise ConnectionError

    with BatchLog(tmp_path) as log:
        log.record(BatchJob("a" * 32, ids, "host", 5, "file-1"))
        log.record(job)
        with pytest.raises(ConnectionError):
            list(log.collected(job, broken()))
        assert log.in_flight() == [job]
    with BatchLog(tmp_path) as log:
        assert [log.find(one) for one in ids] == [*replies, None]
        again = [*replies, Unanswered(ids[2], None)]
        assert list(log.collected(job, again)) == again
        assert not log.in_flight()
    lines = (tmp_path / "batches" / f"{job.key}.jsonl").read_bytes().splitlines()
    assert len(lines) == 2


def test_unheard_jobs_are_found_or_dropped(tmp_path) -> None:
    with serve_batches(tale) as server, BatchLog(tmp_path) as log:
        made = engine(server)
        job = Job(made, load_template("narrative"), Sampling(), 60)
        server.calls = lambda method, path, before: (
            Late(failure(500)) if (method, path) == ("POST", "/batches")
            else failure(500) if path == "/batches" else None
        )  # fmt: skip
        with pytest.raises(Exception, match="list its batches"):
            list(made.submit(map(job.prompt, PAIRS), Sampling(), log.record))
        log.record(BatchJob("d" * 32, ("x",), made.host, 5, "file-9"))
        assert len(log.unheard()) == 2
        server.calls = lambda *_: None
        (found,) = clear_up(made, log)
        assert found.id == "batch_0"
        assert log.in_flight() == [found] and not log.unheard()
        with pytest.raises(ConfigError, match="base_url"):
            clear_up(BatchEngine("tiny", base_url="http://elsewhere:1/v1"), log)
