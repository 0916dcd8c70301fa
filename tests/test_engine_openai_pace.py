"""The OpenAI-compatible engine: how many requests run at once, and the life of its iterator."""

from __future__ import annotations

import asyncio
import itertools
import signal
import threading
import time
from dataclasses import replace

import pytest

from synthesis.engines.base import Items
from synthesis.engines.openai.connection import OpenConnection, make_address
from synthesis.engines.serving.failures import Failure
from synthesis.errors import EngineError
from tests.openai_helpers import (
    SAMPLING,
    engine,
    make_prompt,
    prompts,
    quick_and_clean,  # noqa: F401  a fixture for all tests here
    running_threads,
)
from tests.openai_server import Reply, failure, serve

# How many at once


def test_a_slow_prompt_holds_nobody_up() -> None:
    """The first prompt is answered only after all others were yielded."""
    release = threading.Event()
    with serve(lambda asked: Reply(until=release) if asked.text == "prompt 0" else None) as server:
        order = []
        for done in engine(server, concurrency=4).complete(Items(prompts(60)), SAMPLING):
            order.append(done.prompt_id)
            if len(order) == 59:
                release.set()
    assert order[-1] == "id-0"
    assert len(set(order)) == 60


def test_no_more_than_the_bound_run_at_once_and_the_bound_is_used() -> None:
    with serve(lambda _: Reply(delay=0.05)) as server:
        done = list(engine(server, concurrency=5).complete(Items(prompts(40)), SAMPLING))
    assert len(done) == 40
    assert server.most_held == 5


def test_fewer_run_at_once_when_the_server_says_it_is_too_much() -> None:
    """The server takes 4 at a time; of 16 at once, most are refused at first, few later."""
    crowd = threading.Event()

    def script(asked):
        if asked.number == 15:
            crowd.set()
        first = crowd if asked.number < 16 else None
        return replace(failure(429) if asked.held > 4 else Reply(delay=0.03), until=first)

    with serve(script) as server:
        done = list(engine(server, concurrency=16, retries=20).complete(Items(prompts(120)), SAMPLING))
    assert {found.finish_reason for found in done} == {"stop"}
    assert server.most_held == 16
    # By how much is told on a clock that no other process disturbs: tests/test_pace.py.
    later = server.asked[len(server.asked) // 2 :]
    assert max(asked.held for asked in later) < 16
    assert sum(asked.held > 4 for asked in later) < len(later) / 2


def test_fewer_run_at_once_when_replies_become_much_slower() -> None:
    def script(asked):
        return Reply(delay=0.06 if asked.number < 40 else 0.8)

    with serve(script) as server:
        list(engine(server, concurrency=8).complete(Items(prompts(64)), SAMPLING))
    assert max(asked.held for asked in server.asked[10:40]) >= 6
    assert max(asked.held for asked in server.asked[-4:]) <= 5


# The iterator


def test_prompts_are_pulled_lazily_and_in_the_consumers_thread() -> None:
    pulled, threads = [], set()

    def endless():
        for number in itertools.count():
            pulled.append(number)
            threads.add(threading.current_thread())
            yield make_prompt(number)

    with serve() as server:
        replies = engine(server, concurrency=3).complete(Items(endless()), SAMPLING)
        assert not pulled
        for taken in range(1, 30):
            next(replies)
            assert len(pulled) <= taken + 6
        replies.close()
    assert threads == {threading.current_thread()}


def test_a_slow_source_does_not_hold_back_what_is_done() -> None:
    pulled = []

    def slow():
        for number in range(20):
            pulled.append(number)
            time.sleep(0.1)
            yield make_prompt(number)

    with serve() as server:
        replies = engine(server, concurrency=10).complete(Items(slow()), SAMPLING)
        next(replies)
        assert len(pulled) < 15
        replies.close()


def test_places_stay_filled_while_the_consumer_is_slow() -> None:
    """Each ``next`` refills what it takes, so that the server is never left idle."""
    with serve() as server:
        replies = engine(server, concurrency=4).complete(
            Items(make_prompt(n) for n in itertools.count()), SAMPLING
        )
        next(replies)
        for expected in range(6, 14):
            time.sleep(0.05)
            next(replies)
            assert len(server.asked) >= expected - 2
        replies.close()


def test_closing_early_cancels_what_runs() -> None:
    never = threading.Event()
    with serve(lambda asked: None if asked.number == 0 else Reply(until=never)) as server:
        made = engine(server, concurrency=4)
        replies = made.complete(Items(make_prompt(n) for n in itertools.count()), SAMPLING)
        next(replies)
        while len(server.asked) < 5:  # until all places are taken
            time.sleep(0.01)
        assert running_threads()
        begun = time.monotonic()
        replies.close()
        assert not running_threads()
        assert time.monotonic() - begun < 5
        asked = len(server.asked)
        time.sleep(0.05)
        assert len(server.asked) == asked
        made.close()
        made.close()


def test_an_interrupt_ends_the_wait_and_cleans_up() -> None:
    never = threading.Event()

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with serve(lambda _: Reply(until=never)) as server:
            signal.setitimer(signal.ITIMER_REAL, 0.4)
            with pytest.raises(KeyboardInterrupt):
                list(engine(server).complete(Items(prompts(3)), SAMPLING))
            assert not running_threads()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_error_of_the_source_comes_through() -> None:
    def broken():
        yield make_prompt(0)
        raise LookupError("row 1 is missing")

    with serve() as server, pytest.raises(LookupError, match="row 1"):
        list(engine(server).complete(Items(broken()), SAMPLING))


def test_closing_the_engine_from_elsewhere_ends_the_wait() -> None:
    never = threading.Event()
    with serve(lambda _: Reply(until=never)) as server:
        made = engine(server)
        timer = threading.Timer(0.3, made.close)
        timer.start()
        with pytest.raises(EngineError, match="closed"):
            list(made.complete(Items(prompts(3)), SAMPLING))
        timer.join()


def test_it_works_inside_a_running_event_loop() -> None:
    import asyncio

    async def notebook():
        return list(made.complete(Items(prompts(3)), SAMPLING))

    with serve() as server:
        made = engine(server)
        assert len(asyncio.run(notebook())) == 3


def test_no_prompts_no_requests() -> None:
    with serve() as server:
        assert list(engine(server).complete(Items([]), SAMPLING)) == []
    assert not server.asked


# Clients


def test_many_requests_at_once_are_spread_over_clients_and_few_are_not() -> None:
    """Each has a bounded number under way, also where some fail, and a later request takes the first."""
    body = {"model": "tiny", "messages": [{"role": "user", "content": "a"}], "max_tokens": 5}
    crowd = threading.Event()

    def script(asked):
        if asked.number == 69:
            crowd.set()
        return replace(failure(500) if asked.number % 7 == 0 else Reply(), until=crowd)

    async def ask(connection: OpenConnection, count: int) -> list[object]:
        return await asyncio.gather(*(connection.send("/chat/completions", body) for _ in range(count)))

    async def both(url: str) -> tuple[list[object], list[int], list[int]]:
        connection = OpenConnection(make_address(url, "UNSET_KEY", 60))
        async with connection:
            replies = await ask(connection, 70)
            after = list(connection._busy)
            await ask(connection, 1)
            return replies, after, list(connection._busy)

    with serve(script) as server:
        replies, after, later = asyncio.run(both(server.url))
    assert sum(isinstance(reply, Failure) for reply in replies) == 10
    assert after == later == [0, 0, 0]
