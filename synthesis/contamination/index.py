"""The n-grams of one benchmark as sorted 64-bit hashes; none of its text is kept.

Memory: 8 bytes for each distinct n-gram, some 45 while it is made. Two different
n-grams have the same hash with a probability of 2**-64, so a shared one is shared. Knows nothing
of the texts that are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from synthesis.contamination.naming import Benchmark
from synthesis.errors import SourceError
from synthesis.ngrams import ngram_hashes, plain_words
from synthesis.sources.address import errors_about
from synthesis.sources.rows import Table

if TYPE_CHECKING:
    from synthesis.ngrams import Hashes

# What stands in more rows of a table than both is the benchmark's own wording or its one haystack.
_COMMON_ROWS = 10
_COMMON_SHARE = 0.25
_PIECE = re.compile(r"[.!?:;\n…。！？：；]+")
_BUFFER = 1 << 21  # hashes gathered before they are sorted in


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """What a benchmark is checked by.

    ``hashes`` are sorted and distinct; ``rows`` were read and ``skipped`` could not be;
    ``common`` n-grams are its own wording and left out.
    """

    name: str
    hashes: Hashes
    rows: int
    skipped: int
    common: int

    def shared(self, hashes: Hashes) -> int:
        """How many of ``hashes``, which are distinct, the benchmark has too."""
        import numpy as np

        if not len(self.hashes) or not len(hashes):
            return 0
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return int((self.hashes[places] == hashes).sum())


def field_hashes(text: str, n: int) -> Hashes:
    """The n-grams of a text."""
    return ngram_hashes(plain_words(text), n)


def piece_hashes(text: str, n: int) -> list[int]:
    """Its sentences that are too short for an n-gram but not for telling anything, each as a whole.

    Most questions of a benchmark have fewer than 13 words.
    """
    found = []
    for piece in _PIECE.split(text):
        if piece.count(" ") > 2 * n:  # most sentences: no need to take them apart
            continue
        words = plain_words(piece)
        if n // 2 <= len(words) < n:
            found.append(int(ngram_hashes(words, len(words))[0]))
    return found


def read_index(benchmark: Benchmark, n: int) -> Index:
    """Read a benchmark and index the ``n``-grams of its texts.

    Raises:
        SourceError: it cannot be read, has no rows, or lacks a column that was named.
    """
    import numpy as np

    parts = []
    rows = skipped = common = 0
    with errors_about(str(benchmark)):
        for table in benchmark.address.tables():
            tally, unreadable = _read_table(benchmark, table, n)
            told, ordinary = tally.finished()
            parts.append(told)
            rows, skipped, common = rows + tally.added, skipped + unreadable, common + ordinary
        if not rows:
            raise _nothing(benchmark)
    return Index(benchmark.name, np.unique(np.concatenate(parts)), rows, skipped, common)


def probe(benchmark: Benchmark) -> None:
    """See whether a benchmark can be read, by its first readable row.

    Raises:
        SourceError: it cannot, it has no row, or lacks a column that was named.
    """
    with errors_about(str(benchmark)):
        for table in benchmark.address.tables():
            for row in table.rows():
                if not row.error and isinstance(row.value, Mapping):
                    _chosen(benchmark, table.name, row.value)
                    return
        raise _nothing(benchmark)


def _nothing(benchmark: Benchmark) -> SourceError:
    return SourceError(
        f"{benchmark.address.place} has no row that can be used: each must be an object with named columns. "
        "Check the file."
    )


def _read_table(benchmark: Benchmark, table: Table, n: int) -> tuple[_Tally, int]:
    import numpy as np

    tally, unreadable = _Tally(), 0
    for row in table.rows():
        if row.error or not isinstance(row.value, Mapping):
            unreadable += 1
            continue
        hashes = [np.empty(0, np.uint64)]
        columns = _chosen(benchmark, table.name, row.value)
        for text in (text for column in columns for text in _texts(column)):
            hashes += [field_hashes(text, n), np.array(piece_hashes(text, n), np.uint64)]
        tally.add(np.unique(np.concatenate(hashes)))
    return tally, unreadable


def _chosen(benchmark: Benchmark, table: str, value: Mapping[str, Any]) -> list[Any]:
    columns = benchmark.address.columns
    missing = ", ".join(repr(column) for column in columns if column not in value)
    if missing:
        has = ", ".join(map(str, list(value)[:50])) or "none"
        raise SourceError(
            f"{table} has no column {missing}; it has {has}. Name those that count, as in "
            "SOURCE?columns=input,answers."
        )
    return [value[column] for column in columns or value]


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep; a list of texts is one, so that a run may go on in the next."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        if texts := [inner for inner in value if isinstance(inner, str)]:
            yield "\n".join(texts)
        for inner in value:
            if not isinstance(inner, str):
                yield from _texts(inner)


class _Merged(NamedTuple):
    hashes: Hashes
    rows: Any  # in how many rows each stands


class _Tally:
    """Distinct hashes of a table and in how many of its rows each stands."""

    def __init__(self) -> None:
        import numpy as np

        self.added = 0
        self._merged = _Merged(np.empty(0, np.uint64), np.empty(0, np.uint32))
        self._waiting: list[Hashes] = []
        self._held = 0

    def add(self, hashes: Hashes) -> None:
        """Count the distinct hashes of one row."""
        self.added += 1
        self._waiting.append(hashes)
        self._held += len(hashes)
        # Sorting in as much as is there already keeps the whole work near one sort.
        if self._held > max(_BUFFER, len(self._merged.hashes)):
            self._merge()

    def finished(self) -> tuple[Hashes, int]:
        """The hashes that tell something, and how many are too common to."""
        self._merge()
        common = self._merged.rows > max(_COMMON_ROWS, _COMMON_SHARE * self.added)
        return self._merged.hashes[~common], int(common.sum())

    def _merge(self) -> None:
        import numpy as np

        new, times = np.unique(np.concatenate([np.empty(0, np.uint64), *self._waiting]), return_counts=True)
        self._waiting, self._held = [], 0
        hashes, rows = self._merged
        places = np.searchsorted(hashes, new)
        known = np.zeros(len(new), bool)
        inside = places < len(hashes)
        known[inside] = hashes[places[inside]] == new[inside]
        rows[places[known]] += times[known].astype(np.uint32)
        places = places[~known]
        self._merged = _Merged(
            np.insert(hashes, places, new[~known]),
            np.insert(rows, places, times[~known].astype(np.uint32)),
        )
