"""What a release consists of: compares a dataset folder with a repository and plans one commit.

Which numbers they get is found out in ``numbering``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builder.folder.card import kept_notes, render_card
from builder.folder.facts import CARD_FACTS, UNNAMED
from builder.folder.lock import OWNER
from builder.folder.versions import DataFile, Manifest, Version, manifest_path
from builder.hub.card_merge import Meta, is_ours, merge_card, split_card
from builder.hub.numbering import (
    Compare,
    Numbers,
    Placed,
    merged_versions,
    number_all,
    release_number,
)
from builder.hub.repository import Addition, RemoteFile, file_sha256, same_content
from builder.hub.sides import CARD, LocalDataset, Remote
from synthesis.errors import FolderError, UsageError
from synthesis.storage import scratch_folder
from synthesis.wording import counted, readable_size


@dataclass(frozen=True, slots=True)
class CommitPlan:
    """One commit: what to add, what is there already, and the number of the release.

    ``fresh`` are the versions that it brings, as they will stand there; it is empty where all are there.
    ``number`` is None where nothing is to be released, and ``why`` says what decided.
    """

    additions: tuple[Addition, ...]
    skipped_bytes: int
    placed: tuple[Placed, ...]
    fresh: tuple[Manifest, ...]
    number: Version | None
    why: str
    left_out: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The size of all additions."""
        return sum(addition.size for addition in self.additions)

    @property
    def newest(self) -> dict[str, Placed]:
        """Of each config of the folder, the newest version."""
        return {one.local.config: one for one in self.placed}  # the last of each


def make_plan(
    source: LocalDataset,
    remote: Remote,
    *,
    repo_id: str,
    compare: Compare,
    wanted: Version | None = None,
    inferred: Meta | None = None,
) -> CommitPlan:
    """Everything that the repository lacks, as one commit.

    ``wanted`` is the release's number if one was asked for; ``compare`` see ``number_all``. ``inferred``
    is a config to list for data that others published without one.

    Raises:
        UsageError: What is published was changed there, or a name or number is taken.
    """
    numbers = number_all(source, remote, repo_id=repo_id, wanted=wanted, compare=compare)
    there = remote.snapshot.files
    additions: list[Addition] = []
    fresh: list[Manifest] = []
    skipped = 0
    for placed in numbers.placed:
        manifest = placed.there
        missing = _missing(source, remote, placed, repo_id)
        skipped += manifest.bytes - sum(file.bytes for file, _ in missing)
        additions += [
            Addition(file.path, source.folder / local.path, file.bytes, file.sha256)
            for file, local in missing
        ]
        path = manifest_path(Path(), manifest.config, manifest.version).as_posix()
        if path not in there:
            additions.append(_text(path, replace(manifest, published=True, released="").to_json()))
        if missing or path not in there:
            fresh.append(manifest)
    # With it a build can go on in a folder that was fetched without the card.
    extras = [_text(OWNER, "")]
    if CARD not in there or not _is_behind(numbers, remote):
        extras += [_addition(f"figures/{figure.name}", figure) for figure in source.figures]
        card = release_card(source, remote, numbers.placed, repo_id=repo_id, inferred=inferred)
        extras.append(_text(CARD, card))
    additions += [one for one in extras if one.path not in there or not _same(there[one.path], one)]
    _check_foreign(additions, remote, repo_id)
    number, why = numbers.number, numbers.why
    if not numbers.fresh:
        number, why = release_number(remote, numbers.placed, wanted=wanted, additions=bool(additions))
    return CommitPlan(tuple(additions), skipped, numbers.placed, tuple(fresh), number, why, numbers.left_out)


def _is_behind(numbers: Numbers, remote: Remote) -> bool:
    """Whether the folder only has what somebody replaced since: then the card is not its to write."""
    merged = merged_versions(numbers.placed, remote)
    newest: dict[str, Version] = {}
    for one in (placed.there for placed in numbers.placed):
        newest[one.config] = max(one.number, newest.get(one.config, one.number))
    return not numbers.fresh and any(number < merged[name][-1].number for name, number in newest.items())


def _missing(
    source: LocalDataset, remote: Remote, placed: Placed, repo_id: str
) -> list[tuple[DataFile, DataFile]]:
    """Files of a version that the repository lacks, there and here; none of those it has may differ."""
    manifest = placed.there
    there = {
        path: file
        for path, file in remote.snapshot.files.items()
        if path.startswith(f"{manifest.directory}/")
    }
    listed = {file.path: local for file, local in zip(manifest.files, placed.local.files, strict=True)}
    changed = next((path for path in there if path not in listed), None)
    for path, local in listed.items():
        if path in there and not same_content(there[path], source.folder / local.path, local.sha256):
            changed = path
    if changed:
        raise UsageError(
            f"{repo_id}: '{changed}' is not what was published as '{manifest.config}' {manifest.version}, "
            "and a published version never changes. Revert the commit that changed it, then publish again."
        )
    return [(file, listed[file.path]) for file in manifest.files if file.path not in there]


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


