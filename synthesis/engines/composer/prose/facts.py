"""The stream of facts to be told: what is planned in its places, and others of the same kind between.

Knows when the next fact is due, counted in words of the text so far. It does not know
how a fact is introduced, and never changes one.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from synthesis.engines.composer.stating.statements import Statement

#: Words from one fact to the next, by mode: at least and at most. ``None``: no distractors.
PACE: dict[str, tuple[int, int] | None] = {"woven": (60, 120), "related": (6, 12), "needle": None}

#: How many distractors come together, by mode; each number is equally likely.
GROUPS: dict[str, tuple[int, ...]] = {"woven": (1, 1, 2, 2, 3), "related": (4, 5, 6, 7), "needle": (0,)}


#: Texts of so many words, at least and at most, in which facts come before the story, and the share of the
#: words that they may take there. Up to ``LONG`` words facts still come closer together than in a book.
SHORT, SHORT_FACTS, LONG = (125, 450), 0.64, 2000

#: The same share where there are near misses among them.
NEAR_FACTS = 0.74

#: The same as ``PACE`` and ``GROUPS`` in a ``woven`` text just longer than that, and decoys beside evidence.
CLOSE_PACE, CLOSE_GROUPS, BESIDE = (4, 12), (4, 4, 5, 6), (2, 2, 3)

#: The same as ``PACE`` where the others are near misses, mostly.
NEAR_PACE = (26, 54)

#: Of needed facts more than this, each would have too few words around it in a short text.
MOST_NEEDED = 5

#: A year, as far as one can be told from other numbers.
_YEAR = re.compile(r"(?<![\d,.$£€-])(?:1[5-9]\d\d|20[0-3]\d)(?![\d,.]?\d)")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to be told word for word.

    ``what`` is empty for a distractor; ``needed`` if it must be told, as evidence and what evidence puts
    right must.
    """

    text: str
    what: str
    words: int
    alone: bool = False
    needed: bool = False

    @property
    def own_paragraph(self) -> bool:
        """Whether it is to stand alone, or too long, or too oddly shaped, to stand among other sentences."""
        return self.alone or self.words > 60 or len(self.text) > 600 or "\n" in self.text


class Planned(NamedTuple):
    """A statement, and the share of the text after which it is to be told."""

    place: float
    statement: Statement


def spread(statements: Sequence[Statement], rng: random.Random) -> list[Planned]:
    """Statements in their order, one in each part of the text."""
    share = 0.9 / max(1, len(statements))
    return [Planned(share * (at + 0.1 + 0.8 * rng.random()), one) for at, one in enumerate(statements)]


def latest(text: str) -> int:
    """The latest year that a text speaks of, or 0."""
    return max(map(int, _YEAR.findall(text[:4000])), default=0)


