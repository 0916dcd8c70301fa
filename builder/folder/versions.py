"""Versions of configs and the manifests that record them.

A version exists once its manifest does: it is the last thing written. This module reads
and writes manifests and chooses the next number; it does not write rows or the card.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from builder.folder.checks import CHECKS, check_complete, digest_of, forget_check, note_check, read_checks
from builder.folder.facts import GENERATION
from builder.folder.reading import file_digest, same_rows_and_more
from builder.folder.schema import COLUMNS, Kind, id_column
from synthesis.data import content_hash
from synthesis.errors import ConfigError, FolderError, SourceError
from synthesis.storage import replace_file, storage_errors

STAGING = ".building"  # inside the dataset folder: renaming is atomic only within a file system
FORMAT = 1
_NUMBER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class Version(NamedTuple):
    """A semantic version; tuples compare as versions do."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """``"1.2.3"`` -> Version(1, 2, 3).

        Raises:
            ConfigError: The text is not three plain numbers.
        """
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise ConfigError(f"'{text}' is not a version. Write it as three numbers, such as 1.2.0.")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file; ``path`` is relative to the dataset folder, with forward slashes."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one version of one config consists of and how it was made. Holds no times.

    ``bytes`` is the size of the files. ``published`` is set once the version has been
    released: from then on it is kept and stays listed. ``released`` is the number it was released
    under, where that is a higher one than ``version``: the next build counts on from there.
    """

    config: str
    version: str
    kind: Kind
    content_id: str
    rows: int
    bytes: int
    files: tuple[DataFile, ...]
    schema: Mapping[str, str]
    statistics: Mapping[str, Any]
    facts: Mapping[str, Any]
    details: Mapping[str, Any] = field(default_factory=dict)
    published: bool = False
    released: str = ""

    @property
    def number(self) -> Version:
        """The version as numbers."""
        return Version.parse(self.version)

    @property
    def directory(self) -> str:
        """Where the files are, relative to the dataset folder."""
        return f"data/{self.config}/{self.version}"

    def paths(self, folder: Path) -> list[Path]:
        """The files of this version of the dataset in ``folder``, in order."""
        return [folder / file.path for file in self.files]

    @property
    def digest(self) -> str:
        """Short name of the files' contents."""
        return content_hash(*(file.sha256 for file in self.files))[:12]

    def to_json(self) -> str:
        """The manifest file's text; the same manifest gives the same text."""
        values = {"format": FORMAT, **asdict(self)}
        if not self.released:
            del values["released"]
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def manifest_path(folder: Path, config: str, version: str) -> Path:
    """Where the manifest of a version is."""
    return folder / "manifests" / config / f"{version}.json"


def read_manifests(folder: Path) -> dict[str, list[Manifest]]:
    """All manifests of a dataset folder: config -> versions, oldest first; configs by name.

    Raises:
        FolderError: A manifest is damaged or cannot be understood.
    """
    found: dict[str, list[Manifest]] = {}
    checks = read_checks(folder)
    for path in sorted((folder / "manifests").glob("*/*.json")):
        found.setdefault(path.parent.name, []).append(
            _read(path, checks.get(path.relative_to(folder).as_posix()))
        )
    return {name: sorted(found[name], key=lambda manifest: manifest.number) for name in sorted(found)}


def _read(path: Path, checks: Collection[str] | None) -> Manifest:
    with storage_errors(path):
        content = path.read_bytes()
    try:
        manifest = parse_manifest(content, path.parent.name, path.stem)
    except NewerError as error:
        raise FolderError(
            f"The manifest '{path}' {error}. Use the version of this tool that wrote it, "
            "or build into another folder."
        ) from None
    except FolderError as error:
        raise FolderError(
            f"The manifest '{path}' cannot be read ({error}). Delete it and the folder "
            f"'data/{path.parent.name}/{path.stem}' beside it, then run again."
        ) from None
    if checks and digest_of(content) not in checks:
        raise FolderError(
            f"The manifest '{path}' is not what was written there: it is damaged. Delete it and the "
            f"folder 'data/{path.parent.name}/{path.stem}' beside it, then run again. If it was changed on "
            f"purpose, delete '{CHECKS}' instead."
        )
    return manifest


class NewerError(FolderError):
    """A manifest was written by a version of this tool that knows more than this one."""


def parse_manifest(content: bytes, config: str, version: str) -> Manifest:
    """A manifest from its file's content; ``config`` and ``version`` are what the file is called.

    Raises:
        NewerError: It is of a newer version of this tool.
        FolderError: It is no manifest; the message only says why.
    """
    try:
        values = json.loads(content)
        if values.pop("format") != FORMAT:
            raise NewerError("has another format")
        if unknown := sorted(values.keys() - {one.name for one in fields(Manifest)}):
            raise NewerError(f"has a field '{unknown[0]}' that this version does not know")
        files = tuple(DataFile(**entry) for entry in values.pop("files"))
        manifest = Manifest(**values, files=files)
        _check_types(manifest)
        if (manifest.config, str(manifest.number)) != (config, version):
            raise KeyError("config or version")
    except RecursionError:
        raise FolderError("it is nested too deeply") from None
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise FolderError(str(error)) from error
    return manifest