def plan_lines(remote: Remote, plan: CommitPlan, *, tag: str | None, makes: Sequence[str]) -> list[str]:
    """What a publication does, line by line; ``makes`` comes first, ``tag`` is None for none."""
    lines = list(makes)
    for one in plan.additions:
        verb = "update" if one.path in remote.snapshot.files else "add"
        lines.append(f"{verb} {one.path} ({readable_size(one.size)})")
    if plan.skipped_bytes:
        lines.append(f"skip data that is there already ({readable_size(plan.skipped_bytes)})")
    lines += plan.left_out
    if tag is not None and tag not in remote.snapshot.tags:
        lines.append(f"tag {tag}")
        lines.append(f"number {tag}: {plan.why}")
    elif not plan.additions:
        lines.append(f"nothing to do: all of it is in {tag or 'the repository'}")
    merged = merged_versions(plan.placed, remote)
    return [*lines, *(_config_line(one, merged[name][-1]) for name, one in plan.newest.items())]


def offline_lines(source: LocalDataset) -> list[str]:
    """What can be said of a publication without the repository: the most that it would send."""
    newest = source.newest.values()
    files = [file for one in newest for file in one.files]
    lines = [f"send at most {file.path} ({readable_size(file.bytes)})" for file in files]
    lines += [f"send at most figures/{figure.name}" for figure in source.figures]
    return [
        *lines,
        *(f"config {one.config} ({counted(one.rows, 'row')}), built as {one.version}" for one in newest),
    ]


def _config_line(placed: Placed, newest: Manifest) -> str:
    here, there = placed.local, placed.there
    line = f"config {there.config} = {there.version} ({counted(there.rows, 'row')})"
    if here.version != there.version:
        line += f", built as {here.version}"
    if newest.version != there.version:
        line += f"; the newest there is {newest.version}"
    return line


def release_card(
    source: LocalDataset,
    remote: Remote,
    placed: Sequence[Placed],
    *,
    repo_id: str,
    inferred: Meta | None,
) -> str:
    """The card for all that is ours in the repository after this commit, merged into the one there."""
    both = merged_versions(placed, remote)
    meta, _ = split_card(remote.card or "", f"README.md of {repo_id}")
    ours = is_ours(remote.card)
    # What the card there lists stays in its order, or publishing again would change it.
    listed = [entry["config_name"] for entry in meta.get("configs", [])]
    names = [name for name in dict.fromkeys([*listed, *both]) if name in both]
    # From the card of the folder: a build that changes nothing else writes these there only.
    given, _ = split_card(source.card, f"'{source.folder / CARD}'")
    facts: dict[str, Any] = {name: given[name] for name in CARD_FACTS if given.get(name)}
    if facts.get("pretty_name") == UNNAMED:
        del facts["pretty_name"]
    stated = tuple(facts.keys() - {"language", "tags"})
    kept = ("license", "pretty_name") if ours else ("license",)
    facts = {name: meta[name] for name in kept if meta.get(name)} | facts | {"repo_id": repo_id}
    with scratch_folder() as scratch:
        stage = Path(scratch)
        for manifest in (one for versions in both.values() for one in versions):
            path = manifest_path(stage, manifest.config, manifest.version)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(replace(manifest, published=True).to_json(), encoding="utf-8")
        (stage / "figures").mkdir()
        for name in _figures(source, remote):
            (stage / "figures" / name).touch()
        try:
            text = render_card(stage, [both[name][-1] for name in names], facts)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"A manifest in {repo_id} lacks what the card tells of it ({type(error).__name__}: {error}). "
                "Publish with the version of this tool that wrote it, or to another repository."
            ) from None
    text += kept_notes(source.card)
    return merge_card(remote.card, text, known=remote.manifests.keys(), inferred=inferred, stated=stated)


def _figures(source: LocalDataset, remote: Remote) -> set[str]:
    # Pictures of a repository that is not ours are not ours to show.
    owned = remote.snapshot.files if remote.manifests else ()
    theirs = {Path(path).name for path in owned if Path(path).match("figures/*.png")}
    return theirs | {figure.name for figure in source.figures}
