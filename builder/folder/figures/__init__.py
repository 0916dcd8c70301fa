"""Figures of a dataset folder: drawn where rows changed, and only there.

A figure carries a key made of what it shows (``Family.key``), so an unchanged one is
recognised without drawing, and one that no longer tells the truth is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from builder.folder.figures.family import FIGURES, Family, families
from builder.folder.figures.style import key_of
from builder.folder.versions import read_manifests, staging_path
from synthesis.storage import replace_file, storage_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "Family", "families", "family_figures", "key_of", "refresh_figures"]

FOLDER = "figures"


def newest_families(folder: Path) -> list[Family]:
    """The families of a dataset folder, of newest versions."""
    return families(versions[-1] for versions in read_manifests(folder).values())


def refresh_figures(folder: Path, *, draw: bool = True) -> list[Path]:
    """Bring ``folder/figures`` up to date with the manifests; the caller holds the folder.

    Figures of ours that show what is no longer there are removed. Other files stay.

    Args:
        folder: The dataset folder.
        draw: Draw what is missing; otherwise only remove.

    Returns:
        The files written.

    Raises:
        FolderError, StorageError: A file cannot be read or written.
    """
    current = newest_families(folder)
    place = folder / FOLDER
    wanted = {place / family.file(figure): family.key for family in current for figure in family.figures()}
    with storage_errors(place):
        stale = [path for path in sorted(place.glob("*.png")) if _is_stale(path, wanted.get(path))]
        for path in stale if not draw else [path for path in stale if path not in wanted]:
            path.unlink()
        missing = {path for path, key in wanted.items() if not path.is_file() or key_of(path) != key}
    if not draw:
        return []
    written = []
    for family in current:
        due = {figure: place / family.file(figure) for figure in family.figures()}
        if any(path in missing for path in due.values()):
            for figure, content in family_figures(folder, family).items():
                replace_file(due[figure], content, staging_path(folder, due[figure]))
                written.append(due[figure])
    return written


def _is_stale(path: Path, key: str | None) -> bool:
    found = key_of(path)
    return found is not None and found != key


def family_figures(folder: Path, family: Family) -> dict[str, bytes]:
    """Figure -> PNG, drawn from the Parquet files of the family's configs."""
    from builder.folder.figures.style import png, styled

    with styled():
        return {name: png(draw(), family.key) for name, draw in _drawings(folder, family).items()}


def _drawings(folder: Path, family: Family) -> dict[str, Callable[[], Figure]]:
    from builder.folder import statistics
    from builder.folder.figures import plots

    name, asked = family.name, family.words
    raw = statistics.measure_raw(folder, family.raw) if family.raw else None
    chats = [(family.label(chat), statistics.measure_chat(folder, chat)) for chat in family.chats]
    known: dict[str, Callable[[], Figure]] = {
        "lengths": lambda: plots.draw_lengths(name, raw, chats),
        "asked": lambda: plots.draw_asked(name, asked, raw, chats),
        "depth": lambda: plots.draw_depth(name, chats),
    }
    if raw is not None:
        known["coherence"] = lambda: plots.draw_coherence(name, raw)
    return {figure: known[figure] for figure in family.figures()}
