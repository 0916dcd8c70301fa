"""``import``: rows that have a context already, as a run."""

from __future__ import annotations

from typing import Annotated

import typer

from builder.commands.base import command, do
from builder.options import (
    Column,
    Depth,
    Distractors,
    HubConfig,
    Lengths,
    License,
    Limit,
    Name,
    Out,
    Oversize,
    Quiet,
    Seed,
    Split,
    TaskName,
    TokenizerName,
)


@command(name="import")
def import_(
    pairs: Annotated[str, typer.Argument(metavar="SOURCE", help="File, folder, hf:// path or Hub dataset.")],
    column: Column = None,
    task: TaskName = None,
    config: HubConfig = None,
    split: Split = None,
    limit: Limit = None,
    model: Annotated[str | None, typer.Option(help="The model that wrote the contexts.")] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="How the user turn of a chat holds both. Default: '{context}\\n\\n{instruction}', the "
            "instruction being its last paragraph."
        ),
    ] = None,
    lengths: Lengths = None,
    tokenizer: TokenizerName = None,
    depth: Depth = None,
    distractors: Distractors = None,
    oversize: Oversize = None,
    seed: Seed = None,
    out: Out = None,
    name: Name = None,
    license: License = None,
    quiet: Quiet = False,
) -> None:
    """Bring in rows that have a context already, and build the dataset folder as a run does.

    Reads instruction, answer and context columns (synthesized_context, too), or chats.
    """
    given = dict(locals())
    from builder.importing import import_contexts
    from builder.origin import IMPORTED
    from builder.settings import overridden
    from synthesis.config import RunConfig, override

    options = {} if layout is None else {"layout": layout}
    base = override(RunConfig(), {"generation.engine": IMPORTED, "generation.options": options})
    do(import_contexts, overridden(base, given), quiet)
