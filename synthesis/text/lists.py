"""Word lists of the project's own: text files with an entry a line, shared by who writes and who reads.

Blank lines and lines that begin with ``#`` are no entries.
"""

from __future__ import annotations

from importlib.resources.abc import Traversable


def entries(listed: Traversable) -> tuple[str, ...]:
    """The entries of a list, in the order of the file.

    Raises:
        FileNotFoundError: there is no such file.
    """
    lines = map(str.strip, listed.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def sections(listed: Traversable) -> dict[str, tuple[str, ...]]:
    """The entries of a list below each ``[name]``, in the order of the file; those above the first have none.

    Raises:
        FileNotFoundError: there is no such file.
    """
    found: dict[str, list[str]] = {}
    inside: list[str] = []
    for entry in entries(listed):
        if entry.startswith("[") and entry.endswith("]"):
            inside = found.setdefault(entry[1:-1], [])
        else:
            inside.append(entry)
    return {name: tuple(inside) for name, inside in found.items()}
