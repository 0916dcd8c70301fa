"""Several contexts of one pair as rows of their own: which belong together, and which is better."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeAlias

from synthesis.data import Coherence, Context, Pair
from synthesis.run.candidates import Mark
from synthesis.run.journal import Journal

Rows: TypeAlias = Sequence[tuple[Pair, Context]]


class Groups:
    """The ranks of rows among those of the same pair, 1 for the best; 1 for all where none are kept.

    Args:
        rows: the contexts that stay, with their pairs.
        journal: which knows how good each was found when it was written.
        coherence: the score of the row at a place, for those that it does not know of.
        kept: whether there may be several for a pair that belong together.
    """

    def __init__(
        self, rows: Rows, journal: Journal, coherence: Callable[[int], Coherence], kept: bool
    ) -> None:
        self._rows, self._journal, self._coherence, self.kept = rows, journal, coherence, kept

    @cached_property
    def _ranks(self) -> array[int]:
        places: dict[str, list[int]] = {}
        for place, (pair, _) in enumerate(self._rows):
            places.setdefault(pair.id, []).append(place)
        ranks = array("L", [1]) * len(self._rows)
        for group in places.values():
            if len(group) > 1:
                for rank, place in enumerate(sorted(group, key=self._worse), 1):
                    ranks[place] = rank
        return ranks

    def _worse(self, place: int) -> tuple[int, float, int]:
        context = self._rows[place][1]
        mark = None
        if context.fingerprint in self._journal.contexts:
            mark = self._journal.find_context(context.fingerprint)[2]
        faults, score = (mark or Mark(0, self._coherence(place).overall)).rank
        return -faults, -score, place  # of equals the first

    def rank(self, place: int) -> int:
        """The rank of the row at a place."""
        return self._ranks[place] if self.kept else 1

    def best(self) -> Sequence[int]:
        """The places of the best of each group, in order."""
        return array("L", (place for place, rank in enumerate(self._ranks) if rank == 1))
