"""Where the contexts of a run's folder come from: an engine wrote them, or they were imported.

A folder holds one or the other. Knows run folders and configurations, not what is in a journal.
"""

from __future__ import annotations

from builder.folder.facts import IMPORTED
from synthesis.errors import FolderError
from synthesis.options import RunConfig
from synthesis.run.folder import RunFolder


def refuse_imported(config: RunConfig, folder: RunFolder) -> None:
    """Make sure that contexts are to be written, and that none were imported here before.

    Raises:
        FolderError: It is not so.
    """
    if config.generation.engine == IMPORTED or _engine_of(folder) == IMPORTED:
        raise FolderError(
            f"{folder.path} holds imported contexts, which no engine writes. Use `assemble`, `report` and "
            "`publish` on it, `import` again to bring in more, or choose another folder with --out."
        )


def refuse_written(folder: RunFolder) -> None:
    """Make sure that no engine wrote contexts into this folder.

    Raises:
        FolderError: One did.
    """
    engine = _engine_of(folder)
    if engine not in (None, IMPORTED):
        raise FolderError(
            f"{folder.path} holds contexts written by the engine '{engine}'; imported ones would take their "
            "place. Choose another folder with --out."
        )


def _engine_of(folder: RunFolder) -> str | None:
    return folder.read_config().generation.engine if folder.config.is_file() else None
