"""Which other documents may stand beside an item's own, and in which order they are tried.

``make_selector`` makes the selector that the options ask for.
"""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

from synthesis.assembly.documents import Documents, Index, number
from synthesis.assembly.lexical import Lexical
from synthesis.assembly.options import Options


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

    def __init__(
        self,
        members: Sequence[int],
        keys: Sequence[int],
        seed: int,
        max_reuse: int | None,
        places: array[int] | None = None,
    ) -> None:
        """Place ``members`` (item positions) by their content ``keys`` and the seed.

        Rings that have no member in common may note the ``places``, an entry per item, in one array.
        """
        ranked = sorted(members, key=lambda item: number("ring", seed, keys[item]))
        self._circle = array("L", ranked)
        self._place = array("L", [0]) * len(keys) if places is None else places
        for place, item in enumerate(ranked):
            self._place[item] = place
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
        places = array("L", [0]) * index.items
        self._rings = {
            group: Ring(pool, index.keys, seed, max_reuse, places) for group, pool in members.items()
        }

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


# What an item is offered beyond its room when documents are dealt out under a cap: some will
# turn out to give the answer away or to repeat one another.
_MARGIN: Final = 1.2
_SPARE_DOCUMENTS: Final = 3


def make_selector(options: Options, documents: Documents, rooms: Sequence[int]) -> Selector:
    """The selector that options ask for. ``rooms`` are the tokens each item has for other documents."""
    index, parts = documents.index, options.choice.parts
    shared = frozenset() if options.samples.repeat_questions else shared_questions(index)
    # Rings keep a cap by themselves, unless there are two.
    even = len(parts) == 1 and parts[0][0] in ("random", "none", *(() if shared else ("same-task",)))
    cap = options.max_reuse if even else None
    made = [(_plain(name, documents, options.seed, cap, shared), share) for name, share in parts]
    selector = made[0][0] if len(made) == 1 else Mixed(index, made)
    if options.max_reuse is None or even:
        return selector
    return Capped(index, selector, _needed(index, rooms), options.seed, options.max_reuse)


def _plain(
    name: str, documents: Documents, seed: int, max_reuse: int | None, shared: frozenset[int]
) -> Selector:
    index = documents.index
    if name == "corpus":
        return Outside(index, seed)
    if name == "none":
        return Nobody()
    splits = index.splits[: index.items]
    further: Selector = Nobody()
    if name == "lexical":
        selector: Selector = Lexical(documents, seed)
    elif name == "same-task":
        selector = Pools(index, list(zip(index.pools, splits, strict=False)), seed, max_reuse)
        further = Pools(index, splits, seed, None) if shared else further
    else:
        selector = Pools(index, splits, seed, max_reuse)
    return Distinct(index, shared, selector, further) if shared else selector


def _needed(index: Index, rooms: Sequence[int]) -> array[int]:
    typical = sum(index.tokens) // max(1, len(index))
    return array("q", (int(room * _MARGIN) + _SPARE_DOCUMENTS * typical if room > 0 else 0 for room in rooms))
