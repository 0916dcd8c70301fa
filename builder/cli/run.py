"""``run``, ``plan`` and ``assemble``: the whole job, what it would do, other samples of a finished one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from builder.cli.base import command, do
from builder.cli.options import AsConfig, Quiet, RunFile, configured, named_file, overridden
from synthesis.errors import UsageError
from synthesis.options import RunConfig, override

ALL = (
    "",
    "pairs",
    "questions",
    "generation",
    "reasons",
    "samples",
    "filters",
    "require",
    "contamination",
    "cost",
    "dataset",
)
"""The tables of a run, the top of run.toml included."""


Retry = Annotated[
    bool,
    typer.Option(
        "--retry-rejected",
        help="Ask the rejected pairs of a run again, and no others: by another seed, or by the --seed, "
        "--model, --engine and so on that are given. All else of the run stays as it is.",
        rich_help_panel="Contexts",
    ),
]


@command(tables=ALL)
def run(
    run_file: RunFile = None,
    config: AsConfig = None,
    *,
    retry_rejected: Retry = False,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Write contexts, score them, assemble samples and build the dataset folder.

    Run the same command again to go on after an interruption.
    """
    resolved = _resolved(named_file(run_file, config), given, retry_rejected)
    from builder.job.execute import execute, retry

    do(retry if retry_rejected else execute, resolved, quiet)


@command(tables=ALL)
def plan(
    run_file: RunFile = None,
    config: AsConfig = None,
    *,
    retry_rejected: Retry = False,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Say what a run would do: pairs done, stale and new, tokens, time, money, disk. Writes nothing.

    With --quiet it only checks that a run could begin.
    """
    resolved = _resolved(named_file(run_file, config), given, retry_rejected)
    from builder.cli.planned import tell_estimate
    from builder.folder.codes import tell_codes
    from builder.job.execute import plan as survey
    from builder.job.pairs import tell_source

    lines = tell_estimate(survey(resolved, retrying=retry_rejected), resolved)
    if quiet:
        return
    named = tell_codes(resolved.dataset.language, resolved.dataset.license)
    typer.echo("\n".join([*lines, *filter(None, [tell_source(resolved), *named])]))


def _resolved(file: Path | None, given: Mapping[str, Any], retrying: bool) -> RunConfig:
    """The configuration of a run; what is asked again in one goes by that of its folder."""
    if not retrying:
        return configured(file, given)
    from synthesis.run.folder import RunFolder

    if file is None and not given.get("out"):
        raise UsageError("--retry-rejected needs the run it is about: its run.toml, or its folder with --out")
    base = configured(file, {}) if file else RunFolder(Path(given["out"])).read_config()
    if given.get("engine") not in (None, base.generation.engine):
        # The settings of one engine are none of another.
        base = override(base, {"generation.model": "", "generation.options": {}})
    return overridden(base, given)


@command(tables=("reasons", "samples", "filters", "require", "contamination"), options=("seed",))
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
