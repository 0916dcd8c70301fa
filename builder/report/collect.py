"""What a report tells of a dataset folder, measured from its Parquet files.

Numbers are read column by column; of the texts only those of the few rows that are shown.
Knows nothing of the page.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.folder.reading import pair_and_context, rows_at, values
from builder.folder.schema import Row
from builder.folder.statistics import measure_chat
from builder.folder.uniformity import Uniformity, uniformity
from builder.folder.versions import Manifest
from synthesis.coherence import score_context

LOWEST = 8  # rows shown with the reasons of their score
MOST_TASKS = 100  # tasks with a line of their own
_COLUMNS = ("task", "words", "tokens", "coherence")


@dataclass(slots=True)
class TaskLine:
    """Sums over the rows of one task; ``scored`` of them have a coherence."""

    task: str
    rows: int = 0
    words: int = 0
    tokens: int = 0
    scored: int = 0
    coherence: float = 0.0

    def add(self, words: int, tokens: int, coherence: float | None) -> None:
        """Count one row."""
        self.rows += 1
        self.words += words
        self.tokens += tokens
        if coherence is not None:
            self.scored += 1
            self.coherence += coherence


@dataclass(frozen=True, slots=True)
class Low:
    """A row with a low score, and why in plain sentences."""

    row: Row
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawPart:
    """What is shown of a raw config; ``sample`` is its first row."""

    config: str
    tasks: tuple[TaskLine, ...]
    lowest: tuple[Low, ...]
    sample: Row


@dataclass(frozen=True, slots=True)
class DepthLine:
    """Where the evidence of a chat config stands; ``test`` is None for too few ``rows`` with a depth."""

    config: str
    rows: int
    mean: float
    test: Uniformity | None


def raw_part(folder: Path, manifest: Manifest) -> RawPart:
    """Read a raw config: its numbers once, then the rows to show."""
    files, tasks = manifest.paths(folder), dict[str, TaskLine]()

    def scores() -> Iterator[tuple[float, int]]:
        for place, (task, words, tokens, score) in enumerate(values(files, _COLUMNS)):
            name = task if task in tasks or len(tasks) < MOST_TASKS else "others"
            tasks.setdefault(name, TaskLine(name)).add(words, tokens, score)
            if score is not None:
                yield score, place

    places = [place for _, place in heapq.nsmallest(LOWEST, scores())]
    rows = rows_at(files, [0, *places])
    return RawPart(
        manifest.config,
        tuple(tasks[name] for name in sorted(tasks)),
        tuple(Low(rows[place], _why(rows[place])) for place in places),
        rows[0],
    )


def depth_line(folder: Path, manifest: Manifest) -> DepthLine:
    """Read the depths of a chat config."""
    depth = measure_chat(folder, manifest).depth
    return DepthLine(manifest.config, depth.count, depth.mean, uniformity(depth.counts))


def _why(row: Row) -> tuple[str, ...]:
    return tuple(score_context(*pair_and_context(row)).explain())
