"""Which other contexts may stand beside an item's own, and in which order they are tried.

A selector knows pools and chance, and nothing of texts, leaks or budgets: it only proposes.
Every choice depends on the set of items and the seed alone, so samples can be assembled in any
order and by any number of workers.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

from synthesis.assembly.index import Index, number
from synthesis.errors import UsageError


class Selector(Protocol):
    """Proposes distractors."""

    def candidates(self, item: int) -> Iterator[int]:
        """Positions of other items, the best first, each at most once, never ``item``."""
        ...


class Ring:
    """Even reuse without bookkeeping.

    The pool's members stand on a circle in seeded order, and all share one seeded list of
    distances: the k-th candidate of a member is the one at the k-th distance ahead of it. Each
    distance maps the circle onto itself, so if every member takes its first k candidates, every
    member is used exactly k times. ``max_reuse`` therefore bounds the use of any one
    context by ending the list there.
    """

    def __init__(self, members: Sequence[int], keys: Sequence[int], seed: int, max_reuse: int | None) -> None:
        """Place ``members`` (item positions) by their content ``keys`` and the seed."""
        ranked = sorted(members, key=lambda item: number("ring", seed, keys[item]))
        self._circle = array("L", ranked)
        self._place = {item: place for place, item in enumerate(ranked)}
        self._distances = array("L", range(1, len(ranked)))
        random.Random(f"distances {seed} {len(ranked)}").shuffle(self._distances)
        self._limit = max_reuse

    def candidates(self, item: int) -> Iterator[int]:
        """The members at each distance ahead of ``item``."""
        place, size = self._place[item], len(self._circle)
        for distance in islice(self._distances, self._limit):
            yield self._circle[(place + distance) % size]


class Pools:
    """Candidates from the pool of the item's own group."""

    def __init__(self, index: Index, groups: Sequence[int], seed: int, max_reuse: int | None) -> None:
        """One ring for each distinct number in ``groups`` (one entry per item)."""
        members: dict[int, array[int]] = {}
        for item, group in enumerate(groups):
            if index.tokens[item]:
                members.setdefault(group, array("L")).append(item)
        self._groups = groups
        self._rings = {group: Ring(pool, index.keys, seed, max_reuse) for group, pool in members.items()}

    def candidates(self, item: int) -> Iterator[int]:
        """The ring's candidates."""
        return self._rings[self._groups[item]].candidates(item)


class Nobody:
    """No distractors: the item's own context stands alone."""

    def candidates(self, item: int) -> Iterator[int]:
        """Nothing."""
        return iter(())


def _same_task(index: Index, seed: int, max_reuse: int | None) -> Selector:
    return Pools(index, index.pools, seed, max_reuse)


def _random(index: Index, seed: int, max_reuse: int | None) -> Selector:
    return Pools(index, array("B", bytes(len(index))), seed, max_reuse)


def _none(index: Index, seed: int, max_reuse: int | None) -> Selector:
    return Nobody()


SELECTORS: Final[dict[str, Callable[[Index, int, int | None], Selector]]] = {
    "same-task": _same_task,
    "random": _random,
    "none": _none,
}
"""Every way to choose distractors, by the name users write."""


def check_distractors(name: str, max_reuse: int | None) -> None:
    """Refuse an unknown name or a useless cap before any work is done.

    Raises:
        UsageError: naming what would be accepted.
    """
    if name not in SELECTORS:
        raise UsageError(f"distractors {name!r} is unknown. Choose one of: {', '.join(SELECTORS)}.")
    if max_reuse is not None and (isinstance(max_reuse, bool) or max_reuse < 1):
        raise UsageError(
            f"max_reuse is {max_reuse!r}; it must be a whole number from 1, or None for no cap. "
            "For samples without other contexts use distractors='none'."
        )
