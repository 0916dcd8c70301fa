"""``export``: a chat config as one file for a trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from builder.cli.base import command
from synthesis.wording import counted


@command(options=("tokenizer", "limit", "seed"))
def export(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A run's folder, a dataset folder, or OWNER/NAME.")
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The .jsonl or .parquet file to write.")],
    format: Annotated[
        str, typer.Option(help="messages, prompt-completion, longalign, sharegpt, rl, preference or packed.")
    ] = "messages",
    config: Annotated[str | None, typer.Option(help="Which chat config, if there are several.")] = None,
    length: Annotated[str | None, typer.Option(help="Tokens of a pack, for packed.")] = None,
    guesses: Annotated[
        Path | None,
        typer.Option(
            help="What evaluate --condition closed wrote, for preference: wrong answers without a context "
            "are rejected beside the right one."
        ),
    ] = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Mix the order, by --seed.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    **given: Any,
) -> None:
    """Write a chat config as one file in the form that a trainer reads."""
    from builder.export.write import export as write

    result = write(
        source,
        target,
        config=config,
        format=format,
        length=length,
        tokenizer=given["tokenizer"],
        limit=given["limit"],
        shuffle=shuffle,
        seed=given["seed"] or 0,
        overwrite=overwrite,
        guesses=guesses,
    )
    samples, rows = counted(result.samples, "sample"), counted(result.rows, "row")
    typer.echo(f"{samples} of {result.config} in {rows}, {target}")
