"""The rows of a raw config at random access, memory-mapped from a copy on disk.

Distractors are drawn from all over a dataset, and Parquet would have to decompress some
8 MB for each of them. So its rows are written once, uncompressed, to an Arrow file named by
their content, from which any process reads a single row without holding the others.
Knows nothing of samples.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.raw_source import RawConfig
from builder.schema import COLUMNS
from synthesis.data import Context, Evidence, Pair, content_hash
from synthesis.errors import SourceError, StorageError, UsageError
from synthesis.ondemand import OnDemand
from synthesis.storage import storage_errors

FORMAT = 1  # of the file written here; another number leaves older ones unread
_BATCH = 1024  # rows held in memory while they are copied


def prepare_store(raw: RawConfig, folder: Path) -> Path:
    """The Arrow file with the rows of ``raw``, in ``folder``; written at most once.

    Raises:
        SourceError: a Parquet file cannot be read or lacks a column.
        StorageError: the disk is full, or it failed in another way.
        FolderError: writing is not permitted.
    """
    from filelock import FileLock

    name = content_hash("raw rows", FORMAT, raw.digest)
    store = folder / f"{name}.arrow"
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            if not store.is_file():
                _write_rows(raw, store)
    return store


def _write_rows(raw: RawConfig, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    staging = target.with_suffix(".part")  # the lock is held: nobody else writes it
    writer: Any = None
    try:
        for path in raw.files:
            try:
                with pq.ParquetFile(path) as file:
                    _check_columns(raw, path, file.schema_arrow.names)
                    if writer is None:
                        writer = pa.ipc.new_file(str(staging), file.schema_arrow.remove_metadata())
                    for batch in file.iter_batches(_BATCH):
                        writer.write_batch(batch.replace_schema_metadata(None))
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise SourceError(
                    f"{raw.place}: {path.name} of '{raw.config}' {raw.version} cannot be read: {error}. "
                    "Build or download the dataset again."
                ) from error
    finally:
        if writer is not None:
            writer.close()
    staging.replace(target)


def _check_columns(raw: RawConfig, path: Path, names: Sequence[str]) -> None:
    lacking = [column.name for column in COLUMNS["raw"] if column.name not in names]
    if lacking:
        raise SourceError(
            f"{raw.place}: {path.name} of '{raw.config}' {raw.version} has no column "
            f"{', '.join(map(repr, lacking))}. Build the dataset again with this version of the tool, "
            "or load it with the one that built it."
        )


def _mapped(path: Path) -> Any:
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


class RawRows(OnDemand[tuple[Pair, Context]]):
    """Pairs with their contexts, in the order of the files; only the row asked for is in memory.

    ``least`` leaves out rows whose coherence is below it or was not measured.
    """

    def __init__(self, store: Path, least: float | None = None) -> None:
        """Open what ``prepare_store`` has written.

        Raises:
            StorageError: it is not there (any more).
        """
        try:
            self._table = _mapped(store)
        except FileNotFoundError as error:
            raise StorageError(f"{store} was removed while it was in use. Load the dataset again.") from error
        self._scores = array("d", self._column("coherence", -1.0))
        kept = range(len(self._scores)) if least is None else _at_least(self._scores, least)
        self._kept: Sequence[int] = kept

    def _column(self, name: str, missing: float) -> list[float]:
        return [missing if value is None else value for value in self._table.column(name).to_pylist()]

    def __len__(self) -> int:
        return len(self._kept)

    def read(self, place: int) -> tuple[Pair, Context]:
        """A pair with its context."""
        position = self._kept[place]
        row = {name: self._table.column(name)[position].as_py() for name in _USED}
        return _pair(row), _context(row)

    def coherence(self, index: int) -> float | None:
        """The overall score of a row, None where nothing was scored."""
        score = self._scores[self._kept[index]]
        return None if score < 0 else score

    def highest(self) -> float | None:
        """The best score of all rows, left out or not; None where nothing was scored."""
        best = max(self._scores, default=-1.0)
        return None if best < 0 else best


_USED = (
    "id",
    "task",
    "instruction",
    "answer",
    "context",
    "evidence",
    "evidence_source",
    "words",
    "tokens",
    "engine",
    "model",
    "template",
    "seed",
    "metadata",
)


def _pair(row: dict[str, Any]) -> Pair:
    metadata = json.loads(row["metadata"]) if row["metadata"] else {}
    return Pair(row["id"], row["instruction"], row["answer"], row["task"], metadata)


def _context(row: dict[str, Any]) -> Context:
    return Context(
        pair_id=row["id"],
        text=row["context"],
        evidence=tuple(Evidence(**span) for span in row["evidence"]),
        words=row["words"],
        tokens=row["tokens"],
        engine=row["engine"],
        model=row["model"],
        template=row["template"],
        seed=row["seed"],
        evidence_source=row["evidence_source"],
    )


def _at_least(scores: Sequence[float], least: float) -> array[int]:
    return array("L", [position for position, score in enumerate(scores) if score >= least])


def open_rows(store: Path, least: float | None, config: str) -> RawRows:
    """The rows of a store that reach ``least``.

    Raises:
        UsageError: there are none.
    """
    rows = RawRows(store, least)
    if not len(rows):
        best = rows.highest()
        raise UsageError(
            f"No context of '{config}' reaches a coherence of {least}: "
            + (
                f"the highest is {best:.3f}. Ask for less, or None."
                if best is not None
                else "none is scored."
            )
        )
    return rows
