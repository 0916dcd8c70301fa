"""Counts from the Parquet files of a config, column by column, in memory that does not grow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from builder.folder.versions import Manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

LEAST = 20  # with fewer rows hardly any unevenness could show
ALPHA = 0.05
_SMALLEST_LAMBDA = 0.2  # the series needs ever more terms below it, and its sum is 1 to twelve digits


class Uniformity(NamedTuple):
    """``distance`` is the largest gap between the share of ``rows`` up to a place and the place itself.

    ``p`` is how often ``rows`` independent, truly even places would show a gap at least as large.
    Places that were stratified, as ``depth = "uniform"`` does, come out near 1: more even than chance.
    """

    distance: float
    p: float
    rows: int

    @property
    def even(self) -> bool:
        """Whether evenness is not refuted at the 5 % level."""
        return self.p >= ALPHA

    @property
    def chance(self) -> str:
        """``p`` as it is written: two or three places, or less than a thousandth."""
        return "< 0.001" if self.p < 0.001 else f"{self.p:.3f}" if self.p < 0.1 else f"{self.p:.2f}"

    def __str__(self) -> str:
        return f"D = {self.distance:.3f}, p {'' if self.p < 0.001 else '= '}{self.chance}"


def uniformity(counts: Sequence[int]) -> Uniformity | None:
    """Test the places counted in equal cells of [0, 1] against the even distribution.

    The distance is taken at the cells' borders, so with m cells it is at most 1/m too small.
    ``p`` is Kolmogorov's limit 2 sum (-1)^(k-1) exp(-2 k^2 z^2) with the correction of
    Stephens (1970) for few rows, z = (sqrt n + 0.12 + 0.11 / sqrt n) D.

    Returns:
        None with fewer than ``LEAST`` rows.
    """
    rows = sum(counts)
    if rows < LEAST:
        return None
    distance = max(
        abs(below / rows - place / len(counts)) for place, below in enumerate(accumulate(counts), 1)
    )
    root = math.sqrt(rows)
    return Uniformity(distance, _beyond((root + 0.12 + 0.11 / root) * distance), rows)


def _beyond(z: float) -> float:
    """Chance that the limiting statistic exceeds ``z``."""
    if z < _SMALLEST_LAMBDA:
        return 1.0
    terms = (math.exp(-2 * (k * z) ** 2) * (1 if k % 2 else -1) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))


PARTS = ("coherence", "support", "relevance", "uniqueness")
DEPTH_CELLS = 10_000  # depths are tested on this grid, to a ten-thousandth
FILL_CELLS = 2_000
FULL = 0.995  # of the budget, from which a sample counts as full
_BATCH = 4_096
_BINS = 48
_WIDE = 4


@dataclass(frozen=True, slots=True)
class Spread:
    """How often values fall between consecutive ``edges``; ``least`` to ``most`` is their range."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    total: float
    least: float
    most: float

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Their mean; not a number if there are none."""
        return self.total / self.count if self.count else math.nan

    def merged(self, bins: int) -> Spread:
        """The same in ``bins`` wider cells; their number must divide that of the cells."""
        width = len(self.counts) // bins
        counts = tuple(sum(self.counts[i : i + width]) for i in range(0, len(self.counts), width))
        return Spread(self.edges[::width], counts, self.total, self.least, self.most)


@dataclass(frozen=True, slots=True)
class RawNumbers:
    """A raw config: lengths, and the score with its parts. ``verified`` of the scored rows are."""

    words: Spread
    tokens: Spread
    parts: dict[str, Spread]
    verified: int


@dataclass(frozen=True, slots=True)
class ChatNumbers:
    """A chat config. ``fill`` is tokens / budget; ``full`` rows reach 99.5 % of theirs.

    ``depth`` leaves out rows without their own context and rows with no other one: they have
    no depth to speak of. ``budgets`` counts rows per budget.
    """

    tokens: Spread
    fill: Spread
    depth: Spread
    full: int
    budgets: dict[int, int]


def measure_raw(folder: Path, manifest: Manifest) -> RawNumbers:
    """Read a raw config of a dataset folder."""
    words, tokens = _Tally(_scale(manifest, "words")), _Tally(_scale(manifest, "tokens"))
    parts = {part: _Tally(_even(20)) for part in PARTS}
    verified = 0
    for batch in column_batches(folder, manifest, ("words", "tokens", "verified", *PARTS)):
        words.add(_numbers(batch["words"]))
        tokens.add(_numbers(batch["tokens"]))
        for part, tally in parts.items():
            tally.add(_numbers(batch[part]))
        verified += batch["verified"].true_count
    return RawNumbers(words.spread(), tokens.spread(), {p: t.spread() for p, t in parts.items()}, verified)


def measure_chat(folder: Path, manifest: Manifest) -> ChatNumbers:
    """Read a chat config of a dataset folder."""
    import numpy as np

    tokens = _Tally(_scale(manifest, "tokens"))
    fill, depth = _Tally(_even(FILL_CELLS)), _Tally(_even(DEPTH_CELLS))
    full, budgets = 0, dict[int, int]()
    columns = ("tokens", "budget", "depth", "evidence_start", "evidence_end", "documents")
    for batch in column_batches(folder, manifest, columns):
        used, budget = _numbers(batch["tokens"]), _numbers(batch["budget"])
        shares = used / np.maximum(budget, 1)
        tokens.add(used)
        fill.add(np.minimum(shares, 1.0))
        full += int((shares >= FULL).sum())
        for value, rows in zip(*np.unique(budget, return_counts=True), strict=True):
            budgets[int(value)] = budgets.get(int(value), 0) + int(rows)
        own = _numbers(batch["evidence_end"]) > _numbers(batch["evidence_start"])
        depth.add(_numbers(batch["depth"])[own & (_lengths(batch["documents"]) > 1)])
    return ChatNumbers(tokens.spread(), fill.spread(), depth.spread(), full, dict(sorted(budgets.items())))


class _Tally:
    """Counts values between fixed edges as they come."""

    def __init__(self, edges: Sequence[float]) -> None:
        import numpy as np

        self._edges = np.asarray(edges, dtype=np.float64)
        self._counts = np.zeros(len(edges) - 1, dtype=np.int64)
        self._total, self._least, self._most = 0.0, math.inf, -math.inf

    def add(self, values: Values) -> None:
        import numpy as np

        values = values[np.isfinite(values)]
        if not values.size:
            return
        self._counts += np.histogram(np.clip(values, self._edges[0], self._edges[-1]), self._edges)[0]
        # Exactly rounded, so that no processor sums otherwise.
        self._total = math.fsum((self._total, *values.tolist()))
        self._least = min(self._least, float(values.min()))
        self._most = max(self._most, float(values.max()))

    def spread(self) -> Spread:
        edges, counts = tuple(self._edges.tolist()), tuple(self._counts.tolist())
        return Spread(edges, counts, self._total, self._least, self._most)


def _even(cells: int) -> list[float]:
    return [cell / cells for cell in range(cells + 1)]


def _scale(manifest: Manifest, column: str) -> list[float]:
    """Edges at whole numbers over the range that the manifest states.

    They are the same number apart, or where the range spans more than a few times its least
    value, as with mixed lengths, about the same factor.
    """
    known = manifest.statistics.get(column, {"min": 0, "max": 1})
    low, high = float(known["min"]), float(known["max"]) + 1
    if 0 < _WIDE * low < high:
        factor = (high / low) ** (1 / _BINS)
        return [*sorted({math.floor(low * factor**cell) for cell in range(_BINS)}), high]
    step = max(1, math.ceil((high - low) / _BINS))
    return [low + step * cell for cell in range(math.ceil((high - low) / step) + 1)]


def column_batches(folder: Path, manifest: Manifest, columns: Sequence[str]) -> Iterator[Any]:
    """Record batches of some columns of a config, in order; pages of the others are not read."""
    import pyarrow.parquet as pq

    for file in manifest.files:
        yield from pq.ParquetFile(folder / file.path).iter_batches(_BATCH, columns=list(columns))


def _numbers(column: Any) -> Values:
    """A numeric column as floats, nulls as not-a-number."""
    import numpy as np
    import pyarrow as pa

    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _lengths(column: Any) -> Values:
    import pyarrow.compute as pc

    return _numbers(pc.fill_null(pc.list_value_length(column), 0))
