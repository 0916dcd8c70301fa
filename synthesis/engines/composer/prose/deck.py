"""Drawing without putting back: every item once before any comes again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Deck(Generic[T]):
    """An endless, shuffled supply of ``items``; the shuffle happens as cards are drawn."""

    __slots__ = ("_items", "_left", "_random")

    def __init__(self, items: Sequence[T], rng: random.Random) -> None:
        """``items`` must not be empty by the time of the first draw."""
        self._items = items
        self._left: list[T] = []
        self._random = rng.random

    def __len__(self) -> int:
        return len(self._items)

    def draw(self) -> T:
        """The next item. Costs the same however many there are."""
        if not self._left:
            self._left = list(self._items)
        left = self._left
        at = int(self._random() * len(left))
        left[at], left[-1] = left[-1], left[at]
        return left.pop()