def _check_types(manifest: Manifest) -> None:
    """Types as they are annotated: whoever reads a manifest counts on them."""
    words = [manifest.config, manifest.version, manifest.content_id, manifest.released]
    numbers = [manifest.rows, manifest.bytes]
    for file in manifest.files:
        words += [file.path, file.sha256]
        numbers += [file.rows, file.bytes]
    maps = (manifest.schema, manifest.statistics, manifest.facts, manifest.details)
    whole = all(type(number) is int and number >= 0 for number in numbers)
    if not whole or not all(isinstance(word, str) for word in words) or manifest.kind not in COLUMNS:
        raise TypeError("a field has another type")
    if not all(isinstance(one, dict) for one in maps):
        raise TypeError("a field is no mapping")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in place atomically; the version exists from here on."""
    path, content = manifest_path(folder, manifest.config, manifest.version), manifest.to_json()
    note_check(folder, path, content, staging_path(folder, path))
    replace_file(path, content, staging_path(folder, path))


def staging_path(folder: Path, path: Path) -> Path:
    """Where a file of the dataset folder is written before it is put in place; swept after a crash."""
    return folder / STAGING / f"file-{path.name}"


def mark_published(folder: Path, config: str, version: str, released: str = "") -> None:
    """Record that a version was released, so that it is never removed or changed.

    ``released`` is the number it was released under, which may be another than here.

    Raises:
        FolderError: There is no such version.
    """
    path = manifest_path(folder, config, version)
    if not path.is_file():
        raise FolderError(f"'{folder}' has no version {version} of '{config}'. Build it first.")
    manifest = _read(path, read_checks(folder).get(path.relative_to(folder).as_posix()))
    if released and Version.parse(released) > last_number(manifest):
        manifest = replace(manifest, released=released)
    write_manifest(folder, replace(manifest, published=True))


def last_number(manifest: Manifest) -> Version:
    """The highest number that a version has, here or where it was released."""
    return max(manifest.number, Version.parse(manifest.released or manifest.version))


def is_intact(folder: Path, manifest: Manifest) -> bool:
    """Whether exactly the files of a manifest are there, with their sizes. Reads no content."""
    listed = {file.path: file.bytes for file in manifest.files}
    there = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in (folder / manifest.directory).glob("*.parquet")
    }
    return listed == there


def is_sound(folder: Path, manifest: Manifest) -> bool:
    """Whether exactly the files of a manifest are there, with the contents that it tells of."""
    with storage_errors(folder / manifest.directory):
        return is_intact(folder, manifest) and all(
            file_digest(folder / file.path) == file.sha256 for file in manifest.files
        )


def check_sound(folder: Path, config: str) -> None:
    """See to it that the files of a config, named as it is listed, are as they were written.

    Raises:
        SourceError: They are damaged or missing. Of a config without a manifest nothing is known.
    """
    check_complete(folder)
    for versions in read_manifests(folder).values():
        for manifest in versions:
            names = {f"{manifest.config}-v{manifest.version}"}
            names |= {manifest.config} if manifest is versions[-1] else set()
            if config in names and not is_sound(folder, manifest):
                raise SourceError(damaged(folder, manifest))


def damaged(folder: Path, manifest: Manifest) -> str:
    """The message for a version whose files are not what they were."""
    return (
        f"Files of '{manifest.config}' {manifest.version} are missing from "
        f"'{folder / manifest.directory}', or damaged there. Run the same `context-synthesis run` again to "
        "restore them, or download the dataset again."
    )


def remove_version(folder: Path, manifest: Manifest) -> None:
    """Delete a version; its manifest first, so that a crash leaves an orphan, never a lie."""
    path = manifest_path(folder, manifest.config, manifest.version)
    forget_check(folder, path, staging_path(folder, path))
    with storage_errors(path):
        path.unlink()
        directory = folder / manifest.directory
        if directory.is_dir():
            shutil.rmtree(directory)


def next_version(
    folder: Path,
    previous: Manifest | None,
    draft: Manifest,
    files: Sequence[Path],
) -> Version:
    """The number of a new version whose ``files`` are written but not yet in place.

    1.0.0 without a previous version. Then minor if only rows were added, else major.
    ``draft.details["change"]`` ("added" or "regenerated") decides where given; otherwise
    rows count as added if columns and generation (engine, model, template, sampling,
    seed, tokenizer) are those of before and every row id of before is still there.

    Raises:
        ConfigError: ``details["change"]`` has another value.
    """
    if previous is None:
        return Version(1, 0, 0)
    major, minor, _ = last_number(previous)
    added = _added(folder, previous, draft, files)
    return Version(major, minor + 1, 0) if added else Version(major + 1, 0, 0)


def _added(folder: Path, previous: Manifest, draft: Manifest, files: Sequence[Path]) -> bool:
    change = draft.details.get("change")
    if change is not None:
        if change not in ("added", "regenerated"):
            raise ConfigError(
                f"details['change'] of '{draft.config}' is '{change}'; use added or regenerated."
            )
        return bool(change == "added")
    same_origin = all(previous.facts.get(name) == draft.facts.get(name) for name in GENERATION)
    if not same_origin or previous.kind != draft.kind or previous.schema != draft.schema:
        return False
    if not is_sound(folder, previous):
        return False
    return same_rows_and_more(previous.paths(folder), files, id_column(draft.kind))
