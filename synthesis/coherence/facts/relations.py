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
def _table(name: str = "relations") -> dict[str, frozenset[str]]:
    """Term -> the terms of all lines of a list that hold it."""
    table: dict[str, frozenset[str]] = {}
    for line in entries(files("synthesis.coherence.facts").joinpath(f"{name}.txt")):
        together = frozenset(terms(line))
        for term in together:
            table[term] = table.get(term, together) | together
    return table


def synonyms(term: str) -> frozenset[str]:
    """The terms that may be said in the place of one, itself among them if there are any."""
    return _table("synonyms").get(term, frozenset())


def related(asked: Iterable[str]) -> frozenset[str]:
    """The terms that tell of a relation that one of the asked terms tells of, these among them."""
    table = _table()
    told = [table[term] for term in asked if term in table]
    return told[0].union(*told[1:]) if told else frozenset()
