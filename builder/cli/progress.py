"""Progress on the terminal: a bar with rate and time left, or sparse lines where there is no terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_LINE_EVERY = 10.0  # seconds


class TerminalReporter:
    """Shows the stages of a job on ``console``. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._name, self._note, self._done = "", "", 0
        self._total: int | None = None
        self._began = self._last_line = time.monotonic()

    def __enter__(self) -> TerminalReporter:
        if self._console.is_terminal:
            self._bar = _bar(self._console)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def stage(self, name: str, total: int | None) -> None:
        """A new stage begins."""
        self._name, self._total, self._done, self._note = name, total, 0, ""
        self._began = self._last_line = time.monotonic()
        if self._bar is not None and total != 0:
            self._task = self._bar.add_task(name, total=total, note="")

    def advance(self, steps: int = 1) -> None:
        """Some steps of the stage are done."""
        self._done += steps
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, steps)
        elif (now := time.monotonic()) - self._last_line >= _LINE_EVERY:
            self._last_line = now
            self._console.print(self._line(now - self._began), highlight=False, markup=False)

    def note(self, text: str) -> None:
        """A few words to show beside the stage."""
        self._note = text
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, note=text)

    def _line(self, seconds: float) -> str:
        rate = self._done / seconds
        beside = f"; {self._note}" if self._note else ""
        if self._total is None:
            return f"{self._name}: {self._done:,} ({rate:.1f}/s){beside}"
        left = (self._total - self._done) / rate if rate else 0
        return f"{self._name}: {self._done:,} of {self._total:,} ({rate:.1f}/s, {left:.0f} s left){beside}"


def _bar(console: Console) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: object) -> Text:
            speed = getattr(task, "finished_speed", None) or getattr(task, "speed", None)
            return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
