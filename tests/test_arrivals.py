"""Replies are on disk before anybody looks at them: whoever is stopped asks for none of them again."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from synthesis.data import Completion, Message, Pair, Prompt, Usage, content_hash
from synthesis.engines.base import Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.prompts import load_template
from synthesis.run.arrivals import Arrivals
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import generate
from tests.openai_helpers import quick_and_clean  # noqa: F401  a fixture for all tests here
from tests.openai_server import Reply, serve
from tests.programs import running

PAIRS = [Pair(instruction=f"Where does ship {n} lie?", answer=f"In harbour {n}.") for n in range(12)]


def told(asked) -> Reply:
    number = asked.text.split("Where does ship ")[1].split(" ")[0]
    return Reply(f"Context: The log of the port says more than once. In harbour {number} lies ship {number}.")


def job_of(server, **options) -> Job:
    engine = OpenAIEngine("tiny", base_url=server.url, concurrency=12, **options)
    return Job(engine, load_template("narrative"), Sampling(), 60)


def test_replies_that_nobody_got_to_look_at_are_not_asked_for_again(tmp_path: Path) -> None:
    """The run ends at the first outcome, when all twelve replies are there."""

    def stop(_outcome) -> None:
        deadline = time.monotonic() + 60
        while (tmp_path / "arrived.jsonl").read_bytes().count(b"\n") < len(PAIRS):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        raise KeyboardInterrupt

    with serve(told) as server:
        with pytest.raises(KeyboardInterrupt), Journal(tmp_path) as journal:
            generate(job_of(server), PAIRS, journal, stop)
        assert len(server.asked) == len(PAIRS)
        with Journal(tmp_path) as journal:
            generate(job_of(server), PAIRS, journal)
            found = list(journal.current_contexts())
            assert journal.usage.replies == len(PAIRS)
        assert len(server.asked) == len(PAIRS)
    assert sorted(context.text.split()[-1] for _, context in found) == sorted(f"{n}." for n in range(12))
    assert not (tmp_path / "arrived.jsonl").exists()


def test_a_killed_process_asks_for_no_finished_reply_again(tmp_path: Path) -> None:
    """Killed while the server holds the last prompts back: the others came, and are not paid for twice."""
    program = (
        "import sys; from pathlib import Path; from tests.test_arrivals import PAIRS, job_of;"
        "from synthesis.run.journal import Journal; from synthesis.run.loop import generate;"
        "server = type('S', (), {'url': sys.argv[1]});"
        "generate(job_of(server), PAIRS, Journal(Path(sys.argv[2])))"  # never gets to its end
    )
    held = "Where does ship 11 "
    with serve() as server:
        server.script = lambda asked: Reply(until=server.ended) if held in asked.text else told(asked)
        path = os.pathsep.join(sys.path)
        with running("-c", program, server.url, tmp_path, heard=False, PYTHONPATH=path) as process:
            arrived = tmp_path / "arrived.jsonl"
            deadline = time.monotonic() + 120
            while not arrived.exists() or arrived.read_bytes().count(b"\n") < len(PAIRS) - 1:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.01)
        server.script = told
        with Journal(tmp_path) as journal:
            generate(job_of(server), PAIRS, journal)
            assert len(list(journal.current_contexts())) == len(PAIRS)
        times = Counter(asked.text for asked in server.asked)
    assert sorted(times.values()) == [1] * 11 + [2]


def prompt(number: int) -> Prompt:
    name = content_hash(number)
    return Prompt(name, name, "t", {}, (Message("user", "?"),), name)


def test_the_file_stays_small_and_forgets_nothing_that_is_needed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("synthesis.run.arrivals._LARGE", 2000)
    first = Arrivals(tmp_path)
    first.keep(prompt(0), Completion("0", "one", "refusal", 3, 4, detail="it would not"))
    first.close()
    later = Arrivals(tmp_path)
    for number in range(1, 40):
        reply = Completion(prompt(number).id, "word " * 20)
        later.keep(prompt(number), reply)
        assert later.find(prompt(number)) is None  # it is about to be taken
        later.looked_at(prompt(number), reply, settled=True)
    assert (tmp_path / "arrived.jsonl").stat().st_size > 4000  # one of before is still to be found
    found = later.find(prompt(0))
    assert found == Completion(prompt(0).id, "one", "refusal", 3, 4, detail="it would not")
    assert Usage.of(found) == Usage(1, 3, 4)
    for number in range(40, 80):
        reply = Completion(prompt(number).id, "word " * 20)
        later.keep(prompt(number), reply)
        later.looked_at(prompt(number), reply, settled=number % 7 == 0)
    assert (tmp_path / "arrived.jsonl").stat().st_size < 4000
    later.close()
    last = Arrivals(tmp_path)
    assert last.find(prompt(79)) is not None
    last.remove()
    assert not (tmp_path / "arrived.jsonl").exists()
