"""Word lists, one entry a line in ``<name>.txt`` beside this file; ``#`` starts a comment.

Lists that are drawn from keep their order: another order is another text. The classes of
``classes.txt``, the verbs and the adjectives are only looked up in, and are sorted.
"""

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


@cache
def _classes() -> dict[str, frozenset[str]]:
    classes: dict[str, set[str]] = {}
    for entry in words("classes"):
        if entry.startswith("["):
            members = classes.setdefault(entry[1:-1], set())
        else:
            members.add(entry)
    return {name: frozenset(members) for name, members in classes.items()}


def word_class(name: str) -> frozenset[str]:
    """A closed class of words, such as ``prepositions``: a section of ``classes.txt``.

    Raises:
        KeyError: there is no such class.
    """
    return _classes()[name]
