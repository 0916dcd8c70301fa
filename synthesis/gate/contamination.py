"""The check of a run's rows against benchmarks that the user names, by shared n-grams of words.

From the ground up: a benchmark and where it lies, its index, the reading of one, the check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from synthesis.data import content_hash
from synthesis.errors import ConfigError, SourceError
from synthesis.sources.address import Address, errors_about, parse_address
from synthesis.sources.rows import SourceTable
from synthesis.text.ngrams import ngram_hashes, plain_words
from synthesis.wording import counted

if TYPE_CHECKING:
    from synthesis.text.ngrams import Hashes

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PIECE = re.compile(r"[.!?:;\n…。！？：；]+")
# What stands in more rows of a table than both is the benchmark's own wording or its one haystack.
_COMMON_ROWS = 10
_COMMON_SHARE = 0.25
_BUFFER = 1 << 21  # hashes gathered before they are sorted in
# A document of the benchmark, not a sentence that both quote.
_COPIED = 0.1


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark; the text of its address' columns counts, of all of them when there are none."""

    name: str
    address: Address

    def __str__(self) -> str:
        return f"the benchmark {self.name}"

    def digest(self) -> str:
        """A hash of what it consists of: the files' SHA-256, or the commit on the Hub.

        Raises:
            SourceError: the source cannot be found or read.
        """
        with errors_about(str(self)):
            return content_hash(self.name, *self.address.contents())


def parse_benchmark(name: str, source: str) -> Benchmark:
    """``SOURCE[?config=...&split=...&columns=a,b]`` under a name.

    Raises:
        ConfigError: the name cannot be used.
        SourceError: what follows the question mark cannot.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot name a benchmark; use letters, digits, '.', '_' and '-', "
            "as in --benchmark longbench=FILE"
        )
    with errors_about(f"the benchmark {name}"):
        return Benchmark(name, parse_address(source))


@dataclass(frozen=True, slots=True, eq=False)
class BenchmarkIndex:
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


def read_index(benchmark: Benchmark, n: int) -> BenchmarkIndex:
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
    return BenchmarkIndex(benchmark.name, np.unique(np.concatenate(parts)), rows, skipped, common)


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


def _read_table(benchmark: Benchmark, table: SourceTable, n: int) -> tuple[_Tally, int]:
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


class Overlap(NamedTuple):
    """What a row shares with ``benchmark``: distinct n-grams by text, and the ``share`` of its context's."""

    benchmark: str
    instruction: int
    answer: int
    context: int
    share: float


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """Benchmarks to check against, read and indexed, by name."""

    ngram: int
    indexes: tuple[BenchmarkIndex, ...]

    def check(self, instruction: str, answer: str, context: str) -> tuple[Overlap, ...]:
        """Every benchmark that shares an n-gram with one of the texts.

        Runs never go across texts. An instruction too short for an n-gram is compared by its
        sentences of at least half as many words, each as a whole.
        """
        import numpy as np

        asked = field_hashes(instruction, self.ngram)
        if not len(asked):
            asked = np.array(piece_hashes(instruction, self.ngram), np.uint64)
        texts = [asked, field_hashes(answer, self.ngram), field_hashes(context, self.ngram)]
        texts = [np.unique(hashes) for hashes in texts]
        found = []
        for index in self.indexes:
            in_asked, in_answer, in_context = (index.shared(hashes) for hashes in texts)
            if in_asked or in_answer or in_context:
                share = in_context / len(texts[2]) if in_context else 0.0
                found.append(Overlap(index.name, in_asked, in_answer, in_context, round(share, 4)))
        return tuple(found)


def named_benchmarks(sources: Mapping[str, str]) -> tuple[Benchmark, ...]:
    """The benchmarks of a configuration, by name.

    Raises:
        ConfigError, SourceError: a name or an address cannot be understood.
    """
    return tuple(parse_benchmark(name, sources[name]) for name in sorted(sources))


def read_benchmarks(benchmarks: Iterable[Benchmark], ngram: int) -> Benchmarks:
    """Read and index benchmarks.

    Raises:
        SourceError: one cannot be read.
    """
    return Benchmarks(ngram, tuple(read_index(one, ngram) for one in benchmarks))


def digest_of(benchmarks: Iterable[Benchmark], ngram: int) -> str:
    """A hash of what rows are checked against, without reading more than the files' bytes.

    Raises:
        SourceError: one cannot be found.
    """
    return content_hash(ngram, [one.digest() for one in benchmarks])


def reason_to_drop(overlaps: Iterable[Overlap], ngram: int) -> str | None:
    """Why a row must not be trained on, or None.

    An instruction or answer that shares an n-gram is the benchmark's own; so is a context of
    which a tenth is. A sentence in common with a book of a haystack says nothing of the test.
    """
    for found in overlaps:
        for what, count in (("instruction", found.instruction), ("answer", found.answer)):
            if count:
                return f"{found.benchmark}: {counted(count, f'shared {ngram}-gram')} in the {what}"
        if found.share >= _COPIED:
            return f"{found.benchmark}: {found.share:.0%} of the context's {ngram}-grams"
    return None
