"""The names and figures of a short summary: whether the context tells each of what the summary does.

A name that a summary exchanged for another of the same context stands in the context, but not where the
rest of its sentence is told. Knows nothing of calibration.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.reading import Question

_SHORT, _LONG = 10, 14  # names and figures; what people leave open in longer summaries says nothing
_COST = 0.15  # of the overall, for each that is not told
_LEAST = 0.7
_KNOWN = 0.5  # of a summary's names, however long it is; of fewer each counts
_TOLD = 0.7  # of what the best place holds of a sentence, from which on a place tells it


class KeyFacts(NamedTuple):
    """``factor`` is what they leave of the overall, 0.7 to 1; ``astray`` are those told otherwise or not."""

    factor: float = 1.0
    astray: tuple[str, ...] = ()


def key_facts(passages: Passages, question: Question) -> KeyFacts:
    """The terms of ``question.names``, each beside the rest of its sentence."""
    count = len(question.names)
    if not count:
        return KeyFacts()
    known = len(question.names.intersection(passages.terms))
    most = max(_LEAST, min(1.0, (known + 1) / (count + 1) / _KNOWN))
    if count >= _LONG:
        return KeyFacts(most)
    held = [{term for _, term in here} for here in passages.holding(question.stated)]
    where: defaultdict[str, list[int]] = defaultdict(list)
    for place, words in enumerate(held):
        for term in words:
            where[term].append(place)
    told: dict[str, float] = {}
    for sentence in question.answer.sentences or (question.answer.terms,):
        weights = {term: question.stated[term] for term in sentence if term in question.stated}
        # What a sentence holds with the one before it, of this sentence of the summary.
        covered = [0.0] * (len(held) + 1)
        for term, weight in weights.items():
            for place in sorted({near for at in where[term] for near in (at, at + 1)}):
                covered[place] += weight
        for term in weights:
            if term not in question.names:
                continue
            places = {near for at in where[term] for near in (at, at + 1)}
            rest = covered if not where[term] else [
                value - weights[term] if place in places else value for place, value in enumerate(covered)
            ]  # fmt: skip
            best = max(rest)
            mine = max((rest[place] for place in places), default=0.0)
            share = (mine / best if best > 0 else 1.0) if places else 0.0
            told[term] = max(told.get(term, 0.0), min(1.0, share / _TOLD))
    short = min(1.0, (_LONG - count) / (_LONG - _SHORT))
    lost = sum(1 - told[term] for term in sorted(told))
    astray = tuple(sorted(term for term, share in told.items() if share < _TOLD))
    return KeyFacts(min(most, max(_LEAST, 1 - _COST * short * lost)), astray)
