"""Who is running what, so that a visitor can stop their own run and nobody else's.

Stopping is cooperative: the loop that writes asks ``Run.stopped`` between two pieces and keeps
what it has. A second run of the same result area stops the first. A run that still waits in line is
stopped too: it begins, finds itself stopped and writes nothing. Nothing stays after a run ends.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MOST_WAITING: Final = 1_000


class Run:
    """One run in progress."""

    __slots__ = ("_stop",)

    def __init__(self) -> None:
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether the visitor wants no more of it."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the loop to end at its next piece."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until somebody stops the run; whether somebody did."""
        return self._stop.wait(seconds)


class Runs:
    """All runs of this process by session and area (``synthesize``, ``compare``, ...)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], Run] = {}
        # In line, by the order of the press; True for those whose visitor no longer wants them.
        self._waiting: dict[tuple[str, str], bool] = {}

    def __len__(self) -> int:
        return len(self._running)

    def expect(self, session: str, area: str) -> None:
        """A visitor pressed the button: until the run begins, Stop means that one."""
        with self._lock:
            self._waiting.pop((session, area), None)
            self._waiting[session, area] = False
            # Visitors who closed the page never come to their turn.
            while len(self._waiting) > _MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]

    @contextmanager
    def new(self, session: str, area: str) -> Iterator[Run]:
        """A run, for as long as the block lasts."""
        run, key = Run(), (session, area)
        with self._lock:
            earlier = self._running.get(key)
            self._running[key] = run
            if self._waiting.pop(key, False):
                run.stop()
        if earlier is not None:
            earlier.stop()
        try:
            yield run
        finally:
            with self._lock:
                if self._running.get(key) is run:
                    del self._running[key]

    def stop(self, session: str, area: str) -> bool:
        """Stop a session's run of a result area, be it under way or in line; whether there was one."""
        key = (session, area)
        with self._lock:
            run = self._running.get(key)
            waits = key in self._waiting
            if waits:
                self._waiting[key] = True
        if run is not None:
            run.stop()
        return waits or run is not None
