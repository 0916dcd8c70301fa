"""Values of one kind: another one in the place of an answer, and whether two are alike.

Kinds are told from how a value is written (a date, a figure with what it counts) and from what the question
asks for (a person, a town). Where the kind is not known there is no other value.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from synthesis.engines.composer.grammar.invent import draws
from synthesis.engines.composer.grammar.words import DETERMINERS, MONTHS, is_participle, is_past
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import asked_nouns, kind
from synthesis.engines.composer.stating.steps.naming import FEMALE, MALE, kind_of
from synthesis.text.words import TENS, UNITS_0_19

_MONTH: Final = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\d+")
_GROUPED: Final = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")
_UNITS, _TEENS = UNITS_0_19[2:10], UNITS_0_19[11:19]
_WORDED: Final = re.compile(rf"\b(?:{'|'.join((*_TEENS, *TENS, *_UNITS))})\b", re.IGNORECASE)
_LISTS: Final = (
    ("country", "countries"),
    ("nationality", "nationalities"),
    ("language", "languages"),
    ("weekday", "weekdays"),
    ("animal", "animals"),
)
_NUMBER_PART: Final = re.compile(r"\d(?:[\d,]*\d)?(?:\\\.\d+)?")  # of a value that was escaped
_RUN_TOGETHER: Final = re.compile(r"\d[^\W\d_]|[^\W\d_]\d|\d[-–/:]\d")
_NAME: Final = re.compile(
    r"[^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*){0,3}(?:, [^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*){0,2})?"
)
# Behind "what is the": the noun, and what tells whose it is.
_IDENTIFIED: Final = re.compile(
    r"\b(?:what|which) (?:is|was|are|were) (?:the|his|her|its|their) ((?:[\w'’-]+ ){0,3}?[\w'’-]+)"
    r" (?:of|for|in|at|by|to|where|who|that|which|whose)\b"
)
_TRIES: Final = 40


def sort_of(value: str, question: str) -> str:
    """What kind a value is: ``figure``, ``worded`` (in words), a slot of the composer's; empty if unknown."""
    if _DIGITS.search(value):
        return "" if _RUN_TOGETHER.search(value) else "figure"
    for slot, name in _LISTS:
        if value in words(name):
            return slot
    if _WORDED.search(value):
        return "worded"
    if not _NAME.fullmatch(value) or not value[:1].isupper():
        return ""
    found, nouns = kind(question, value), asked_nouns(question) or _identified(question)
    place, _, region = value.partition(", ")
    if region:
        return "town, country" if found == "place" and place.istitle() and "," not in region else ""
    if found == "person":
        return f"person{_gender(value, question)}"
    if found == "place":
        return "country" if {"country", "countries", "nation"}.intersection(nouns) else "town"
    return {"org": "org", "work": "work", "place": "town"}.get(_head_kind(nouns), "")


def _identified(question: str) -> list[str]:
    """The words of what something is asked to be: ``what was the debut album of`` gives ``debut, album``."""
    found = _IDENTIFIED.search(question.casefold())
    return found[1].split() if found else []


def _head_kind(nouns: Sequence[str]) -> str:
    """What kind of thing the words after ``which`` ask for; a clause may follow them (``song covered``)."""
    told = ""
    for at, (before, noun) in enumerate(pairwise(["", *nouns])):
        following = nouns[at + 1] if at + 1 < len(nouns) else ""
        if (noun in DETERMINERS and before != "of") or noun in ("or", "and"):
            break
        if is_past(noun) and not (is_participle(noun) and kind_of(following) != "thing"):
            break
        found = next((one for one in map(kind_of, (noun, noun.removesuffix("s"))) if one != "thing"), "")
        if told and not found:
            break
        told = found
    return told


def _gender(name: str, question: str) -> str:
    """The ending of the slot that a name's own is drawn from; empty where either would do."""
    first, asked = name.split()[0], set(re.findall(r"[a-z]+", question.casefold()))
    female = first in words("first_names_f") or bool(asked & {*FEMALE, "female", "she", "her"})
    male = first in words("first_names_m") or bool(asked & {*MALE, "male", "actor", "he", "his"})
    return "" if female == male else "_f" if female else "_m"


def others(value: str, question: str, rng: random.Random) -> Iterator[str]:
    """Other values of the kind of one, a few at most, each once."""
    sort = sort_of(value, question)
    seen = {value}
    for _ in range(_TRIES if sort else 0):
        other = _figure(value, rng) if sort == "figure" else _worded(value, rng) if sort == "worded" else ""
        other = other or ", ".join(draws()[slot](rng) for slot in sort.split(", "))
        # "the Society" would begin sentences with a small letter.
        if other not in seen and not (other[:1].islower() and value[:1].isupper()):
            seen.add(other)
            yield other


def _figure(value: str, rng: random.Random) -> str:
    """Other numbers in their places: of as many digits, years a little earlier, days that all months have."""
    dated = _MONTH.search(value) is not None

    def other(match: re.Match[str]) -> str:
        return _number(match[0], rng, dated)

    changed = _GROUPED.sub(other, value)
    return _MONTH.sub(lambda _: rng.choice(MONTHS), changed)


def _number(number: str, rng: random.Random, dated: bool) -> str:
    if re.fullmatch(r"1\d{3}|20\d\d", number):
        return str(int(number) - rng.randint(1, 14))
    if dated and re.fullmatch(r"[1-9]|[12]\d|3[01]", number):
        low, high = (1, 9) if len(number) == 1 else (10, 28)
        return str(rng.randint(low, high))
    # The last digits of a round number stay round; the first is never 0.
    round_from = len(number.rstrip("0,."))
    digits = [
        rng.choice("123456789") if at == 0 else rng.choice("0123456789") if at < round_from else digit
        for at, digit in enumerate(number)
    ]
    return "".join(old if not old.isdigit() else new for old, new in zip(number, digits, strict=True))


def _worded(value: str, rng: random.Random) -> str:
    def other(match: re.Match[str]) -> str:
        word = match[0]
        for row in (TENS, _UNITS, _TEENS):
            if word.casefold() in row:
                drawn = rng.choice(row)
                return drawn.capitalize() if word[:1].isupper() else drawn
        return word

    return _WORDED.sub(other, value)


def alike(value: str, other: str) -> bool:
    """Whether two figures are written the same way, as dates are, or amounts of the same thing."""
    return _written(value) == _written(other)


def _written(value: str) -> str:
    def number(match: re.Match[str]) -> str:
        return "Y" if re.fullmatch(r"1\d{3}|20\d\d", match[0]) else "N"

    return _GROUPED.sub(number, _MONTH.sub("M", value))


def figures_like(value: str, text: str) -> Iterator[tuple[str, int]]:
    """The figures of a text that are written as one is, in order, each with its place."""
    pattern = _NUMBER_PART.sub(lambda _: r"\d(?:[\d,]*\d)?(?:\.\d+)?", re.escape(value))
    pattern = _MONTH.sub(f"(?:{'|'.join(MONTHS)})", pattern)
    for match in re.finditer(rf"(?<![\w.,-]){pattern}(?!\w|[.,-]\d)", text):
        if alike(value, match[0]):
            yield match[0], match.start()
