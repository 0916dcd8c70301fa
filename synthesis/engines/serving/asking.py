"""One question to the server until it is answered or given up: retries, pace, verdict.

Knows nothing of threads, of who asks and of any protocol; what is asked and how a reply is
read come in as functions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from synthesis.data import Completion
from synthesis.engines.serving.address import ServerAddress
from synthesis.engines.serving.failures import FATAL, OPENING, RETRYABLE, Failure, Health, Kind
from synthesis.engines.serving.pace import Gate, Pace, Turn, retry_delay

T = TypeVar("T")

_PATIENCE = 5  # so many times as often as a failed request is a refused one tried, while others get replies
_EMPTY = 2  # further tries after an empty reply: some servers stumble, some models have nothing to say
_FEW_TOKENS = 32  # below this the time to the first token rules, not the speed

Learn = Callable[[str, Mapping[str, Any], set[str]], bool]
"""Told the name of a refused setting, the body it was refused in and what was changed for this
question before (to be added to): whether the next body will be another."""


class Connection(AbstractAsyncContextManager[Any], Protocol):
    """Open connections to a server, closed with its block."""

    async def send(self, path: str, body: dict[str, Any]) -> object:
        """The decoded reply, or the ``Failure`` it came to; raises nothing that a request may raise."""


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of a server, over an engine's life; ``retries`` are further tries after the first."""

    address: ServerAddress
    retries: int
    pace: Pace
    learn: Learn = lambda refused, body, tried: False
    health: Health = field(default_factory=Health)


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The end of a question without an answer; ``everyone``: no other would get one either."""

    failure: Failure
    tries: int
    everyone: bool


class Tries:
    """Counts the tries of one question and says what comes after a failed one."""

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = key
        self._count = self._refused = self._empty = 0
        self._replies = server.health.replies
        self._learned: set[str] = set()

    def after(self, failure: Failure, body: Mapping[str, Any]) -> float | GaveUp:
        """Seconds until the next try, or the end of it."""
        # A server that cannot go on from a beginning says so in words of its own, some as a failure.
        whole = failure.kind is Kind.REJECTED or "prefill" in failure.said.lower()
        refused = failure.parameter or (OPENING if whole else "")
        if refused and self._server.learn(refused, body, self._learned):
            return 0.0  # not the question was wrong but how it was put
        no_server = self._server.health.tried(failure)
        if failure.kind is Kind.BUSY and self._is_our_turn_to_wait():
            self._refused += 1
            # The gate sees to it that fewer come; who waits too long is the last of all.
            return retry_delay(self._key, min(self._refused, 4), failure.wait)
        self._count += 1
        if no_server or failure.kind in FATAL:
            return GaveUp(failure, self._count, True)
        if failure.kind is Kind.REFUSED:
            return GaveUp(failure, self._count, False)
        self._empty += failure.kind is Kind.EMPTY
        if failure.kind in RETRYABLE and self._count <= self._server.retries and self._empty <= _EMPTY:
            return retry_delay(self._key, self._count, failure.wait)
        tries = self._count + self._refused
        return GaveUp(failure, tries, self._server.health.gave_up(failure, tries))

    def _is_our_turn_to_wait(self) -> bool:
        """Whether a refusal is no failure: others were answered since the last, and all are many."""
        before, self._replies = self._replies, self._server.health.replies
        return self._replies > before and self._refused < _PATIENCE * self._server.retries


class Asker:
    """Asks over one connection, within one gate."""

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._gate = Gate(server.pace)

    async def ask(
        self,
        key: str,
        request: Callable[[], tuple[str, dict[str, Any]]],
        read: Callable[[object], T | Failure],
    ) -> T | GaveUp:
        """The answer, or why there is none.

        Args:
            key: what the jitter of the retries follows from.
            request: makes the path (below ``base_url``, or a whole address) and the body, anew for
                each try.
            read: what the decoded reply says.
        """
        tries = Tries(self._server, key)
        while True:
            async with self._gate.turn() as turn:
                path, body = request()  # only now: what was learnt while waiting counts
                answer = await self._once(path, body, read, turn)
            if not isinstance(answer, Failure):
                self._server.health.worked()
                return answer
            verdict = tries.after(answer, body)
            if isinstance(verdict, GaveUp):
                return verdict
            # Without a place, so that others go on meanwhile.
            await asyncio.sleep(verdict)

    async def _once(
        self, path: str, body: dict[str, Any], read: Callable[[object], T | Failure], turn: Turn
    ) -> T | Failure:
        pace = self._server.pace
        reply = await self._connection.send(path, body)
        answer: T | Failure = reply if isinstance(reply, Failure) else read(reply)
        took = pace.clock() - turn.started
        if not isinstance(answer, Failure):
            pace.answered(turn, _cost(answer, took))
        elif answer.overload:
            pace.refused(turn, answer.wait, *self._gate.held(2 * took))
        else:
            pace.passed(turn)
        return answer


def _cost(answer: object, seconds: float) -> float:
    """Seconds per token written; 0 for answers that are not text."""
    if not isinstance(answer, Completion):
        return 0.0
    # Four characters a token where the server does not count.
    return seconds / max(_FEW_TOKENS, answer.output_tokens or len(answer.text) // 4)
