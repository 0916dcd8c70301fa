"""Who may write a dataset folder: one process at a time, and only where nothing foreign is.

It also sweeps up what a crash left behind. It knows the folder's outline, not what is
inside the files.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from builder.folder.card import MARKER
from builder.folder.versions import STAGING, Version, manifest_path
from synthesis.errors import ConfigError, FolderError
from synthesis.storage import locked, storage_errors

# Says whose folder this is before there is a card, and is what a writer locks.
OWNER = "manifests/.context-synthesis"


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a dataset folder (created if missing) for one writer, and leave no staging behind.

    Raises:
        FolderError: Another process holds it, it is not writable, or holds what is not ours.
        StorageError: It could not be created or swept.
    """
    _check_ours(folder)
    owner = folder / OWNER
    with storage_errors(folder):
        owner.parent.mkdir(parents=True, exist_ok=True)
    busy = f"Another process is writing '{folder}'. Wait until it is done, then run again."
    with locked(owner, busy):
        _sweep(folder)
        try:
            yield
        finally:
            shutil.rmtree(folder / STAGING, ignore_errors=True)


def _check_ours(folder: Path) -> None:
    card = folder / "README.md"
    has_card = card.exists()
    with storage_errors(card):
        text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
        # One that lost all it said is written anew, where the folder is ours by another sign.
        lost = not text.strip("\0 \r\n") and card.is_file() and (folder / OWNER).exists()
        ours = MARKER in text or lost
    if has_card and not ours:
        raise FolderError(
            f"'{card}' was not written by this tool and is not overwritten. "
            "Choose another folder, or move that file away and run again."
        )
    if (folder / "data").exists() and not has_card and not (folder / OWNER).exists():
        raise FolderError(
            f"'{folder / 'data'}' was not written by this tool. Choose another folder, or move it away."
        )


def _sweep(folder: Path) -> None:
    """Remove what a crash left: the staging area and version folders without a manifest."""
    with storage_errors(folder):
        if (folder / STAGING).exists():
            shutil.rmtree(folder / STAGING)
        for directory in _visible(folder / "data"):
            for version in _visible(directory):
                if manifest_path(folder, directory.name, version.name).is_file():
                    continue
                _check_leftover(version)
                shutil.rmtree(version)
            if directory.is_dir() and not any(directory.iterdir()):
                directory.rmdir()


def _visible(directory: Path) -> list[Path]:
    if directory.exists() and not directory.is_dir():
        raise FolderError(f"'{directory}' is a file that was not written by this tool. Move it away.")
    return sorted(path for path in directory.glob("*") if not path.name.startswith("."))


def _check_leftover(version: Path) -> None:
    """Only what looks like ours may be deleted."""
    with suppress(ConfigError):
        Version.parse(version.name)
        if all(re.fullmatch(r"train-\d{5,}-of-\d{5,}\.parquet", path.name) for path in version.glob("*")):
            return
    raise FolderError(
        f"'{version}' was not written by this tool. Move it out of the data folder, then run again."
    )
