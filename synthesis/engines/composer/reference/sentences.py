"""The sentences of entries: which there are for a kind of thing, and how one is filled.

Knows things and the supply of names; not what an entry is made of, nor any pair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from synthesis.engines.composer.grammar.wording import upper_first
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.prose.world import MONTHS
from synthesis.engines.composer.reference.names import Names
from synthesis.engines.composer.reference.things import LATEST, Thing

_BLANK = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, eq=False)
class FactLine:
    """A kind of fact: ``when`` in a life, 1 to 9, or 0; a question with one of ``cues`` keeps it away.

    ``about`` is the same for lines that would contradict or repeat each other.
    """

    when: int
    cues: frozenset[str]
    forms: tuple[tuple[str, ...], ...]
    invented: bool
    opens: tuple[bool, ...]
    about: str


@cache
def lines(name: str) -> tuple[FactLine, ...]:
    """The lines of that heading: a kind, ``lead`` and a kind, or ``also`` and a kind."""
    return _all()[name]


@cache
def _all() -> dict[str, tuple[FactLine, ...]]:
    found: dict[str, list[FactLine]] = {}
    for entry in words("entries"):
        sort, when, cues, *forms = (part.strip() for part in entry.split("|"))
        bare = sort.removeprefix("*")
        name = f"lead {bare}" if when == "lead" else bare
        line = line_of(0 if when == "lead" else int(when), cues, forms, sort.startswith("*"))
        found.setdefault(name, []).append(line)
    return {name: tuple(one) for name, one in found.items()}


def line_of(when: int, cues: str, forms: Sequence[str], invented: bool) -> FactLine:
    """A line from the text of its forms."""
    opens = tuple("{s}" in form or "{o}" in form or "{name}" in form for form in forms)
    parts = tuple(tuple(_BLANK.split(form)) for form in forms)
    about = cues.split()[0] if cues else forms[0]
    return FactLine(when, frozenset(cues.split()), parts, invented, opens, about)


class Filling:
    """Fills the blanks of one sentence about ``thing``; ``refer`` says how it is called this time."""

    __slots__ = ("_also", "_drawn", "_line", "_random", "_supply", "_thing", "_year", "again")

    def __init__(
        self, thing: Thing, line: FactLine, supply: Names, unit: Callable[[], float], also: str = ""
    ) -> None:
        self._thing, self._line, self._supply, self._random, self._also = thing, line, supply, unit, also
        self._year = self._draw_year()
        self._drawn = {thing.name, *thing.values.values()}
        #: Whether the thing may go by a pronoun or a short name.
        self.again = False

    def _draw_year(self) -> int:
        thing, when = self._thing, self._line.when
        if when == 0:
            low, high = max(1890, thing.since), max(thing.until + 20, 1960)
        elif thing.sort == "person" and when == 9:
            low, high = thing.until, thing.until + 45
        else:
            grown = 14 if thing.sort == "person" else 0
            span = max(1, thing.until - thing.since - grown)
            low = thing.since + grown + span * (when - 1) // 9
            high = thing.since + grown + span * when // 9
        high = max(min(high, LATEST), low)
        return low + int(self._random() * (high - low + 1))

    @property
    def year(self) -> int:
        """The year of what is told."""
        return self._year

    def fill(self, form: tuple[str, ...]) -> str | None:
        """The sentence with its stop, or None where something in it is not known of the thing."""
        out = list(form)
        for at in range(1, len(form), 2):
            value = self._value(form[at])
            if value is None:
                return None
            out[at] = value
        text = "".join(out)
        return upper_first(text if text[-1:] in ".!?" else text + ".")

    def _value(self, blank: str) -> str | None:
        refer = _REFERENCES.get(blank)
        if refer is not None:
            return refer(self)
        fixed = self._thing.values.get(blank)
        if fixed is not None:
            return fixed
        maker = _FIGURES.get(blank)
        if maker is not None:
            return maker(self._random(), self._year, self._supply)
        if blank == "also":
            return self._also or None
        if blank in _OWN:
            return None
        value = self._supply.draw(blank)
        for _ in range(4):
            if value not in self._drawn:
                break
            value = self._supply.draw(blank)
        self._drawn.add(value)
        return value

    def _called(self, pronouns: tuple[str, str, str]) -> str:
        """The name, or what stands for it: of a woman, a man, a thing; empty where a name is clearer."""
        thing = self._thing
        if not self.again:
            return thing.name
        drawn = self._random()
        if thing.human:
            if thing.female is None or drawn < 0.25:
                return thing.short
            return pronouns[0 if thing.female else 1]
        if (drawn < 0.3 or not pronouns[2]) and thing.nouns:
            return thing.nouns[int(self._random() * len(thing.nouns))]
        if (
            thing.given
            and thing.sort == "any"
            and not thing.nouns
            and " " in thing.name
            and not thing.answers
        ):
            return thing.name  # it may be somebody
        return thing.name if drawn < 0.45 and len(thing.name) < 24 else pronouns[2] or thing.name

    def _spouse(self) -> str:
        female = self._thing.female
        return self._supply.person(None if female is None else not female)

    def _own(self) -> str:
        thing = self._thing
        if not self.again:
            return f"{thing.name}'s"
        if thing.human:
            return f"{thing.short}'s" if thing.female is None else "her" if thing.female else "his"
        return "its"


_REFERENCES: dict[str, Callable[[Filling], str]] = {
    "name": lambda one: one._thing.name,
    "s": lambda one: one._called(("she", "he", "it")),
    "o": lambda one: one._called(("her", "him", "" if one._thing.sort in ("place", "org") else "it")),
    "own": Filling._own,
    "spouse": Filling._spouse,
}

_OWN = frozenset(
    ["born", "bornday", "birthplace", "home", "trade", "a_trade", "life", "was", "died", "age_died"]
    + ["land", "big_a", "big_b", "a_born"]
)


def _day(chance: float) -> str:
    return f"{1 + int(chance * 28)} {MONTHS[int(chance * 9973) % 12]}"


_FIGURES: dict[str, Callable[[float, int, Names], str]] = {
    "y": lambda _, year, __: str(year),
    "y2": lambda chance, year, _: str(year + 1 + int(chance * 11)),
    "year": lambda chance, year, _: str(year - 1 - int(chance * 25)),
    "my": lambda chance, year, _: f"{MONTHS[int(chance * 12)]} {year}",
    "date": lambda chance, year, _: f"{_day(chance)} {year}",
    "number": lambda chance, *_: str(11 + int(chance * 87)),
    "number2": lambda chance, *_: str(98 + int(chance * 240)),
    "small_n": lambda chance, *_: str(2 + int(chance * 18)),
    "money_m2": lambda chance, *_: f"${1 + int(chance * 400) / 10:.1f} million",
}

#: Blanks that hold a date or a number.
NUMBERED = frozenset(
    [*_FIGURES, "born", "died", "big", "big_a", "big_b", "money", "money_m", "percent", "small"]
)
