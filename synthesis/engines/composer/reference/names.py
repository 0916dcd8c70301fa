"""What the blanks of an entry's sentences are filled with: names that come seldom twice, and figures.

Knows the word lists and which words no name may have; nothing of entries.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from synthesis.engines.composer.grammar.invent import draws
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.prose.deck import Deck

#: How often a town or company of a sentence is one that has an entry.
LINKED = 0.3


class Names:
    """Draws of one text. No name has a word of ``taken``, casefolded."""

    def __init__(self, taken: frozenset[str], rng: random.Random) -> None:
        self._rng = rng
        self._random = rng.random
        self._titles: dict[str, list[str]] = {}
        self._decks: dict[str, Deck[str]] = {}
        for name in _LISTS:
            free = list(_free(name, taken))
            rng.shuffle(free)
            kept = len(free) // 2 if name in _ENTERED else 0
            # What has an entry is not made by others elsewhere.
            self._titles[name], self._decks[name] = free[:kept], Deck(free[kept:], rng)
        self._lists = {name: _free(name, taken) for name in ("first_names_f", "first_names_m")}
        self._plain = draws()
        #: Names that have entries of their own, by kind: ``place`` and ``org``.
        self.entered: dict[str, list[str]] = {"place": [], "org": []}
        self._named: dict[str, Callable[[], str]] = {
            "person": self.person,
            "person_m": lambda: self.person(False),
            "person_f": lambda: self.person(True),
            "surname": lambda: self._decks["surnames"].draw(),
            "town": lambda: self._linked("place", "towns"),
            "org": lambda: self._linked("org", "organisations"),
            "work": lambda: self._decks["works"].draw(),
            "country": lambda: self._decks["countries"].draw(),
            "nationality": lambda: self._decks["nationalities"].draw(),
        }

    def person(self, female: bool | None = None) -> str:
        """A first name and a surname."""
        if female is None:
            female = self._random() < 0.5
        first = self._lists["first_names_f" if female else "first_names_m"]
        return f"{first[int(self._random() * len(first))]} {self._decks['surnames'].draw()}"

    def title(self, name: str) -> str:
        """A name for an entry, of a list, never the same again; empty when the list is through."""
        titles = self._titles[name]
        return titles.pop() if titles else ""

    def draw(self, slot: str) -> str:
        """What fills a blank of that name.

        Raises:
            KeyError: there is no such blank.
        """
        named = self._named.get(slot)
        return named() if named else self._plain[slot](self._rng)

    def _linked(self, sort: str, name: str) -> str:
        known = self.entered[sort]
        if known and self._random() < LINKED:
            return known[int(self._random() * len(known))]
        return self._decks[name].draw()


_ENTERED = ("towns", "organisations", "works")
_LISTS = ("surnames", "towns", "organisations", "works", "countries", "nationalities")


def _free(name: str, taken: frozenset[str]) -> tuple[str, ...]:
    """The names of a list that share no word with what is taken; all of them if none is left."""
    listed = words(name)
    free = tuple(
        one
        for one in listed
        if taken.isdisjoint(
            part for word in one.split() if word[:1].isupper() for part in word.casefold().split("-")
        )
        and one.casefold() not in taken
    )
    return free or listed
