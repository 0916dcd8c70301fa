"""``run``, ``plan`` and ``assemble``: the whole job, what it would do, other samples of a finished one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from builder.cli.base import command, do
from builder.cli.options import AsConfig, Quiet, RunFile, configured, named_file, overridden

ALL = ("", "pairs", "generation", "samples", "filters", "contamination", "cost", "dataset")
"""The tables of a run, the top of run.toml included."""


@command(tables=ALL)
def run(run_file: RunFile = None, config: AsConfig = None, *, quiet: Quiet = False, **given: Any) -> None:
    """Write contexts, score them, assemble samples and build the dataset folder.

    Run the same command again to go on after an interruption.
    """
    resolved = configured(named_file(run_file, config), given)
    from builder.job.execute import execute

    do(execute, resolved, quiet)


@command(tables=ALL)
def plan(run_file: RunFile = None, config: AsConfig = None, *, quiet: Quiet = False, **given: Any) -> None:
    """Say what a run would do: pairs done, stale and new, tokens, time, money, disk. Writes nothing."""
    resolved = configured(named_file(run_file, config), given)
    from builder.job.estimate import tell_estimate
    from builder.job.execute import plan as survey
    from builder.job.pairs import tell_source

    lines = tell_estimate(survey(resolved), resolved)
    typer.echo("\n".join([*lines, *filter(None, [tell_source(resolved)])]))


@command(tables=("samples", "filters", "contamination"), options=("seed",))
def assemble(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")],
    *,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Make samples of other lengths from contexts that exist."""
    from synthesis.run.folder import RunFolder

    resolved = overridden(RunFolder(folder).read_config(), {**given, "out": str(folder)})
    from builder.job.execute import reassemble

    do(reassemble, resolved, quiet)
