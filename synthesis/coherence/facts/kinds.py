"""What kind of thing a question asks for, and whether a name or figure can be one. English.

Knows nothing of contexts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from synthesis.text.words import split_words

_THINGS = {
    "person": "actor|actress|singer|player|director|author|writer|king|queen|president|person|man|woman|poet|"
    "artist|member|star|comedian|rapper|character|driver|explorer|politician|musician|composer|wife|husband|"
    "father|mother|son|daughter|brother|sister|coach",
    "time": "year|date|day|month|century|decade",
    "place": "country|city|state|town|county|place|village|island|nation|region|province|continent|location|"
    "district|river|mountain",
    "count": "number|amount|percent|percentage|price|cost|distance|height|length|weight|age|population|"
    "temperature|score|rate|share|speed|size|salary|sum|pay|paid|weigh|worth",
    "work": "film|movie|song|album|book|novel|series|show|play|magazine|single|game|poem|opera|episode",
    "group": "company|band|team|club|organi[sz]ation|group|school|university|college|party|league|network|"
    "label|agency|army|airline",
}
_OUTRIGHT = {
    "person": r"who|whom|whose",
    "time": "when",
    "place": "where",
    "count": "how (?:many|much|long|old|far|tall|big|large|high|fast|deep|wide|heavy|often)",
}


# Somebody by what they did; asked for in their own way, so that they come before other persons.
_DID = {
    "part": "play|portray|voic|star",
    "maker": "wr[io]t|sang|s[iu]ng|compos|direct|made|make|invent|found|discover|paint|design|creat|produc|"
    "record|perform|develop|buil|start",
}


def _cue(kind: str, things: str) -> re.Pattern[str]:
    outright = f"{_OUTRIGHT[kind]}|" if kind in _OUTRIGHT else ""
    return re.compile(rf"\b(?:{outright}(?:which|what)\b[^,?]{{0,50}}\b(?:{things}))\b", re.IGNORECASE)


_ASKS = (
    *((kind, re.compile(rf"\bwho (?:\w+ ){{0,2}}?(?:{did})", re.IGNORECASE)) for kind, did in _DID.items()),
    *((kind, _cue(kind, things)) for kind, things in _THINGS.items()),
)
ASKS = (*(kind for kind, _ in _ASKS), "other")


@lru_cache(maxsize=64)
def kind_asked(question: str) -> str:
    """What kind of thing a question asks for, one of ``ASKS``."""
    found = [(match.start(), name) for name, cue in _ASKS if (match := cue.search(question))]
    return min(found)[1] if found else "other"


_MONTHS_AND_DAYS = frozenset(
    split_words(
        "january february march april may june july august september october november december "
        "monday tuesday wednesday thursday friday saturday sunday"
    )
)
_SOMEBODY = (
    "actor|actress|singer|player|director|author|writer|king|queen|president|person|man|woman|poet|artist|driver|"
    "explorer|musician|composer|husband|wife|cartoonist|father|mother|son|daughter"
)
_CLOSER = tuple(
    (kind, re.compile(cue, re.IGNORECASE))
    for kind, cue in (
        ("nationality", r"\bnationalit"),
        ("country", r"\b(?:which|what)\b[^,?]{0,30}\bcountr(?:y|ies)\b|\bcountry of\b"),
        ("date", r"\b(?:what|which) (?:date|day)\b|\bdate of (?:birth|death)\b|\bbirthday\b|\bbirth ?date\b"),
        ("year", r"\b(?:what|which) (?:\w+ )?year\b"),
        ("time", r"\bwhen\b|\b(?:what|which) (?:decade|century|month)\b"),
        ("count", r"\bhow (?:many|much|long|old|far|tall|big|large|high)\b|\bwhat (?:number|percent)"),
        ("person", rf"\b(?:who|whom|whose)\b|\b(?:which|what) [^,?]{{0,40}}\b(?:{_SOMEBODY})\b"),
        (
            "place",
            r"\bwhere\b|\b(?:which|what) [^,?]{0,30}\b(?:city|town|state|county|place|village|capital)\b",
        ),
    )
)
_FULL_DATE = 3  # terms


@lru_cache(maxsize=64)
def closer_kind(question: str) -> str:
    """The kind asked for as far as the form of an answer tells it: a year, a full date, a country, ..."""
    found = [
        (match.start(), place) for place, (_, cue) in enumerate(_CLOSER) if (match := cue.search(question))
    ]
    return _CLOSER[min(found)[1]][0] if found else "other"


def is_figure(words: Sequence[str]) -> bool:
    """Whether terms are a figure or a date: one of the first two opens with a digit."""
    return words[0][0].isdigit() or (len(words) > 1 and words[1][0].isdigit())


def is_month_or_day(words: Sequence[str]) -> bool:
    """Whether terms are the name of a month or a day of the week, alone."""
    return len(words) == 1 and words[0] in _MONTHS_AND_DAYS


def fits(kind: str, words: Sequence[str], figure: bool, month: bool, country: bool) -> float:
    """Whether terms can be of a closer kind: 1 they look like it, -1 they cannot be, 0 neither.

    Whether they are a figure, the name of a month or day, or hold a country is known already.
    """
    year = figure and any(len(word) == 4 and word[0] in "12" for word in words)
    if kind in ("country", "nationality"):
        whole = kind == "country" or len(words) == 1
        return 1.0 if whole and not figure and country else -1.0
    if kind == "date":
        return 1.0 if figure and len(words) >= _FULL_DATE else 0.0 if figure else -1.0
    if kind == "year":
        return 1.0 if year else -1.0
    if kind == "time":
        return 1.0 if year else 0.0 if figure or month else -1.0
    if kind == "count":
        return 1.0 if figure and not (year and len(words) == 1) else 0.0 if figure else -1.0
    if kind == "person":
        return -1.0 if figure or month or country else 0.0
    return -1.0 if month or (figure and kind == "place") else 0.0
