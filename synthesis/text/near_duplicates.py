"""Which contexts nearly repeat another one: MinHash and its bands by datasketch.

The words' trigrams of each text are sketched by 128 permutations (Broder, 1997, "On the
resemblance and containment of documents"), 512 bytes a text; texts that agree in a band
(Indyk and Motwani, 1998) are compared by their sketches, whose share of equal values is within
some 0.04 of the share of trigrams in common. Which of two stays is the caller's order of
preference, never the order in which they came. Knows nothing of scores.

datasketch's own index keeps about 4 kB a text in Python objects; here the bands are numpy
columns, and only texts that share one are ever looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from synthesis.errors import MissingExtraError
from synthesis.text.ngrams import ngram_hashes, plain_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PERMUTATIONS = 128
_SHINGLE = 3
_SCHEME = "affine32"


class Twin(NamedTuple):
    """The text that another nearly repeats (its number), and the share in common as estimated."""

    of: int
    share: float


class Sketches:
    """The sketches of texts that were added one by one; each has the number of its turn."""

    def __init__(self, threshold: float) -> None:
        """Texts with this share of trigrams in common, or more, are near-duplicates.

        Raises:
            MissingExtraError: the extra ``filters`` is not installed.
        """
        try:
            from datasketch import MinHash, MinHashLSH
        except ImportError:
            raise MissingExtraError("datasketch", "filters", "the filter of near-duplicates") from None
        self.threshold = threshold
        self._empty: Any = MinHash(_PERMUTATIONS, scheme=_SCHEME, hashfunc=int)
        # Candidates are checked, so a miss costs more than one too many.
        bands = MinHashLSH(threshold, _PERMUTATIONS, weights=(0.2, 0.8))
        self._bands, self._rows = bands.b, bands.r
        self._values = array("I")

    def __len__(self) -> int:
        return len(self._values) // _PERMUTATIONS

    def add(self, text: str) -> None:
        """Sketch one text."""
        words = plain_words(text)
        shingles = ngram_hashes(words, min(_SHINGLE, len(words)))
        sketch = self._empty.copy()
        sketch.update_batch((shingles & 0xFFFF_FFFF).tolist())
        self._values.frombytes(sketch.hashvalues.tobytes())

    def twins(self, preference: Sequence[int]) -> dict[int, Twin]:
        """The texts to drop, each with the one kept in its place.

        Args:
            preference: All numbers, the one to be kept most of all first. A text goes when it
                is near one that stays, so of a chain A ~ B ~ C with A first only B goes.
        """
        values = self._matrix()
        buckets = self._shared_buckets(values)
        kept: list[dict[int, list[int]]] = [{} for _ in range(self._bands)]
        dropped: dict[int, Twin] = {}
        for number in preference:
            mine = [(band, int(b)) for band, b in enumerate(buckets[number]) if b >= 0]
            seen = dict.fromkeys(other for band, b in mine for other in kept[band].get(b, ()))
            twin = self._nearest(values, number, list(seen))
            if twin is not None:
                dropped[number] = twin
                continue
            for band, bucket in mine:
                kept[band].setdefault(bucket, []).append(number)
        return dropped

    def _matrix(self) -> NDArray[np.uint32]:
        import numpy as np

        return np.frombuffer(self._values, np.uint32).reshape(-1, _PERMUTATIONS)

    def _shared_buckets(self, values: NDArray[np.uint32]) -> NDArray[np.int32]:
        """For each text and band the bucket it is in, or -1 where it is alone in it."""
        import numpy as np

        columns = np.full((len(values), self._bands), -1, np.int32)
        for band, part in enumerate(self._parts(values)):
            keys = np.ascontiguousarray(part).view(f"V{part.shape[1] * 4}").ravel()
            _, bucket, sizes = np.unique(keys, return_inverse=True, return_counts=True)
            columns[:, band] = np.where(sizes[bucket] > 1, bucket, -1)
        return columns

    def _parts(self, values: NDArray[np.uint32]) -> Iterator[NDArray[np.uint32]]:
        for start in range(0, self._bands * self._rows, self._rows):
            yield values[:, start : start + self._rows]

    def _nearest(self, values: NDArray[np.uint32], number: int, others: list[int]) -> Twin | None:
        if not others:
            return None
        shares = (values[others] == values[number]).mean(axis=1)
        best = int(shares.argmax())
        return Twin(others[best], float(shares[best])) if shares[best] >= self.threshold else None
