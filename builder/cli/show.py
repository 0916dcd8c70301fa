"""``show``: one row in the terminal, its evidence highlighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from builder.cli.base import command

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from builder.report.showing import Shown, ShownPiece

_STYLES = {"evidence": "bold black on yellow", "gap": "dim"}


@command()
def show(
    source: Annotated[
        str, typer.Argument(metavar="DIR|REPO", help="A run's folder, a dataset folder, or OWNER/NAME.")
    ],
    row: Annotated[
        str, typer.Argument(metavar="[ROW]", help="A row's number from 0, or the beginning of an id.")
    ] = "0",
    config: Annotated[
        str | None, typer.Option(help="Default: the first chat config. Rejected rows have one, too.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the config.")] = "train",
    rendered: Annotated[
        bool, typer.Option("--rendered", help="A sample as its chat template writes it for a model.")
    ] = False,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="Whose template that is. Default: the one the sample was measured with."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Whole texts.")] = False,
) -> None:
    """Show a row: its texts with the evidence highlighted, its scores; of a rejected one, why."""
    from rich.console import Console

    from builder.report.showing import show as read

    console = Console(highlight=False)
    _print(
        console,
        read(source, row, config=config, split=split, rendered=rendered, tokenizer=tokenizer, full=full),
    )


def _print(console: Console, shown: Shown) -> None:
    from rich.text import Text

    if console.no_color or not console.is_terminal:
        typer.echo(str(shown))
        return
    console.rule(Text(shown.place, "bold"), align="left")
    console.print(Text("  ".join(f"{name} {told}" for name, told in shown.facts), "dim"))
    for heading, pieces in shown.parts:
        console.rule(Text(heading, "cyan"), align="left")
        line = Text()
        for piece in pieces:
            if piece.kind == "border":
                line = _flush(console, line)
                console.rule(Text(piece.text, "dim"), characters="·", style="dim")
            else:
                line.append(piece.text, _STYLES.get(piece.kind, ""))
        _flush(console, line)
    notes = _notes([piece for _, pieces in shown.parts for piece in pieces])
    if notes:
        console.rule(Text("evidence", "cyan"), align="left")
        for note in notes:
            console.print(Text(note, "dim"))


def _flush(console: Console, line: Text) -> Text:
    from rich.text import Text

    if line.plain.strip():
        console.print(line)
    return Text()


def _notes(pieces: list[ShownPiece]) -> list[str]:
    """What each piece of evidence states, where that is more than the piece itself."""
    found = [piece for piece in pieces if piece.kind == "evidence"]
    return [f"{n}. {one.note}" for n, one in enumerate(found, 1) if one.note and one.note not in one.text]
