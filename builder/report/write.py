"""``report``: figures and tables of a run or a dataset folder, as one HTML page and PNG files.

Reads a finished folder and writes another one; nothing in the dataset changes. Knows how
folders are laid out; what is measured and how it is shown is in ``builder.report``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from builder.folder.checks import check_complete
from builder.folder.figures import Family, families, family_figures, key_of
from builder.folder.place import find_built
from builder.folder.versions import Manifest, damaged, is_sound, read_manifests
from builder.report.collect import depth_line, raw_part
from builder.report.page import MARK, Figure, Findings, render
from synthesis.errors import FolderError
from synthesis.run.folder import RunFolder
from synthesis.storage import replace_file, storage_errors

PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Report:
    """What was written: the page, and the figures beside it."""

    page: Path
    figures: tuple[Path, ...]


def report(folder: str | Path, out: str | Path | None = None) -> Report:
    """Write the report of a run's folder or a dataset folder.

    Args:
        folder: The folder of a run, or of a dataset that was built.
        out: Where to write; ``report`` inside ``folder`` by default.

    Raises:
        SourceError: There is no dataset.
        FolderError: It has no rows, files of it are missing, or ``out`` holds a page that
            is not a report.
        StorageError: Writing failed.
    """
    folder = Path(folder)
    run = RunFolder(folder)
    dataset = find_built(folder)
    check_complete(dataset)
    newest = _newest(dataset)
    target = Path(out) if out is not None else folder / "report"
    check_target(target, MARK, "report")
    figures = [figure for family in families(newest) for figure in _figures(dataset, family)]
    found = Findings(
        name=folder.resolve().name,
        run=run.read_manifest(),
        manifests=newest,
        raws=[raw_part(dataset, one) for one in newest if one.kind == "raw"],
        depths=[depth_line(dataset, one) for one in newest if one.kind == "chat"],
        figures=figures,
    )
    page = render(found)
    for figure in figures:
        replace_file(target / figure.file, figure.png)
    replace_file(target / PAGE, page)
    return Report(target / PAGE, tuple(target / figure.file for figure in figures))


def _newest(dataset: Path) -> list[Manifest]:
    """The newest version of each config that has rows, rejected rows last."""
    known = [versions[-1] for versions in read_manifests(dataset).values()]
    newest = sorted((one for one in known if one.rows), key=lambda one: one.kind == "rejected")
    if not newest:
        raise FolderError(
            f"There is nothing to report: no config in '{dataset}' has any rows. "
            "Add pairs, or loosen the filters."
        )
    for one in newest:
        if not is_sound(dataset, one):
            raise FolderError(damaged(dataset, one))
    return newest


def check_target(target: Path, mark: str, what: str) -> None:
    """Refuse a folder whose page is not one of ours, which carry ``mark``; ``what`` it should have been.

    Raises:
        FolderError: it holds another page, or is a file.
        StorageError: that cannot be read.
    """
    page = target / PAGE
    with storage_errors(page):
        if target.is_file():
            raise FolderError(f"{target} is a file; give a folder with --out")
        if page.is_file() and mark not in page.read_text(encoding="utf-8", errors="replace"):
            raise FolderError(
                f"'{page}' is not a {what} of ours and is not overwritten. Choose another --out."
            )


def _figures(dataset: Path, family: Family) -> list[Figure]:
    """The figures of a family: those of the dataset where they are up to date, else drawn."""
    told = family.figures()
    paths = {name: dataset / "figures" / family.file(name) for name in told}
    with storage_errors(dataset / "figures"):
        if all(path.is_file() and key_of(path) == family.key for path in paths.values()):
            drawn = {name: path.read_bytes() for name, path in paths.items()}
        else:
            drawn = family_figures(dataset, family)
    return [Figure(family.file(name), told[name], drawn[name]) for name in told]
