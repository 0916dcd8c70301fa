"""The same clause about something else: one of its conditions, or two, exchanged for others of their kind.

A year, a rank, a nationality, a name, or a plain word for what is done or what something is. Knows clauses
with gaps as ``stating.steps.links`` has them; the caller says what must not come in.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache, partial
from itertools import zip_longest
from typing import NamedTuple

from synthesis.engines.composer.decoys.patterns import FIGURE, FIGURE_SLOTS, typed
from synthesis.engines.composer.grammar.invent import draws, figure
from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import SMALL_NUMBERS, base_of_third, core, is_past
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import PERSON_NOUNS

#: How often two conditions are exchanged instead of one.
TWO = 0.2

#: Years from the clause's own to another.
_YEARS_OFF = 24

_WORD = re.compile(r"(\"[^\"]*\"|“[^”]*”|\{\w\})|(?<![\w'’-])[a-z]+(?:-[a-z]+)*(?![\w'’-])")
_ARTICLE = re.compile(r"\b([Aa]n?) (?=(\w[\w-]*))")
_YEAR_IN = re.compile(r"\d{4}")


class _Piece(NamedTuple):
    """A part of a clause and what may stand there instead."""

    start: int
    end: int
    draw: Callable[[random.Random], str]


class Altering:
    """The exchangeable conditions of one clause, found once."""

    def __init__(self, clause: str, taken: frozenset[str]) -> None:
        """``taken`` are casefolded words that nothing brought in may have."""
        self._clause = clause
        self._taken = taken
        self._pieces = _pieces(clause)

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def draw(self, rng: random.Random) -> str | None:
        """Another clause; None where nothing fits."""
        many = 2 if len(self._pieces) > 2 and rng.random() < TWO else 1
        text = self._clause
        for piece in sorted(rng.sample(self._pieces, min(many, len(self._pieces))), reverse=True):
            own = self._clause[piece.start : piece.end]
            other = self._other(piece, own, rng)
            if other is None:
                return None
            text = text[: piece.start] + other + text[piece.end :]
        text = _ARTICLE.sub(lambda found: _agreeing(found[1], found[2]), text)
        return text if text != self._clause else None

    def _other(self, piece: _Piece, own: str, rng: random.Random) -> str | None:
        for _ in range(6):
            other = piece.draw(rng)
            if other.casefold() != own.casefold() and self._taken.isdisjoint(
                re.findall(r"\w+", other.casefold())
            ):
                return other
        return None


def _agreeing(own: str, word: str) -> str:
    """The article that a word takes; a name keeps the one it has."""
    if not word[:1].islower() and not word[:1].isupper():
        return f"{own} "
    fit = article(word)
    return f"{fit if own[0] == 'a' else fit.capitalize()} "


def _pieces(clause: str) -> list[_Piece]:
    found = [*_figures(clause), *_plain(clause), *_names(clause)]
    if len(found) < 2:
        found += _never(clause)
    kept: list[_Piece] = []
    for one in found:
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return kept


def _figures(clause: str) -> list[_Piece]:
    found = []
    for match in FIGURE.finditer(clause):
        sort = match.lastgroup or ""
        if sort == "number":
            size = min(len(match[0].replace(",", "")), 12)
            found.append(_Piece(match.start(), match.end(), partial(_figure, size)))
        else:
            found.append(_Piece(match.start(), match.end(), _dated(match[0], FIGURE_SLOTS[sort])))
    return found


def _figure(size: int, rng: random.Random) -> str:
    return figure(rng, size)


def _dated(own: str, slot: str) -> Callable[[random.Random], str]:
    """Another date of that form, in a year not far from the own."""
    year = int((_YEAR_IN.search(own) or [own])[0])

    def draw(rng: random.Random) -> str:
        other = year - 1 - int(rng.random() * _YEARS_OFF)
        return _YEAR_IN.sub(str(other), draws()[slot](rng))

    return draw


def _plain(clause: str) -> list[_Piece]:
    """Words with others beside them in the list, and numbers in words."""
    found = []
    plain = [match for match in _WORD.finditer(clause) if not match[1]]
    for match, behind in zip_longest(plain, plain[1:]):
        if behind and clause[match.end() : behind.start()] == " ":
            others = _siblings().get(f"{match[0]} {behind[0]}")
            if others:
                found.append(_Piece(match.start(), behind.end(), _one_of(others)))
                continue
        others = _siblings().get(match[0])
        if others:
            found.append(_Piece(match.start(), match.end(), _one_of(others)))
        elif match[0] in SMALL_NUMBERS[2:]:
            found.append(_Piece(match.start(), match.end(), draws()["small"]))
    return found


def _names(clause: str) -> list[_Piece]:
    found = []
    for match in _OF_PLACE.finditer(clause):
        if match[1] not in _first_names() and match[1] not in words("nationalities"):
            found.append(_Piece(match.start(1), match.end(1), draws()["town"]))
    for name, slot in typed(clause).items():
        if (
            (slot.startswith("first") and name not in _first_names())
            or slot not in draws()
            or name.casefold() in ("april", "may", "august")
        ):
            continue
        places = list(re.finditer(rf"(?<![\w{{]){re.escape(name)}(?![\w}}])", clause))
        if len(places) != 1 or re.match(r"\. [a-z]", clause[places[0].end() :]):
            continue  # "Pabst Brewing Co." is not told from the end of a sentence
        if not slot.startswith("person") or _acts(clause[: places[0].start()], clause[places[0].end() :]):
            found.append(_Piece(places[0].start(), places[0].end(), draws()[slot]))
    return found


_OF_PLACE = re.compile(
    r"\b(?:bishops?|king|queen|duke|count|earl|town|city|village|people|lord|district|mayor"
    r"|battle|siege|treaty|island|university|river|province) of ([A-Z][a-z]+)(?! [A-Z])\b"
)
_SAID = re.compile(r"^\{s\} (?P<verb>[a-z]+) ")


def _never(clause: str) -> list[_Piece]:
    """That it is not so, said with the verb."""
    found = _SAID.match(clause)
    if found is None or "{v}" in clause:
        return []
    verb = found["verb"]
    if verb in ("is", "was", "are", "were", "has", "had"):
        return [_Piece(found.start("verb"), found.end("verb"), lambda _: f"{verb} not")]
    if is_past(verb) or base_of_third(verb):
        return [_Piece(found.start("verb"), found.end("verb"), lambda _: f"never {verb}")]
    return []


_BEFORE = re.compile(r"(\w+),? (?:and )?$")
_BEHIND = re.compile(
    r"(?:['’]s|,)? (?:was born|born|died|played|plays|won|wrote|directed|produced|sang|grew up|worked|served"
    r"|became|who|has won|(?:is|was) an? (?:[\w-]+ ){0,4}?(\w+))\b"
)


@cache
def _first_names() -> frozenset[str]:
    return frozenset((*words("first_names_f"), *words("first_names_m")))


def _acts(before: str, behind: str) -> bool:
    """Whether a name that looks like a person's stands where a person does."""
    lead, act = _BEFORE.search(before), _BEHIND.match(behind)
    if lead and (lead[1] in ("by", "starred", "married") or lead[1] in PERSON_NOUNS):
        return True
    if act and act[1]:
        nouns = behind.split()[2:8]
        return any(core(noun) in PERSON_NOUNS for noun in nouns)
    return act is not None


def _one_of(others: tuple[str, ...]) -> Callable[[random.Random], str]:
    return lambda rng: others[int(rng.random() * len(others))]


@cache
def _siblings() -> dict[str, tuple[str, ...]]:
    sides = (line.partition("=") for line in words("siblings"))
    return {own.strip(): tuple(one.strip() for one in others.split(",")) for own, _, others in sides}
