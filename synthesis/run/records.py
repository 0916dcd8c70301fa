"""Lines of JSON that carry a checksum: what a crash or a disk did to one is seen, whatever it was.

A record's last member is ``"check":"F-C"``: the format's number, and the CRC-32 of what stands before it.
Lines of before there were checksums have none, and are read all the same. Knows nothing of what records say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

from synthesis.errors import FolderError

FORMAT = 1
"""To be raised when what older versions would read of a record is no longer what it says."""
_SEAL = b',"check":"'
_LONGEST = 40  # bytes of a seal, whatever its format


def sealed(record: Mapping[str, Any]) -> bytes:
    """The line of a record, which has at least one member and none that is called ``check``."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    try:
        body = text.encode()[:-1]
    except UnicodeEncodeError:  # a lone surrogate: escape everything beyond ASCII instead
        body = json.dumps(record, separators=(",", ":")).encode("ascii")[:-1]
    return b'%s%s%d-%08x"}\n' % (body, _SEAL, FORMAT, _sum(body, b"%d" % FORMAT))


def is_sealed(line: bytes, path: Path) -> bool:
    """Whether a line ends with a checksum, and the right one.

    Raises:
        FolderError: a newer version wrote it, which ``path`` is named for.
    """
    place = line.rfind(_SEAL, max(0, len(line) - _LONGEST))
    if place < 0 or not line.endswith(b'"}\n'):
        return False
    number, _, check = line[place + len(_SEAL) : -3].partition(b"-")
    if check != b"%08x" % _sum(line[:place], number):
        return False
    if number != b"%d" % FORMAT:
        raise newer(path)
    return True


def read_record(line: bytes, path: Path, members: Set[str]) -> dict[str, Any] | None:
    """The record of a line of ``path``; None if the line is damaged.

    ``members`` are all that a record may have.

    Raises:
        FolderError: a newer version wrote it.
    """
    known = is_sealed(line, path)
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not line.endswith(b"\n"):
        return None
    if known:
        del record["check"]
    if record.keys() <= members:
        return record
    if known:
        raise newer(path)
    return None


def newer(path: Path) -> FolderError:
    """The error for a file of which this version does not understand everything."""
    return FolderError(
        f"{path} was written by a newer version of this tool. Use that version, "
        "or choose another folder with --out"
    )


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Raise our error where an undamaged record of ``path`` is not as this version writes it."""
    try:
        yield
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise newer(path) from error


def _sum(body: bytes, number: bytes) -> int:
    # The number counts too: else a flipped bit could make a record seem newer.
    return crc32(number, crc32(body))
