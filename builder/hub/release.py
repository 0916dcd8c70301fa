"""What a release consists of: compares a dataset folder with a repository and plans one commit.

Numbers of releases follow from what a repository holds: how far its version moves, and to where.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from builder.folder.versions import DataFile, Manifest, Version, is_intact, manifest_path, read_manifests
from builder.hub.card_merge import Meta, is_ours, release_card, split_card
from builder.hub.repository import Addition, RemoteFile, Snapshot, file_sha256, same_content
from synthesis.errors import ConfigError, FolderError, UsageError

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


CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset folder: its manifests by config (in the card's order), figures and card."""

    folder: Path
    manifests: Mapping[str, Sequence[Manifest]]
    figures: tuple[Path, ...]
    card: str

    @property
    def newest(self) -> dict[str, Manifest]:
        """The newest version of each config."""
        return {name: versions[-1] for name, versions in self.manifests.items()}


@dataclass(frozen=True, slots=True)
class Remote:
    """What was read of the repository, at ``snapshot``; ``released`` is the tree at the newest tag."""

    snapshot: Snapshot
    card: str | None = None
    manifests: Mapping[str, Sequence[Manifest]] = field(default_factory=dict)
    latest: Version | None = None
    released: Mapping[str, RemoteFile] = field(default_factory=dict)


def read_source(folder: Path) -> Source:
    """The dataset folder that ``folder`` is, or holds as ``dataset``.

    Raises:
        FolderError: It was not built, or files of it are missing.
        UsageError: No config has a row.
    """
    dataset = folder / "dataset" if (folder / "dataset" / "manifests").is_dir() else folder
    if not (dataset / "manifests").is_dir():
        raise FolderError(
            f"'{folder}' holds no dataset that this tool built (there is no manifests folder). "
            "Build it first: context-synthesis run --out DIR, then publish DIR."
        )
    card = dataset / CARD
    manifests = read_manifests(dataset)
    if not any(versions[-1].rows for versions in manifests.values()):
        raise UsageError(f"There is nothing to publish: no config in '{dataset}' has any rows.")
    if not card.is_file():
        raise FolderError(f"'{card}' is missing. Run the same `context-synthesis run` again to write it.")
    text = card.read_text(encoding="utf-8")
    listed = [str(entry["config_name"]) for entry in split_card(text, f"'{card}'")[0].get("configs", [])]
    names = [name for name in dict.fromkeys([*listed, *manifests]) if name in manifests]
    kept = {name: tuple(_kept(dataset, manifests[name])) for name in names}
    return Source(dataset, kept, tuple(sorted((dataset / "figures").glob("*.png"))), text)


def _kept(dataset: Path, versions: Sequence[Manifest]) -> Iterator[Manifest]:
    """The newest version, which has to be whole, and older ones whose files were not cleared away."""
    *older, newest = versions
    yield from (manifest for manifest in older if is_intact(dataset, manifest))
    if not is_intact(dataset, newest):
        raise FolderError(
            f"Files of '{newest.config}' {newest.version} are missing from '{dataset / newest.directory}'. "
            "Run the same `context-synthesis run` again to restore them."
        )
    yield newest


