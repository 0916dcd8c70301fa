"""The three texts, read once: what is asked and must be stated, and where a context holds its terms.

Places are counted in terms. Windows are 80 terms wide and start every 40, so that a
passage is never cut by all of them; ``HALF`` is that step.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from synthesis.coherence.background import names_in, weights
from synthesis.text.answers import Answer, read_answer
from synthesis.text.words import terms

HALF = 40
_NAME_BONUS = 1.5
_SUMMARY = re.compile(
    r"\b(?:summar|sum(?:s|ming)? (?:\w{1,20} ){0,3}up\b|tl;?dr\b|zusammenfass|fass\w{0,2} .{1,60}\bzusammen\b"
    r"|résum|resum[eioí]|riassum|samenvat|podsumuj)|кратк|概括|总结|總結|摘要|要約|요약",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Question:
    """``asked`` and ``stated`` give each term of the instruction and of the answer its weight.

    Function words have no weight unless there is nothing else. ``names`` are the answer's
    names and figures (used for summaries).
    """

    instruction: tuple[str, ...]
    answer: Answer
    asked: dict[str, float]
    stated: dict[str, float]
    names: frozenset[str]


def read_question(instruction: str, answer: str) -> Question:
    """Any two texts are accepted, empty ones too."""
    taken = read_answer(answer, _SUMMARY.search(instruction) is not None)
    sequence = tuple(terms(instruction))
    proper = names_in(instruction)
    asked = {t: w * (_NAME_BONUS if t in proper else 1.0) for t, w in weights(sequence).items()}
    stated = weights(taken.terms)
    names = names_in(answer) & stated.keys() if taken.kind == "summary" else frozenset()
    return Question(sequence, taken, asked, stated, names)


def wanted_terms(question: Question) -> set[str]:
    """The terms whose places in a context a question needs."""
    wanted = question.asked.keys() | question.stated.keys()
    if question.answer.kind != "summary":  # phrases are matched with their small words
        wanted |= set(question.answer.terms)
    return wanted


class View:
    """The terms of a context, and the places and windows of those that a question cares about.

    ``spoken`` are the places with those where other terms stand for one that the context lacks; so are
    ``windows``. ``worth`` is what each of those counts for, of 1.
    """

    __slots__ = ("places", "size", "spoken", "terms", "window_count", "windows", "worth")

    def __init__(
        self,
        text: str,
        wanted: Collection[str],
        sequence: list[str] | None = None,
        others: Mapping[str, tuple[Sequence[str], float]] = MappingProxyType({}),
    ) -> None:
        """``sequence``: the terms of the text, where they are known.

        ``others``: for terms that the context lacks those that stand for them, and what these count for.
        """
        self.terms = terms(text) if sequence is None else sequence
        self.size = len(self.terms)
        self.window_count = self.size // HALF + 2 if self.size else 0
        told = {other for held, _ in others.values() for other in held}
        sought = told.union(wanted) if told else wanted
        places: dict[str, list[int]] = {}
        for place in [i for i, term in enumerate(self.terms) if term in sought]:
            places.setdefault(self.terms[place], []).append(place)
        standing = {
            term: sorted(place for other in held for place in places[other])
            for term, (held, _) in others.items()
        }
        self.places = {term: places[term] for term in places if term in wanted} if told else places
        self.spoken = self.places | standing
        self.worth = {term: worth for term, (_, worth) in others.items()}
        # Window ``w`` covers the halves ``w - 1`` and ``w``.
        self.windows = {term: _windows_at(found) for term, found in self.spoken.items()}

    def occurrences(self, phrase: Sequence[str]) -> list[int]:
        """Where a sequence of terms starts; its terms must be among the wanted ones."""
        length, wanted = len(phrase), list(phrase)
        rarest = min(range(length), key=lambda i: len(self.places.get(phrase[i], ())))
        starts = (place - rarest for place in self.places.get(phrase[rarest], ()))
        return [s for s in starts if s >= 0 and self.terms[s : s + length] == wanted]

    def sums(self, weights: Mapping[str, float]) -> list[float]:
        """Per window: the summed weight of the terms it holds."""
        totals = [0.0] * self.window_count
        windows, worth = self.windows, self.worth
        for term, value in weights.items():
            if term in windows:
                value *= worth.get(term, 1.0)
                for w in windows[term]:
                    totals[w] += value
        return totals

    def best(self, weights: Mapping[str, float]) -> float:
        """Largest share of ``weights`` that one window holds, 0..1."""
        total = sum(weights.values())
        return min(1.0, max(self.sums(weights), default=0.0) / total) if total else 0.0

    def best_two(self, weights: Mapping[str, float], through: Iterable[int] | None = None) -> float:
        """Largest share of ``weights`` that two windows hold together, 0..1.

        With ``through``, one of the two must be among those windows.
        """
        total, sums = sum(weights.values()), self.sums(weights)
        if not sums or not total:
            return 0.0
        firsts = range(len(sums)) if through is None else through
        best = 0.0
        # The two strongest first windows are enough; more changes nothing measurable.
        for first in sorted(firsts, key=lambda w: (-sums[w], w))[:2]:
            rest = {t: v for t, v in weights.items() if first not in self.windows.get(t, ())}
            best = max(best, sums[first] + max(self.sums(rest)))
        return min(1.0, best / total)


def _windows_at(places: list[int]) -> Collection[int]:
    if len(places) == 1:  # most terms; spares them two sets
        return (places[0] // HALF, places[0] // HALF + 1)
    halves = {place // HALF for place in places}
    return halves | {half + 1 for half in halves}
