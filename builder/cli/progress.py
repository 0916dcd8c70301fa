"""Progress on the terminal: a bar with what goes on below it, or sparse lines where there is no terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from builder.job.pacing import RecentRate, tell_rate, tell_time

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_LINE_EVERY = 8.0  # seconds


class TerminalReporter:
    """Shows the stages of a job on ``console``. Use as a context manager.

    Without a terminal it prints a line every so many seconds of a stage, also while nothing comes.
    """

    def __init__(self, console: Console, every: float = _LINE_EVERY) -> None:
        self._console, self._every = console, every
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._name, self._done = "", 0
        self._note: str | Callable[[], str] = ""
        self._total: int | None = None
        self._began = time.monotonic()
        self._rate = RecentRate(self._began)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._lines: threading.Thread | None = None

    def __enter__(self) -> TerminalReporter:
        if self._console.is_terminal:
            self._bar = _bar(self._console, self.state)
            self._bar.start()
        elif not self._console.quiet:
            self._lines = threading.Thread(target=self._print_lines, daemon=True)
            self._lines.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._bar is not None:
            self._bar.stop()
        if self._lines is not None:
            self._lines.join()

    def stage(self, name: str, total: int | None) -> None:
        """A new stage begins."""
        with self._lock:
            self._name, self._total, self._done, self._note = name, total, 0, ""
            self._began = time.monotonic()
            self._rate = RecentRate(self._began)
        if self._bar is not None:
            self._task = self._bar.add_task(name, total=total) if total != 0 else None

    def advance(self, steps: int = 1) -> None:
        """Some steps of the stage are done."""
        with self._lock:
            self._done += steps
            self._rate.add(time.monotonic(), steps)
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, steps)

    def note(self, text: str | Callable[[], str]) -> None:
        """A few words to show beside the stage, or what gives them at any moment."""
        with self._lock:
            self._note = text

    def state(self, now: float | None = None) -> str:
        """How fast the stage goes, how long it will take, and what was noted; ``now`` is for tests."""
        with self._lock:
            now = time.monotonic() if now is None else now
            rate, after = self._rate.per_second(now), now - self._began
            left = (self._total or 0) - self._done
            told = [] if self._name else ["starting"]
            if rate:
                about = f", about {tell_time(left / rate)} left" if left > 0 else ""
                told.append(tell_rate(rate) + about)
            elif after >= 1:
                told.append(f"after {tell_time(after)}")
            note = self._note if isinstance(self._note, str) else self._note()
            return "; ".join(filter(None, [*told, note]))

    def line(self, now: float | None = None) -> str:
        """The stage in one line of text; empty before the first."""
        state = self.state(now)
        with self._lock:
            of = "" if self._total is None else f" of {self._total:,}"
            return (
                f"{self._name}: {self._done:,}{of}" + (f" ({state})" if state else "") if self._name else ""
            )

    def _print_lines(self) -> None:
        while not self._ended.wait(self._every):
            if (line := self.line()) and time.monotonic() - self._began >= self._every / 2:
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _bar(console: Console, state: Callable[[], str]) -> Progress:
    from rich.console import RenderableType
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.text import Text

    class Bars(Progress):
        """The stages, and below them how the last goes: however narrow the terminal, both are whole."""

        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            if told := state():
                yield Text(told, style="dim")

    return Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None if console.width < 80 else 40),
        MofNCompleteColumn(),
        console=console,
    )
