"""Rows back from Parquet files: some columns as a stream, or a few rows by their place.

The only reader of what ``builder.folder.parquet`` wrote. Memory holds one batch or row group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from builder.folder.schema import Row
from synthesis.data import Context, Evidence, Pair, Reason

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_BATCH = 4_096


def batches(
    files: Iterable[Path | IO[bytes]], columns: Sequence[str] | None = None, rows: int = _BATCH
) -> Iterator[Any]:
    """Record batches of at most so many ``rows``, in order; pages of other columns are not read."""
    import pyarrow.parquet as pq

    # One file at a time: read as a set, their folder's name could be taken for a partition.
    for path in files:
        with pq.ParquetFile(path.absolute() if isinstance(path, Path) else path) as file:
            yield from file.iter_batches(rows, columns=None if columns is None else list(columns))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, read again only when the file was written anew."""
    state = path.stat()
    return _hashed(path, state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=4096)
def _hashed(path: Path, *_state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def values(files: Iterable[Path | IO[bytes]], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The values of some columns, row by row."""
    for batch in batches(files, columns):
        yield from zip(*(batch[name].to_pylist() for name in columns), strict=True)


def rows_at(files: Iterable[Path], places: Iterable[int]) -> dict[int, Row]:
    """Whole rows by their place in all files together."""
    import pyarrow.parquet as pq

    wanted, found, start = sorted(set(places)), dict[int, Row](), 0
    for path in files:
        with pq.ParquetFile(path.absolute() if isinstance(path, Path) else path) as file:
            for place in wanted:
                if start <= place < start + file.metadata.num_rows:
                    found[place] = row_at(file, place - start)
            start += file.metadata.num_rows
    return found


def row_at(file: ParquetFile, place: int, columns: Sequence[str] | None = None) -> Row:
    """One row, or some columns of it; those that the file lacks are left out."""
    group, index = group_of(file, place)
    present = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
    row: Row = file.read_row_group(group, columns=present).slice(index, 1).to_pylist()[0]
    return row


def group_of(file: ParquetFile, place: int) -> tuple[int, int]:
    """The row group that holds a row, and the row's place in it.

    Raises:
        IndexError: The file has fewer rows.
    """
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        if place < count:
            return group, place
        place -= count
    raise IndexError("the file has fewer rows")


def group_size(file: ParquetFile, group: int, columns: Collection[str]) -> int:
    """Bytes of some columns of a row group, uncompressed."""
    found = file.metadata.row_group(group)
    parts = (found.column(number) for number in range(found.num_columns))
    return sum(
        part.total_uncompressed_size for part in parts if part.path_in_schema.partition(".")[0] in columns
    )


def same_rows_and_more(old: Iterable[Path], new: Iterable[Path], column: str) -> bool:
    """Whether every value of ``column`` in the old files is in the new ones, which have more rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    before, after = ([batch[column] for batch in batches(files, [column])] for files in (old, new))
    if sum(map(len, before)) >= sum(map(len, after)):
        return False
    known = pa.chunked_array(after)
    return all(pc.all(pc.is_in(chunk, value_set=known)).as_py() for chunk in before)


LATER: Mapping[str, Any] = {
    "form": "",
    "hops": 0,
    "evidence_source": "none",
    "model": "",
    "reasons": (),
    "reasons_model": "",
}
"""What rows of raw configs by earlier versions may lack, and what is then taken."""


def pair_and_context(row: Mapping[str, Any]) -> tuple[Pair, Context]:
    """The pair and the context of a row of a raw config, as far as later work needs them."""
    row = {**LATER, **row}
    evidence = tuple(Evidence(**span) for span in row["evidence"] or ())
    pair = Pair(row["id"], row["instruction"], row["answer"], row["task"])
    context = Context(
        row["id"],
        row["context"],
        evidence,
        tokens=row["tokens"],
        model=row["model"] or "",
        evidence_source=row["evidence_source"] or "none",
        form=row["form"] or "",
        hops=row["hops"] or 0,
        reasons=tuple(Reason(one["start"], one["end"], one["says"]) for one in row["reasons"] or ()),
        reasons_model=row["reasons_model"] or "",
    )
    return pair, context
