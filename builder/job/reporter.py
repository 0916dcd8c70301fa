"""Where a job says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Reporter(Protocol):
    """Where a job says how far it is."""

    def stage(self, name: str, total: int | None) -> None:
        """A new stage begins; ``total`` steps, or None if that is not known."""

    def advance(self, steps: int = 1) -> None:
        """Some steps of the stage are done."""

    def note(self, text: str | Callable[[], str]) -> None:
        """A few words to show beside the stage, or what gives them at any moment."""
