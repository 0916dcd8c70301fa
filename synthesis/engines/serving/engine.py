"""The base of engines behind a server: what is the same whatever protocol it speaks.

Synchronous iterators over an async core that lives only as long as an iterator does. Knows
nothing of files, budgets or parsing, and nothing of what is sent: that is the subclass's.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from synthesis.data import Completion, Prompt
from synthesis.engines.base import BaseEngine, Listener, PromptSource, Sampling
from synthesis.engines.serving.advice import describe, explain
from synthesis.engines.serving.asking import Asker, Connection, GaveUp, Server, Tries
from synthesis.engines.serving.failures import Failure, Kind, ServerError
from synthesis.engines.serving.session import Job, Session, as_finished
from synthesis.errors import ConfigError

MOST_AT_ONCE = 1000
"""Requests at once, at most: what a client's pool holds."""

_AHEAD = 2  # prompts taken per place: one being answered, one ready to follow


class ServedEngine(BaseEngine):
    """Asks a server: many prompts at once, with retries, at the pace the server can take.

    Requests that fail in passing (overload, timeouts, broken connections or replies) are
    retried with growing, jittered delays. Fewer run at once while the server is overloaded,
    more again as it recovers. A prompt that stays without a reply becomes a ``Completion``
    with ``finish_reason="error"``; what no other prompt would survive (key, model, quota, no
    server, ``20`` failures of one kind in a row) raises ``EngineError``.

    A subclass says how to connect (``connect``), what to send (``request``), how replies are
    read (``read``, ``deltas``) and, if it can be asked, what models there are (``models``).

    Args:
        server: where, and how patiently.
        concurrency: requests at once, at most.
    """

    has_tunings = True

    def __init__(self, server: Server, concurrency: int) -> None:
        self._server = server
        self._concurrency = concurrency
        self._ahead = _AHEAD * concurrency
        self._sessions: set[Session] = set()

    def tunings(self) -> Sequence[Mapping[str, Any]]:
        """Fewer and more requests at once."""
        factors = (0.5, 2, 4, 8)
        tried = {min(max(1, int(self._concurrency * factor)), MOST_AT_ONCE) for factor in factors}
        return [{"concurrency": one} for one in sorted(tried - {self._concurrency})]

    @abstractmethod
    def connect(self) -> Connection:
        """A connection for one session; made in the consumer's thread, used on the event loop."""

    @abstractmethod
    def request(
        self, prompt: Prompt, sampling: Sampling, *, stream: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """Where (below ``base_url``) and what to send for a prompt; made anew for each try."""

    @abstractmethod
    def read(self, prompt: Prompt, reply: object, body: Mapping[str, Any]) -> Completion | Failure:
        """What a decoded reply to a request of this body says."""

    @abstractmethod
    def deltas(self, path: str, body: Mapping[str, Any]) -> Generator[str | Failure, None, None]:
        """The pieces of one streamed reply, without an event loop; if it fails, the failure comes last."""

    @property
    def trouble(self) -> str:
        """What the server said last, unless it was a reply."""
        return self._server.health.trouble

    def models(self) -> Sequence[str]:
        """What the server says it serves; nothing where it does not say."""
        return []

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Yield each completion as it finishes, in any order.

        Prompts are taken from the consumer's thread, at most twice ``concurrency`` ahead of
        what was yielded. Requests run on between two ``next``; closing the iterator cancels
        them and their connections. A source that is a ``Listener`` hears of replies from the
        thread that receives them.

        Raises:
            EngineError: no prompt would get a reply. Completions at hand are yielded before.
        """
        end: GaveUp | None = None
        arrived = prompts.arrived if isinstance(prompts, Listener) else _nobody_listens
        with self._session() as (session, asker):

            def pull() -> Job[Completion | GaveUp] | None:
                if (prompt := prompts.pull()) is None:
                    return None
                return partial(self._complete_one, asker, prompt, sampling, arrived)

            for outcome in as_finished(session, pull, self._ahead, lambda found: isinstance(found, GaveUp)):
                if isinstance(outcome, GaveUp):
                    end = end or outcome
                else:
                    yield outcome
        if end:
            raise self._error(end, sampling)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Generator[str, None, None]:
        """Text deltas of one reply; a reply that reaches ``max_tokens`` just ends.

        Failures before the first delta are retried like those of ``complete``.

        Raises:
            ServerError: no reply, or it broke off, or the server refused.
        """
        tries = Tries(self._server, prompt.id)
        said = 0
        while True:
            path, body = self.request(prompt, sampling, stream=True)
            failure: Failure | None = None
            # Closed with us, so that a reader who stops early ends the request.
            with closing(self.deltas(path, body)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Failure):
                        failure = piece
                    else:
                        said += len(piece)
                        yield piece
            if failure is None:
                self._server.health.worked()
                return
            if said:
                url = self._server.address.base_url
                raise ServerError(f"{url} broke off after {said} characters ({failure}); ask again", failure)
            verdict = tries.after(failure, body)
            if isinstance(verdict, GaveUp):
                raise self._error(verdict, sampling)
            time.sleep(verdict)

    def close(self) -> None:
        """End whatever still runs. Safe to call twice."""
        for session in list(self._sessions):
            self._end(session)

    async def _complete_one(
        self, asker: Asker, prompt: Prompt, sampling: Sampling, arrived: Callable[[Completion], None]
    ) -> Completion | GaveUp:
        sent: dict[str, Any] = {}

        def request() -> tuple[str, dict[str, Any]]:
            nonlocal sent
            path, sent = self.request(prompt, sampling)
            return path, sent

        outcome = await asker.ask(prompt.id, request, lambda reply: self.read(prompt, reply, sent))
        if not isinstance(outcome, GaveUp):
            arrived(outcome)
            return outcome
        if outcome.everyone:
            return outcome
        finish = "refusal" if outcome.failure.kind is Kind.REFUSED else "error"
        return Completion(prompt.id, "", finish, detail=describe(outcome, sampling))

    @contextmanager
    def _session(self) -> Iterator[tuple[Session, Asker]]:
        connection = self.connect()
        session = Session(connection)
        self._sessions.add(session)
        try:
            yield session, Asker(self._server, connection)
        finally:
            self._end(session)

    def _end(self, session: Session) -> None:
        session.close()
        self._sessions.discard(session)

    def _error(self, end: GaveUp, sampling: Sampling | None) -> ServerError:
        self._server.health.forget()
        return explain(end, self._server.address, self.model, sampling, self.models)


def _nobody_listens(completion: Completion) -> None:
    return


def check_numbers(concurrency: int, timeout: float, retries: int) -> None:
    """Raise ConfigError for numbers that no server could be asked with."""
    where = "generation.options"
    if not 1 <= concurrency <= MOST_AT_ONCE:
        raise ConfigError(f"{where}.concurrency is {concurrency}; give 1 to {MOST_AT_ONCE}")
    if not timeout > 0:
        raise ConfigError(f"{where}.timeout is {timeout}; give the seconds a reply may take")
    if retries < 0:
        raise ConfigError(f"{where}.retries is {retries}; give 0 or more")
