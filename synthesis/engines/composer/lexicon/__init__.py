"""Word lists, one entry per line in ``<name>.txt`` beside this file; ``#`` starts a comment."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@cache
def words(name: str) -> tuple[str, ...]:
    """The entries of ``<name>.txt``, in file order.

    Raises:
        FileNotFoundError: there is no such list.
    """
    lines = (_HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
