"""Words that tell of the same relation, however it is turned: "who wrote", "an author", "penned by". English.

Knows one list, ``relations.txt``; nothing of questions or answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from synthesis.text.lists import entries
from synthesis.text.words import terms


@cache
def _table() -> dict[str, frozenset[str]]:
    """Term -> the terms of all relations that it tells of."""
    table: dict[str, frozenset[str]] = {}
    for line in entries(files("synthesis.coherence.facts").joinpath("relations.txt")):
        together = frozenset(terms(line))
        for term in together:
            table[term] = table.get(term, together) | together
    return table


def related(asked: Iterable[str]) -> frozenset[str]:
    """The terms that tell of a relation that one of the asked terms tells of, these among them."""
    table = _table()
    told = [table[term] for term in asked if term in table]
    return told[0].union(*told[1:]) if told else frozenset()
