"""One append-only file of records, indexed by fingerprint.

A line is written with one system call and counts once its newline is there, so a process
may die at any moment: at the next start the torn tail is cut off and everything before it
stands. Knows nothing of what a record says beyond its fingerprint, pair and usage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import astuple
from io import FileIO
from pathlib import Path
from typing import Any

from synthesis.data import Usage, content_hash
from synthesis.errors import StorageError
from synthesis.storage import storage_errors

_HEAD = b'{"fingerprint":"'
_DIGITS = 32
_USAGE = b'","usage":['
_FILE = 48  # a place is a number of a file above so many bits, and an offset in it below


class Log:
    """The file, and those beside it that count as parts of it.

    The index keeps a 64-bit key and an offset per record (about 150 bytes); the
    records themselves stay on disk. ``usage`` sums up what all replies recorded took.
    Files ``beside`` it are read as if their records stood in it, before its own.
    """

    def __init__(self, path: Path, *, writable: bool = True, beside: Iterable[Path] = ()) -> None:
        self.path = path
        self._offsets: dict[int, int] = {}
        self._pair_keys: set[int] = set()
        self.usage = Usage()
        self._file: FileIO | None = None
        with storage_errors(path):
            # The newer of two records counts.
            others = sorted(filter(Path.exists, beside), key=lambda other: other.stat().st_mtime_ns)
            self._files = [*others, path]
            if writable:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("a+b", buffering=0)
            for number in range(len(self._files)):
                self._end = self._scan(number)
            if self._file is not None:
                # Cut off what a crash left unfinished, so that the next record starts a line.
                self._file.truncate(self._end)

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, fingerprint: str) -> bool:
        return _key(fingerprint) in self._offsets

    def knows_pair(self, pair_id: str) -> bool:
        """Whether any record is of this pair."""
        return _key(pair_id) in self._pair_keys

    def append(
        self, fingerprint: str, pair_id: str, body: dict[str, Any], usage: Usage | None = None
    ) -> None:
        """Write one record, with what its reply took.

        Raises:
            StorageError: the disk is full or failing; the file is left as it was before.
        """
        if self._file is None:
            raise StorageError(f"{self.path} was opened for reading only")
        head: dict[str, Any] = {"fingerprint": fingerprint, "pair_id": pair_id}
        if usage is not None and usage.replies:
            head["usage"] = astuple(usage)
        line = _encode(head | body)
        try:
            with storage_errors(self.path):
                written = 0
                while written < len(line):
                    written += self._file.write(line[written:]) or 0
        except BaseException:
            os.ftruncate(self._file.fileno(), self._end)
            raise
        self._remember(fingerprint, pair_id, len(self._files) - 1 << _FILE | self._end)
        self.usage += usage or Usage()
        self._end += len(line)

    def read(self, fingerprint: str) -> dict[str, Any]:
        """The record of a fingerprint (KeyError if there is none)."""
        return self.read_at(self.offset(fingerprint))

    def offset(self, fingerprint: str) -> int:
        """Where the record of a fingerprint starts, for ``read_at`` (KeyError if there is none)."""
        return self._offsets[_key(fingerprint)]

    def read_at(self, offset: int) -> dict[str, Any]:
        """The record that starts at ``offset``."""
        with self._files[offset >> _FILE].open("rb") as file:
            file.seek(offset & (1 << _FILE) - 1)
            record: dict[str, Any] = json.loads(file.readline())
        return record

    def close(self) -> None:
        """Flush to the device and close."""
        if self._file is not None and not self._file.closed:
            with storage_errors(self.path):
                os.fsync(self._file.fileno())
            self._file.close()

    def _remember(self, fingerprint: str, pair_id: str, offset: int) -> None:
        self._offsets[_key(fingerprint)] = offset
        self._pair_keys.add(_key(pair_id))

    def _scan(self, number: int) -> int:
        """Index every whole record of a file; return where the last one ends."""
        end = 0
        path = self._files[number]
        if not path.exists():
            return end
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                # The head is enough for the index; a line damaged elsewhere shows when it is read.
                if line.startswith(_HEAD) and line.endswith(b"}\n"):
                    fingerprint = line[len(_HEAD) : len(_HEAD) + _DIGITS].decode("ascii")
                    begin = len(_HEAD) + _DIGITS + len(b'","pair_id":"')
                    stop = line.index(b'"', begin)
                    self._remember(fingerprint, line[begin:stop].decode("utf-8"), number << _FILE | end)
                    if line.startswith(_USAGE, stop):
                        numbers = line[stop + len(_USAGE) : line.index(b"]", stop)]
                        self.usage += Usage(*map(int, numbers.split(b",")))
                end += len(line)
        return end


def _key(identity: str) -> int:
    """64 bits of an identity: its first 16 hex digits, or those of its hash."""
    digits = identity[:16]
    if len(digits) < 16 or not all(c in "0123456789abcdef" for c in digits):
        digits = content_hash(identity)[:16]
    return int(digits, 16)


def _encode(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:  # a lone surrogate: escape everything beyond ASCII instead
        return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
