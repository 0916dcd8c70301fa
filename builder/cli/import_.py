"""``import``: rows that have a context already, as a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from builder.cli.base import command, do
from builder.cli.options import Quiet, overridden


@command(name="import", tables=("", "pairs", "samples", "filters", "require", "contamination", "dataset"))
def import_(
    pairs: Annotated[str, typer.Argument(metavar="SOURCE", help="File, folder, hf:// path or Hub dataset.")],
    model: Annotated[str | None, typer.Option(help="The model that wrote the contexts.")] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="How the user turn of a chat holds both. Default: as our own chats do, else "
            "'{context}\\n\\n{instruction}', the instruction being the last paragraph."
        ),
    ] = None,
    *,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Bring in rows that have a context already, and build the dataset folder as a run does.

    Reads instruction, answer and context columns (synthesized_context, too), or chats.
    """
    from builder.folder.facts import IMPORTED
    from builder.job.importing import import_contexts
    from synthesis.options import RunConfig, override

    options = {} if layout is None else {"layout": layout}
    base = override(RunConfig(), {"generation.engine": IMPORTED, "generation.options": options})
    resolved = overridden(base, {**given, "pairs": pairs, "model": model})
    do(import_contexts, resolved, quiet)
