"""What sentences about a subject state of it: dates, countries, who made it.

Each reader takes sentences as they are written and gives nothing where it finds nothing. English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from importlib.resources import files

from synthesis.text.lists import entries
from synthesis.text.words import split_words, terms

Day = tuple[int, int, int]

_MONTHS = split_words("january february march april may june july august september october november december")
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTH}),? (?P<year>\d{{3,4}})\b"
    rf"|\b(?P<month2>{_MONTH})(?: (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?)?,? (?P<year2>\d{{3,4}})\b"
    r"|(?P<year3>(?<![\d,.$£€-])(?:1\d{3}|20\d{2}|[5-9]\d{2}(?= \))))(?:s\b|\b)"
    r"(?![,.]?\d|%| (?:metres|meters|miles|people|feet|km))",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\(([^()]{0,160})\)")
_BORN = re.compile(
    r"\b(?:born|birth|came into the world|saw the light|christened|life of [^.]{1,60} began)\b",
    re.IGNORECASE,
)
_DIED = re.compile(
    r"\b(?:died|death|killed|passed away|executed|assassinated|murdered|buried|last hours|"
    r"life of [^.]{1,60} ended)\b",
    re.IGNORECASE,
)
_NEAR = 90  # characters between a verb and its date
_NAME = r"[A-Z][\w'’.-]*(?: (?:[A-Z][\w'’.-]*|de|da|di|von|van|der|den|la|le|del|bin|al|ibn|of))*"
_NO_NAME = re.compile(r"(?:The|It|He|She|A|An|In|This)\b")
_AS_SAID = re.compile(
    r"\b(?:under the direction|from the pen|given to the public|owes its beginning|is the work|put together) "
    rf"(?:of|by|to) ({_NAME})"
)
_SOMEBODY = r"(?:\w+ (?:director|singer|band|rapper|group|artist|filmmaker) )?"
_STARTS = {
    "release": "releas|premier|came out|aired|debut|in cinemas|screened|issued|broadcast",
    "found": "found|establish|form|creat|start|launch|open|built|build|construct|complet|incorporat|charter|"
    "began|begin|introduc|set up|organi[sz]ed|inaugurat|commission|consecrat|"
    "dates? from|went up|came together|goes back|owes its beginning|first visitors|"
    "had its start",
    "publish": "publish|establish|found|launch|start|first issue|creat|print|appeared|debut|came out",
}
_MADE = {
    "director": "direct(?:ed|ion|or)",
    "performer": "(?:perform|record|sung|sing|releas)(?:ed|er)?|song|single|album|track",
    "composer": "compos(?:ed|er|ition)|music|score[d]?|songs",
    "writer": "wr(?:itten|ote|iter)|author(?:ed)?|novel|book|play|screenplay",
    "producer": "produc(?:ed|er)",
    "founder": "found(?:ed|er)|establish(?:ed)?|creat(?:ed|or)",
    "creator": "creat(?:ed|or)",
}


# What stands before the year of "is a 1958 American film", or "Name (film, 1958)".
_IS_OF = re.compile(r"\b(?:is|was|are|were) (?:an?|the)\b[^.;]{0,40}\Z|\([^()]{0,40}\Z")


def days(text: str) -> list[tuple[int, Day]]:
    """(place, date) for each date or year of a text; month and day are 0 where they aren't given."""
    found = []
    for match in _DATE.finditer(text):
        year = int(match["year"] or match["year2"] or match["year3"])
        month = (match["month"] or match["month2"] or "").lower()
        day = int(match["day"] or match["day2"] or 0)
        found.append((match.start(), (year, _MONTHS.index(month) + 1 if month else 0, day)))
    return found


def exact(value: str) -> Fraction | None:
    """The canonical digits of a quantity as a number; None for a decade, a date and the like."""
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        return None


def _in_brackets(text: str) -> tuple[Day | None, Day | None]:
    """The days of birth and of death that stand in brackets behind a name."""
    for match in _BRACKETS.finditer(text):
        inside, found = match[1], days(match[1])
        if not found:
            continue
        if len(found) > 1 and re.search(r"[-–—]|\bto\b|\bdied\b|\bd\.", inside):
            return found[0][1], found[-1][1]
        if re.search(r"\bborn\b|\bb\.|[-–—]\s*\Z", inside):
            return found[0][1], None
        if re.search(r"\bdied\b|\bd\.|\A\s*[-–—]", inside):
            return None, found[-1][1]
    return None, None


def _near(text: str, cue: re.Pattern[str]) -> Day | None:
    """The date nearest to a cue: the first behind it, or else the last before it."""
    found = days(text)
    for match in cue.finditer(text):
        for place, day in found:
            if 0 <= place - match.end() <= _NEAR:
                return day
    for match in cue.finditer(text):
        for place, day in reversed(found):
            if 0 <= match.start() - place <= _NEAR:
                return day
    return None


def birth(told: Iterable[str]) -> Day | None:
    """When somebody was born."""
    for text in told:
        if (day := _in_brackets(text)[0] or _near(text, _BORN)) is not None:
            return day
    return None


