"""For tests that run jobs in their own process."""

from __future__ import annotations


class Quiet:
    """A reporter that tells nobody."""

    def stage(self, name: str, total: int | None) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def note(self, text: str) -> None: ...
