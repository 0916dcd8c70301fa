"""Kinds of books of reference: their headings, first pages and turns of phrase.

Knows the list of kinds; not what an entry is about.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reference.sentences import FactLine, line_of

#: All kinds, and how often each is taken where none is asked for.
KINDS = {
    "encyclopedia": 6,
    "dictionary": 2,
    "handbook": 2,
    "gazetteer": 2,
    "catalogue": 2,
    "register": 2,
    "chronicle": 2,
    "news": 2,
}


@dataclass(frozen=True, slots=True)
class BookKind:
    """One kind: forms of its ``heads`` and first pages (``begins``), and its own ``lines``."""

    heads: tuple[str, ...]
    begins: tuple[FactLine, ...]
    lines: tuple[FactLine, ...]


def drawn(rng: random.Random) -> str:
    """A kind, by how often each is to be taken."""
    return rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]


@cache
def kind_called(name: str) -> BookKind:
    """The kind of that name.

    Raises:
        KeyError: there is none.
    """
    found: dict[str, list[str]] = {"head": [], "begins": [], "line": []}
    known = False
    for entry in words("entry_kinds"):
        kind, part, text = (one.strip() for one in entry.split("|", 2))
        if kind == name:
            found[part].append(text)
            known = True
    if not known:
        raise KeyError(name)
    return BookKind(
        tuple(found["head"]),
        tuple(line_of(0, "", (text,), False) for text in found["begins"]),
        tuple(line_of(0, "", (text,), False) for text in found["line"]),
    )