def death(told: Iterable[str]) -> Day | None:
    """When somebody died."""
    for text in told:
        if (day := _in_brackets(text)[1] or _near(text, _DIED)) is not None:
            return day
    return None


def start(told: Sequence[str], verb: str) -> Day | None:
    """When something came into being; ``verb`` is a key of the table of beginnings."""
    cue = re.compile(rf"\b(?:{_STARTS[verb]})", re.IGNORECASE)
    if verb == "release" and told and (found := days(told[0])) and _IS_OF.search(told[0], 0, found[0][0]):
        return found[0][1]
    for text in told:
        if (day := _near(text, cue)) is not None:
            return day
    return next((found[0][1] for text in told[:4] if (found := days(text))), None)


def makers(told: Iterable[str], role: str) -> list[str]:
    """Who made something, as names; ``role`` is a key of the table of roles."""
    cue = _MADE[role]
    by = re.compile(rf"\b(?i:{cue})\b[^.;()]{{0,60}}?\b(?:by|was|is) {_SOMEBODY}({_NAME})")
    of = re.compile(rf"({_NAME}) (?:\w+ ){{0,3}}?(?i:{cue})\b")
    first: list[str] = []
    for text in told:
        first += [match[1] for match in by.finditer(text)]
        first += [match[1] for match in _AS_SAID.finditer(text)]
        first += [match[1] for match in of.finditer(text) if not _NO_NAME.match(match[1])]
        if first:
            return [name.rstrip(".") for name in first]
    return first


@cache
def _countries() -> tuple[dict[str, str], frozenset[str]]:
    """Folded name of one to three terms -> country; and the first terms of those of several."""
    table: dict[str, str] = {}
    for line in entries(files("synthesis.coherence.facts").joinpath("countries.txt")):
        names = line.split()
        for name in names:
            table[" ".join(terms(name.replace("_", " ")))] = names[0]
    return table, frozenset(key.split()[0] for key in table if " " in key)


@cache
def _people() -> dict[str, frozenset[str]]:
    """Country -> the names of one term that tell of it."""
    found: dict[str, set[str]] = {}
    for name, country in _countries()[0].items():
        if " " not in name:
            found.setdefault(country, set()).add(name)
    return {country: frozenset(names) for country, names in found.items()}


def compatriots(term: str) -> frozenset[str]:
    """The terms that tell of the country that one tells of, itself among them; else none."""
    country = _countries()[0].get(term)
    return _people()[country] if country else frozenset()


def countries_in(sequence: Sequence[str]) -> list[str]:
    """The countries that a sequence of terms names, each once, in order."""
    table, several = _countries()
    found: dict[str, None] = {}
    place = 0
    while place < len(sequence):
        length = 1
        if sequence[place] in several:
            length = next((n for n in (3, 2) if " ".join(sequence[place : place + n]) in table), 1)
        if country := table.get(" ".join(sequence[place : place + length])):
            found[country] = None
        place += length
    return list(found)


_CAPITAL = re.compile(r"\b[A-Z][\w'’.]*(?: [A-Z][\w'’.]*)*")
# "put into Maltese by", "a play in French": languages, unless something of that country follows.
_LANGUAGES = re.compile(
    r"\b(?:into|in|from|spoke|speaks)(?: [A-Z]\w*(?:,| and| or))* [A-Z]\w*(?:ese|ish|ian|ean|ic|ch|man|eek)"
    r"(?=[.,;:!?)]|$| (?:by|in|for|and|or|on|at|from|to|only)\b)"
)


def country(told: Sequence[str]) -> frozenset[str]:
    """The countries of the first sentence that names any."""
    for text in told[:6]:
        # A country in small letters is a word: turkey, china.
        spoken = _LANGUAGES.sub(" ", text)
        named = [term for name in _CAPITAL.findall(spoken) for term in terms(name)]
        if found := countries_in(named):
            return frozenset(found)
    return frozenset()


_CONTINENT = re.compile(
    r"\b(?:(?P<both>North(?:ern)? and South(?:ern)? America)|(?:North|South)(?:ern)? America|Europe|Africa"
    r"|Asia|Australia|Antarctica|Oceania)"
)


def continent(told: Sequence[str]) -> frozenset[str]:
    """The continents of the first sentence that names any: "African" names one as "Africa" does."""
    for text in told[:6]:
        found: set[str] = set()
        for match in _CONTINENT.finditer(text):
            found.update(
                ("North America", "South America") if match["both"] else (match[0].replace("ern ", " "),)
            )
        if found:
            return frozenset(found)
    return frozenset()


def names(told: Sequence[str], known: str) -> frozenset[str]:
    """Names of the sentences, folded, that don't stand in ``known`` (terms with blanks around them)."""
    found = set()
    for text in told[:4]:
        for match in _CAPITAL.finditer(text):
            name = " ".join(terms(match[0]))
            if match.start() > 0 and name and f" {name} " not in known:
                found.add(name)
    return frozenset(found)
