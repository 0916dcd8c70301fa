"""Rows -> Parquet shards, with bounded memory and the same bytes for the same rows.

Knows nothing of versions, manifests or the card. Row groups are flushed by the size of
their text, so memory does not grow with the number of rows; shards are closed by their
size on disk.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from synthesis.errors import StorageError
from synthesis.storage import storage_errors

GROUP_BYTES = 8 * 2**20  # buffers double as they grow: just above a power of two they waste half
GROUP_ROWS = 10_000
SHARD_BYTES = 400 * 10**6
ZSTD_LEVEL = 3  # fixed: a library's default may change, and the bytes with it

# Few distinct values; in the columns of long text a dictionary only costs time.
_DICTIONARY = (
    "task",
    "evidence_source",
    "form",
    "answer_kind",
    "engine",
    "model",
    "template",
    "distractors",
    "twin",
    "stage",
)

_COUNTED = frozenset(("string", "int64", "double", "bool"))
_PLAIN = frozenset((int, float, bool, type(None)))
_SURROGATE = re.compile("[\ud800-\udfff]")


class Cleaned(NamedTuple):
    """A value fit for UTF-8, its size in bytes, and how many characters had to be replaced."""

    value: Any
    size: int
    replaced: int


def clean(value: object) -> Cleaned:
    """Replace lone surrogates, which UTF-8 cannot hold, by U+FFFD, in any nesting.

    One character stands for one, so offsets into the text stay right.
    """
    if type(value) in _PLAIN:
        return Cleaned(value, 8, 0)
    if isinstance(value, str):
        if value.isascii():
            return Cleaned(value, len(value), 0)
        try:
            return Cleaned(value, len(value.encode()), 0)
        except UnicodeEncodeError:
            text, replaced = _SURROGATE.subn("\ufffd", value)
            return Cleaned(text, len(text.encode()), replaced)
    if isinstance(value, Mapping):
        together: dict[Any, Any] = {}
        size = replaced = 0
        for key, item in value.items():
            name, _, changed = clean(key)
            together[name], more, found = clean(item)
            size, replaced = size + more, replaced + changed + found
        return Cleaned(together, size, replaced)
    if isinstance(value, list | tuple):
        items = [clean(item) for item in value]
        return Cleaned([i.value for i in items], sum(i.size for i in items), sum(i.replaced for i in items))
    return Cleaned(value, 8, 0)


@dataclass(frozen=True, slots=True)
class Shard:
    """A finished Parquet file; ``bytes`` is its size on disk."""

    path: Path
    rows: int
    bytes: int
    sha256: str


class ShardWriter:
    """Writes rows of one schema into ``directory`` (created, must not exist) as numbered shards.

    Use as a context manager and call ``finish`` after the last row: only then is the
    number of shards, which is part of every file name, known.
    """

    def __init__(
        self,
        directory: Path,
        schema: Any,
        *,
        group_bytes: int = GROUP_BYTES,
        group_rows: int = GROUP_ROWS,
        shard_bytes: int = SHARD_BYTES,
    ) -> None:
        self._directory = directory
        self._schema = schema
        self._names = set(schema.names)
        self._dictionary = [name for name in schema.names if name in _DICTIONARY]
        # Least and greatest of long texts would fill the footer and tell nobody anything.
        self._statistics = [entry.name for entry in schema if str(entry.type) in _COUNTED]
        self._limits = (group_bytes, group_rows, shard_bytes)
        self._group: list[Mapping[str, Any]] = []
        self._group_size = 0
        self._writer: Any = None
        self._paths: list[Path] = []
        self._rows: list[int] = []
        with storage_errors(directory):
            directory.mkdir(parents=True)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what is open; files that were not finished are left to the caller."""
        self._close_shard()

    def add(self, row: Mapping[str, Any], size: int) -> None:
        """Take one row whose text has ``size`` bytes.

        Raises:
            StorageError: Writing failed, or the row does not fit the schema.
            FolderError: Writing is not permitted.
        """
        if row.keys() != self._names:
            odd = ", ".join(sorted(map(str, row.keys() ^ self._names)))
            raise StorageError(
                f"Row {self._count() + 1} lacks or has too many columns ({odd}). "
                "Make rows with the functions of builder.folder.schema."
            )
        self._group.append(row)
        self._group_size += size
        group_bytes, group_rows, _ = self._limits
        if self._group_size >= group_bytes or len(self._group) >= group_rows:
            self._flush()

    def finish(self) -> list[Shard]:
        """Write what is left, give the files their final names, and make them durable."""
        self._flush()
        self._close_shard()
        total = len(self._paths)
        shards = []
        with storage_errors(self._directory):
            for number, (path, rows) in enumerate(zip(self._paths, self._rows, strict=True)):
                final = path.rename(self._directory / f"train-{number:05d}-of-{total:05d}.parquet")
                with final.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                    os.fsync(file.fileno())
                shards.append(Shard(final, rows, final.stat().st_size, digest))
        return shards

    def _count(self) -> int:
        return sum(self._rows) + len(self._group)

    def _flush(self) -> None:
        if not self._group:
            return
        table = self._table()
        with storage_errors(self._directory):
            if self._writer is None:
                self._open_shard()
            self._writer.write_table(table, row_group_size=len(self._group))
            self._rows[-1] += len(self._group)
            full = self._paths[-1].stat().st_size + self._group_size // 4 > self._limits[2]
        self._group, self._group_size = [], 0
        if full:
            self._close_shard()

    def _table(self) -> Any:
        import pyarrow as pa

        try:
            return pa.Table.from_pylist(self._group, schema=self._schema)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            first = sum(self._rows) + 1
            raise StorageError(
                f"A value in rows {first} to {self._count()} does not fit its column: {error}. "
                "Make rows with the functions of builder.folder.schema."
            ) from error

    def _open_shard(self) -> None:
        import pyarrow.parquet as parquet

        pq: Any = parquet  # its stubs lag behind what it takes
        self._paths.append(self._directory / f"shard-{len(self._paths):05d}.part")
        self._rows.append(0)
        self._writer = pq.ParquetWriter(
            self._paths[-1].absolute(),  # a relative path with a colon would be taken for a URI
            self._schema,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=self._dictionary,
            write_statistics=self._statistics,
            use_content_defined_chunking=True,  # an edit moves few chunks, so uploads stay small
            write_page_index=True,
        )

    def _close_shard(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with storage_errors(self._directory):
                writer.close()
