"""Byte records on disk, found by number: what is too much to keep in memory for every document.

The file is temporary and nameless and disappears with the object. Knows nothing of the bytes.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from types import TracebackType
from typing import Self

from synthesis.storage import storage_errors


class RecordFile:
    """Records are appended once and read at random."""

    def __init__(self) -> None:
        """No records yet."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__ or with the object
        weakref.finalize(self, self._file.close)  # for those not used as a context manager
        self._place = f"temporary files in {tempfile.gettempdir()} (TMPDIR)"
        self._ends = array("Q", [0])
        self._flushed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, record: bytes) -> None:
        """Append the next record.

        Raises:
            StorageError: there is no room for it; so does whatever else writes.
        """
        with storage_errors(self._place):
            self._file.write(record)
        self._flushed = False
        self._ends.append(self._ends[-1] + len(record))

    def flush(self) -> None:
        """Leave nothing unwritten, or every process forked from this one would write it."""
        if not self._flushed:
            with storage_errors(self._place):
                self._file.flush()
            self._flushed = True

    def __getitem__(self, number: int) -> bytes:
        start, end = self._ends[number], self._ends[number + 1]
        self.flush()
        if hasattr(os, "pread"):
            # Leaves the position alone, which a forked process would share.
            return os.pread(self._file.fileno(), end - start, start)
        self._file.seek(start)
        record = self._file.read(end - start)
        self._file.seek(0, os.SEEK_END)
        return record
