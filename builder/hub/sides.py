"""The two sides of a publication: a dataset folder, and the repository it goes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder.folder.checks import check_complete
from builder.folder.place import find_built
from builder.folder.versions import Manifest, Version, is_intact, parse_manifest, read_manifests
from builder.hub.card_merge import split_card
from builder.hub.repository import RemoteFile, Snapshot
from synthesis.errors import FolderError, UsageError

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class LocalDataset:
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


def read_source(folder: Path) -> LocalDataset:
    """The dataset folder that ``folder`` is, or holds as ``dataset``.

    Raises:
        SourceError: It was not built.
        FolderError: Files of it are missing.
        UsageError: No config has a row.
    """
    dataset = find_built(folder)
    card = dataset / CARD
    check_complete(dataset)
    manifests = read_manifests(dataset)
    if not any(versions[-1].rows for versions in manifests.values()):
        raise UsageError(f"There is nothing to publish: no config in '{dataset}' has any rows.")
    if not card.is_file():
        raise FolderError(f"'{card}' is missing. Run the same `context-synthesis run` again to write it.")
    try:
        text = card.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FolderError(
            f"'{card}' is not UTF-8 text (byte {error.start}). Mend it there, or move it away and run "
            "the same `context-synthesis run` again to write it anew."
        ) from None
    listed = [str(entry["config_name"]) for entry in split_card(text, f"'{card}'")[0].get("configs", [])]
    names = [name for name in dict.fromkeys([*listed, *manifests]) if name in manifests]
    kept = {name: tuple(_kept(dataset, manifests[name])) for name in names}
    return LocalDataset(dataset, kept, tuple(sorted((dataset / "figures").glob("*.png"))), text)


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
    found: dict[str, list[Manifest]] = {}
    for path, content in sorted(texts.items()):
        _, config, name = path.split("/")
        try:
            one = parse_manifest(content, config, name.removesuffix(".json"))
        except FolderError as error:
            raise UsageError(
                f"The manifest '{path}' in {place} cannot be read ({error}). Publish with the version of "
                "this tool that wrote it, or to another repository."
            ) from None
        found.setdefault(config, []).append(one)
    return {name: sorted(found[name], key=lambda one: one.number) for name in sorted(found)}
