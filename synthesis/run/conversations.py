"""Conversations with an engine: many pairs at once, each as many replies as it needs.

A pair's work is a generator: it yields prompts, is sent their completions, and returns
what became of the pair. One reply, a reply asked for again with what it lacked, an
outline and its sections: to whoever drives them they are the same. Replies that did not
end a work are recorded, so that an interrupted work goes on where it stopped. Knows
nothing of what is in a prompt.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

from synthesis.data import Completion, Context, Pair, Prompt, Rejected, Usage
from synthesis.engines.base import Engine, Sampling
from synthesis.errors import EngineError

Work: TypeAlias = Generator[Prompt, Completion, Context | Rejected]
"""Yields a prompt, is sent its completion, and so on; returns the outcome."""


class Replies(Protocol):
    """Where replies that did not end a work are kept, by the fingerprint of their prompt."""

    def find(self, prompt: Prompt) -> Completion | None:
        """The reply recorded for a prompt."""

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply."""


class Forgetful:
    """Keeps nothing: for work in memory only."""

    def find(self, prompt: Prompt) -> Completion | None:
        """Nothing."""
        return None

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Nothing is done."""


class Finished(NamedTuple):
    """A pair, what became of it, and what its last reply took; those before it are recorded apart."""

    pair: Pair
    outcome: Context | Rejected
    usage: Usage


class _Open(NamedTuple):
    pair: Pair
    work: Work
    prompt: Prompt


class Conversations(Iterator[Prompt]):
    """The works of many pairs as one source of prompts for an engine.

    As an iterator it runs dry while every open work waits for a reply, and has more once
    replies were taken: prompts that continue a work come before those that begin one.
    Pairs are pulled only when no open work has a prompt ready.

    Args:
        pairs: what to work on, each with the prompt that names its work; pulled lazily.
        begin: starts the work of a pair.
        replies: where earlier replies are found and new ones recorded.
    """

    def __init__(
        self,
        pairs: Iterable[tuple[Pair, Prompt]],
        begin: Callable[[Pair, Prompt], Work],
        replies: Replies | None = None,
    ) -> None:
        self._pairs = iter(pairs)
        self._begin = begin
        self._replies = replies or Forgetful()
        self._ready: deque[Prompt] = deque()
        # Two equal pairs have equal prompts, and may wait at the same time.
        self._waiting: defaultdict[str, list[_Open]] = defaultdict(list)
        self._finished: deque[Finished] = deque()
        self._exhausted = False

    def __next__(self) -> Prompt:
        while not self._ready:
            try:
                pair, prompt = next(self._pairs)
            except StopIteration:
                self._exhausted = True
                raise
            self._advance(pair, self._begin(pair, prompt))
        return self._ready.popleft()

    @property
    def waiting(self) -> int:
        """How many prompts have no reply yet."""
        return sum(map(len, self._waiting.values()))

    @property
    def over(self) -> bool:
        """Whether every pair was pulled and every work has ended."""
        return self._exhausted and not self._waiting

    def take(self, completion: Completion) -> None:
        """Give a reply to the work that waits for it, and record it if the work goes on."""
        waiting = self._waiting[completion.prompt_id]
        opened = waiting.pop()
        if not waiting:
            del self._waiting[completion.prompt_id]
        goes_on = self._advance(opened.pair, opened.work, completion)
        # A failure is worth asking again at the next run.
        if goes_on and completion.finish_reason != "error":
            self._replies.keep(opened.prompt, completion)

    def finished(self) -> Iterator[Finished]:
        """The works that ended since the last call."""
        while self._finished:
            yield self._finished.popleft()

    def _advance(self, pair: Pair, work: Work, completion: Completion | None = None) -> bool:
        """Go on with a work up to a prompt that nobody has answered yet; False if it ended."""
        try:
            # None is what starts a generator.
            prompt = work.send(completion) if completion is not None else next(work)
            while (known := self._replies.find(prompt)) is not None:
                prompt = work.send(known)
        except StopIteration as end:
            usage = Usage.of(completion) if completion is not None else Usage()
            self._finished.append(Finished(pair, end.value, usage))
            return False
        self._waiting[prompt.id].append(_Open(pair, work, prompt))
        self._ready.append(prompt)
        return True


def converse(engine: Engine, works: Conversations, sampling: Sampling) -> Iterator[Finished]:
    """Let an engine answer every prompt of ``works``; yield each work as it ends.

    An engine may end when the source runs dry for the moment; then it gets the rest in
    another round.

    Raises:
        EngineError: the engine left a prompt without any reply.
    """
    while not works.over:
        answered = False
        for completion in engine.complete(works, sampling):
            answered = True
            works.take(completion)
            yield from works.finished()
        yield from works.finished()
        if not answered and works.waiting:
            raise EngineError(
                f"engine '{engine.name}' left {works.waiting:,} prompts without a reply; "
                "run the same command again to ask for them"
            )
