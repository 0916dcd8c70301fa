"""How many, how much and how often sentences tell of a subject: what "more", "taller", "weekly" compare.

English. Reads a comparing word of a question, and sentences as they are written. Knows nothing of sides or
scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from synthesis.coherence.facts.values import exact
from synthesis.text.numbers import quantities
from synthesis.text.words import split_words, terms

_MORE = "more|most|(?:great|larg|bigg|high|tall|long|deep|wid|heavi|fast)(?:er|est)"
_LESS = "less|least|(?:few|small|low|short)(?:er|est)"
_COMPARES = re.compile(
    rf"\b(?:(?P<more>{_MORE})|{_LESS})\b(?: (?:number|amount|total) of)?(?P<noun>(?: [\w'’-]+){{0,4}})",
    re.IGNORECASE,
)
_OFTEN = re.compile(r"\b(?:(?P<more>more|most)|less|least) (?:frequent(?:ly)?|often)\b", re.IGNORECASE)
# A noun ends where something else begins: "more species than", "more titles in".
_ENDS = frozenset(
    split_words(
        "than in of for by on at to from or and between is are was were has have had does did do per with as "
        "the a an"
    )
)
# What is told of something that is taller, longer, larger.
_TELLS = {
    "tall": "tall high height storey stories story floors",
    "high|low": "high height tall elevation altitude summit above",
    "long": "long length runs running stretches duration",
    "short": "tall high height long length runs running",
    "larg|bigg|small": "area square acres hectares population people inhabitants students seats capacity",
    "deep": "deep depth",
    "wid": "wide width",
    "heav": "weighs weight heavy",
    "fast": "speed fast",
}
_BEHIND, _BEFORE = 6, 4  # terms around a figure among which stands what it is of
_TIMES_A_YEAR = (
    (104, r"semi-?weekly|twice a week"),
    (26, r"bi-?weekly|fortnightly|every two weeks|every other week"),
    (6, r"bi-?monthly|every two months|every other month"),
    (24, r"semi-?monthly|twice a month|twice-monthly"),
    (2, r"semi-?annual(?:ly)?|bi-?annual(?:ly)?|twice a year|half-yearly"),
    (365, r"daily|every day"),
    (52, r"weekly|every week|once a week"),
    (12, r"monthly|every month|once a month"),
    (4, r"quarterly"),
    (1, r"annual(?:ly)?|yearly|once a year|every year"),
)  # what holds another stands before it
_TOLD_OFTEN = re.compile(
    "|".join(rf"(?P<t{times}>\b(?:{words})\b)" for times, words in _TIMES_A_YEAR), re.IGNORECASE
)


class Amount(NamedTuple):
    """``most``: the greater is asked for. ``nouns`` are terms of what is counted; empty: how often it is."""

    most: bool
    nouns: frozenset[str]


def measured(question: str) -> Amount | None:
    """What a question compares by amount, if it does; without the names of what it compares."""
    if often := _OFTEN.search(question):
        return Amount(often["more"] is not None, frozenset())
    match = _COMPARES.search(question)
    if match is None:
        return None
    words = []
    for word in match["noun"].lower().split():
        if word in _ENDS:
            break
        words.append(word)
    adjective = match[0].split()[0].lower()
    told = next((cue for stem, cue in _TELLS.items() if re.match(stem, adjective)), "")
    head = terms(words[-1])[-1:] if words else []
    # "The larger town": it is the town that is large, not towns that are counted.
    nouns = frozenset(head if head and not told else terms(told) + head)
    return Amount(match["more"] is not None, nouns) if nouns else None


def amounts(told: Iterable[str], measure: Amount) -> dict[str, Fraction]:
    """Unit -> the greatest amount that the first sentence with any tells; nothing where none does."""
    for sentence in told:
        found: dict[str, Fraction] = {}
        for unit, value in _often(sentence) if not measure.nouns else _counted(sentence, measure.nouns):
            found[unit] = max(value, found.get(unit, value))
        if found:
            return found
    return {}


def _often(sentence: str) -> Iterator[tuple[str, Fraction]]:
    match = _TOLD_OFTEN.search(sentence)
    if match is not None:
        yield "a year", Fraction((match.lastgroup or "t0")[1:])


def _counted(sentence: str, nouns: frozenset[str]) -> Iterator[tuple[str, Fraction]]:
    for one in quantities(sentence):
        value = exact(one.value)
        if one.kind != "number" or one.unit == "%" or "/" in one.value or value is None:
            continue
        if not one.unit and 1000 <= value < 2100 and sentence[one.start : one.end].isdigit():
            continue  # a year
        behind: Sequence[str] = terms(sentence[one.end : one.end + 80])[:_BEHIND]
        before: Sequence[str] = terms(sentence[max(0, one.start - 60) : one.start])[-_BEFORE:]
        if not nouns.isdisjoint(behind) or not nouns.isdisjoint(before):
            yield one.unit, value
