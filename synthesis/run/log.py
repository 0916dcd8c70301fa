"""One file of records that only grows, indexed by the fingerprint of what each is about.

Damaged records are left out, so that their work is done again, and counted. Knows nothing of what
records say.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

from synthesis.data import Usage, content_hash
from synthesis.errors import StorageError
from synthesis.run.records import is_sealed, read_record, sealed
from synthesis.storage import storage_errors, written_whole

ASIDE = "damaged.jsonl"
_HEAD = b'{"fingerprint":"'
_AFTER = len(_HEAD) + 32  # digits
_PAIR = b'","pair_id":"'
_USAGE, _WRITER = b'","usage":[', b'],"writer":"'
_DIGITS = re.compile("[0-9a-f]{16}")
_FILE = 48  # a place is a number of a file above so many bits, and an offset in it below


class Log:
    """The file, and those beside it that count as parts of it.

    The index keeps a 64-bit key and an offset per record (about 150 bytes); the
    records themselves stay on disk. ``usages`` sums up what all replies recorded took, by their writer.
    Files ``beside`` it are read as if their records stood in it, before its own.
    ``damaged`` counts the records that were found damaged when the files were opened.

    Args:
        path: the file.
        members: what a record may have besides fingerprint, pair, usage and writer.
        writable: without, nothing on disk is touched.
        beside: other files of the same kind.
        owns: whether ``mend`` may write those, too.

    Raises:
        FolderError: a newer version wrote in it.
        FolderError, StorageError: as ``storage_errors``.
    """

    def __init__(
        self,
        path: Path,
        members: Collection[str],
        *,
        writable: bool = True,
        beside: Iterable[Path] = (),
        owns: bool = False,
    ) -> None:
        self.path = path
        self._members = {"fingerprint", "pair_id", "usage", "writer", *members}
        self._owns = owns
        self._file: FileIO | None = None
        with storage_errors(path):
            # The newer of two records counts.
            others = sorted(filter(Path.exists, beside), key=lambda other: other.stat().st_mtime_ns)
            self._files = [*others, path]
            self._index()
        self.damaged = sum(self._bad)
        if writable:
            self.open()

    def open(self) -> None:
        """Get ready to write; what a crash left unfinished goes."""
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._opened()

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, fingerprint: str) -> bool:
        return _key(fingerprint) in self._offsets

    def knows_pair(self, pair_id: str) -> bool:
        """Whether any record is of this pair."""
        return _key(pair_id) in self._pair_keys

    @property
    def usage(self) -> Usage:
        """What all replies took, whoever wrote them."""
        return sum(self.usages.values(), Usage())

    def append(
        self,
        fingerprint: str,
        pair_id: str,
        body: dict[str, Any],
        usage: Usage | None = None,
        writer: str = "",
    ) -> None:
        """Write one record, with what its reply took and, where there are several, who wrote it.

        Raises:
            StorageError: the disk is full or failing; the file is left as it was before.
        """
        if self._file is None:
            raise StorageError(f"{self.path} was opened for reading only")
        head: dict[str, Any] = {"fingerprint": fingerprint, "pair_id": pair_id}
        if usage is not None and usage.replies:
            head["usage"] = (usage.replies, usage.prompt_tokens, usage.output_tokens)
            if writer:
                head["writer"] = writer
        line = sealed(head | body)
        try:
            with storage_errors(self.path):
                written = 0
                while written < len(line):
                    written += self._file.write(line[written:]) or 0
        except BaseException:
            os.ftruncate(self._file.fileno(), self._end)
            raise
        self._remember(fingerprint, pair_id, len(self._files) - 1 << _FILE | self._end)
        self._count(writer, usage or Usage())
        self._end += len(line)

    @property
    def lacks(self) -> int:
        """How many damaged records are in the file by now."""
        return self._bad[-1]

    def read(self, fingerprint: str) -> dict[str, Any]:
        """The record of a fingerprint (KeyError if there is none).

        Raises:
            FolderError, StorageError: as ``read_at``.
        """
        return self.read_at(self.offset(fingerprint))

    def offset(self, fingerprint: str) -> int:
        """Where the record of a fingerprint starts, for ``read_at`` (KeyError if there is none)."""
        return self._offsets[_key(fingerprint)]

    def read_at(self, offset: int) -> dict[str, Any]:
        """The record that starts at ``offset``.

        Raises:
            FolderError: a newer version wrote it.
            StorageError: it was good when the file was opened, and is no longer.
        """
        path = self._files[offset >> _FILE]
        with storage_errors(path), path.open("rb") as file:
            file.seek(offset & (1 << _FILE) - 1)
            record = read_record(file.readline(), path, self._members)
        if record is None:
            raise StorageError(f"{path} was changed while it was in use; run the same command again")
        return record

    def sync(self) -> None:
        """Have everything on the device."""
        if self._file is not None and not self._file.closed:
            with storage_errors(self.path):
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush to the device and close."""
        if self._file is not None:
            self.sync()
            self._file.close()

    def mend(self) -> None:
        """Move damaged records out, to ``damaged.jsonl`` beside the file: their work was done again."""
        if self._file is None or not any(self._bad):
            return
        for number, path in enumerate(self._files):
            if not self._bad[number] or not (self._owns or path == self.path):
                continue
            with (
                written_whole(path) as staging,
                staging.open("wb") as whole,
                path.with_name(ASIDE).open("ab") as aside,
            ):
                for line in _lines(path):
                    (aside if self._head(line, path) is None else whole).write(line)
        self._file.close()
        with storage_errors(self.path):
            self._index()
            self._file = self._opened()

    def _opened(self) -> FileIO:
        file = self.path.open("a+b", buffering=0)
        # Cut off what a crash left unfinished, so that the next record starts a line.
        file.truncate(self._end)
        return file

    def _count(self, writer: str, usage: Usage) -> None:
        self.usages[writer] = self.usages.get(writer, Usage()) + usage

    def _head(self, line: bytes, path: Path) -> tuple[str, str, tuple[int, ...], str] | None:
        """Fingerprint, pair, usage and writer of a record of any make; None if it is damaged."""
        record = read_record(line, path, self._members)
        if record is None:
            return None
        fingerprint, pair_id, usage = (record.get(name) for name in ("fingerprint", "pair_id", "usage"))
        if not isinstance(fingerprint, str) or not isinstance(pair_id, str):
            return None
        return fingerprint, pair_id, tuple(usage or ()), str(record.get("writer", ""))

    def _index(self) -> None:
        self._offsets: dict[int, int] = {}
        self._pair_keys: set[int] = set()
        self._bad = [0] * len(self._files)
        self.usages: dict[str, Usage] = {}
        for number in range(len(self._files)):
            self._end = self._scan(number)

    def _remember(self, fingerprint: str, pair_id: str, offset: int) -> None:
        self._offsets[_key(fingerprint)] = offset
        self._pair_keys.add(_key(pair_id))

    def _scan(self, number: int) -> int:
        """Index every whole record of a file; return where the last one ends."""
        end = 0
        path = self._files[number]
        for line in _lines(path):
            # With a checksum the head is enough for the index.
            if line.startswith(_HEAD) and line.startswith(_PAIR, _AFTER) and is_sealed(line, path):
                begin = _AFTER + len(_PAIR)
                stop = line.index(b'"', begin)
                fingerprint, pair_id = line[len(_HEAD) : _AFTER].decode(), line[begin:stop].decode()
                usage, writer = _taken(line, stop)
            elif (head := self._head(line, path)) is not None:
                fingerprint, pair_id, usage, writer = head
            else:
                self._bad[number] += 1
                end += len(line)
                continue
            self._remember(fingerprint, pair_id, number << _FILE | end)
            self._count(writer, Usage(*usage))
            end += len(line)
        return end


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file that were written to their end."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


def _taken(line: bytes, place: int) -> tuple[tuple[int, ...], str]:
    """The usage and the writer that a sealed line tells of from ``place`` on, if it does."""
    if not line.startswith(_USAGE, place):
        return (), ""
    end = line.index(b"]", place)
    usage = tuple(map(int, line[place + len(_USAGE) : end].split(b",")))
    if not line.startswith(_WRITER, end):
        return usage, ""
    begin = stop = end + len(_WRITER)
    while line[stop : stop + 1] != b'"':
        stop += 1 + (line[stop : stop + 1] == b"\\")
    return usage, str(json.loads(line[begin - 1 : stop + 1]))


def _key(identity: str) -> int:
    """64 bits of an identity: its first 16 hex digits, or those of its hash."""
    found = _DIGITS.match(identity)
    return int(found[0] if found else content_hash(identity)[:16], 16)
