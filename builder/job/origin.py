"""Where the contexts of a run's folder come from: an engine wrote them, or they were imported.

A folder holds one or the other. Knows run folders and configurations, not what is in a journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from builder.folder.facts import IMPORTED
from builder.folder.versions import read_manifests
from builder.job.pairs import described_source, is_near
from synthesis.errors import FolderError, SourceError
from synthesis.options import RunConfig
from synthesis.run.folder import RunFolder


class Origin(NamedTuple):
    """Who wrote the contexts, and what their pairs are of (as ``describe_source`` says it), if known."""

    engine: str
    model: str
    source: Mapping[str, Any] | None


def record_origin(folder: RunFolder, origin: Origin) -> None:
    """Save it in the folder's manifest, for when the dataset is built."""
    folder.write_manifest(folder.read_manifest() | origin._asdict())


def recorded_origin(folder: RunFolder, config: RunConfig) -> Origin:
    """That of the contexts in a folder, wherever their pairs are by now; else what the configuration says."""
    known, made = folder.read_manifest() or _rebuilt(folder, config), config.generation
    return Origin(known.get("engine", made.engine), known.get("model", made.model), known.get("source"))


def _rebuilt(folder: RunFolder, config: RunConfig) -> dict[str, Any]:
    """What a manifest that is lost said of the origin, as far as the dataset and the source tell."""
    raws = (
        versions[-1] for versions in read_manifests(folder.dataset).values() if versions[-1].kind == "raw"
    )
    facts = next((one.facts for one in raws), {})
    found = {name: facts[name] for name in ("engine", "model") if name in facts}
    if facts.get("source"):
        return found | {"source": {"kind": "hub", **facts["source"]}}
    if not is_near(config):
        return found
    with suppress(SourceError):
        found["source"] = described_source(config)
    return found


def writing_folder(config: RunConfig) -> RunFolder:
    """The folder of a run whose contexts are to be written.

    Raises:
        FolderError: It is none, or holds imported contexts.
    """
    folder = RunFolder(config.out_dir)
    folder.check()
    if IMPORTED in (config.generation.engine, _engine_of(folder)):
        raise FolderError(
            f"{folder.path} holds imported contexts, which no engine writes. Use `assemble`, `report` and "
            "`publish` on it, `import` again to bring in more, or choose another folder with --out."
        )
    if folder.config.is_file() and (held := folder.read_config().method) != config.method:
        raise FolderError(
            f"{folder.path} holds a run with --method {held}, and --method {config.method} writes something "
            "else. Choose another folder with --out."
        )
    return folder


def importing_folder(config: RunConfig) -> RunFolder:
    """The folder of a run whose contexts are to be imported.

    Raises:
        FolderError: It is none, or an engine wrote contexts into it.
    """
    folder = RunFolder(config.out_dir)
    folder.check()
    engine = _engine_of(folder)
    if engine not in (None, IMPORTED):
        raise FolderError(
            f"{folder.path} holds contexts written by the engine '{engine}'; imported ones would take their "
            "place. Choose another folder with --out."
        )
    return folder


def _engine_of(folder: RunFolder) -> str | None:
    return folder.read_config().generation.engine if folder.config.is_file() else None
