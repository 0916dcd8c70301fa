"""Which number the versions of a folder have in a repository: numbers belong to the repository.

What a release brings bears the release's number, whatever number it was built under. Data that is there
already keeps the number it has there. Compares and counts; reads the Hub only to see whether rows stayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from builder.folder.facts import GENERATION
from builder.folder.versions import DataFile, Manifest, Version, manifest_path
from builder.hub.repository import RemoteFile, same_content
from builder.hub.sides import LocalDataset, Remote
from synthesis.errors import ConfigError, UsageError

Bump = Literal["major", "minor", "patch"]
Compare = Callable[[Manifest, Manifest], str]
"""What makes a config's rows other than those of before: (there, here) -> why, empty if only more came."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A version as it was built, and as it stands in the repository or will: number and paths differ."""

    local: Manifest
    there: Manifest


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a folder fits into a repository.

    ``placed`` are all versions that are there or go there, ``fresh`` tells whether new data goes there,
    and ``number`` is then the release's. ``why`` says what decided. ``left_out`` are lines about versions
    that stay where they are.
    """

    placed: tuple[Placed, ...]
    fresh: bool
    number: Version | None
    why: str
    left_out: tuple[str, ...] = ()


def number_all(
    source: LocalDataset, remote: Remote, *, repo_id: str, wanted: Version | None, compare: Compare
) -> Numbers:
    """Find each version of the folder in the repository, and number what it lacks.

    Args:
        source: The folder.
        remote: The repository.
        repo_id: Its name, for messages.
        wanted: The release's number, if one was asked for.
        compare: Asked about configs that have other rows here than there, unless a number is wanted.

    Raises:
        UsageError: The number that was asked for is not above what is there.
    """
    placed, lacking = [], []
    for one in (one for versions in source.manifests.values() for one in versions):
        there = _find(source, remote, one)
        if there is None:
            lacking.append(one)
        else:
            placed.append(Placed(one, there))
    newest = [one for one in lacking if one is source.newest[one.config]]
    number, why = None, ""
    if newest:
        number, why = _next(source, remote, newest, repo_id, wanted, compare)
        placed += [Placed(one, renumbered(one, number)) for one in newest]
    older, left_out = _older([one for one in lacking if one not in newest], remote, placed, repo_id)
    order = {id(one): n for n, one in enumerate(one for found in source.manifests.values() for one in found)}
    all_placed = sorted([*placed, *older], key=lambda one: order[id(one.local)])
    return Numbers(tuple(all_placed), bool(newest), number, why, left_out)


def _find(source: LocalDataset, remote: Remote, one: Manifest) -> Manifest | None:
    """The version there that holds the same data: under its own number, else the newest such."""
    known = remote.manifests.get(one.config, ())
    same = [theirs for theirs in known if same_data(theirs, one)]
    if same:
        return next((theirs for theirs in same if theirs.version == one.version), same[-1])
    # Files of ours without a manifest: what an upload by other means, broken off, left behind.
    begun = _under(remote.snapshot.files, one.directory)
    if begun and all(theirs.version != one.version for theirs in known):
        ours = {file.path: file for file in one.files}
        if all(
            path in ours and same_content(file, source.folder / path, ours[path].sha256)
            for path, file in begun.items()
        ):
            return one
    return None


def _next(
    source: LocalDataset,
    remote: Remote,
    newest: Sequence[Manifest],
    repo_id: str,
    wanted: Version | None,
    compare: Compare,
) -> tuple[Version, str]:
    there = {one.config: _highest(remote, one.config) for one in newest}
    if wanted is not None:
        if f"v{wanted}" in remote.snapshot.tags:
            raise release_taken(remote, wanted, repo_id, "minor")
        for config, last in there.items():
            if last is not None and wanted <= last:
                raise UsageError(
                    f"{repo_id} has '{config}' {last} already, and a published version never changes. What "
                    f"is new needs a number above it, such as {next_release(last, 'minor')}; leave the "
                    "version out to have it chosen."
                )
        return wanted, "as asked for"
    numbers = [_highest(remote, config) for config in _configs(remote)]
    highest = max((number for number in [*numbers, remote.latest] if number is not None), default=None)
    if highest is None:
        kept = [one for versions in source.manifests.values() if len(versions) > 1 for one in versions]
        return max((one.number for one in kept), default=Version(1, 0, 0)), "the first release"
    bump, why = _bump(remote, newest, compare)
    return next_release(highest, bump), f"{bump}: {why}"


def release_taken(remote: Remote, wanted: Version, repo_id: str, bump: Bump) -> UsageError:
    """That a release has the number that was asked for, and which one is free."""
    return UsageError(
        f"{repo_id} has a release v{wanted} already, and releases never change. "
        f"Publish as {next_release(remote.latest, bump)}, or leave the version out."
    )


def _bump(remote: Remote, newest: Sequence[Manifest], compare: Compare) -> tuple[Bump, str]:
    added: list[str] = []
    changed: list[str] = []
    for one in newest:
        versions = remote.manifests.get(one.config)
        if not versions:
            added.append(f"'{one.config}' is new")
        # What was rejected is a by-product: a row that leaves it has become a better one.
        elif one.kind == versions[-1].kind == "rejected":
            added.append(f"'{one.config}' was brought up to date")
        elif reason := compare(versions[-1], one):
            changed.append(f"'{one.config}' {reason}")
        else:
            added.append(f"'{one.config}' has more rows")
    return ("major", "; ".join(changed)) if changed else ("minor", "; ".join(added))


def _older(
    lacking: Sequence[Manifest], remote: Remote, placed: Sequence[Placed], repo_id: str
) -> tuple[list[Placed], tuple[str, ...]]:
    """Versions published elsewhere go along under their own numbers, where these are free and lower."""
    numbers: dict[str, list[Version]] = {}
    for there in (known.there for known in placed):
        numbers.setdefault(there.config, []).append(there.number)
    older, left = [], []
    for one in lacking:
        here = numbers.get(one.config, [])
        taken = {*here, *_numbers(remote, one.config)}
        if one.number < max(here, default=one.number) and one.number not in taken:
            older.append(Placed(one, one))
        else:
            left.append(f"leave out '{one.config}' {one.version}: {repo_id} has other data under that number")
    return older, tuple(left)


def renumbered(manifest: Manifest, number: Version) -> Manifest:
    """The same data under another number, and so at other paths."""
    moved = replace(manifest, version=str(number))
    files = tuple(
        DataFile(f"{moved.directory}/{PurePosixPath(file.path).name}", file.rows, file.bytes, file.sha256)
        for file in manifest.files
    )
    return replace(moved, files=files)


def same_data(one: Manifest, other: Manifest) -> bool:
    """Whether two versions hold the same files, wherever these are."""
    return one.kind == other.kind and _contents(one) == _contents(other)


def _contents(manifest: Manifest) -> list[tuple[str, int, str]]:
    return [(PurePosixPath(file.path).name, file.bytes, file.sha256) for file in manifest.files]


def merged_versions(placed: Sequence[Placed], remote: Remote) -> dict[str, list[Manifest]]:
    """Versions of both sides, as they stand in the repository; where both have one, as published."""
    merged: dict[str, dict[Version, Manifest]] = {
        name: {one.number: one for one in versions} for name, versions in remote.manifests.items()
    }
    for one in (one.there for one in placed):
        merged.setdefault(one.config, {}).setdefault(one.number, one)
    return {name: [versions[number] for number in sorted(versions)] for name, versions in merged.items()}


def release_number(
    remote: Remote, placed: Sequence[Placed], *, wanted: Version | None, additions: bool
) -> tuple[Version | None, str]:
    """The number of a release that brings no new data, and why; None where there is nothing to release."""
    if wanted is not None:
        return wanted, "as asked for"
    versions = [one for found in merged_versions(placed, remote).values() for one in found]
    waiting = [
        one.number
        for one in versions
        if manifest_path(Path(), one.config, one.version).as_posix() not in remote.released
    ]
    top = max(waiting, default=None)
    if top is not None and (remote.latest is None or top > remote.latest):
        return top, "committed before, and not yet tagged"
    if remote.latest is None:
        return Version(1, 0, 0), "the first release"
    if waiting:
        return next_release(remote.latest, "minor"), "minor: committed before, and not yet tagged"
    if additions or remote.released != remote.snapshot.files:
        return next_release(remote.latest, "patch"), "patch: no rows changed"
    return None, ""


def next_release(latest: Version | None, bump: Bump) -> Version:
    """The repository's next version."""
    if latest is None:
        return Version(1, 0, 0)
    if bump == "major":
        return Version(latest.major + 1, 0, 0)
    if bump == "minor":
        return Version(latest.major, latest.minor + 1, 0)
    return Version(latest.major, latest.minor, latest.patch + 1)


