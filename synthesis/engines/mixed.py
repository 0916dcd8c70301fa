"""Several models at once, each for a share of the pairs, or all of them for every pair.

Which of them a pair is given to follows from the pair and the run's seed alone. With other shares as few
pairs move as can be. Where every pair gets several candidates, these may be divided among the models
instead. Every prompt of a work, asked again or a section, goes to the model that it began with.
"""

from __future__ import annotations

import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from synthesis.data import Completion, Prompt, content_hash
from synthesis.engines.base import BaseEngine, PromptSource, Sampling

_AHEAD = 1000  # prompts that may wait for engines that are busy
_PATIENCE = 10.0  # seconds for engines to end when nobody wants their replies any more


@dataclass(frozen=True, slots=True)
class Member:
    """A model of a mix: what it is called there, and its share (any number above 0) of what is written."""

    name: str
    share: float
    engine: BaseEngine


class MixedEngine(BaseEngine):
    """Gives each prompt to the engine that it names, else to the one whose pair it is.

    All of them work at the same time, each run by a thread of its own. If one fails as a whole, what the
    others have begun is finished and yielded before the error is raised.

    Args:
        parts: the models.
        by_candidate: all of them write for every pair, a candidate or more each.
    """

    def __init__(self, parts: Sequence[Member], *, by_candidate: bool = False) -> None:
        self.parts = tuple(parts)
        self.by_candidate = by_candidate
        self._places = {part.name: place for place, part in enumerate(self.parts)}
        self.name = "+".join(sorted({part.engine.name for part in parts}))
        self.model = ", ".join(dict.fromkeys(part.engine.model for part in parts))

    def place(self, pair_id: str, seed: int) -> int:
        """Which of the parts a pair is given to: each by its share, whatever the others are."""

        def wait(part: Member) -> float:
            # The first of several clocks to ring, each at a rate of its own.
            drawn = int(content_hash(seed, "mix", pair_id, part.name)[:13], 16) + 1
            return -math.log(drawn / (16**13 + 1)) / part.share

        return min(range(len(self.parts)), key=lambda place: wait(self.parts[place]))

    @property
    def trouble(self) -> str:
        """That of all that have any, by their names."""
        told = ((part.name, part.engine.trouble) for part in self.parts)
        return "; ".join(f"{name}: {trouble}" for name, trouble in told if trouble)

    def part_for(self, pair_id: str, seed: int) -> BaseEngine:
        """The engine that writes for a pair."""
        return self.parts[self.place(pair_id, seed)].engine

    def writers(self, pair_id: str, seed: int) -> Sequence[str]:
        """The one that a pair is given to, or all of them."""
        if self.by_candidate:
            return tuple(self._places)
        return (self.parts[self.place(pair_id, seed)].name,)

    def part(self, writer: str) -> BaseEngine:
        """The engine of one of them."""
        return self.parts[self._places[writer]].engine

    def turns(self, count: int) -> Sequence[int]:
        """In turn, from the first, where they have equal shares; in any case each before any has a second."""
        if not self.by_candidate:
            return super().turns(count)
        given, turns = [0] * len(self.parts), []
        for _ in range(count):
            turns.append(min(range(len(given)), key=lambda place: given[place] / self.parts[place].share))
            given[turns[-1]] += 1
        return turns

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Yield each completion as it finishes, of whichever engine."""

        def route(prompt: Prompt) -> int:
            return self._places[prompt.writer] if prompt.writer else self.place(prompt.pair_id, sampling.seed)

        desk = _Desk(prompts, route, len(self.parts))
        threads = [
            threading.Thread(target=_work, args=(desk, place, part.engine, sampling), daemon=True)
            for place, part in enumerate(self.parts)
        ]
        for thread in threads:
            thread.start()
        over = False
        try:
            yield from desk.completions()
            over = True
        finally:
            desk.end()
            if not over:  # nobody takes what they are at
                for part in self.parts:
                    part.engine.close()
            for thread in threads:
                thread.join(None if over else _PATIENCE)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """What the engine streams that the prompt is for."""
        by = self.part(prompt.writer) if prompt.writer else self.part_for(prompt.pair_id, sampling.seed)
        return by.stream(prompt, sampling)

    def close(self) -> None:
        """Close all of them."""
        for part in self.parts:
            part.engine.close()


class _Desk:
    """Where the threads of the engines get prompts and leave completions, one of them at a time."""

    def __init__(self, prompts: PromptSource, route: Callable[[Prompt], int], parts: int) -> None:
        self._prompts, self._route = prompts, route
        self._changed = threading.Condition()
        self._for: list[deque[Prompt]] = [deque() for _ in range(parts)]
        self._left: queue.SimpleQueue[Completion | None] = queue.SimpleQueue()  # None: nothing will follow
        self._busy = parts
        self._unread = 0
        self._ended = False
        self._trouble: BaseException | None = None

    def pull(self, place: int) -> Prompt | None:
        """The next prompt for an engine; None if there is none now."""
        with self._changed:
            return self._pull(place)

    def wait(self, place: int) -> Prompt | None:
        """The next prompt for an engine that has nothing in flight; None when it is over."""
        with self._changed:
            while (prompt := self._pull(place)) is None and not self._ended:
                self._rest()
                if not self._for[place]:  # resting may have brought one
                    self._changed.wait()
                self._busy += 1
            return prompt

    def leave(self, completion: Completion) -> None:
        """Leave a completion for whoever reads them."""
        with self._changed:
            self._unread += 1
            self._left.put(completion)

    def fail(self, trouble: BaseException) -> None:
        """An engine failed as a whole; the others get nothing more."""
        with self._changed:
            self._trouble = self._trouble or trouble
            self._ended = True
            self._changed.notify_all()

    def leave_for_good(self) -> None:
        """A thread ends."""
        with self._changed:
            self._rest()

    def end(self) -> None:
        """No more prompts are given out."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def completions(self) -> Iterator[Completion]:
        """What is left here, until nothing will follow. Meanwhile no prompt is pulled."""
        while (completion := self._left.get()) is not None:
            with self._changed:
                yield completion
                self._unread -= 1
                # A reply may have brought further prompts.
                self._changed.notify_all()
                self._tell_end()
        if self._trouble is not None:
            raise self._trouble

    def _rest(self) -> None:
        self._busy -= 1
        self._tell_end()

    def _tell_end(self) -> None:
        # Whoever waits has looked for a prompt since the last reply was read, unless it was just woken.
        if not self._busy and not self._unread and (self._ended or self._dry()):
            self._left.put(None)

    def _dry(self) -> bool:
        return not any(self._for) and not self._take()

    def _pull(self, place: int) -> Prompt | None:
        while not self._ended and not self._for[place]:
            if sum(map(len, self._for)) >= _AHEAD or not self._take():
                return None
        return self._for[place].popleft() if not self._ended else None

    def _take(self) -> bool:
        """Take one more prompt from the source, for whichever engine."""
        try:
            prompt = self._prompts.pull()
        except BaseException as trouble:  # a source of pairs may fail, in whichever thread
            self._trouble = self._trouble or trouble
            self._ended = True
            prompt = None
        if prompt is None:
            return False
        self._for[self._route(prompt)].append(prompt)
        self._changed.notify_all()
        return True


@dataclass(slots=True)
class _Own:
    """The prompts of one engine, the one that it was woken for first."""

    desk: _Desk
    place: int
    first: Prompt | None

    def pull(self) -> Prompt | None:
        prompt, self.first = self.first, None
        return prompt or self.desk.pull(self.place)


def _work(desk: _Desk, place: int, engine: BaseEngine, sampling: Sampling) -> None:
    try:
        while (first := desk.wait(place)) is not None:
            for completion in engine.complete(_Own(desk, place, first), sampling):
                desk.leave(completion)
    except BaseException as trouble:  # raised again where the replies are wanted
        desk.fail(trouble)
    finally:
        desk.leave_for_good()
