"""Whether rows of a published version were only added to, without fetching the version.

Reads the narrow columns of its Parquet files in ranges: names and measures of rows, none of their texts.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from builder.folder.reading import values
from builder.folder.schema import Kind
from builder.folder.versions import Manifest
from builder.hub.numbering import made_alike
from builder.hub.repository import Hub, Snapshot
from synthesis.wording import counted

# A text that was written anew has other measures. Samples are drawn anew around the same contexts
# whenever there are more of them to draw from, so only their names count.
_TELLING: dict[Kind, tuple[str, ...]] = {
    "raw": ("id", "words", "tokens", "coherence"),
    "chat": ("id",),
    "rl": ("id",),
    "rejected": ("pair_id",),
}
_TAIL = 1 << 16  # bytes; a footer and what the reader looks at first


def compare_with(hub: Hub, snapshot: Snapshot, folder: Path) -> Callable[[Manifest, Manifest], str]:
    """A ``numbering.Compare`` of versions in the repository with those in ``folder``."""

    def compare(there: Manifest, here: Manifest) -> str:
        if other := made_alike(there, here):
            return other
        if not there.rows:
            return ""
        if here.rows < there.rows:
            return f"has {counted(here.rows, 'row')} and had {there.rows:,}"
        columns = _TELLING[here.kind]
        files = [io.BufferedReader(RemoteBytes(hub, snapshot, file.path), 1 << 16) for file in there.files]
        return _changed([hash(row) for row in values(files, columns)], here, folder, columns)

    return compare


def _changed(before: Sequence[int], here: Manifest, folder: Path, columns: Sequence[str]) -> str:
    now = {hash(row) for row in values(here.paths(folder), columns)}
    gone = sum(row not in now for row in before)
    if gone:
        return f"lacks or changed {gone:,} of {counted(len(before), 'row')}"
    return "" if here.rows > len(before) else "has the same rows with other texts"


class RemoteBytes(io.RawIOBase):
    """A file of a snapshot, read in ranges; its end, where a footer is, is kept.

    Raises:
        HubError: reading failed.
    """

    def __init__(self, hub: Hub, snapshot: Snapshot, path: str) -> None:
        super().__init__()
        self._hub, self._oid, self._path = hub, str(snapshot.oid), path
        self._size = snapshot.files[path].size if path in snapshot.files else 0
        self._place = 0
        self._from = max(0, self._size - _TAIL)
        self._tail: bytes | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Bytes from the start."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as any file does."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: object) -> int:
        """Fill a buffer as far as the file goes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self._bytes(self._place, min(self._place + len(view), self._size))
        view[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _bytes(self, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        if start < self._from:
            return self._hub.read_range(self._path, self._oid, start, end, self._size)
        if self._tail is None:
            self._tail = self._hub.read_range(self._path, self._oid, self._from, self._size, self._size)
        return self._tail[start - self._from : end - self._from]