def latest_release(tags: Mapping[str, str]) -> Version | None:
    """The highest version among the tags."""
    found = [version_of(tag.removeprefix("v")) for tag in tags if tag.startswith("v")]
    return max((number for number in found if number is not None), default=None)


def version_of(text: str) -> Version | None:
    """The version that a text, such as a tag without its v, stands for; None if it is no version."""
    try:
        return Version.parse(text)
    except ConfigError:
        return None


def made_alike(there: Manifest, here: Manifest) -> str:
    """What keeps two versions from being told apart by their rows alone; empty if nothing does."""
    if there.kind != here.kind:
        return f"is {here.kind} and was {there.kind}"
    if there.schema != here.schema:
        return "has other columns"
    other = [name for name in GENERATION if there.facts.get(name) != here.facts.get(name)]
    return f"was made with another {other[0]}" if other else ""


def _configs(remote: Remote) -> set[str]:
    return {*remote.manifests, *(Path(path).parts[1] for path in _versioned(remote.snapshot.files))}


def _versioned(files: Mapping[str, RemoteFile]) -> list[str]:
    """Paths that lie where the data of a version does."""
    parts = {path: path.split("/") for path in files}
    return [
        path
        for path, names in parts.items()
        if len(names) == 4 and names[0] == "data" and version_of(names[2]) is not None
    ]


def _numbers(remote: Remote, config: str) -> list[Version]:
    """Numbers under which a config has data or a manifest."""
    data = [path for path in _versioned(remote.snapshot.files) if path.split("/")[1] == config]
    found = [version_of(path.split("/")[2]) for path in data]
    return [
        *(number for number in found if number is not None),
        *(one.number for one in remote.manifests.get(config, ())),
    ]


def _highest(remote: Remote, config: str) -> Version | None:
    return max(_numbers(remote, config), default=None)


def _under(files: Mapping[str, RemoteFile], directory: str) -> dict[str, RemoteFile]:
    return {path: file for path, file in files.items() if path.startswith(f"{directory}/")}
