"""Writes the Hub-ready dataset folder: Parquet, manifests and the card.

A new version appears under a new path, complete or not at all: its files are staged in
the same file system and renamed, its manifest comes last, then figures and card, and only
then is what it replaces removed. Knows nothing of how rows came to be, nor of the Hub.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from builder.folder.card import kept_notes, render_card
from builder.folder.checks import CHECKS, check_complete, complete_checks
from builder.folder.figures import refresh_figures
from builder.folder.lock import locked_folder
from builder.folder.parquet import Shard, ShardWriter, clean
from builder.folder.schema import Kind, arrow_schema, schema_names
from builder.folder.statistics import Statistics
from builder.folder.versions import (
    STAGING,
    DataFile,
    Manifest,
    is_sound,
    next_version,
    read_manifests,
    remove_version,
    staging_path,
    write_manifest,
)
from synthesis.errors import ConfigError
from synthesis.storage import replace_file, storage_errors, sync_directory

Progress = Callable[[str, int], None]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_PINNED = re.compile(r".*-v\d+\.\d+\.\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ConfigData:
    """One config to write.

    ``rows`` is called at most once, and only if something must be written; it yields rows
    as the makers in ``builder.folder.schema`` give them. ``content_id`` is a hash of everything
    that determines the rows. ``details`` goes to the manifest; its ``change`` ("added" or
    "regenerated") chooses between a minor and a major version. What is only known once the
    rows were made is given as a function, called after the last of them.
    """

    name: str
    kind: Kind
    rows: Callable[[], Iterable[Mapping[str, Any]]]
    content_id: str
    details: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigResult:
    """The newest version of a config after a build; ``files`` are relative, ``bytes`` their size.

    ``built`` is False where the version was there already.
    """

    name: str
    version: str
    kind: Kind
    rows: int
    bytes: int
    files: tuple[str, ...]
    built: bool


@dataclass(frozen=True, slots=True)
class FolderResult:
    """What a build left at ``path``: one result per config given, in the same order."""

    configs: list[ConfigResult]
    path: Path


def build_folder(
    folder: Path,
    configs: Sequence[ConfigData],
    *,
    facts: Mapping[str, Any],
    progress: Progress | None = None,
    figures: bool = False,
) -> FolderResult:
    """Bring a dataset folder up to date with ``configs``; write only what changed.

    Configs that are in the folder but not in ``configs`` stay and stay listed. Versions that
    were replaced and never marked as published are removed.

    Args:
        folder: Created if missing. May hold other files, but no foreign README.md or data/.
        configs: The first raw or chat config with rows becomes the default one.
        facts: How the rows were made (``engine``, ``model``, ``template``, ``sampling``,
            ``seed``, ``tokenizer``, ``source``, ``versions``) and what the card should say
            (see ``render_card``). JSON-able, without times and paths: they go into manifests.
        progress: Called with the config's name and the rows written so far.
        figures: Draw what changed into ``figures/``. Figures that no longer show what is there
            are removed in any case.

    Raises:
        ConfigError: A name, a fact or a hint cannot be used.
        FolderError: The folder is in use, not writable, or holds what is not ours.
        StorageError: Writing failed. Versions that were complete are kept.
    """
    _check_names(configs)
    facts = _plain(facts, "facts")
    check_complete(folder, [config.name for config in configs])
    with locked_folder(folder):
        results = [_build_config(folder, config, facts, progress) for config in configs]
        refresh_figures(folder, draw=figures)
        _write_card(folder, [config.name for config in configs], facts)
        _remove_replaced(folder, [config.name for config in configs])
        complete_checks(folder, staging_path(folder, folder / CHECKS))
    return FolderResult(results, folder)


def _check_names(configs: Sequence[ConfigData]) -> None:
    seen: set[str] = set()
    for name in (config.name for config in configs):
        if not _NAME.fullmatch(name) or _PINNED.fullmatch(name):
            raise ConfigError(
                f"'{name}' cannot name a config. Use up to 96 letters, digits, dots, dashes and underscores, "
                "starting with a letter or digit and not ending like a version (-v1.0.0)."
            )
        # Case does not tell folders apart on every file system.
        if name.casefold() in seen:
            raise ConfigError(f"Two configs are called '{name}'. Give each its own name.")
        seen.add(name.casefold())


def _plain(values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """A copy made of JSON values only, fit for UTF-8."""
    try:
        plain = json.loads(json.dumps(dict(values), sort_keys=True, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"The {what} cannot be recorded as JSON: {error}. Use plain values.") from error
    cleaned: dict[str, Any] = clean(plain).value
    return cleaned


def _build_config(
    folder: Path, config: ConfigData, facts: Mapping[str, Any], progress: Progress | None
) -> ConfigResult:
    versions = read_manifests(folder).get(config.name, [])
    previous = versions[-1] if versions else None
    draft = Manifest(
        config=config.name,
        version="0.0.0",
        kind=config.kind,
        content_id=config.content_id,
        rows=0,
        bytes=0,
        files=(),
        schema=schema_names(config.kind),
        statistics={},
        facts=facts,
    )
    if previous and _is_current(previous, draft) and is_sound(folder, previous):
        return _result(previous, built=False)
    staging = folder / STAGING / config.name
    shards, statistics = _write_rows(staging, config, progress)
    if previous and _is_current(previous, draft) and _same_files(previous, shards):
        # The files had been damaged or deleted; the same bytes go back to the same place.
        _place(folder, staging, previous, shards)
        return _result(previous, built=True)
    details = config.details() if callable(config.details) else config.details
    draft = replace(draft, details=_plain(details, f"details of '{config.name}'"))
    version = str(next_version(folder, previous, draft, [shard.path for shard in shards]))
    draft = replace(draft, version=version, statistics=statistics, rows=statistics["rows"])
    files = tuple(
        DataFile(f"{draft.directory}/{shard.path.name}", shard.rows, shard.bytes, shard.sha256)
        for shard in shards
    )
    manifest = replace(draft, files=files, bytes=sum(file.bytes for file in files))
    _place(folder, staging, manifest, shards)
    write_manifest(folder, manifest)
    return _result(manifest, built=True)


def _is_current(previous: Manifest, draft: Manifest) -> bool:
    same = (previous.content_id, previous.kind) == (draft.content_id, draft.kind)
    return same and previous.schema == draft.schema


def _same_files(previous: Manifest, shards: Sequence[Shard]) -> bool:
    return [file.sha256 for file in previous.files] == [shard.sha256 for shard in shards]


def _write_rows(
    staging: Path, config: ConfigData, progress: Progress | None
) -> tuple[list[Shard], dict[str, Any]]:
    statistics, replaced = Statistics(), 0
    with ShardWriter(staging, arrow_schema(config.kind)) as writer:
        for number, given in enumerate(config.rows(), start=1):
            row, size, changed = clean(given)
            writer.add(row, size)
            statistics.add(row)
            replaced += changed
            if progress is not None:
                progress(config.name, number)
        shards = writer.finish()
    return shards, {**statistics.to_dict(), "replaced_characters": replaced}


def _place(folder: Path, staging: Path, manifest: Manifest, shards: Sequence[Shard]) -> None:
    """Move staged files to where the manifest says; an empty version has no folder."""
    if not shards:
        return
    target = folder / manifest.directory
    with storage_errors(target):
        sync_directory(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        staging.rename(target)
        sync_directory(target.parent)


def _result(manifest: Manifest, *, built: bool) -> ConfigResult:
    return ConfigResult(
        manifest.config,
        manifest.version,
        manifest.kind,
        manifest.rows,
        manifest.bytes,
        tuple(file.path for file in manifest.files),
        built,
    )


def _write_card(folder: Path, order: Sequence[str], facts: Mapping[str, Any]) -> None:
    card = folder / "README.md"
    newest = {name: versions[-1] for name, versions in read_manifests(folder).items()}
    names = dict.fromkeys([*(name for name in order if name in newest), *newest])
    text = render_card(folder, [newest[name] for name in names], facts)
    notes = kept_notes(card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else ""
    text = f"{text.rstrip()}\n" + (f"\n{notes}\n" if notes else "")
    replace_file(card, text, staging_path(folder, card))


def _remove_replaced(folder: Path, names: Sequence[str]) -> None:
    """The card no longer speaks of these versions; nothing published is touched."""
    known = read_manifests(folder)
    for name in names:
        for manifest in known[name][:-1]:
            if not manifest.published:
                remove_version(folder, manifest)
