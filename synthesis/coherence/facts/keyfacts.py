"""The names and figures of a summary: whether the context tells each of what the summary does.

A name that a summary exchanged for another of the same context stands in the context, but not where the
rest of its sentence is told. Of a long summary only those count whose sentence a place of the context tells
almost in full: what people leave open in longer summaries says nothing. Knows nothing of calibration.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from synthesis.coherence.background import COMMON_WEIGHT, weight
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.reading import Question
from synthesis.text.numbers import Quantity, agreement, quantities
from synthesis.text.words import terms

_SHORT, _LONG = 10, 14  # names and figures
_COST = 0.15  # of the overall, for each that is not told
_LEAST = 0.7
_KNOWN = 0.5  # of a summary's names, however long it is; of fewer each counts
_TOLD = 0.7  # of what the best place holds of a sentence, from which on a place tells it
# Of the rest of a sentence, from which on a place tells it almost in full: beside a figure that the context
# has in no form, and beside a name. Beside one it never says it must be all: people name newspapers.
_BESIDE_FIGURE, _BESIDE_NAME, _ALL = 0.9, 0.95, 0.999
_SAME = 0.95  # agreement of two figures
_FEW = ("0", "1", "2")  # in words they are more often said than counted
_NAME = re.compile(r"[^\W\d_][\w'’-]*")
_APART = 3  # terms between the words of one name


class KeyFacts(NamedTuple):
    """``factor`` is what they leave of the overall, 0.7 to 1; ``astray`` are those told otherwise or not."""

    factor: float = 1.0
    astray: tuple[str, ...] = ()


def key_facts(passages: Passages, question: Question) -> KeyFacts:
    """The terms of ``question.names`` and the figures, each beside the rest of its sentence."""
    figures = [q for q in quantities(question.answer.text) if not _small(q, question.answer.text)]
    if not question.names and not figures:
        return KeyFacts()
    count = len(question.names)
    known = len(question.names.intersection(passages.terms))
    most = max(_LEAST, min(1.0, (known + 1) / (count + 1) / _KNOWN)) if count else 1.0
    short = max(0.0, min(1.0, (_LONG - count) / (_LONG - _SHORT)))
    absent, others = _figures(figures, passages, question.answer.text)
    spread = _spread(question, passages)
    held = [{term for _, term in here} for here in passages.holding(question.stated)]
    where: defaultdict[str, list[int]] = defaultdict(list)
    for place, words in enumerate(held):
        for term in words:
            where[term].append(place)
    told: dict[str, float] = {}
    for sentence in question.answer.sentences or (question.answer.terms,):
        weights = {term: question.stated[term] for term in sentence if term in question.stated}
        covered = _covered(weights, where, len(held))
        for term in weights:
            if term in absent:
                rest = {t: w for t, w in weights.items() if t not in absent[term]}
                top = max(_covered(rest, where, len(held)))
                told[term] = (
                    0.0 if rest and top >= _BESIDE_FIGURE * sum(rest.values()) else told.get(term, 1.0)
                )
                continue
            if (term not in question.names and term not in spread) or term in others:
                continue
            if len(term) == 1 and term.isalpha():
                continue  # an initial says little
            places = {near for at in where[term] for near in (at, at + 1)}
            alone = covered if not where[term] else [
                value - weights[term] if place in places else value for place, value in enumerate(covered)
            ]  # fmt: skip
            best = max(alone)
            mine = max((alone[place] for place in places), default=0.0)
            share = (mine / best if best > 0 else 1.0) if places else 0.0
            share = 0.0 if term in spread else min(1.0, share / _TOLD)
            left = sum(weights.values()) - weights[term]
            in_full = left > 0 and best >= (_BESIDE_NAME if places else _ALL) * left
            heard = 1.0 if in_full else short if term not in spread else 0.0
            told[term] = max(told.get(term, 0.0), 1 - heard * (1 - share))
    lost = sum(1 - told[term] for term in sorted(told))
    astray = tuple(sorted(term for term, share in told.items() if share < _TOLD))
    return KeyFacts(min(most, max(_LEAST, 1 - _COST * lost)), astray)


def _covered(weights: Mapping[str, float], where: Mapping[str, list[int]], count: int) -> list[float]:
    """What each sentence of the context holds with the one before it, of terms with their weights."""
    covered = [0.0] * (count + 1)
    for term, value in weights.items():
        for place in sorted({near for at in where.get(term, ()) for near in (at, at + 1)}):
            covered[place] += value
    return covered


def _small(figure: Quantity, text: str) -> bool:
    written = text[figure.start : figure.end]
    return not any(c.isdigit() for c in written) and (figure.value in _FEW or figure.kind == "ordinal")


def _figures(
    figures: Sequence[Quantity], passages: Passages, text: str
) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """Figures that the context has in no form: one of their terms -> all of them.

    Besides the terms that need no look of their own: the others of these, and those of figures that
    the context has in another form.
    """
    absent: dict[str, frozenset[str]] = {}
    others: set[str] = set()
    whole = f" {' '.join(passages.terms)} "
    there: list[Quantity] | None = None
    for figure in figures:
        said = terms(text[figure.start : figure.end])
        if not said or f" {' '.join(said)} " in whole:
            continue
        there = list(quantities(passages.text)) if there is None else there
        if max((agreement(figure, one) for one in there), default=0.0) < _SAME:
            absent[max(said, key=weight)] = frozenset(said)
        others.update(said)
    return absent, frozenset(others)


def _spread(question: Question, passages: Passages) -> Collection[str]:
    """Names of two words or more whose words the context has, but nowhere together: the last of each."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    found = set()
    for first, second in _neighbours(question.answer.text):
        for term in (first, second):
            if term not in places:
                places[term] = [place for place, one in enumerate(passages.terms) if one == term]
        ahead, behind = places[first], places[second]
        if ahead and behind and not any(0 < b - a <= _APART for a in ahead for b in behind):
            found.add(second)
    return found


def _neighbours(text: str) -> Iterator[tuple[str, str]]:
    """Terms of two capitalised words that follow one another, both no everyday words."""
    before, end = "", -2
    for match in _NAME.finditer(text):
        held = terms(match[0]) if match[0][0].isupper() else []
        term = held[0] if len(held) == 1 and len(held[0]) > 1 and weight(held[0]) > COMMON_WEIGHT else ""
        if before and term and match.start() == end + 1 and text[end] == " " and before != term:
            yield before, term
        before, end = term, match.end()