def parse_manifests(texts: Mapping[str, bytes], place: str) -> dict[str, list[Manifest]]:
    """Manifests from their texts: path in the repository -> content.

    Raises:
        UsageError: One is not a manifest, or is one of a newer version of this tool.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for path, content in texts.items():
            target = Path(scratch) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        try:
            return read_manifests(Path(scratch))
        except FolderError as error:
            detail = str(error).partition(". ")[0].replace(f"{scratch}/", "")
    raise UsageError(
        f"{detail} (in {place}). Publish with the version of this tool that wrote it, "
        "or to another repository."
    )


def merged_versions(source: Source, remote: Remote) -> dict[str, list[Manifest]]:
    """Versions of both sides; where both have one, it is the same, as published."""
    names = dict.fromkeys([*remote.manifests, *source.manifests])
    merged = {}
    for name in names:
        versions = {one.number: one for one in source.manifests.get(name, ())}
        versions |= {one.number: one for one in remote.manifests.get(name, ())}
        merged[name] = [versions[number] for number in sorted(versions)]
    return merged


_OWNER = "manifests/.context-synthesis"  # lets a build go on in a folder that was fetched without card


@dataclass(frozen=True, slots=True)
class Plan:
    """One commit: what to add, what is there already, which versions are new, how far to count on.

    ``fresh`` is empty where everything is there; ``bump`` is None where even the tag is.
    """

    additions: tuple[Addition, ...]
    skipped_bytes: int
    fresh: tuple[Manifest, ...]
    bump: Bump | None

    @property
    def bytes(self) -> int:
        """The size of all additions."""
        return sum(addition.size for addition in self.additions)


def make_plan(source: Source, remote: Remote, *, repo_id: str, inferred: Meta | None = None) -> Plan:
    """Everything that the repository lacks, as one commit.

    ``inferred`` is a config to list for data that others published without one.

    Raises:
        UsageError: A published version would change, or a name is taken.
    """
    there = remote.snapshot.files
    additions: list[Addition] = []
    fresh: list[Manifest] = []
    skipped = 0
    for manifest in (one for versions in source.manifests.values() for one in versions):
        missing = _missing(source, remote, manifest, repo_id)
        skipped += manifest.bytes - sum(file.bytes for file in missing)
        additions += [
            Addition(file.path, source.folder / file.path, file.bytes, file.sha256) for file in missing
        ]
        path = manifest_path(Path(), manifest.config, manifest.version).as_posix()
        if path not in there:
            additions.append(_text(path, replace(manifest, published=True).to_json()))
        if missing or path not in there:
            fresh.append(manifest)
    extras = [_addition(f"figures/{figure.name}", figure) for figure in source.figures]
    extras.append(_text(_OWNER, ""))
    extras.append(_text(CARD, release_card(source, remote, repo_id=repo_id, inferred=inferred)))
    additions += [one for one in extras if one.path not in there or not _same(there[one.path], one)]
    _check_foreign(additions, remote, repo_id)
    return Plan(tuple(additions), skipped, tuple(fresh), bump_of(source, remote, bool(additions)))


def _missing(source: Source, remote: Remote, manifest: Manifest, repo_id: str) -> list[DataFile]:
    """Files of a version that the repository lacks; none of those it has may differ."""
    there = {
        path: file
        for path, file in remote.snapshot.files.items()
        if path.startswith(f"{manifest.directory}/")
    }
    listed = {file.path: file for file in manifest.files}
    theirs = {one.version: one for one in remote.manifests.get(manifest.config, ())}.get(manifest.version)
    changed = next((path for path in there if path not in listed), None)
    for path, file in listed.items():
        if path in there and not same_content(there[path], source.folder / path, file.sha256):
            changed = path
    if theirs and (theirs.kind, theirs.files) != (manifest.kind, manifest.files):
        changed = changed or manifest.directory
    if changed:
        raise _taken(remote, manifest, changed, repo_id)
    return [file for path, file in listed.items() if path not in there]


def _taken(remote: Remote, manifest: Manifest, path: str, repo_id: str) -> UsageError:
    last = max([manifest.number, *(one.number for one in remote.manifests.get(manifest.config, ()))])
    more, anew = Version(last.major, last.minor + 1, 0), Version(last.major + 1, 0, 0)
    return UsageError(
        f"{repo_id}: '{path}' is published already with other content, and a published version never "
        f"changes. Bump '{manifest.config}' {manifest.version} to {more} if it only has more rows, else to "
        f"{anew}: fetch what is published with `hf download {repo_id} --repo-type dataset --exclude {CARD} "
        "--local-dir DIR/dataset`, run again with --out DIR so that the build counts on from there, and "
        "publish DIR. "
        "Or build it under another name (--name)."
    )


def _check_foreign(additions: Sequence[Addition], remote: Remote, repo_id: str) -> None:
    """In a repository of others, only their card is written to."""
    if remote.manifests or is_ours(remote.card):
        return
    for addition in additions:
        if addition.path != CARD and addition.path in remote.snapshot.files:
            raise UsageError(
                f"{repo_id} has a file '{addition.path}' that this tool did not publish, and it is not "
                "overwritten. Publish to another repository."
            )


def check_contents(additions: Sequence[Addition]) -> None:
    """Make sure that files hold what their manifest says, before they are sent.

    Raises:
        FolderError: One was changed or damaged since it was built.
    """
    for addition in additions:
        if isinstance(addition.content, Path) and file_sha256(addition.content) != addition.sha256:
            raise FolderError(
                f"'{addition.content}' is not what was built: its checksum differs. Delete it, run the same "
                "`context-synthesis run` again to restore it, then publish."
            )


def _text(path: str, text: str) -> Addition:
    content = text.encode()
    return Addition(path, content, len(content), file_sha256(content))


def _addition(path: str, content: Path) -> Addition:
    return Addition(path, content, content.stat().st_size, file_sha256(content))


def _same(there: RemoteFile, ours: Addition) -> bool:
    return same_content(there, ours.content, ours.sha256)


def plan_title(plan: Plan, name: str | None) -> str:
    """What the commit is called."""
    what = ", ".join(f"{one.config} {one.version}" for one in plan.fresh) or "card"
    return f"{f'Release {name}: ' if name else ''}{what}"[:200]


def plan_lines(
    source: Source, remote: Remote, plan: Plan, *, tag: str | None, makes: Sequence[str]
) -> list[str]:
    """What a publication does, line by line; ``makes`` comes first, ``tag`` is None for none."""
    lines = list(makes)
    for one in plan.additions:
        verb = "update" if one.path in remote.snapshot.files else "add"
        lines.append(f"{verb} {one.path} ({readable(one.size)})")
    if plan.skipped_bytes:
        lines.append(f"skip data that is there already ({readable(plan.skipped_bytes)})")
    if tag is not None and tag not in remote.snapshot.tags:
        lines.append(f"tag {tag}")
    elif not plan.additions:
        lines.append(f"nothing to do: all of it is in {tag or 'the repository'}")
    lines += [f"config {one.config} = {one.version} ({one.rows:,} rows)" for one in source.newest.values()]
    return lines


def readable(size: float) -> str:
    """A size in bytes for people."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
