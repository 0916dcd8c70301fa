"""Numbers about the rows of a config: counted while they are written, and measured from their files.

What is counted stands in the manifest; distributions are read back column by column, in memory that
does not grow. Knows nothing of how either is shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.folder.reading import batches
from builder.folder.schema import Row
from builder.folder.versions import Manifest
from synthesis.run.alike import kind_of_rejection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

LONGEST_REASON = 160  # characters that a reason is counted by
_TOLD_BY_KIND = (
    "assembly",
    "check",
    "parse",
    "reasons",
)  # stages whose reasons tell of the row, behind their kind


class Statistics:
    """Numbers about the rows of one config, gathered as they are written; constant memory.

    ``add`` takes rows as they are stored. ``to_dict`` holds ``rows``, a spread (min, mean,
    max, total, count) for every numeric column seen, counts of ``tasks`` and ``reasons``,
    and one shortened ``sample``.
    """

    SPREADS = ("tokens", "words", "depth", "budget", "coherence", "support", "relevance", "uniqueness")
    MOST_NAMES = 500  # distinct tasks or reasons kept; a reason may quote the row, so they have no bound

    def __init__(self) -> None:
        self._rows = 0
        self._spreads: dict[str, list[float]] = {}
        self._counts: dict[str, Counter[str]] = {
            "tasks": Counter(),
            "reasons": Counter(),
            "replies": Counter(),
        }
        self._sample: Row | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        self._rows += 1
        for name in self.SPREADS:
            value = row.get(name)
            if value is not None and math.isfinite(value):
                self._spread(name, value)
        if row.get("task") is not None:
            self._count("tasks", row["task"])
        self._count_reply(row)
        if "reason" in row:
            self._count("reasons", _reason(row["stage"], row["reason"]))
        if self._sample is None and "reason" not in row:
            self._sample = _sample_of(row)

    def _spread(self, name: str, value: float) -> None:
        if name not in self._spreads:
            self._spreads[name] = [0, 0, value, value]
        spread = self._spreads[name]
        spread[0] += 1
        spread[1] += value
        spread[2] = min(spread[2], value)
        spread[3] = max(spread[3], value)

    def _count_reply(self, row: Mapping[str, Any]) -> None:
        """What the last turn is, where it is not the pair's answer alone."""
        for name in (row.get("twin"), row.get("answer_form")):
            if name and name != "plain":
                self._count("replies", name)
        if str(row.get("distractors") or "").endswith("+abstain"):
            self._count("replies", "abstain")

    def _count(self, group: str, name: str) -> None:
        counts = self._counts[group]
        counts[name if name in counts or len(counts) < self.MOST_NAMES else "others"] += 1

    def to_dict(self) -> Row:
        """Plain values for the manifest; the same rows in the same order give the same values."""
        return {
            "rows": self._rows,
            **{
                name: {"count": count, "total": total, "mean": total / count, "min": low, "max": high}
                for name, (count, total, low, high) in sorted(self._spreads.items())
            },
            **{group: dict(sorted(counts.items())) for group, counts in self._counts.items() if counts},
            "sample": self._sample,
        }


def _reason(stage: str, reason: str) -> str:
    """What a dropped row is counted by: figures and texts of its own are no part of it."""
    if stage in _TOLD_BY_KIND:
        return kind_of_rejection(stage, reason)
    told = reason.partition(":")[0] if stage in ("filter", "contamination") else reason
    return f"{stage}: {told}"[:LONGEST_REASON]


def counted_reasons(statistics: Mapping[str, Any]) -> dict[str, int]:
    """How many rows of a rejected config were dropped for each stage and reason.

    Earlier versions counted some by each row's own figures; such are put together.
    """
    counts: Counter[str] = Counter()
    for told, rows in statistics.get("reasons", {}).items():
        stage, _, reason = told.partition(": ")
        counts[_reason(stage, reason) if reason else told] += rows
    return dict(counts)


def _sample_of(row: Mapping[str, Any]) -> Row:
    """The texts of a row, short enough for a card."""
    if "messages" in row:
        return {
            "messages": [
                {"role": turn["role"], "content": shorten(turn["content"], 900)} for turn in row["messages"]
            ]
        }
    if "prompt" in row:
        turns = [*row["prompt"], {"role": "answer", "content": row["answer"]}]
        return _sample_of({"messages": turns})
    around = row["evidence"][0]["start"] if row["evidence"] else None
    return {
        "instruction": shorten(row["instruction"], 600),
        "answer": shorten(row["answer"], 600),
        "context": shorten(row["context"], 900, around=around),
    }


def shorten(text: str, limit: int, *, around: int | None = None) -> str:
    """The first half of ``limit`` characters and the last, or the part ``around`` a position.

    What is left out is marked with ``[...]``.
    """
    if len(text) <= limit:
        return text
    half = limit // 2
    if around is None or around + half >= len(text):
        second, tail = len(text) - half, ""
    else:
        # Start a little before the position, never inside the first half.
        second, tail = max(half, around - half // 4), " [...]"
    gap = " [...] " if second > half else ""
    return f"{text[:half]}{gap}{text[second : second + half]}{tail}"


PARTS = ("coherence", "support", "relevance", "uniqueness")
DEPTH_CELLS = 10_000  # depths are tested on this grid, to a ten-thousandth
FILL_CELLS = 2_000
FULL = 0.995  # of the budget, from which a sample counts as full
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
    for batch in batches(manifest.paths(folder), ("words", "tokens", "verified", *PARTS)):
        words.add(_numbers(batch["words"]))
        tokens.add(_numbers(batch["tokens"]))
        for part, tally in parts.items():
            tally.add(_numbers(batch[part]))
        if "verified" in batch.schema.names:
            verified += batch["verified"].true_count
    return RawNumbers(words.spread(), tokens.spread(), {p: t.spread() for p, t in parts.items()}, verified)


def measure_chat(folder: Path, manifest: Manifest) -> ChatNumbers:
    """Read a chat config of a dataset folder."""
    import numpy as np

    tokens = _Tally(_scale(manifest, "tokens"))
    fill, depth = _Tally(_even(FILL_CELLS)), _Tally(_even(DEPTH_CELLS))
    full, budgets = 0, dict[int, int]()
    columns = ("tokens", "budget", "depth", "evidence_start", "evidence_end", "documents", "twin")
    for batch in batches(manifest.paths(folder), columns):
        used, budget = _numbers(batch["tokens"]), _numbers(batch["budget"])
        shares = used / np.maximum(budget, 1)
        tokens.add(used)
        fill.add(np.minimum(shares, 1.0))
        full += int((shares >= FULL).sum())
        for value, rows in zip(*np.unique(budget, return_counts=True), strict=True):
            budgets[int(value)] = budgets.get(int(value), 0) + int(rows)
        own = _numbers(batch["evidence_end"]) > _numbers(batch["evidence_start"])
        if "twin" in batch.schema.names:  # a twin stands where its sample does: each depth counts once
            own &= np.array(batch["twin"].to_pylist(), dtype=object) == ""
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


def _numbers(column: Any) -> Values:
    """A numeric column as floats, nulls as not-a-number."""
    import numpy as np
    import pyarrow as pa

    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _lengths(column: Any) -> Values:
    import pyarrow.compute as pc

    return _numbers(pc.fill_null(pc.list_value_length(column), 0))
