"""Whether what is asked of an answer stands beside it, and what the question starts from leads there.

Knows nothing of answers: any place in a sentence can be looked at.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.focus import read_focus
from synthesis.coherence.facts.kinds import closer_kind
from synthesis.coherence.facts.relations import related

_TURNED = 0.7  # a word of the same relation, for the one that is asked
_LED, _SAME_PASSAGE = 0.9, 0.8  # what leads there from another passage, or stands in the same one
_KIND_NEAR = 6  # terms
_FADE = 4


class Beside(NamedTuple):
    """Of one place, each 0..1.

    ``held``: the share of what is asked of the answer that its sentence holds; ``near``: the same, less for
    what stands further; ``told``: the nearness of the strongest word of it; ``kind``: the words of the
    kind that stand near; ``start`` and ``led``: what the question starts from, in the sentence
    or its title, and in a sentence that names the title; ``chain``: near, as far as the start leads there.
    """

    held: float = 0.0
    near: float = 0.0
    told: float = 0.0
    kind: float = 0.0
    start: float = 0.0
    led: float = 0.0
    chain: float = 0.0


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
        self._found = field.found
        self._tells: dict[str, list[tuple[str, float]]] = {}
        for term, value in focus.near.items():
            for turned in related((term,)):
                self._tells.setdefault(turned, []).append((term, _TURNED * value))
            self._tells.setdefault(term, []).append((term, value))
        self._whole = math.fsum(focus.near.values()) or 1.0
        self._most = max(focus.near.values(), default=1.0)
        whole = math.fsum(focus.start.values()) or 1.0
        self.held: list[float] = []
        self.start: list[float] = []
        titles = [set(title.split()) & focus.start.keys() for title in passages.titles]
        best = [0.0] * len(titles)
        self._passage = best
        for sentence, found in zip(passages.sentences, self._found, strict=True):
            told: dict[str, float] = {}
            here = set(titles[sentence.passage])
            for _, term in found:
                if term in focus.start:
                    here.add(term)
                for asked, value in self._tells.get(term, ()):
                    told[asked] = max(told.get(asked, 0.0), value)
            self.held.append(math.fsum(told.values()) / self._whole)
            share = math.fsum(focus.start[term] for term in here) / whole
            self.start.append(share)
            best[sentence.passage] = max(best[sentence.passage], share)
        self._led = [0.0] * len(titles)
        named = [(number, title) for number, title in enumerate(passages.titles) if len(title) > 2]
        for sentence, share in zip(passages.sentences, self.start, strict=True):
            if share:
                for number, title in named:
                    if share > self._led[number] and number != sentence.passage and title in sentence.words:
                        self._led[number] = share
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
        told = {term for _, term in self._found[opening]} & kind if opening is not None else ()
        return len(kind.intersection(words.split())) / len(kind), len(told) / len(kind)

    def beside(self, number: int, start: int, end: int) -> Beside:
        """What stands beside the terms ``start`` to ``end`` of a sentence."""
        passage = self._sentences[number].passage
        near: dict[str, float] = {}
        kinds = set()
        for place, term in self._found[number]:
            if start <= place < end:
                continue
            away = start - place if place < start else place - end + 1
            for asked, value in self._tells.get(term, ()):
                value /= 1 + (away - 1) / _FADE
                if value > near.get(asked, 0.0):
                    near[asked] = value
            if away <= _KIND_NEAR and term in self._focus.kind:
                kinds.add(term)
        close = math.fsum(near.values()) / self._whole
        reached = max(self.start[number], _LED * self._led[passage], _SAME_PASSAGE * self._passage[passage])
        return Beside(
            self.held[number],
            close,
            max(near.values(), default=0.0) / self._most,
            len(kinds) / len(self._focus.kind) if kinds else 0.0,
            self.start[number],
            self._led[passage],
            close * reached,
        )
