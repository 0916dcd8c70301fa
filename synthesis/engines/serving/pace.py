"""How many requests run at once, and when the next may start.

``Pace`` holds the numbers. Refusals cut the places only when they are many for the requests that
were started, and never below what the server evidently holds: single refusals are the server's
way, not ours to cure. Rounds without a cut give places back, faster with each. Everybody pauses
only while nearly all are refused; else a refused request waits for itself alone. ``Gate`` makes
coroutines keep to them. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

FIRST_DELAY = 0.5
"""Seconds before the first retry; doubled with each further one."""

LONGEST_DELAY = 30.0
"""Seconds between two tries at most, unless the server asks for more."""

_TOLERATED = 0.25  # this share of the started requests may be refused without a cut
_SPARED = 0.8  # no cut while the server holds this share of the places: who refuses then refuses by lot
_FEW = 8  # refusals or replies that say something about the crowd
_SHUT = 6  # refusals without anybody let in after: the server takes nothing for the moment
_WORSE = 0.05  # more refusals than at the fewest places by this share: places were too many
_MOST_OF = 0.75  # of those that started together are enough to tell how slow they are
_ROUND = 16  # outcomes, at least, between two steps up
_LONGEST_REST = 3  # rounds without a step up, after steps that were too many
_BLOW_UP = 4.0  # this many times slower than at its best means overloaded
_CROWDED = 0.75  # a reply only tells something when this share of the places is taken


@dataclass(eq=False, slots=True)
class Turn:
    """One request under way: when it started, how many ran then, itself included, and among whom."""

    started: float
    crowd: int
    cohort: int


class Pace:
    """The number of places, adapted to what the server can take.

    Args:
        most: places at the start and at most.
        clock: gives seconds; only differences matter.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._most = most
        self._places = float(most)
        self._resting = 0
        self._paused = False
        self._step = 1.0
        self._last_cut = -math.inf
        self._resume = -math.inf
        self._let_in = self._last_shut_out = -math.inf
        self._shut_out = 0
        self._usual = 1.0
        self._rests = self._resting_rounds = 0
        self._best = math.inf
        self._costs: dict[int, list[float]] = {}
        self._cohort, self._cohort_size, self._cohort_left = 0, 1, 0
        self._round_began = clock()
        self._started = self._refused = self._outcomes = self._held = 0

    @property
    def places(self) -> int:
        """How many requests may run, if none was refused of late."""
        return max(1, int(self._places))

    @property
    def open(self) -> int:
        """How many requests may run now: a refused one's place rests until another request is over."""
        return max(1, self.places - self._resting)

    @property
    def pause_left(self) -> float:
        """Seconds until the server wants to be asked again."""
        return max(0.0, self._resume - self.clock())

    def begin(self, crowd: int) -> Turn:
        """Count a request that starts; ``crowd`` run now, itself included."""
        self._started += 1
        if not self._cohort_left:
            self._cohort += 1
            self._cohort_size = self._cohort_left = max(_FEW, self.places)
        self._cohort_left -= 1
        return Turn(self.clock(), crowd, self._cohort)

    def answered(self, turn: Turn, cost: float = 0.0) -> None:
        """Count a reply.

        Args:
            turn: the request's.
            cost: seconds it took per token; 0 if that says nothing.
        """
        self.passed(turn)
        # What began before the last cut says nothing about the new crowd, a reply to a lone
        # request nothing about any.
        if turn.started < self._last_cut or turn.crowd < _CROWDED * self.places:
            return
        self._outcomes += 1
        self._end_round()
        if cost and self._is_slow(turn.cohort, cost):
            self._cut(self._places / 2)

    def _is_slow(self, cohort: int, cost: float) -> bool:
        """Whether, with this reply, those that started together are much slower than others once were.

        Not those that end together: of a crowd the quick ones come first and the slow ones last. And
        by the median, so that stragglers do not count.
        """
        costs = self._costs.setdefault(cohort, [])
        costs.append(cost)
        if len(costs) != int(_MOST_OF * self._cohort_size):
            return False
        median = statistics.median(costs)
        self._best = min(self._best, median)
        self._costs = {number: kept for number, kept in self._costs.items() if number > cohort}
        return median > _BLOW_UP * self._best

    def passed(self, turn: Turn) -> None:
        """Count a request that was let in, whatever came of it."""
        self._see_let_in(turn.started)
        self._resting = max(0, self._resting - 1)

    def refused(self, turn: Turn, wait: float | None, held: int, newest: float) -> None:
        """Count a refusal: the server has too much to do, or took too long.

        Args:
            turn: the request's.
            wait: seconds that the server asked for, if it did.
            held: requests that have been running for so long that they were certainly let in.
            newest: when the last of these started.
        """
        self._see_let_in(newest)
        # Given away at once, the place would have all that wait refused, one after the other.
        self._resting = min(self._resting + 1, self.places - 1)
        # One after the other: of those that started together some may have been let in.
        if turn.started > self._let_in and turn.started >= self._last_shut_out:
            self._shut_out += 1
            self._last_shut_out = self.clock()
        if self._shut_out >= _SHUT:
            self._resume = max(self._resume, self.clock() + (wait or 8 * FIRST_DELAY))
        if turn.started < self._last_cut:
            return
        if self._shut_out >= _SHUT and not self._paused:
            # Perhaps the minute's requests are used up: then the pause alone is the cure.
            self._start_over()
            self._paused = True
            return
        self._outcomes += 1
        # What runs counts as taken: refusals come sooner than replies.
        self._refused += turn.started >= self._round_began
        share = self._refused / max(1, self._started)
        # A reply makes room for another, which may have just been let in.
        self._held = max(self._held, held + 1)
        if self._refused >= _FEW and share > _TOLERATED and self._held < _SPARED * self.places:
            self._cut(max(self._held, self._places * (1 - share)))
        else:
            self._end_round()

    def _see_let_in(self, started: float) -> None:
        if started > self._let_in:
            self._let_in, self._shut_out = started, 0

    def _start_over(self) -> None:
        """What began before now says nothing about what comes."""
        self._last_cut = self.clock()
        self._resting = self._shut_out = 0
        self._begin_round()

    def _cut(self, places: float) -> None:
        self._places = max(1.0, self._places / 2, min(self._places, places))
        self._step = 1.0
        # What was normal for the old crowd is no measure for the new one.
        self._costs.clear()
        self._best, self._cohort_left = math.inf, 0
        self._start_over()

    def _end_round(self) -> None:
        if self._outcomes < max(_ROUND, self.places):
            return
        share = self._refused / self._outcomes
        self._paused = False
        # What is refused by lot is refused at any pace.
        self._usual = min(share, self._usual + 0.01)
        if share > self._usual + _WORSE:
            # One step too many: back, and longer each time until the next try.
            if self._held < self._most:
                self._places = max(1.0, self._places - 1.0)
            self._rests = min(2 * self._rests + 1, _LONGEST_REST)
            self._resting_rounds = self._rests
            self._step = 1.0
            self._begin_round()
            return
        if self._resting_rounds:
            self._resting_rounds -= 1
            self._begin_round()
            return
        if self._step > 1.0:
            self._rests = 0
        self._places = min(float(self._most), self._places + self._step)
        self._step = max(1.0, min(2 * self._step, self._places / 4))
        self._begin_round()

    def _begin_round(self) -> None:
        self._round_began = self.clock()
        self._started = self._refused = self._outcomes = self._held = 0