class Feed:
    """Facts when they are due. ``pending`` is the number of words of planned facts still untold."""

    def __init__(
        self,
        rng: random.Random,
        planned: Sequence[Planned],
        others: Iterator[str],
        words: int,
        mode: str,
        apart: bool = False,
        near: bool = False,
    ) -> None:
        """``words`` is the length of the whole text.

        ``planned`` are the evidence, and what else must be told, in the order of their places; with
        ``apart`` no two pieces of evidence share a paragraph. ``near`` if there are near misses among the
        ``others``, so that they come closer together.
        """
        #: The length of the whole text.
        self.words = words
        self._rng = rng
        self._others = others
        self._pace = NEAR_PACE if near else PACE[mode]
        self._groups = GROUPS[mode]
        self._near = near
        self._woven = mode == "woven"
        #: How much closer than in a book the facts come, 0 to 1.
        self._closer = min(1.0, max(0.0, (LONG - words) / (LONG - SHORT[1]))) if self._woven else 0.0
        #: The latest year that what is not planned may speak of: that of the story.
        self.until = 9999
        self._apart = apart
        self._evident = False
        #: Whether facts, not the narrative, are to fill most of the text.
        self.dense = mode == "related" or self._closer > 0.5
        self._told: set[str] = set()
        self._planned: deque[tuple[float, Fact]] = deque()
        for place, statement in planned:
            needed = bool(statement.what) or any(triple.revised for triple in statement.says)
            fact = Fact(statement.text, statement.what, len(statement.text.split()), needed=needed)
            self._planned.append((words * place, fact))
        self.pending = sum(fact.words for _, fact in self._planned)
        #: The latest year that the planned facts speak of, or 0: nobody can be told of it before.
        self.latest = max((latest(fact.text) for _, fact in self._planned), default=0)
        self._next = self._gap(1)

    @property
    def untold(self) -> int:
        """How many pieces of evidence are still untold."""
        return sum(1 for _, fact in self._planned if fact.what)

    @property
    def owed(self) -> int:
        """The words of what must be told still."""
        return sum(fact.words for _, fact in self._planned if fact.needed)

    def begin(self) -> None:
        """A new paragraph begins."""
        self._evident = False

    def _gap(self, facts: int) -> float:
        if self._pace is None:
            return float("inf")
        low, high = (
            far + (near - far) * self._closer for far, near in zip(self._pace, CLOSE_PACE, strict=True)
        )
        return facts * (low + (high - low) * self._rng.random())

    def due(self, at: int, room: int) -> list[Fact]:
        """The facts to tell now that ``at`` words are written, in order; often none.

        Distractors take at most ``room`` words; evidence that is due comes regardless.
        Evidence is told in company as often as other facts are.
        """
        ready = bool(self._planned) and at >= self._planned[0][0]
        if ready and self._planned[0][1].what:
            ready = not (self._apart and self._evident)
            self._evident = True
        if not ready and at < self._next:
            return []
        wanted = self._draw(CLOSE_GROUPS if self._rng.random() < self._closer else self._groups)
        if ready:
            # It takes the place of one of the group.
            room -= self._planned[0][1].words
            wanted = max(0, wanted - 1)
            if self._woven and self._planned[0][1].what:
                wanted = max(wanted, self._draw(BESIDE))
        group = self._distractors(wanted, room)
        self._next = at + self._gap(len(group) + ready)
        if ready:
            group.insert(int(self._rng.random() * (len(group) + 1)), self._take())
        return group

    def groups(self) -> list[list[Fact]]:
        """All that a short text tells, a paragraph each: what is needed in order, among others of its kind.

        Empty where the text is none in which facts come first, or has no room for more than is needed.
        """
        needed = [(place, fact) for place, fact in self._planned if fact.needed]
        left = int((NEAR_FACTS if self._near else SHORT_FACTS) * self.words) - self.owed
        if not self._woven or not SHORT[0] <= self.words <= SHORT[1] or len(needed) > MOST_NEEDED:
            return []
        if not needed or left < 10 * len(needed) or any(fact.own_paragraph for _, fact in needed):
            return []
        leads = [fact for _, fact in self._planned if not fact.needed]
        beside: list[Fact] = []
        for fact in leads:
            if fact.words <= left:
                beside.append(fact)
                left -= fact.words
        beside += self._distractors(left // 8, left)
        count = max(len(needed), round((len(needed) + len(beside)) / 4.5))
        groups: list[list[Fact]] = [[] for _ in range(count)]
        self._rng.shuffle(beside)
        at = -1
        theirs = []
        for index, (place, _) in enumerate(needed):
            at = min(max(at + 1, int(count * place / self.words)), count - len(needed) + index)
            theirs.append(at)
        # Evidence has company first; then all paragraphs alike.
        turns = theirs + theirs + [other for other in range(count) if other not in theirs] * 2
        for turn, fact in enumerate(beside):
            groups[turns[turn] if turn < len(turns) else turn % count].append(fact)
        for at, (_, fact) in zip(theirs, needed, strict=True):
            groups[at].insert(int(self._rng.random() * (len(groups[at]) + 1)), fact)
        self._planned.clear()
        self.pending = 0
        return [group for group in groups if group]

    def _draw(self, numbers: tuple[int, ...]) -> int:
        return numbers[int(self._rng.random() * len(numbers))]

    def rest(self) -> list[Fact]:
        """All that must be told still; there is no room for anything else that was planned."""
        facts = [self._take() for _ in range(len(self._planned))]
        found = [fact for fact in facts if fact.needed]
        return [replace(fact, alone=True) for fact in found] if self._apart and len(found) > 1 else found

    def _take(self) -> Fact:
        _, fact = self._planned.popleft()
        self.pending -= fact.words
        return fact

    def _distractors(self, wanted: int, room: int) -> list[Fact]:
        group: list[Fact] = []
        for _ in range(6 * wanted):
            if len(group) == wanted:
                break
            text = next(self._others, "")
            count = len(text.split())
            if text and count <= room and text not in self._told and latest(text) <= self.until:
                self._told.add(text)
                room -= count
                group.append(Fact(text, "", count))
        return group
