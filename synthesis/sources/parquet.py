"""Rows of a Parquet file, or of a part of it. Memory is bounded by one batch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import BinaryIO

from synthesis.errors import SourceError
from synthesis.sources.labels import with_names, written_names
from synthesis.sources.rows import SourceRow
from synthesis.wording import counted

# Rows are long; a batch is held as Arrow memory and as Python objects at once.
_BATCH = 128


def read_parquet(handle: BinaryIO, name: str, start: int = 0, stop: int | None = None) -> Iterator[SourceRow]:
    """Rows counted from 1, of a part ``[start, stop)`` as of the whole; no row group without any is read.

    Raises:
        SourceError: If the file is not Parquet, is damaged, or holds text that is not UTF-8.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = start
    try:
        parquet = pq.ParquetFile(handle, pre_buffer=False)
        named = written_names(parquet.schema_arrow.metadata)
        sizes = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
        bounds = list(accumulate(sizes, initial=0))
        stop = bounds[-1] if stop is None else stop
        groups = [group for group, size in enumerate(sizes) if _meets(bounds[group], size, start, stop)]
        at = bounds[groups[0]] if groups else 0
        for batch in parquet.iter_batches(batch_size=_BATCH, row_groups=groups):
            first, at = max(start - at, 0), at + len(batch)
            for value in batch.slice(first, max(0, len(batch) - first - max(0, at - stop))).to_pylist():
                number += 1
                yield SourceRow(number, with_names(value, named) if named else value)
    except UnicodeDecodeError:
        raise SourceError(
            f"{name}: a text column holds bytes that are not UTF-8 within rows {number + 1} to "
            f"{number + _BATCH}. Write the file again with that column decoded."
        ) from None
    except (pa.ArrowException, OSError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(
            f"{name}: not a readable Parquet file (after {counted(number, 'row')}): {detail[:200]}. "
            "Download or write it again."
        ) from None


def _meets(first: int, size: int, start: int, stop: int) -> bool:
    """Whether some of the ``size`` rows from ``first`` on lie in ``[start, stop)``."""
    return first < stop and first + size > start


def parquet_rows(handle: BinaryIO) -> int:
    """How many rows a Parquet file has, as its footer says; 0 for what is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.ParquetFile(handle, pre_buffer=False).metadata.num_rows)
    except pa.ArrowException:
        return 0  # whoever reads it says what is wrong
