"""``score``: the coherence of rows in any file."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from builder.commands.base import command
from builder.options import Column, Split


@command()
def score(
    source: Annotated[str, typer.Argument(metavar="FILE", help="JSONL, CSV, Parquet or a dataset.")],
    column: Column = None,
    split: Split = None,
    explain: Annotated[bool, typer.Option("--explain", help="Add plain sentences that say why.")] = False,
) -> None:
    """Coherence of each row's context with its instruction and answer, as JSON lines."""
    from builder.scoring import score_source
    from builder.settings import assigned

    columns = assigned("--column", "context=document", column or [])
    total, rows, failed = 0.0, 0, 0
    for line in score_source(source, columns=columns, split=split or "train", reasons=explain):
        typer.echo(json.dumps(line, ensure_ascii=False))
        rows += 1
        failed += "error" in line
        total += line.get("overall", 0.0)
    scored = rows - failed
    typer.echo(f"{scored:,} rows scored, mean {total / max(scored, 1):.3f}, {failed:,} unusable", err=True)
