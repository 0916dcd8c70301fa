"""Which other documents may stand beside an item's own, and in which order they are tried.

A selector knows pools and chance, and nothing of texts, leaks or budgets: it only proposes.
Every choice depends on the set of documents and the seed alone, so samples can be assembled in
any order and by any number of workers.
"""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from itertools import islice
from typing import Protocol

from synthesis.assembly.index import Index, number


class Selector(Protocol):
    """Proposes distractors."""

    def candidates(self, item: int) -> Iterator[int]:
        """Positions of other documents, the best first, each at most once, never ``item``."""
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

    def __init__(self, index: Index, groups: Sequence[object], seed: int, max_reuse: int | None) -> None:
        """One ring for each distinct label in ``groups`` (one entry per item)."""
        members: dict[object, array[int]] = {}
        for item, group in enumerate(groups):
            if index.tokens[item]:
                members.setdefault(group, array("L")).append(item)
        self._groups = groups
        self._rings = {group: Ring(pool, index.keys, seed, max_reuse) for group, pool in members.items()}

    def candidates(self, item: int) -> Iterator[int]:
        """The ring's candidates."""
        return self._rings[self._groups[item]].candidates(item)


class Outside:
    """Candidates from the user's corpus: each item starts elsewhere on one seeded circle."""

    def __init__(self, index: Index, seed: int) -> None:
        """One circle per split."""
        self._index = index
        self._circles: dict[int, array[int]] = {}
        ranked = sorted(
            (document for document in range(index.items, len(index)) if index.tokens[document]),
            key=lambda document: number("corpus", seed, index.keys[document]),
        )
        for document in ranked:
            self._circles.setdefault(index.splits[document], array("L")).append(document)
        self._distances = {}
        for split, circle in self._circles.items():
            self._distances[split] = array("L", range(len(circle)))
            random.Random(f"corpus distances {seed} {len(circle)}").shuffle(self._distances[split])
        # Items, too, are spread evenly over the circle, in seeded order.
        order = sorted(range(index.items), key=lambda item: number("around", seed, index.keys[item]))
        self._rank = {item: rank for rank, item in enumerate(order)}

    def candidates(self, item: int) -> Iterator[int]:
        """The documents at each distance ahead of the item's place."""
        split = self._index.splits[item]
        circle = self._circles.get(split, ())
        for distance in self._distances.get(split, ()):
            yield circle[(self._rank[item] * len(circle) // len(self._rank) + distance) % len(circle)]


class Nobody:
    """No distractors: the item's own context stands alone."""

    def candidates(self, item: int) -> Iterator[int]:
        """Nothing."""
        return iter(())


class Distinct:
    """Another selector's candidates, less those whose pair asks the very same as the item's.

    Beside its own like, "What is a summary of the report?" would ask nobody knows which. An item
    that shares its question is then offered ``further`` candidates, or it might find too few.
    """

    def __init__(self, index: Index, shared: Container[int], inner: Selector, further: Selector) -> None:
        """``shared`` are the questions that several items have; ``inner`` comes first."""
        self._questions, self._streams = index.questions, (inner, further)
        self._shared = shared

    def candidates(self, item: int) -> Iterator[int]:
        """Those of the inner selector as they are where the item's question is nobody else's."""
        question = self._questions[item]
        if question not in self._shared:
            yield from self._streams[0].candidates(item)
            return
        seen: set[int] = set()
        for stream in self._streams:
            for other in stream.candidates(item):
                if other not in seen and self._questions[other] != question:
                    seen.add(other)
                    yield other


def shared_questions(index: Index) -> frozenset[int]:
    """The instructions that several pairs have."""
    counts = Counter(index.questions[: index.items])
    return frozenset(question for question, items in counts.items() if items > 1)


class Mixed:
    """Several selectors, each giving its share of the proposed tokens."""

    def __init__(self, index: Index, parts: Sequence[tuple[Selector, float]]) -> None:
        """Each selector with its share."""
        self._index = index
        self._parts = parts

    def candidates(self, item: int) -> Iterator[int]:
        """Next the selector whose given tokens lie furthest below its share; spent ones are passed over."""
        streams = [selector.candidates(item) for selector, _ in self._parts]
        given = [0.0] * len(streams)
        open_ones = list(range(len(streams)))
        seen: set[int] = set()
        while open_ones:
            best = min(open_ones, key=lambda stream: (given[stream] / self._parts[stream][1], stream))
            document = next((other for other in streams[best] if other not in seen), None)
            if document is None:
                open_ones.remove(best)
                continue
            seen.add(document)
            given[best] += self._index.tokens[document]
            yield document


class Capped:
    """Another selector's candidates, no document proposed to more than ``max_reuse`` items.

    Items choose one after the other in seeded order; each takes what it needs from what is left.
    """

    def __init__(
        self, index: Index, inner: Selector, needed: Sequence[int], seed: int, max_reuse: int
    ) -> None:
        """``needed`` tells how many tokens of documents each item must be offered."""
        self._chosen: list[array[int]] = [array("L")] * index.items
        left = array("L", [max_reuse]) * len(index)
        for item in sorted(range(index.items), key=lambda each: number("capped", seed, index.keys[each])):
            want = needed[item]
            chosen = array("L")
            for other in inner.candidates(item) if want > 0 else ():
                if left[other] and not index.kin(item, other):
                    chosen.append(other)
                    left[other] -= 1
                    want -= index.tokens[other]
                if want <= 0:
                    break
            self._chosen[item] = chosen

    def candidates(self, item: int) -> Iterator[int]:
        """What the item has chosen."""
        return iter(self._chosen[item])
