"""Numbers of releases: how far a repository's version moves, and to where.

Pure. Versions of configs are numbered by the build; this is about the tags of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from builder.publishing.hub import RemoteFile
from builder.publishing.sides import Remote, Source, merged_versions
from builder.versions import Version
from synthesis.errors import ConfigError

Bump = Literal["major", "minor", "patch"]


def bump_of(source: Source, remote: Remote, changes: bool) -> Bump | None:
    """How far the repository's version moves, by what its newest release lacks."""
    before = _newest_in(remote.released)
    after = {name: versions[-1].number for name, versions in merged_versions(source, remote).items()}
    if any(name in before and number.major > before[name].major for name, number in after.items()):
        return "major"
    if any(name not in before or number > before[name] for name, number in after.items()):
        return "minor"
    return "patch" if changes or remote.released != remote.snapshot.files else None


def _newest_in(tree: Mapping[str, RemoteFile]) -> dict[str, Version]:
    newest: dict[str, Version] = {}
    for path in map(Path, tree):
        if path.match("manifests/*/*.json") and len(path.parts) == 3:
            number = version_of(path.stem)
            if number is not None:
                newest[path.parts[1]] = max(number, newest.get(path.parts[1], number))
    return newest


def version_of(text: str) -> Version | None:
    """The version that a text, such as a tag without its v, stands for; None if it is no version."""
    try:
        return Version.parse(text)
    except ConfigError:
        return None


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
