"""How fast something goes now, and how long the rest takes, in plain words."""

from __future__ import annotations

from collections import deque

_SPAN = 60.0  # seconds that count as now
_LEAST = 8  # events that are looked at however long ago they were


class RecentRate:
    """The rate of steps over the last minute, or over the last few steps where they are rarer.

    Times are seconds of any clock that only goes forward.
    """

    def __init__(self, began: float) -> None:
        self._events = deque([(began, 0.0)])
        self._steps = 0.0

    def add(self, now: float, steps: float = 1) -> None:
        """Some steps are done."""
        self._events.append((now, steps))
        self._steps += steps
        # What the window begins with is a moment; the steps that came with it are over.
        while len(self._events) > _LEAST and self._events[1][0] <= now - _SPAN:
            self._events.popleft()
            self._steps -= self._events[0][1]

    def per_second(self, now: float) -> float:
        """Steps per second; 0 as long as there are none."""
        since = now - self._events[0][0]
        return self._steps / since if self._steps > 0 and since > 0 else 0.0


def tell_rate(per_second: float) -> str:
    """A rate in a unit in which it is a number of one or more; empty for none."""
    if per_second <= 0:
        return ""
    for times, unit in ((1, "second"), (60, "minute"), (3600, "hour")):
        if per_second * times >= 1 or unit == "hour":
            rate = per_second * times
            return f"{rate:.1f} per {unit}" if rate < 10 else f"{rate:,.0f} per {unit}"
    raise AssertionError("an hour takes any rate")


def tell_time(seconds: float) -> str:
    """A duration in the unit that says enough."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{days:.1f} days"
