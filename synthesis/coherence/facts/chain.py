"""Whether what is asked of an answer stands beside it, and what the question starts from leads there.

Knows nothing of answers: any place in a sentence can be looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.focus import read_focus
from synthesis.coherence.facts.kinds import closer_kind
from synthesis.coherence.facts.relations import related

_TURNED = 0.7  # a word of the same relation, for the one that is asked
_LED, _SAME_PASSAGE = 0.9, 0.8  # what leads there from another passage, or stands in the same one
_KIND_NEAR = 6  # terms
_FADE = 4


# Of one place, each 0..1: held, near, told, kind, start, led, chain; see ``Chain.beside``.
Beside = tuple[float, float, float, float, float, float, float]
NOTHING: Beside = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

# A place among a sentence's terms, what its term tells of with what that is worth, and the term if it names
# the kind that is asked.
_Mark = tuple[int, tuple[tuple[str, float], ...], str]


class Chain:
    """The sentences of a field, by what a question asks of its answer and what it starts from.

    ``closer`` is the kind of thing that it asks for, as far as an answer's form tells it.
    """

    def __init__(self, field: Field, question: str) -> None:
        passages = field.passages
        self.field = field
        self.closer = closer_kind(question)
        self._focus = focus = read_focus(question)
        self._sentences = passages.sentences
        tells: dict[str, tuple[tuple[str, float], ...]] = {}
        self._marks: list[list[_Mark]] = []
        self._whole = math.fsum(focus.near.values()) or 1.0
        self._most = max(focus.near.values(), default=1.0)
        whole = math.fsum(focus.start.values()) or 1.0
        self.held: list[float] = []
        self.start: list[float] = []
        titles = [set(title.split()) & focus.start.keys() for title in passages.titles]
        best = [0.0] * len(titles)
        self._passage = best
        for sentence, found in zip(passages.sentences, field.found, strict=True):
            here = titles[sentence.passage]
            marks: list[_Mark] = []
            self._marks.append(marks)
            if not found and not here:
                self.held.append(0.0)
                self.start.append(0.0)
                continue
            told: dict[str, float] = {}
            here = set(here)
            for place, term in found:
                if term in focus.start:
                    here.add(term)
                if term not in tells:
                    tells[term] = tuple(_told_by(term, focus.near))
                for asked, value in tells[term]:
                    told[asked] = max(told.get(asked, 0.0), value)
                if tells[term] or term in focus.kind:
                    marks.append((place, tells[term], term if term in focus.kind else ""))
            self.held.append(math.fsum(told.values()) / self._whole)
            share = math.fsum(focus.start[term] for term in here) / whole
            self.start.append(share)
            best[sentence.passage] = max(best[sentence.passage], share)
        self.led = [0.0] * len(titles)
        named = [(number, title) for number, title in enumerate(passages.titles) if len(title) > 2]
        for sentence, share in zip(passages.sentences, self.start, strict=True):
            if share:
                for number, title in named:
                    if share > self.led[number] and number != sentence.passage and title in sentence.words:
                        self.led[number] = share
        self._openings: dict[str, int] = {}
        for number in range(len(passages.sentences) - 1, -1, -1):
            self._openings[passages.titles[passages.sentences[number].passage]] = number

    def of_kind(self, words: str) -> tuple[float, float]:
        """Of the words of the kind asked: the share that a name (terms, blanks around) and its passage have.

        Its passage is one that it is the title of; the first sentence says what it is.
        """
        kind = self._focus.kind
        if not kind:
            return 0.0, 0.0
        opening = self._openings.get(words)
        told = {kind for _, _, kind in self._marks[opening] if kind} if opening is not None else ()
        return len(kind.intersection(words.split())) / len(kind), len(told) / len(kind)

    def beside(self, number: int, start: int, end: int) -> Beside:
        """What stands beside the terms ``start`` to ``end`` of a sentence.

        ``held``: the share of what is asked of the answer that the sentence holds; ``near``: the same, less
        for what stands further; ``told``: the nearness of the strongest word; ``kind``: the words of the
        kind that stand near; ``start`` and ``led``: what the question starts from, in the sentence or its
        title, and in a sentence that names the title; ``chain``: near, as far as the start leads there.
        """
        passage, marks = self._sentences[number].passage, self._marks[number]
        led, begun = self.led[passage], self.start[number]
        if not marks:
            return 0.0, 0.0, 0.0, 0.0, begun, led, 0.0
        near: dict[str, float] = {}
        kinds = set()
        for place, told, kind in marks:
            if start <= place < end:
                continue
            away = start - place if place < start else place - end + 1
            for asked, value in told:
                value /= 1 + (away - 1) / _FADE
                if value > near.get(asked, 0.0):
                    near[asked] = value
            if kind and away <= _KIND_NEAR:
                kinds.add(kind)
        of_kind = len(kinds) / len(self._focus.kind) if kinds else 0.0
        if not near:
            return self.held[number], 0.0, 0.0, of_kind, begun, led, 0.0
        close = math.fsum(near.values()) / self._whole
        reached = max(begun, _LED * led, _SAME_PASSAGE * self._passage[passage])
        return self.held[number], close, max(near.values()) / self._most, of_kind, begun, led, close * reached


def _told_by(term: str, near: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Which of the asked terms a term is, or tells of by the same relation, and what it is worth then."""
    turned = related((term,))
    for asked, value in near.items():
        if asked == term:
            yield asked, value
        elif asked in turned:
            yield asked, _TURNED * value
