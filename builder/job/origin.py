"""Where the contexts of a run's folder come from: an engine wrote them, or they were imported.

A folder holds one or the other. Knows run folders and configurations, not what is in a journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from builder.folder.facts import IMPORTED
from synthesis.errors import FolderError
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
    known, made = folder.read_manifest(), config.generation
    return Origin(known.get("engine", made.engine), known.get("model", made.model), known.get("source"))


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
