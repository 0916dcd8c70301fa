"""Prompts through batches until each has its completion.

Knows nothing of the protocol: batches are sent, looked at and read by the engine. What
outlives the call is a ``Memory``'s business.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

from synthesis.data import Completion, Prompt
from synthesis.engines.base import PromptSource, Sampling
from synthesis.engines.openai.batch.jobs import BatchJob, BatchStatus, Unanswered
from synthesis.engines.serving.failures import RETRYABLE, Failure, Kind
from synthesis.errors import EngineError

End = Completion | Unanswered
_MANY = 5  # requests that do not all fail for reasons of their own


class Batches(Protocol):
    """Sends and reads batches: the engine, as far as it is needed here."""

    base_url: str
    poll_seconds: float

    def send(
        self,
        prompts: Iterator[Prompt],
        sampling: Sampling,
        most: int,
        record: Callable[[BatchJob], object] = ...,
    ) -> tuple[BatchJob | None, Prompt | None]:
        """Send one batch: its job (None if there were no prompts), and a prompt that did not fit in."""

    def status(self, job: BatchJob) -> BatchStatus:
        """How a batch stands."""

    def fetch(self, job: BatchJob, sampling: Sampling, status: BatchStatus | None = None) -> Iterator[End]:
        """The end of every prompt of a batch that has ended."""

    def cancel(self, job: BatchJob) -> BatchStatus:
        """End a batch early."""


class Memory(Protocol):
    """What is known of batches beyond one call."""

    @property
    def lasting(self) -> bool:
        """Whether batches under way will be looked for by a later call."""

    def in_flight(self) -> list[BatchJob]:
        """Batches sent earlier and not read to their end."""

    def find(self, prompt_id: str) -> Completion | None:
        """A reply that came earlier."""

    def record(self, job: BatchJob) -> None:
        """Note a batch before it is created and again when it has been."""

    def collected(self, job: BatchJob, ends: Iterator[End]) -> Iterator[End]:
        """Hand on the ends of a batch's prompts, keeping those that are replies."""


class NoMemory:
    """Remembers nothing, so that batches left behind are of no use to anybody."""

    lasting = False

    def in_flight(self) -> list[BatchJob]:
        """None."""
        return []

    def find(self, prompt_id: str) -> Completion | None:
        """Nothing."""
        return None

    def record(self, job: BatchJob) -> None:
        """Nothing is done."""

    def collected(self, job: BatchJob, ends: Iterator[End]) -> Iterator[End]:
        """The ends as they come."""
        return ends


class Rounds:
    """One call of ``complete``.

    Args:
        engine: sends and reads the batches.
        memory: what came before, and where to keep what comes.
        at_once: batches under way, at most.
        tries: how often one prompt is sent, at most.
        most: prompts in one batch, at most.
    """

    def __init__(self, engine: Batches, memory: Memory, at_once: int, tries: int, most: int) -> None:
        self._engine, self._memory = engine, memory
        self._at_once, self._tries, self._most = at_once, tries, most
        self._flying = memory.in_flight()
        self._sent = Counter(prompt_id for job in self._flying for prompt_id in job.prompt_ids)
        self._again: deque[Prompt] = deque()
        self._at_hand: deque[str] = deque()
        self._waiting: dict[str, Prompt] = {}
        # Equal prompts are asked once and answered as often as they came.
        self._copies: Counter[str] = Counter()
        self._trouble: Failure | None = None
        self._hopeless: tuple[BatchJob, str] | None = None

    def run(self, source: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Every prompt's completion, in any order."""
        try:
            while True:
                dry = self._send(source, sampling)
                while self._at_hand:
                    known = self._memory.find(self._at_hand.popleft())
                    assert known is not None  # it was there a moment ago
                    yield known
                if not self._flying or (dry and not self._waiting):
                    break
                job, status = self._wait()
                self._flying.remove(job)
                asked = self._note(job, status)
                failed: list[Completion] = []
                for end in self._memory.collected(job, self._engine.fetch(job, sampling, status)):
                    if isinstance(end, Completion) and end.finish_reason == "error":
                        failed.append(end)
                    yield from self._taken(end, asked=asked)
                if len(failed) == len(job.prompt_ids) >= _MANY:
                    self._hopeless = (job, failed[0].detail)
        finally:
            if not self._memory.lasting:
                self._cancel()
        if self._trouble:
            raise EngineError(
                f"{self._engine.base_url} does not take the batch ({self._trouble}). Mend the cause, "
                "then run again to go on from what is done"
            )
        if self._hopeless:
            hopeless, why = self._hopeless
            raise EngineError(
                f"{self._engine.base_url}: all {len(hopeless.prompt_ids):,} requests of batch {hopeless.id} "
                f"failed, the first with: {why}. Mend the cause; if nothing changes on this side for it, "
                "use another --out"
            )

    def _send(self, source: PromptSource, sampling: Sampling) -> bool:
        """Send what may be sent; True if the source has no more at the moment."""
        while len(self._flying) < self._at_once and self._trouble is None and self._hopeless is None:
            job, spare = self._engine.send(self._next(source), sampling, self._most, self._memory.record)
            if spare is not None:
                self._again.appendleft(spare)
            if job is None:
                return True
            self._sent.update(job.prompt_ids)
            self._flying.append(job)
        return False

    def _next(self, source: PromptSource) -> Iterator[Prompt]:
        """Prompts to send: those to be sent again, then new ones. A dry source may flow again."""
        while self._again:
            yield self._again.popleft()
        while (prompt := source.pull()) is not None:
            if self._memory.find(prompt.id) is not None:
                self._at_hand.append(prompt.id)  # not the reply: there may be many
                continue
            self._copies[prompt.id] += 1
            if prompt.id in self._waiting:
                continue
            self._waiting[prompt.id] = prompt
            if not self._sent[prompt.id]:
                yield prompt

    def _wait(self) -> tuple[BatchJob, BatchStatus]:
        while True:
            for job in self._flying:
                status = self._engine.status(job)
                if status.ended:
                    return job, status
            time.sleep(self._engine.poll_seconds)

    def _note(self, job: BatchJob, status: BatchStatus) -> bool:
        """Draw conclusions from a batch that failed as a whole; False if it never began."""
        problem = status.problem
        if problem is None:
            return True
        if problem.kind is Kind.BUSY and (self._flying or len(job.prompt_ids) > 1):
            # More tokens than the account may have under way: fewer batches, or smaller ones.
            if self._flying:
                self._at_once = len(self._flying)
            else:
                self._most = len(job.prompt_ids) // 2
            return False
        if problem.kind not in RETRYABLE or problem.kind is Kind.BUSY:
            self._trouble = problem
        return True

    def _taken(self, end: End, *, asked: bool) -> Iterator[Completion]:
        prompt_id = end.prompt_id
        if prompt_id not in self._waiting:  # of a batch sent earlier; nobody has asked for it yet
            del self._sent[prompt_id]
            return
        if isinstance(end, Unanswered):
            if self._trouble:
                return
            if not asked:
                self._sent[prompt_id] -= 1
            if self._sent[prompt_id] < self._tries:
                self._again.append(self._waiting[prompt_id])
                return
            detail = f"{end.failure} (tries: {self._sent[prompt_id]})"
            end = Completion(prompt_id, "", "error", detail=detail)
        del self._waiting[prompt_id], self._sent[prompt_id]
        for _ in range(self._copies.pop(prompt_id)):
            yield end

    def _cancel(self) -> None:
        for job in self._flying:
            # Nobody would read its replies. What ended meanwhile cannot be cancelled.
            with suppress(EngineError):
                self._engine.cancel(job)
