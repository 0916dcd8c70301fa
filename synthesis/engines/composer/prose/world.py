"""The small world behind a stretch of text: a place, a time, and people who want things.

Knows how to draw a setting, a cast with roles, homes, belongings, ties and a plot
each, and how its calendar moves. It does not know how any of it is put into
sentences, and nothing of the pair beyond the words its names must avoid.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.prose.bank import Bank
from synthesis.engines.composer.prose.deck import Deck
from synthesis.engines.composer.prose.templates import SentenceTemplate, expand_options
from synthesis.errors import UsageError

MONTHS = words("months")
DAYS = words("weekdays")
SEASONS = ("winter", "spring", "summer", "autumn")
PARTS = ("morning", "afternoon", "evening")

#: What the weather can be; each has a rule ``sky_<name>`` in ``banks/common.txt``.
SKIES = {
    "winter": ("snow", "frost", "wind", "rain", "fog"),
    "spring": ("rain", "wind", "clear", "fog"),
    "summer": ("heat", "clear", "storm", "heat"),
    "autumn": ("rain", "fog", "wind", "clear"),
}

#: Phrases fixed for a person when they appear; each is a rule of the bank.
TRAITS = ("home", "belonging", "habit")

PRONOUNS = {
    True: {"they": "she", "them": "her", "their": "her", "theirs": "hers", "themself": "herself"},
    False: {"they": "he", "them": "him", "their": "his", "theirs": "his", "themself": "himself"},
}

#: Words of kinship and title that a role or plot may need, for her and for him.
GENDERED = {
    True: {"son": "daughter", "brother": "sister", "man": "lady"},
    False: {"son": "son", "brother": "brother", "man": "man"},
}


@dataclass(frozen=True, slots=True)
class Person:
    """One of the cast. ``lines`` holds the plot's sentences still unsaid, by stage."""

    full: str
    short: str
    female: bool
    values: dict[str, str] = field(hash=False)
    lines: dict[str, list[SentenceTemplate]] = field(hash=False)


@dataclass(slots=True)
class Clock:
    """The calendar: ``day`` counts from a first of January, ``part`` is a third of the day."""

    year: int
    day: int
    part: int = 0

    @property
    def month(self) -> str:
        """The month's name; months of thirty days are near enough, as no date is ever given."""
        return MONTHS[self.day // 30 % 12]

    @property
    def season(self) -> str:
        """The season of the northern half of the world."""
        return SEASONS[(self.day // 30 % 12 + 1) // 3 % 4]

    def move(self, days: int, part: int) -> None:
        """Go on by ``days`` to the given ``part``; the year follows."""
        self.day += days
        self.part = part
        if self.day >= 360:
            self.year, self.day = self.year + 1, self.day - 360


@dataclass(frozen=True, slots=True)
class World:
    """A setting (``values`` and its own ``lines``) and the ``cast`` found there.

    ``ties`` says how two people are related and fills as they meet.
    """

    values: dict[str, str]
    lines: dict[str, tuple[SentenceTemplate, ...]]
    cast: tuple[Person, ...]
    ties: dict[frozenset[str], str] = field(default_factory=dict)


_COUNTS, _TENS = words("numbers")[2:20], words("numbers")[20:28]

#: Slots that give another number each time, from chance in [0, 1) and the present year.
NUMBERS: dict[str, Callable[[float, int], str]] = {
    "few": lambda chance, _: _COUNTS[int(chance * 5)],
    "several": lambda chance, _: _COUNTS[5 + int(chance * 13)],
    "many": lambda chance, _: _TENS[int(chance * 8)],
    "count": lambda chance, _: str(103 + int(chance * 880)),
    "recent_year": lambda chance, year: str(year - 2 - int(chance * 12)),
    "old_year": lambda chance, year: str(year - 7 - int(chance * 60)),
}


class _Draft:
    """A minimal ink for phrases that are fixed once: plain values, numbers, the bank's rules."""

    def __init__(self, bank: Bank, rng: random.Random, values: dict[str, str]) -> None:
        self.random: Callable[[], float] = rng.random
        self._bank = bank
        self._values = values

    def value(self, name: str) -> str:
        text = self._values.get(name)
        if text is not None:
            return text
        if name in NUMBERS:
            return NUMBERS[name](self.random(), int(self._values["year"]))
        if name not in self._bank.rules:
            raise UsageError(f"The {self._bank.genre} bank uses {{{name}}} in a record; nothing fills it.")
        return expand_options(self._bank.rules[name], self)


class Supply:
    """Hands out settings, plots and names for one context, none twice while there are others."""

    def __init__(self, bank: Bank, rng: random.Random, avoid: frozenset[str]) -> None:
        """``avoid`` holds casefolded words that no name may contain."""
        self._bank = bank
        self._rng = rng
        self._avoid = avoid
        self._names = {
            kind: Deck(words(kind), rng) for kind in ("first_names_f", "first_names_m", "surnames", "towns")
        }
        self._settings = Deck(bank.settings, rng)
        self._plots = Deck(bank.plots, rng)
        self._styles = bank.meta.get("names", "first").split()

    def _name(self, kind: str) -> str:
        deck = self._names[kind]
        name = deck.draw()
        # A pair that names everything we know gets a familiar name rather than none.
        for _ in range(len(deck)):
            if self._avoid.isdisjoint(name.casefold().replace("-", " ").split()):
                break
            name = deck.draw()
        return name

    def world(self, people: int, year: int) -> World:
        """A new setting with ``people`` in it, in that year."""
        record = self._settings.draw()
        values = {kind: self._name("towns") for kind in ("town", "other_town", "far_town")}
        values["year"] = str(year)
        draft = _Draft(self._bank, self._rng, values)
        for name, options in record.values:
            values[name] = expand_options(options, draft)
        roles = Deck(record.lines["role"], self._rng)
        # Women and men alternate: in a small cast, pronouns then tell most pairs apart.
        first = self._rng.random() < 0.5
        cast = tuple(self._person(values, roles.draw(), (i % 2 == 0) == first) for i in range(people))
        return World(values, record.lines, cast)

    def _person(self, around: dict[str, str], role: SentenceTemplate, female: bool) -> Person:
        first = self._name("first_names_f" if female else "first_names_m")
        last = self._name("surnames")
        style = self._styles[int(self._rng.random() * len(self._styles))]
        title = "Ms" if female else "Mr"
        short = {"first": first, "surname": last, "title": f"{title} {last}"}[style]
        # Phrases fixed once may use the setting and the person's pronouns.
        known = around | PRONOUNS[female] | GENDERED[female] | {"from_town": self._name("towns")}
        draft = _Draft(self._bank, self._rng, known)
        known["role"] = expand_options((role.nodes,), draft)
        for trait in TRAITS:
            known[trait] = expand_options(self._bank.rules[trait], draft)
        plot = self._plots.draw()
        for name, options in plot.values:
            known[name] = expand_options(options, draft)
        own = {name: known[name] for name in ("from_town", "role", *TRAITS, *(n for n, _ in plot.values))}
        # Lines are taken from the end of their list, so they are turned around here.
        lines = {stage: list(reversed(found)) for stage, found in plot.lines.items()}
        return Person(f"{first} {last}", short, female, own, lines)
