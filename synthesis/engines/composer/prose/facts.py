"""The stream of facts to be told: the evidence in its order, and others of the same kind between.

Knows when the next fact is due, counted in words of the text so far. It does not know
how a fact is introduced, and never changes one.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from synthesis.engines.composer.stating.statements import Statement

#: Words from one fact to the next, by mode: at least and at most. ``None``: no distractors.
PACE: dict[str, tuple[int, int] | None] = {"woven": (60, 120), "related": (6, 12), "needle": None}

#: How many distractors come together, by mode; each number is equally likely.
GROUPS: dict[str, tuple[int, ...]] = {"woven": (1, 1, 2, 2, 3), "related": (4, 5, 6, 7), "needle": (0,)}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to be told word for word. ``what`` is empty for a distractor."""

    text: str
    what: str
    words: int

    @property
    def own_paragraph(self) -> bool:
        """Whether it is too long, or too oddly shaped, to stand among other sentences."""
        return self.words > 60 or len(self.text) > 600 or "\n" in self.text


class Feed:
    """Facts when they are due. ``pending`` is the number of words of evidence still untold."""

    @property
    def untold(self) -> int:
        """How many statements of evidence are still untold."""
        return len(self._evidence)

    def __init__(
        self,
        rng: random.Random,
        statements: list[Statement],
        others: Iterator[str],
        words: int,
        mode: str,
    ) -> None:
        """``words`` is the length of the whole text; the evidence is spread over it."""
        self._rng = rng
        self._others = others
        self._pace = PACE[mode]
        self._groups = GROUPS[mode]
        #: Whether facts, not the narrative, are to fill most of the text.
        self.dense = mode == "related"
        self._told: set[str] = set()
        self._evidence: deque[tuple[float, Fact]] = deque()
        share = 0.9 * words / max(1, len(statements))
        for index, statement in enumerate(statements):
            fact = Fact(statement.text, statement.what, len(statement.text.split()))
            self._evidence.append((share * (index + 0.1 + 0.8 * rng.random()), fact))
        self.pending = sum(fact.words for _, fact in self._evidence)
        self._next = self._gap(1)

    def _gap(self, facts: int) -> float:
        if self._pace is None:
            return float("inf")
        low, high = self._pace
        return facts * (low + (high - low) * self._rng.random())

    def due(self, at: int, room: int) -> list[Fact]:
        """The facts to tell now that ``at`` words are written, in order; often none.

        Distractors take at most ``room`` words; evidence that is due comes regardless.
        Evidence is told in company as often as other facts are.
        """
        ready = bool(self._evidence) and at >= self._evidence[0][0]
        if not ready and at < self._next:
            return []
        wanted = self._groups[int(self._rng.random() * len(self._groups))]
        if ready:
            # It takes the place of one of the group.
            room -= self._evidence[0][1].words
            wanted = max(0, wanted - 1)
        group = self._distractors(wanted, room)
        self._next = at + self._gap(len(group) + ready)
        if ready:
            group.insert(int(self._rng.random() * (len(group) + 1)), self._take())
        return group

    def rest(self) -> list[Fact]:
        """All evidence not yet told."""
        return [self._take() for _ in range(len(self._evidence))]

    def _take(self) -> Fact:
        _, fact = self._evidence.popleft()
        self.pending -= fact.words
        return fact

    def _distractors(self, wanted: int, room: int) -> list[Fact]:
        group: list[Fact] = []
        for _ in range(3 * wanted):
            if len(group) == wanted:
                break
            text = next(self._others, "")
            count = len(text.split())
            if text and count <= room and text not in self._told:
                self._told.add(text)
                room -= count
                group.append(Fact(text, "", count))
        return group
