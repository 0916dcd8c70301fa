"""What a pair and its context share with benchmarks, and whether that is too much.

Knows the benchmarks' n-grams, not their texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from synthesis.contamination.index import Index, field_hashes, piece_hashes, read_index
from synthesis.contamination.naming import Benchmark, parse_benchmark
from synthesis.data import content_hash

# A document of the benchmark, not a sentence that both quote.
_COPIED = 0.1


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
    indexes: tuple[Index, ...]

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
                runs = f"{ngram}-gram" if count == 1 else f"{ngram}-grams"
                return f"{found.benchmark}: {count:,} shared {runs} in the {what}"
        if found.share >= _COPIED:
            return f"{found.benchmark}: {found.share:.0%} of the context's {ngram}-grams"
    return None
