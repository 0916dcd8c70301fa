"""What a release consists of: compares a dataset folder with a repository and plans one commit.

Numbers of releases follow from what a repository holds: how far its version moves, and to where.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from builder.folder.card import kept_notes, render_card
from builder.folder.facts import CARD_FACTS, UNNAMED
from builder.folder.lock import OWNER
from builder.folder.versions import DataFile, Manifest, Version, manifest_path
from builder.hub.card_merge import Meta, is_ours, merge_card, split_card
from builder.hub.repository import Addition, RemoteFile, file_sha256, same_content
from builder.hub.sides import CARD, LocalDataset, Remote, merged_versions
from builder.wording import readable_size
from synthesis.errors import ConfigError, FolderError, UsageError

Bump = Literal["major", "minor", "patch"]


@dataclass(frozen=True, slots=True)
class CommitPlan:
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


def make_plan(
    source: LocalDataset, remote: Remote, *, repo_id: str, inferred: Meta | None = None
) -> CommitPlan:
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
    # With it a build can go on in a folder that was fetched without the card.
    extras.append(_text(OWNER, ""))
    extras.append(_text(CARD, release_card(source, remote, repo_id=repo_id, inferred=inferred)))
    additions += [one for one in extras if one.path not in there or not _same(there[one.path], one)]
    _check_foreign(additions, remote, repo_id)
    return CommitPlan(tuple(additions), skipped, tuple(fresh), bump_of(source, remote, bool(additions)))


def _missing(source: LocalDataset, remote: Remote, manifest: Manifest, repo_id: str) -> list[DataFile]:
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


def plan_title(plan: CommitPlan, name: str | None) -> str:
    """What the commit is called."""
    what = ", ".join(f"{one.config} {one.version}" for one in plan.fresh) or "card"
    return f"{f'Release {name}: ' if name else ''}{what}"[:200]


def plan_lines(
    source: LocalDataset, remote: Remote, plan: CommitPlan, *, tag: str | None, makes: Sequence[str]
) -> list[str]:
    """What a publication does, line by line; ``makes`` comes first, ``tag`` is None for none."""
    lines = list(makes)
    for one in plan.additions:
        verb = "update" if one.path in remote.snapshot.files else "add"
        lines.append(f"{verb} {one.path} ({readable_size(one.size)})")
    if plan.skipped_bytes:
        lines.append(f"skip data that is there already ({readable_size(plan.skipped_bytes)})")
    if tag is not None and tag not in remote.snapshot.tags:
        lines.append(f"tag {tag}")
    elif not plan.additions:
        lines.append(f"nothing to do: all of it is in {tag or 'the repository'}")
    lines += [f"config {one.config} = {one.version} ({one.rows:,} rows)" for one in source.newest.values()]
    return lines


def release_card(source: LocalDataset, remote: Remote, *, repo_id: str, inferred: Meta | None) -> str:
    """The card for all that is ours in the repository after this commit, merged into the one there."""
    both = merged_versions(source, remote)
    meta, _ = split_card(remote.card or "", f"README.md of {repo_id}")
    ours = is_ours(remote.card)
    # From the card of the folder: a build that changes nothing else writes these there only.
    given, _ = split_card(source.card, f"'{source.folder / CARD}'")
    facts: dict[str, Any] = {name: given[name] for name in CARD_FACTS if given.get(name)}
    if facts.get("pretty_name") == UNNAMED:
        del facts["pretty_name"]
    stated = tuple(facts.keys() - {"language", "tags"})
    kept = ("license", "pretty_name") if ours else ("license",)
    facts = {name: meta[name] for name in kept if meta.get(name)} | facts | {"repo_id": repo_id}
    with tempfile.TemporaryDirectory() as scratch:
        stage = Path(scratch)
        for manifest in (one for versions in both.values() for one in versions):
            path = manifest_path(stage, manifest.config, manifest.version)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(replace(manifest, published=True).to_json(), encoding="utf-8")
        (stage / "figures").mkdir()
        for name in _figures(source, remote):
            (stage / "figures" / name).touch()
        text = render_card(stage, [versions[-1] for versions in both.values()], facts)
    text += kept_notes(source.card)
    return merge_card(remote.card, text, known=remote.manifests.keys(), inferred=inferred, stated=stated)


def _figures(source: LocalDataset, remote: Remote) -> set[str]:
    # Pictures of a repository that is not ours are not ours to show.
    owned = remote.snapshot.files if remote.manifests else ()
    theirs = {Path(path).name for path in owned if Path(path).match("figures/*.png")}
    return theirs | {figure.name for figure in source.figures}


def bump_of(source: LocalDataset, remote: Remote, changes: bool) -> Bump | None:
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
