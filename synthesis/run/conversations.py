"""Conversations with an engine: many pairs at once, each as many replies as it needs.

A pair's work is a generator: it yields prompts, is sent their completions, and returns
what became of the pair. One reply, a reply asked for again with what it lacked, an
outline and its sections: to whoever drives them they are the same. Replies that did not
end a work are recorded, so that an interrupted work goes on where it stopped. Knows
nothing of what is in a prompt.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from synthesis.data import Completion, Pair, Prompt, Usage
from synthesis.engines.base import Engine, Sampling, Source
from synthesis.errors import EngineError
from synthesis.wording import counted

T = TypeVar("T")

Work: TypeAlias = Generator[Prompt, Completion, T]
"""Yields a prompt, is sent its completion, and so on; returns the outcome."""


class Replies(Protocol):
    """Where replies that did not end a work are recorded, by the fingerprint of their prompt."""

    def find(self, prompt: Prompt) -> Completion | None:
        """The reply recorded for a prompt."""

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply."""


class Bounds(Protocol):
    """How much may still be asked; looked at before each prompt."""

    def may_begin(self, open: int) -> bool:
        """Whether another work may begin while so many are ``open``; maybe later, if not now."""

    def may_go_on(self) -> bool:
        """Whether works that have begun may ask for more; once False, it stays so."""


class ReplyTray(Protocol):
    """Where every reply is recorded when it arrives, until what came of it is recorded elsewhere."""

    def find(self, prompt: Prompt) -> Completion | None:
        """A reply that an earlier process did not get to look at."""

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply. From any thread."""

    def looked_at(self, prompt: Prompt, completion: Completion, *, settled: bool) -> None:
        """A reply kept here is being looked at; if ``settled``, all before it are recorded elsewhere."""


class Finished(NamedTuple, Generic[T]):
    """A pair, what became of it, and what its last reply took; those before it are recorded apart.

    ``writer`` is that of the work's prompts.
    """

    pair: Pair
    outcome: T
    usage: Usage
    writer: str = ""


@dataclass(frozen=True, slots=True)
class _Open(Generic[T]):
    pair: Pair
    work: Work[T]
    prompt: Prompt


class Conversations(Generic[T]):
    """The works of many pairs as one source of prompts for an engine.

    It is dry while every open work waits for a reply, and has more once replies were taken:
    prompts that continue a work come before those that begin one. Pairs are pulled only when
    no open work has a prompt ready.

    Args:
        pairs: what to work on, each with the prompt that names its work.
        begin: starts the work of a pair.
        replies: where earlier replies are found and new ones recorded; nowhere if None.
        bounds: what bounds the asking; nothing if None. Works that may not go on stay open.
        tray: where replies are recorded as they arrive; nowhere if None.
    """

    def __init__(
        self,
        pairs: Source[tuple[Pair, Prompt]],
        begin: Callable[[Pair, Prompt], Work[T]],
        replies: Replies | None = None,
        bounds: Bounds | None = None,
        tray: ReplyTray | None = None,
    ) -> None:
        self._bounds = bounds
        self._pairs = pairs
        self._begin = begin
        self._replies = replies
        self._tray = tray
        self._arrived: set[str] = set()
        self._ready: deque[Prompt] = deque()
        # Two equal pairs have equal prompts, and may wait at the same time.
        self._waiting: defaultdict[str, list[_Open[T]]] = defaultdict(list)
        self._finished: deque[Finished[T]] = deque()

    def pull(self) -> Prompt | None:
        """The next prompt that nobody has answered yet; None while all that are open were given out."""
        while not self._stopped() and self._has_ready():
            prompt = self._ready.popleft()
            known = self._tray.find(prompt) if self._tray is not None else None
            if known is None:
                return prompt
            self.arrived(known)
            self.take(known)
        return None

    def arrived(self, completion: Completion) -> None:
        """Record a reply before its turn to be taken comes. From any thread."""
        opened = self._waiting.get(completion.prompt_id)
        # A failure is worth asking again at the next run.
        if opened and self._tray is not None and completion.finish_reason != "error":
            self._tray.keep(opened[-1].prompt, completion)
            self._arrived.add(completion.prompt_id)

    @property
    def waiting(self) -> int:
        """How many prompts have no reply yet."""
        return sum(map(len, self._waiting.values()))

    def over(self) -> bool:
        """Whether every work has ended and no other may begin, or all wait for what may not be asked."""
        if self._stopped():
            return self.waiting == len(self._ready)
        return not self._waiting and not self._has_ready()

    def take(self, completion: Completion) -> None:
        """Give a reply to the work that waits for it, and record it if the work goes on."""
        if completion.prompt_id not in self._arrived:
            self.arrived(completion)
        waiting = self._waiting[completion.prompt_id]
        opened = waiting.pop()
        if not waiting:
            del self._waiting[completion.prompt_id]
        if self._tray is not None and completion.prompt_id in self._arrived:
            self._arrived.discard(completion.prompt_id)
            self._tray.looked_at(opened.prompt, completion, settled=not self._finished)
        goes_on = self._advance(opened.pair, opened.work, opened.prompt.writer, completion)
        # A failure is worth asking again at the next run.
        if goes_on and self._replies is not None and completion.finish_reason != "error":
            self._replies.keep(opened.prompt, completion)

    def finished(self) -> Iterator[Finished[T]]:
        """The works that ended since the last call."""
        while self._finished:
            yield self._finished.popleft()

    def _stopped(self) -> bool:
        return self._bounds is not None and not self._bounds.may_go_on()

    def _has_ready(self) -> bool:
        """Whether a prompt is ready, after beginning as many works as it takes."""
        while not self._ready:
            if self._bounds is not None and not self._bounds.may_begin(self.waiting):
                return False
            if (begun := self._pairs.pull()) is None:
                return False
            pair, prompt = begun
            self._advance(pair, self._begin(pair, prompt), prompt.writer)
        return True

    def _advance(self, pair: Pair, work: Work[T], writer: str, completion: Completion | None = None) -> bool:
        """Go on with a work up to a prompt that nobody has answered yet; False if it ended."""
        try:
            # None is what starts a generator.
            prompt = work.send(completion) if completion is not None else next(work)
            while self._replies is not None and (known := self._replies.find(prompt)) is not None:
                prompt = work.send(known)
        except StopIteration as end:
            usage = Usage.of(completion) if completion is not None else Usage()
            self._finished.append(Finished(pair, end.value, usage, writer))
            return False
        self._waiting[prompt.id].append(_Open(pair, work, prompt))
        self._ready.append(prompt)
        return True


def converse(
    engine: Engine,
    works: Conversations[T],
    sampling: Sampling,
    on_reply: Callable[[Completion], object] = lambda _: None,
) -> Generator[Finished[T]]:
    """Let an engine answer every prompt of ``works``; yield each work as it ends.

    An engine may end when the source is dry for the moment; then it gets the rest in
    another round.

    Raises:
        EngineError: the engine left a prompt without any reply.
    """
    while not works.over():
        answered = False
        for completion in engine.complete(works, sampling):
            answered = True
            on_reply(completion)
            works.take(completion)
            yield from works.finished()
        yield from works.finished()
        if not answered and works.waiting:
            raise EngineError(
                f"engine '{engine.name}' left {counted(works.waiting, 'prompt')} without a reply; "
                "run the same command again to ask again"
            )
    yield from works.finished()
