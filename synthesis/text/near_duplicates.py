"""Which texts nearly repeat another one.

A text's sketch is the smallest 128 hashes of its runs of three words (of seven characters or so where
a script writes no blanks); from two sketches the share of runs in common (Jaccard) follows to within
some 0.04 (bottom-k sampling; Broder, 1997, "On the resemblance and containment of documents"). Knows
nothing of what texts are for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from synthesis.text.ngrams import ngram_hashes, plain_words, run_hashes
from synthesis.text.words import is_solid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synthesis.text.ngrams import Hashes

NEAR: Final = 0.5
"""From this share of runs in common on, two documents of a sample count as near-duplicates.

Changing every tenth word of a text leaves 0.57, every fifth 0.34.
"""

_SIZE: Final = 128
_RUN: Final = 3
# Of a script without blanks a term is one character or two; so many of them are about as telling.
_SOLID_RUN: Final = 7
_LOOKED_AT: Final = 200

Sketch = frozenset[int]


def sketch(words: Sequence[str]) -> array[int]:
    """The sketch of a text given by its words: ascending 32-bit numbers, none for no words."""
    import numpy as np

    looked_at = words[:_LOOKED_AT]
    solid = 0 if "".join(looked_at).isascii() else sum(map(is_solid, looked_at))
    run = _SOLID_RUN if 2 * solid > len(looked_at) else _RUN
    hashes = np.sort((ngram_hashes(words, min(run, len(words))) >> np.uint64(32)).astype(np.uint32))
    first = np.ones(len(hashes), np.bool_)  # of equal ones; quicker than np.unique
    first[1:] = hashes[1:] != hashes[:-1]
    return array("I", hashes[first][:_SIZE].tobytes())


def share(one: Sketch, two: Sketch) -> float:
    """The share of runs that two texts have in common, 0..1, as their sketches tell it."""
    common = one & two
    if not common:
        return 0.0
    smallest = sorted(one | two)[: max(len(one), len(two))]
    return len(common.intersection(smallest)) / len(smallest)


class Seen:
    """The sketches of the documents chosen so far."""

    def __init__(self) -> None:
        self._sketches: list[Sketch] = []
        self._hashes: set[int] = set()
        self._smallest = _SIZE

    def add(self, new: Sketch) -> None:
        """One more document is chosen."""
        self._sketches.append(new)
        self._hashes |= new
        self._smallest = min(self._smallest, len(new))

    def near(self, new: Sketch) -> bool:
        """Whether a document is nearly the same as one of them."""
        # Most have too little in common even with all of them together.
        if len(new & self._hashes) < NEAR * min(len(new), self._smallest):
            return False
        return any(share(new, other) >= NEAR for other in self._sketches)


class NearDuplicate(NamedTuple):
    """The text that another nearly repeats (its number), and the share in common as estimated."""

    of: int
    share: float


# So many rows of neighbours are expected to stand in the sketches of both of two near texts.
_EXPECTED: Final = 15
_LONGEST_ROW: Final = 4


class Sketches:
    """The sketches of texts that were added one by one; each has the number of its turn.

    Only texts that share a row of neighbouring hashes in their sketches are ever compared. 512 bytes
    a text, and some 2 kB more while ``duplicates`` looks.
    """

    def __init__(self, threshold: float) -> None:
        """Texts with this share of runs in common, or more, are near-duplicates."""
        self.threshold = threshold
        self._values = array("I")
        self._ends = array("Q", [0])
        # The longer the rows, the fewer texts share one by chance; the shorter, the fewer are missed.
        lengths = range(_LONGEST_ROW, 1, -1)
        self._row = next((n for n in lengths if _SIZE * threshold**n >= _EXPECTED), 1)
        self._rows = ceil(_EXPECTED / threshold**self._row)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> Sketch:
        return frozenset(self._values[self._ends[number] : self._ends[number + 1]])

    def add(self, text: str) -> None:
        """Sketch one text."""
        self._values.extend(sketch(plain_words(text)))
        self._ends.append(len(self._values))

    def duplicates(self, preference: Sequence[int]) -> dict[int, NearDuplicate]:
        """The texts to drop, each with the one kept in its place.

        Args:
            preference: All numbers, the one to be kept most of all first. A text goes when it
                is near one that stays, so of a chain A ~ B ~ C with A first only B goes.
        """
        shared = self._shared_rows()
        kept: dict[int, list[int]] = {}
        dropped: dict[int, NearDuplicate] = {}
        for number in preference:
            others = dict.fromkeys(chain.from_iterable(kept.get(row, ()) for row in shared[number]))
            duplicate = self._nearest(number, others)
            if duplicate is not None:
                dropped[number] = duplicate
                continue
            for row in shared[number]:
                kept.setdefault(row, []).append(number)
        return dropped

    def _shared_rows(self) -> list[array[int]]:
        """For each text the rows of its sketch that another has as well, as numbers."""
        import numpy as np

        every = np.frombuffer(self._values, np.uint32)
        rows = [self._hashed(every[start:end]) for start, end in pairwise(self._ends)]
        if not rows:
            return []
        _, names, sizes = np.unique(np.concatenate(rows), return_inverse=True, return_counts=True)
        common = sizes[names] > 1
        ends = np.cumsum([len(part) for part in rows])
        return [
            array("q", names[end - len(part) : end][common[end - len(part) : end]].astype(np.int64).tobytes())
            for part, end in zip(rows, ends.tolist(), strict=True)
        ]

    def _hashed(self, values: NDArray[np.uint32]) -> Hashes:
        import numpy as np

        return run_hashes(values.astype(np.uint64), min(self._row, len(values)))[: self._rows]

    def _nearest(self, number: int, others: Iterable[int]) -> NearDuplicate | None:
        mine = self[number]
        best = max(
            (NearDuplicate(other, share(mine, self[other])) for other in others), key=_share, default=None
        )
        return best if best is not None and best.share >= self.threshold else None


def _share(duplicate: NearDuplicate) -> float:
    return duplicate.share
