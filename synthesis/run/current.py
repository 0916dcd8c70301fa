"""The list of what is current in a journal: a fingerprint a line, between two lines that vouch for them.

The first line gives the format, the last the number of fingerprints and their digest, so that a list
that lost some is never taken for a shorter one. Lists of before there was a check have neither.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from synthesis.errors import FolderError
from synthesis.run.records import newer
from synthesis.storage import storage_errors, written_whole

_FIRST = b"# context-synthesis current 1\n"
_OF_ANY = re.compile(rb"# context-synthesis current \d+\n")
_NAME = re.compile(rb"[0-9a-f]{32}\n")


@contextmanager
def write_current(path: Path) -> Iterator[Callable[[str], object]]:
    """Collect fingerprints, in order; they replace the former list when the block ends well."""
    digest, count = _digest(), 0
    with written_whole(path) as staging, staging.open("wb") as file:

        def add(fingerprint: str) -> None:
            nonlocal count
            line = fingerprint.encode("ascii") + b"\n"
            file.write(line)
            digest.update(line)
            count += 1

        file.write(_FIRST)
        yield add
        file.write(_last(count, digest))


def read_current(path: Path, again: str) -> Iterator[str]:
    """The fingerprints of a list; that it is damaged may show at its end only.

    Args:
        path: the list.
        again: how to have it made again, for the message.

    Raises:
        FolderError: it is damaged, or a newer version wrote it.
    """
    digest, count, last = _digest(), 0, b""
    with storage_errors(path), path.open("rb") as file:
        first = file.readline()
        checked = first == _FIRST
        if _OF_ANY.fullmatch(first) and not checked:
            raise newer(path)
        file.seek(len(first) if checked else 0)
        for line in file:
            if last or not _NAME.fullmatch(line):
                if last or not checked:
                    break
                last = line
                continue
            digest.update(line)
            count += 1
            yield line[:-1].decode("ascii")
        else:
            if count and not checked or last == _last(count, digest):
                return
    raise FolderError(f"{path} lists what the run holds and is damaged; have it made again with {again}")


def _digest() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def _last(count: int, digest: hashlib.blake2b) -> bytes:
    return b"# %d %s\n" % (count, digest.hexdigest().encode("ascii"))
