"""``compare``: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from builder.cli.base import command
from builder.cli.options import Quiet
from synthesis.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

_UNBOUNDED = 10_000  # characters of a line


@command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN_A RUN_B ...",
            help="Folders of runs or datasets, perhaps as NAME=FOLDER. Differences are to the first.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("comparison"),
    texts: Annotated[
        int, typer.Option(min=0, help="Contexts of each run whose texts are read; 0 for all.")
    ] = 1000,
    scores: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FOLDER", help="What `evaluate` wrote of a model tuned on a run; repeatable."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Compare runs: lengths, coherence, evidence, wording, leaks, rejects and cost, as one HTML page.

    A test set or contexts by people are compared alike: make a run of them with `import` first.
    """
    from rich.console import Console

    from builder.report.comparison import compare as write

    written = write(runs, out, most_texts=texts, scores=scores or ())
    if quiet:
        return
    lines = [written.overview.heads, *written.overview.rows]
    console = Console()
    shown = _table(lines)
    room = console.options.update(max_width=_UNBOUNDED)
    if (
        console.measure(shown, options=room).minimum > console.width
    ):  # a narrow terminal: a line for each measure
        shown = _table(list(zip(*lines, strict=True)))
    console.print(shown)
    typer.echo(f"{written.page} and {counted(len(written.figures), 'figure')}")


def _table(lines: Sequence[Sequence[str]]) -> Table:
    """Lines as they are printed, the heads first."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for place, head in enumerate(lines[0]):
        shown.add_column(head, justify="right" if place else "left", overflow="fold")
    for line in lines[1:]:
        shown.add_row(*line)
    return shown