class Gate:
    """Admits as many at once as the pace has places, in the order they came."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._running: set[Turn] = set()
        self._waiting: deque[asyncio.Future[Turn]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """A place, for the length of the block."""
        waiter: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._admit()
        try:
            yield await waiter
        finally:
            if waiter.done() and not waiter.cancelled():
                self._running.discard(waiter.result())
            self._admit()

    def held(self, longer: float) -> tuple[int, float]:
        """How many have been running for longer than so many seconds, and when the last of them began."""
        before = self._pace.clock() - longer
        started = [turn.started for turn in self._running if turn.started < before]
        return len(started), max(started, default=-math.inf)

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self._pace.open:
            if (seconds := self._pace.pause_left) > 0:
                self._wake_in(seconds)
                return
            if not (waiter := self._waiting.popleft()).done():
                turn = self._pace.begin(len(self._running) + 1)
                self._running.add(turn)
                waiter.set_result(turn)

    def _wake_in(self, seconds: float) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._alarm = None
        self._admit()


def retry_delay(key: str, tried: int, asked: float | None) -> float:
    """Seconds to wait before the next try.

    Exponential with jitter, so that prompts that failed together do not return together;
    never sooner than the server ``asked``. The jitter follows from ``key`` and ``tried``
    alone.
    """
    jitter = random.Random(f"{key}:{tried}").random()
    own = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(tried - 1, 30)) * (0.5 + jitter / 2)
    return own if asked is None else max(own, asked * (1 + jitter / 10))
