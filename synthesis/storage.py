"""Files that appear whole or not at all, one lock, temporary folders, the system's errors with advice.

Knows nothing of what the files hold.
"""

from __future__ import annotations

import errno
import os
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from synthesis.errors import ContextSynthesisError, FolderError, StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SCRATCH = "context-synthesis-scratch-"
_LOCK = ".lock"  # the end of the name of what its owner holds, beside a temporary folder
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


@contextmanager
def storage_errors(place: Path | str) -> Iterator[None]:
    """Raise our error for an ``OSError`` met while ``place`` is read or written.

    Raises:
        FolderError: writing is not permitted there.
        StorageError: the disk is full, or it failed in another way.
    """
    try:
        yield
    except OSError as error:
        raise storage_error(place, error) from error


def storage_error(place: Path | str, error: OSError) -> ContextSynthesisError:
    """Our error for one of the operating system's."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return StorageError(
            f"no room left to write {place} ({reason}); everything finished so far is kept. "
            "Free some space and run the same command again to go on"
        )
    if error.errno in _REFUSED:
        named = error.filename if isinstance(error.filename, str | Path) else place
        if os.path.exists(named) and not os.access(named, os.R_OK):  # noqa: PTH110 (never raises)
            return FolderError(
                f"cannot read {named} ({reason}); make it readable (chmod +r) or run as its owner"
            )
        return FolderError(
            f"cannot write {place} ({reason}); choose another folder with --out, or change its permissions"
        )
    return StorageError(
        f"writing {place} failed ({reason}); everything finished so far is kept. "
        "Mend the cause and run the same command again to go on"
    )


def in_shell(path: object) -> str:
    """A path as it is written on a command line, in quotes where a shell would take it apart."""
    return shlex.quote(str(path))


@contextmanager
def written_whole(target: Path, staging: Path | None = None) -> Iterator[Path]:
    """A path to write to; when the block ends well, what is there becomes ``target``, durably.

    Whatever happens, ``target`` holds its former content or all of the new one. ``staging`` is that path,
    in the same file system; by default a file beside the target. It does not stay behind.

    Raises:
        FolderError, StorageError: as ``storage_errors``, also for an ``OSError`` raised in the block.
    """
    staging = target.with_name(f"{target.name}.tmp") if staging is None else staging
    with storage_errors(target):
        for folder in (target.parent, staging.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            yield staging
            with staging.open("r+b") as file:
                os.fsync(file.fileno())
            staging.replace(target)
        finally:
            staging.unlink(missing_ok=True)
        sync_directory(target.parent)


def replace_file(target: Path, content: str | bytes, staging: Path | None = None) -> bool:
    """Make ``target`` hold ``content`` as ``written_whole`` does; False if it held that already."""
    encoded = content.encode() if isinstance(content, str) else content
    with storage_errors(target):
        if target.is_file() and target.read_bytes() == encoded:
            return False
    with written_whole(target, staging) as path:
        path.write_bytes(encoded)
    return True


def sync_directory(directory: Path) -> None:
    """Make renames inside a directory survive a power cut, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, busy: str = "", patience: float | None = 0) -> Iterator[None]:
    """Hold the lock that the file ``path`` stands for; it ends with the process, however that ends.

    Raises:
        FolderError: another process still holds it after ``patience`` seconds (None waits as long as it
            takes); ``busy`` is the message.
        FolderError, StorageError: as ``storage_errors``.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=-1 if patience is None else patience)
    except Timeout:  # an OSError too, so it comes first
        raise FolderError(busy) from None
    except OSError as error:
        raise storage_error(path.parent, error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new temporary folder, gone with the block; after a kill, with the next ``sweep_scratch``.

    Raises:
        FolderError, StorageError: as ``storage_errors``.
    """
    from filelock import FileLock, Timeout

    sweep_scratch()
    try:
        place = Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise StorageError(
            "no folder for temporary files can be written; free some space, or name one with TMPDIR"
        ) from None
    with storage_errors(place):
        while True:
            folder = place / f"{_SCRATCH}{secrets.token_hex(8)}"
            lock = FileLock(folder.with_name(folder.name + _LOCK))
            # Somebody who sweeps may hold it for a moment, and take the file away.
            with suppress(Timeout):
                lock.acquire(timeout=0)
                if Path(lock.lock_file).exists():
                    break
                lock.release()
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def sweep_scratch() -> None:
    """Remove temporary folders of ours whose owners are no more; nothing of another user."""
    try:
        place = Path(tempfile.gettempdir())
        names = {path.name.removesuffix(_LOCK) for path in place.glob(f"{_SCRATCH}*")}
    except OSError:  # there is no such folder; whoever needs one will say so
        return
    if not names:
        return
    from filelock import FileLock, Timeout

    for folder in (place / name for name in names):
        lock = folder.with_name(folder.name + _LOCK)
        with suppress(OSError, Timeout):
            if not all(_is_own(path) for path in (folder, lock) if os.path.lexists(path)):
                continue
            with FileLock(lock, timeout=0):  # its owner's, for as long as there is one
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)


def _is_own(path: Path) -> bool:
    return not path.is_symlink() and (os.name == "nt" or path.stat().st_uid == os.getuid())
