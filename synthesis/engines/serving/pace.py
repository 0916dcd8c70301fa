"""How many requests run at once, and when the next may start.

``Pace`` holds the numbers: additive increase with every success, halving when the server is
overloaded (it says so, times out, or slows down), a pause when it asks for one. ``Gate``
makes coroutines keep to them. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import time
from collections import deque

FIRST_DELAY = 0.5
"""Seconds before the first retry; doubled with each further one."""

LONGEST_DELAY = 30.0
"""Seconds between two tries at most, unless the server asks for more."""

_SAMPLE = 16  # replies whose median stands for the present speed
_BLOW_UP = 4.0  # this many times slower than at its best means overloaded
_CROWDED = 0.75  # speed only tells something when this share of the places is taken


class Pace:
    """The number of places, adapted to what the server can take.

    Args:
        most: places at the start and at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._places = float(most)
        self._last_cut = -math.inf
        self._recent: deque[float] = deque(maxlen=_SAMPLE)
        self._best = math.inf
        self._resume = -math.inf

    @property
    def places(self) -> int:
        """How many requests may run now."""
        return max(1, int(self._places))

    @property
    def pause_left(self) -> float:
        """Seconds until the server wants to be asked again."""
        return max(0.0, self._resume - time.monotonic())

    def succeeded(self, started: float, cost: float, running: int) -> None:
        """Count a reply.

        Args:
            started: ``time.monotonic()`` when it was asked for.
            cost: seconds it took per token; 0 if that says nothing.
            running: requests that ran when it started, itself included.
        """
        # What began before the last cut says nothing about the new crowd.
        if started < self._last_cut:
            return
        # One more place per full round of successes.
        self._places = min(float(self._most), self._places + 1.0 / self._places)
        # A slow reply to a lone request is not the crowd's fault.
        if not cost or running < _CROWDED * self.places:
            return
        self._recent.append(cost)
        if len(self._recent) < _SAMPLE:
            return
        # The median, so that single stragglers do not count.
        median = statistics.median(self._recent)
        self._best = min(self._best, median)
        if median > _BLOW_UP * self._best:
            self.overloaded(started)

    def overloaded(self, started: float) -> None:
        """Halve the places, once for all the requests that ran into the same overload."""
        if started < self._last_cut:
            return
        self._last_cut = time.monotonic()
        self._places = max(1.0, self._places / 2)
        # What was normal for the old crowd is no measure for the new one.
        self._recent.clear()
        self._best = math.inf

    def pause(self, seconds: float) -> None:
        """Start nothing for so long."""
        self._resume = max(self._resume, time.monotonic() + seconds)


class Gate:
    """An async context manager that admits as many as the pace has places.

    Entering gives the number of requests now running.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._running = 0
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> int:
        async with self._changed:
            await self._changed.wait_for(lambda: self._running < self._pace.places)
            self._running += 1
        while (seconds := self._pace.pause_left) > 0:
            await asyncio.sleep(seconds)
        return self._running

    async def __aexit__(self, *_: object) -> None:
        async with self._changed:
            self._running -= 1
            # Two: the place given back, and one that a success may have added.
            self._changed.notify(2)


def retry_delay(key: str, tried: int, asked: float | None) -> float:
    """Seconds to wait before the next try.

    Exponential with jitter, so that prompts that failed together do not return together;
    never sooner than the server ``asked``. The jitter follows from ``key`` and ``tried``
    alone.
    """
    jitter = random.Random(f"{key}:{tried}").random()
    own = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (tried - 1)) * (0.5 + jitter / 2)
    return own if asked is None else max(own, asked * (1 + jitter / 10))
