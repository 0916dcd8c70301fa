"""The operating system's errors about files, turned into ours with advice."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthesis.errors import ContextSynthesisError, FolderError, StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Raise our error for an ``OSError`` met while ``place`` is read or written.

    Raises:
        FolderError: writing is not permitted there.
        StorageError: the disk is full, or it failed in another way.
    """
    try:
        yield
    except OSError as error:
        raise storage_error(place, error) from error


def storage_error(place: Path, error: OSError) -> ContextSynthesisError:
    """Our error for one of the operating system's."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return StorageError(
            f"no room left to write {place} ({reason}); everything finished so far is kept. "
            "Free some space and run the same command again to go on"
        )
    if error.errno in _REFUSED:
        return FolderError(
            f"cannot write {place} ({reason}); choose another folder with --out, or change its permissions"
        )
    return StorageError(
        f"writing {place} failed ({reason}); everything finished so far is kept. "
        "Mend the cause and run the same command again to go on"
    )
