"""What an entry is about: its name, its kind, its life, and how a sentence may refer to it.

Knows no sentences; a ``Thing`` is invented or one that the evidence speaks of, and of the latter nothing is
known but its name and the years told of it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field, replace

from synthesis.engines.composer.grammar.wording import article, upper_first
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reference.names import Names
from synthesis.engines.composer.reference.recognising import MARK, is_female, noun_of, sort_of

#: Kinds of entries, and what stands for one of them beside its name.
SORTS = ("person", "place", "org", "film", "book", "song", "site", "any")
NOUNS = {
    "place": ("the town",),
    "film": ("the film",),
    "book": ("the book",),
}

#: The last year that is told of.
LATEST = 2012


@dataclass(slots=True)
class Thing:
    """The subject of an entry.

    ``since`` and ``until`` are the years between which things happen to it; ``female`` is None where that is
    not known; ``values`` are what is fixed of it, by blank. ``given`` if it is the pair's or the evidence's,
    ``human`` if it is a person, whose kind is ``any`` if long ago, ``answers`` if it is the answer.
    """

    name: str
    sort: str
    since: int
    until: int
    given: bool = False
    female: bool | None = None
    values: dict[str, str] = field(default_factory=dict)
    nouns: tuple[str, ...] = ()
    human: bool = False
    answers: bool = False

    @property
    def title(self) -> str:
        """The name as a heading."""
        return upper_first(self.name.strip('"“” '))

    @property
    def short(self) -> str:
        """A person's surname, anything else's name."""
        parts = self.name.split()
        plain = self.human and len(parts) > 1 and all(part[:1].isupper() for part in parts)
        return parts[-1] if plain and not re.search(r"[IVX]+$|[.)\"”]$|\d", self.name) else self.name


def _firm(name: str) -> str:
    """What stands for an undertaking: the last word of its name, where that says what it is."""
    last = name.split()[-1]
    return f"the {last.casefold()}" if last in _KNOWN_BY else "it" if last in _PLAIN else "the company"


_KNOWN_BY = frozenset(
    [*("Bank", "Institute", "Foundation", "Observatory", "Theatre", "College", "Club", "School", "Hospital")]
    + [*("Society", "Museum", "Library", "Trust", "Regiment", "Opera", "Academy", "Circus", "Laboratory")]
    + [*("Ballet", "Quartet", "Orchestra", "Council", "Commission", "Archive", "Parliament", "Brewery")]
)
_PLAIN = frozenset(
    [
        *(
            "Service",
            "Rovers",
            "Athletic",
            "United",
            "Rangers",
            "Players",
            "Office",
            "Survey",
            "Board",
            "Saints",
        )
    ]
    + [*("Wanderers", "Pilots", "Guides", "Growers", "Fund", "Polytechnic", "Sanatorium", "Saints")]
)


_TITLES = {"place": "towns", "org": "organisations", "film": "works", "book": "works", "song": "works"}


def invented(sort: str, supply: Names, rng: random.Random) -> Thing:
    """Somebody or something of that kind, of whom nobody has heard."""
    unit = rng.random
    values: dict[str, str] = {}
    if sort == "person":
        female = unit() < 0.5
        born, age = 1838 + int(unit() * 112), 43 + int(unit() * 50)
        died = born + age
        alive = died > LATEST
        values = {
            "born": f"{1 + int(unit() * 28)} {supply.draw('month')} {born}",
            "birthplace": supply.draw("town"),
            "home": supply.draw("town"),
            "trade": supply.draw("occupation"),
            "life": f"born {born}" if alive else f"{born} – {died}",
            "was": "is" if alive else "was",
        }
        if not alive:
            values |= {"died": f"{1 + int(unit() * 28)} {supply.draw('month')} {died}", "age_died": str(age)}
        values["a_trade"] = f"{article(values['trade'])} {values['trade']}"
        return Thing(supply.person(female), sort, born, min(died, LATEST), False, female, values, human=True)
    name = supply.title(_TITLES[sort])
    if not name:
        return invented("person", supply, rng)
    if sort == "place":
        born = 1140 + int(unit() * 690)
        low = 2 + int(unit() * 30)
        counts = (low * 1000 + int(unit() * 999), (low + 1 + int(unit() * 20)) * 1000 + int(unit() * 999))
        values = {
            "born": str(born),
            "land": supply.draw("country"),
            "big_a": f"{counts[0]:,}",
            "big_b": f"{counts[1]:,}",
        }
        return Thing(name, sort, 1846, 2005, False, None, values, NOUNS["place"])
    if sort == "org":
        born = 1831 + int(unit() * 140)
        values = {
            "born": str(born),
            "bornday": f"{1 + int(unit() * 28)} {supply.draw('month')} {born}",
            "home": supply.draw("town"),
        }
        return Thing(
            name,
            sort,
            born,
            min(born + 110, LATEST),
            False,
            None,
            values,
            (_firm(name),),
        )
    born = {"film": 1921, "song": 1931}.get(sort, 1853) + int(unit() * 74)
    return Thing(
        name,
        sort,
        born,
        min(born + 30, LATEST),
        False,
        None,
        {"born": str(born), "a_born": f"{article(str(born))} {born}"},
        NOUNS.get(sort, ()),
    )


def another(name: str, said: str, supply: Names, rng: random.Random) -> Thing:
    """Somebody or something invented of whom something is said already."""
    first = name.split()[0]
    sort = "person" if first in words("first_names_f") or first in words("first_names_m") else "any"
    sort = next((one for one, listed in _LISTED if name in words(listed)), sort)
    if _YEARS.search(said) or sort == "any":
        kind = sort if sort in ("person", "place", "org") else ""
        return spoken_of(name, kind, "", said, supply, rng)
    thing = invented(sort, supply, rng)
    female = first in words("first_names_f") if sort == "person" else None
    return replace(thing, name=name, female=female)


_LISTED = (("place", "towns"), ("org", "organisations"), ("film", "works"))

_YEARS = re.compile(r"(?<![\d,.$£€-])(?:1[0-9]\d\d|20[0-3]\d)(?![\d,.]?\d)")


def spoken_of(name: str, kind: str, question: str, said: str, supply: Names, rng: random.Random) -> Thing:
    """What the evidence speaks of.

    Args:
        name: as it stands there.
        kind: as ``naming.kind_of`` has it, empty where it is not known.
        question: the pair's.
        said: all that is told of it.
        supply: names for what else is told of it.
        rng: places in time what has no years.
    """
    # In the place of the name a mark, so that what stands around it can be looked for.
    told, asked = said.replace(name, MARK), question.replace(name, MARK)
    sort = sort_of(name, kind, asked, told)
    years = [int(year) for year in _YEARS.findall(f"{said} {question}")]
    first, last = min(years, default=0), max(years, default=0)
    born = re.search(r"\bborn\b|came into the world", said)
    if not years:
        first = last = 1900 + int(rng.random() * 60)
    if sort == "person":
        since, until = (first, first + 70) if born and years else (last - 30, last + 24)
    elif sort == "place":
        since, until = 1880, 2005
    else:
        since, until = last, last + 36
    human = sort == "person"
    if first < 1800:
        # Who lived then went to no photographer.
        sort, since, until = "any", 1890, 2005
    female = is_female(name, f"{said} {question}") if human else None
    until = max(min(until, LATEST), since + 4, last)
    values = {"big_a": f"{1100 + int(rng.random() * 60000):,}"}
    if sort == "person" and not born:
        day = f"{1 + int(rng.random() * 28)} {supply.draw('month')} {since}"
        values |= {"born": day, "birthplace": supply.draw("town")}
    return Thing(name, sort, since, until, True, female, values, noun_of(asked, told), human)
