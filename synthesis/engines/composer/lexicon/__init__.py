"""Word lists, one entry a line in ``<name>.txt`` beside this file; ``#`` starts a comment.

Lists that are drawn from keep their order: another order is another text. The classes of
``classes.txt``, the verbs and the adjectives are only looked up in, and are sorted.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from synthesis.text.lists import entries, sections

_HERE = Path(__file__).parent


@cache
def words(name: str) -> tuple[str, ...]:
    """The entries of ``<name>.txt``, in file order.

    Raises:
        FileNotFoundError: there is no such list.
    """
    return entries(_HERE / f"{name}.txt")


@cache
def _classes() -> dict[str, frozenset[str]]:
    return {name: frozenset(members) for name, members in sections(_HERE / "classes.txt").items()}


def word_class(name: str) -> frozenset[str]:
    """A closed class of words, such as ``prepositions``: a section of ``classes.txt``.

    Raises:
        KeyError: there is no such class.
    """
    return _classes()[name]
