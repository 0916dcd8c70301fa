"""``report``: figures and tables of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from builder.cli.base import command
from builder.cli.options import Quiet
from synthesis.wording import counted


@command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder, or a dataset folder.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write. Default: DIR/report.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write figures and tables of a run: one HTML page, and the figures as PNG files."""
    from builder.report.write import report as write

    written = write(folder, out)
    if not quiet:
        typer.echo(f"{written.page} and {counted(len(written.figures), 'figure')}")
