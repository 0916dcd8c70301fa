"""What the manifests of a dataset folder were when they were written, so that a damaged one is told.

``manifests/.checks`` informs and is not published: without it, or where a line of it is damaged,
manifests are taken as they are. Knows nothing of what they say.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from synthesis.errors import FolderError
from synthesis.run.records import read_record, sealed
from synthesis.storage import replace_file, storage_errors

CHECKS = "manifests/.checks"


def read_checks(folder: Path) -> Mapping[str, set[str]]:
    """The SHA-256 that each manifest may have, by its path in ``folder``; none for one that is not known."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    path = folder / CHECKS
    with storage_errors(path):
        content = path.read_bytes() if path.is_file() else b""
    with suppress(FolderError):  # of a newer version
        for line in content.splitlines(keepends=True):
            record = read_record(line, path, {"file", "sha256"}) or {}
            if isinstance(record.get("file"), str) and isinstance(record.get("sha256"), str):
                found[record["file"]].add(record["sha256"])
    return found


def note_check(folder: Path, manifest: Path, content: str, staging: Path) -> None:
    """Note what a manifest is about to hold; until it does, what it holds is right as well."""
    known = _present(folder)
    name = manifest.relative_to(folder).as_posix()
    _write(folder, {**known, name: known.get(name, set()) | {digest_of(content.encode())}}, staging)


def forget_check(folder: Path, manifest: Path, staging: Path) -> None:
    """Note that a manifest is about to be removed."""
    known = _present(folder)
    known.pop(manifest.relative_to(folder).as_posix(), None)
    _write(folder, known, staging)


def check_complete(folder: Path, remade: Collection[str] = ()) -> None:
    """See to it that every manifest is there that was written, but for those of configs to be ``remade``.

    Raises:
        FolderError: one is gone, and what it told of would silently be left out.
    """
    for name in sorted(read_checks(folder)):
        config = PurePosixPath(name).parent.name
        if config not in remade and not (folder / name).is_file():
            raise FolderError(
                f"The manifest '{folder / name}' is gone. Put it back, or make '{config}' again with the "
                f"options it was made with; to go on without it, delete '{CHECKS}'."
            )


def complete_checks(folder: Path, staging: Path) -> None:
    """Note what each manifest holds that was read and found good."""
    _write(folder, _present(folder), staging)


def _present(folder: Path) -> dict[str, set[str]]:
    with storage_errors(folder / CHECKS):
        paths = sorted((folder / "manifests").glob("*/*.json"))
        return {path.relative_to(folder).as_posix(): {digest_of(path.read_bytes())} for path in paths}


def _write(folder: Path, known: Mapping[str, set[str]], staging: Path) -> None:
    lines = [
        sealed({"file": one, "sha256": digest}) for one in sorted(known) for digest in sorted(known[one])
    ]
    replace_file(folder / CHECKS, b"".join(lines), staging)


def digest_of(content: bytes) -> str:
    """The SHA-256 of a manifest, in hex digits."""
    return hashlib.sha256(content).hexdigest()
