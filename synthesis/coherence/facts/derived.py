"""Whether a number that is asked for follows from figures of a context: a sum, a difference, a count.

Only where the question asks for such a number ("how many years", "in total", "older by"), only from the
few sentences that hold most of what it asks, and from few figures of these: among many figures any number
is some difference. English questions. Knows nothing of scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.facts.values import exact
from synthesis.text.answers import Answer
from synthesis.text.numbers import Quantity, quantities

_DIFFERENCE = re.compile(
    r"\bhow (?:long|old|far apart)\b|\bdifference\b|\bat what age\b|\bby how (?:much|many)\b"
    r"|\b(?:older|younger|longer|taller|higher|bigger|larger|more|less|fewer) by\b"
    r"|\bhow (?:much|many)\b.{0,80}\b(?:older|younger|taller|longer|shorter|later|earlier|more|less|fewer"
    r"|higher|bigger|larger|heavier|between|after|before|apart|passed|elapsed|lie|lay|separate[sd]?)\b",
    re.IGNORECASE | re.DOTALL,
)
_TOTAL = re.compile(
    r"\b(?:in total|total|altogether|combined|in all|sum of|together|all told)\b", re.IGNORECASE
)
_COUNT = re.compile(r"\bhow many\b|\b(?:what|which) (?:is |was )?(?:the )?number of\b", re.IGNORECASE)
# Sentences looked at; the least that each, and those used, hold of what is asked; characters of each.
_SENTENCES, _LEAST, _TOGETHER, _LONGEST = 4, 0.2, 0.5, 2_000
_FIGURES, _MOST_SUMMED = 4, 12
_ITEM = 5  # words that one of a list may have, its first and last aside
_BETWEEN = re.compile(r"\s*[,;，、]\s*(?:and\s+|or\s+)?|\s+and\s+")
_AND = re.compile(r"[,;]?\s+and\s")
_TIME = ("", "year")

Span = tuple[int, int]


class Derived(NamedTuple):
    """``why`` is the reckoning; its figures stand at ``places``; ``sure`` if hardly another could be made."""

    why: str
    places: tuple[Span, ...]
    sure: bool


class _Figure(NamedTuple):
    start: int
    end: int
    value: Fraction
    unit: str
    day: tuple[int, int, int]  # of a date or year, else zeros
    sentence: int


def asks(question: str) -> str:
    """``difference``, ``total``, ``count``, or nothing."""
    if _DIFFERENCE.search(question):
        return "difference"
    if not _COUNT.search(question) and not _TOTAL.search(question):
        return ""
    return "total" if _TOTAL.search(question) else "count"


def derive(passages: Passages, question: str, asked: Mapping[str, float], answer: Answer) -> Derived | None:
    """How the answer follows, if it is one number that the question lets be reckoned."""
    if len(answer.amounts) != 1 or answer.amounts[0].kind != "number" or not (kind := asks(question)):
        return None
    wanted = exact(answer.amounts[0].value)
    if wanted is None or wanted <= 0:
        return None
    field = Field(passages, asked, ())
    near = _nearest(field)
    if not near:
        return None
    for found in _reckoned(passages, near, kind, answer.amounts[0], wanted):
        used = {n for n in near if any(_in(passages, n, place) for place in found.places)}
        held = {t for n in used for t in field.held[n]}
        held |= {
            t for n in used for t in passages.titles[passages.sentences[n].passage].split() if t in asked
        }
        if field.share(held) >= _TOGETHER:
            return found
    return None


def _nearest(field: Field) -> list[int]:
    """The sentences that hold most of what is asked, with a figure or a list in them."""
    ranked = sorted(range(len(field.titled)), key=lambda n: (-field.titled[n], n))
    found: list[int] = []
    for number in ranked[: 4 * _SENTENCES]:
        if field.titled[number] < _LEAST or not field.held[number] or len(found) == _SENTENCES:
            break
        text = _shown_of(field.passages, number)
        if next(quantities(text), None) is not None or len(_items(text)) > 1:
            found.append(number)
    return found


def _shown_of(passages: Passages, number: int) -> str:
    return passages.shown(passages.sentences[number])[:_LONGEST]


def _in(passages: Passages, number: int, place: Span) -> bool:
    return passages.sentences[number].start <= place[0] < passages.sentences[number].end


def _reckoned(
    passages: Passages, near: Sequence[int], kind: str, amount: Quantity, wanted: Fraction
) -> Iterator[Derived]:
    if kind == "difference":
        yield from _differences(_figures(passages, near), amount, wanted)
        return
    if kind == "total":
        yield from _sums(_figures(passages, near), amount, wanted)
    yield from _counts(passages, near, wanted)


def _figures(passages: Passages, near: Sequence[int]) -> list[_Figure]:
    """The first figures of the sentences, those of the nearest first."""
    found = []
    for number in near:
        sentence = passages.sentences[number]
        for one in quantities(_shown_of(passages, number)):
            start, end = one.start + sentence.start, one.end + sentence.start
            if one.kind == "date":
                year, month, day = map(int, one.value.split("-"))
                if year:
                    found.append(_Figure(start, end, Fraction(year), "", (year, month, day), number))
            elif one.kind == "number" and (value := exact(one.value)) is not None:
                is_year = not one.unit and value.denominator == 1 and 1000 <= value < 2100
                found.append(
                    _Figure(start, end, value, one.unit, (int(value), 0, 0) if is_year else (0, 0, 0), number)
                )
    return found[:_MOST_SUMMED]


def _differences(figures: Sequence[_Figure], amount: Quantity, wanted: Fraction) -> Iterator[Derived]:
    for one, other in combinations(figures[:_FIGURES], 2):
        first, second = sorted((one, other), key=lambda figure: (figure.value, figure.day))
        if first.day[0] and second.day[0]:
            reckoned = wanted in _apart(first.day, second.day, amount.unit)
        else:
            units = first.unit == second.unit and amount.unit in ("", first.unit)
            reckoned = (
                units and not first.day[0] and not second.day[0] and second.value - first.value == wanted
            )
        if reckoned:
            why = f"from {_shown(first)} to {_shown(second)} it is {_number(wanted)}"
            places = tuple(sorted(((one.start, one.end), (other.start, other.end))))
            yield Derived(why, places, len(figures) < _FIGURES or {one, other} == set(figures[:2]))


def _apart(first: tuple[int, int, int], second: tuple[int, int, int], unit: str) -> set[int]:
    """How far two days are apart, in a unit; in years where none is given."""
    if unit in _TIME:
        years = second[0] - first[0]
        return {years - 1} if all(first) and all(second) and second[1:] < first[1:] else {years}
    if unit == "month" and first[1] and second[1]:
        return {12 * (second[0] - first[0]) + second[1] - first[1]}
    if unit in ("day", "week") and all(first) and all(second):
        try:
            days = (date(*second) - date(*first)).days
        except ValueError:
            return set()
        return {days} if unit == "day" else ({days // 7} if days % 7 == 0 else set())
    return set()


def _sums(figures: Sequence[_Figure], amount: Quantity, wanted: Fraction) -> Iterator[Derived]:
    plain = [f for f in figures if not f.day[0] and amount.unit in ("", f.unit)]
    # All that the nearest sentence tells, all that the two nearest tell, ...; then each two of the first.
    for sentences in range(1, _SENTENCES + 1):
        known = list(dict.fromkeys(f.sentence for f in plain))[:sentences]
        parts = [f for f in plain if f.sentence in known]
        if len(known) == sentences and _sum_is(parts, wanted):
            yield _summed(parts, wanted, len(parts) == len(plain))
    for pair in combinations(plain[:_FIGURES], 2):
        if _sum_is(pair, wanted):
            yield _summed(pair, wanted, len(plain) == 2)


def _sum_is(parts: Sequence[_Figure], wanted: Fraction) -> bool:
    alike = len({part.unit for part in parts}) == 1
    return len(parts) > 1 and alike and sum(part.value for part in parts) == wanted


def _summed(parts: Sequence[_Figure], wanted: Fraction, sure: bool) -> Derived:
    why = f"{' and '.join(map(_shown, parts))} make {_number(wanted)}"
    return Derived(why, tuple(sorted((part.start, part.end) for part in parts)), sure)


def _shown(figure: _Figure) -> str:
    return _number(figure.value) + (f" {figure.unit}" if figure.unit else "")


def _number(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def _counts(passages: Passages, near: Sequence[int], wanted: Fraction) -> Iterator[Derived]:
    """One list of so many, or several that have so many together."""
    lists = []
    for number in near:
        sentence = passages.sentences[number]
        items = len(_items(_shown_of(passages, number)))
        if items > 1:
            lists.append((items, (sentence.start, sentence.end)))
    for items, place in lists:
        if items == wanted:
            yield Derived(f"a list of {items}", (place,), len(lists) == 1)
    if len(lists) > 1 and sum(items for items, _ in lists) == wanted:
        told = " and ".join(str(items) for items, _ in lists)
        yield Derived(
            f"lists of {told} make {_number(wanted)}", tuple(sorted(place for _, place in lists)), True
        )


def _items(sentence: str) -> list[str]:
    """What a sentence lists, "A, B and C": the parts around its commas and its "and"; else nothing."""
    pieces = [piece for piece in _BETWEEN.split(sentence) if piece.strip()]
    if len(pieces) < 3 or not _AND.search(sentence):
        return []
    inner = pieces[1:-1]
    return pieces if all(len(piece.split()) <= _ITEM for piece in inner) else []
