"""Rows of a Parquet file, a batch at a time. Needs pyarrow, imported when the first row is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from synthesis.errors import SourceError
from synthesis.sources.rows import Row

# Rows are long; a batch is held as Arrow memory and as Python objects at once.
_BATCH = 128


def read_parquet(handle: BinaryIO, name: str) -> Iterator[Row]:
    """Rows counted from 1.

    Raises:
        SourceError: If the file is not Parquet, is damaged, or holds text that is not UTF-8.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        parquet = pq.ParquetFile(handle, pre_buffer=False)
        for batch in parquet.iter_batches(batch_size=_BATCH):
            for value in batch.to_pylist():
                number += 1
                yield Row(number, value)
    except UnicodeDecodeError:
        raise SourceError(
            f"{name}: a text column holds bytes that are not UTF-8 within rows {number + 1} to "
            f"{number + _BATCH}. Write the file again with that column decoded."
        ) from None
    except (pa.ArrowException, OSError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(
            f"{name}: not a readable Parquet file (after {number} rows): {detail[:200]}. "
            "Download or write it again."
        ) from None
