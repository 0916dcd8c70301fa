"""A folder as it was before, when what was to be done in it is refused before anything was.

Knows of files and their sizes, not of what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from synthesis.errors import StorageError, UsageError
from synthesis.storage import replace_file

_Entries: TypeAlias = dict[Path, int]


def missing(path: Path) -> list[Path]:
    """``path`` and the folders around it that are not there, the innermost first."""
    lacking = []
    while not path.exists() and path.parent != path:
        lacking.append(path)
        path = path.parent
    return lacking


@contextmanager
def untouched_if_refused(folder: Path, config: Path, made: list[Path]) -> Iterator[None]:
    """Where the block ends with a ``UsageError`` and nothing was written, undo what it prepared.

    That is: empty files and folders, and a configuration saved for it; the former one is put back.
    Whatever else ends it, such as an interruption or a server that is down, leaves what the same
    command goes on with.

    Args:
        folder: held by the caller.
        config: of the file that is saved before the work begins.
        made: what was made to hold it, the innermost first; see ``missing``.
    """
    before, saved = _entries(folder), config.read_bytes() if config.is_file() else None
    try:
        yield
    except UsageError:
        with suppress(OSError, StorageError):  # the refusal is what has to be told
            after = _entries(folder)
            # A file that is shorter lost what a crash had left unfinished.
            if all(size <= before.get(path, 0) for path, size in after.items() if path != config):
                _undo(before, after, config, saved)
                for one in made:
                    _remove(one)
        raise


def _undo(before: _Entries, after: _Entries, config: Path, saved: bytes | None) -> None:
    if saved is not None:
        replace_file(config, saved)
    for path in sorted(after.keys() - before.keys(), reverse=True):  # what is in a folder before it
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _entries(folder: Path) -> _Entries:
    """Every file below a folder with its size in bytes, and every folder."""
    found: _Entries = {}
    for path, folders, names in os.walk(folder):
        found |= {Path(path, name): 0 for name in folders}
        for name in names:
            with suppress(FileNotFoundError):
                found[Path(path, name)] = Path(path, name).stat().st_size
    return found
