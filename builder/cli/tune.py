"""``tune``: which settings of an engine are fastest here, on the user's own pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from builder.cli.base import command
from builder.cli.options import AsConfig, Quiet, RunFile, configured, named_file
from synthesis.storage import in_shell

_FILE = Path("run.toml")

Prompts = Annotated[
    int,
    typer.Option(
        "--prompts",
        min=1,
        help="Prompts each setting is tried on; more than the engine writes at once.",
        rich_help_panel="Sweep",
    ),
]
Repeats = Annotated[
    int, typer.Option("--repeats", min=2, help="How often they are asked.", rich_help_panel="Sweep")
]
Each = Annotated[
    int, typer.Option("--each", min=1, help="Most seconds for a setting.", rich_help_panel="Sweep")
]
Write = Annotated[
    bool,
    typer.Option("--write/--no-write", help="Write what is faster into the file.", rich_help_panel="Sweep"),
]


@command(tables=("pairs", "generation"), options=("seed",))
def tune(
    run_file: RunFile = None,
    config: AsConfig = None,
    *,
    prompts: Prompts = 256,
    repeats: Repeats = 3,
    each: Each = 900,
    write: Write = True,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Try an engine's settings on your own pairs, and write the fastest into RUN.toml (run.toml).

    vLLM unless an --engine is named. A setting is written only if it is faster by more than the rates
    vary; what else the file says stays. A server is asked for --prompts times --repeats replies with each
    of some six settings.
    """
    file = named_file(run_file, config) or _FILE
    there = file.is_file()
    resolved = configured(file if there else None, given)  # one that is not there is made
    if resolved.generation.engine == "composer" and not given.get("engine"):
        resolved = replace(resolved, generation=replace(resolved.generation, engine="vllm"))
    from builder.job.tuning import REST, Sweep, TriedSetting, table_of, write_best
    from builder.job.tuning import tune as search

    if not (there or quiet):
        made = "it is made when something is faster" if write else "it stays so"
        typer.echo(f"there is no {file}: what is not given here is as by default, and {made}", err=True)
    trials: list[TriedSetting] = []

    def found(trial: TriedSetting) -> None:
        trials.append(trial)
        if not quiet:
            told = f"{trial.rate:,.0f} tokens/s" if trial.rates else "does not run"  # the table says why
            typer.echo(f"{trial.name}: {told}", err=True)

    best = search(resolved, Sweep(prompts, repeats, each), found)
    lines = table_of(trials)
    stays = f"{file} is left as it is" if there else f"no {file} is made"
    if not best.changes:
        lines.append(f"nothing is faster than '{REST}' by more than the rates vary; {stays}")
    elif write:
        write_best(file, resolved, best)
        lines.append(f"{best.name} is written into {file}; next: context-synthesis run {in_shell(file)}")
    else:
        lines.append(f"{best.name} is fastest; {stays}")
    typer.echo("\n".join(lines))
