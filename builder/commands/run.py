"""``run``, ``plan``, ``assemble``: jobs on a run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from builder.commands.base import command, do
from builder.options import (
    Abstain,
    Column,
    ConfigFile,
    Corpus,
    Depth,
    Distractors,
    EngineName,
    EngineOption,
    Header,
    HubConfig,
    Lengths,
    License,
    Limit,
    MaxReuse,
    MaxTokens,
    Model,
    Name,
    Out,
    Oversize,
    Pairs,
    Quiet,
    Seed,
    Split,
    TaskName,
    Temperature,
    TemplateName,
    TokenizerName,
    TopP,
    Words,
)
from synthesis.errors import UsageError


@command()
def run(
    run_file: ConfigFile = None,
    pairs: Pairs = None,
    column: Column = None,
    task: TaskName = None,
    config: HubConfig = None,
    split: Split = None,
    limit: Limit = None,
    engine: EngineName = None,
    model: Model = None,
    words: Words = None,
    template: TemplateName = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = None,
    option: EngineOption = None,
    lengths: Lengths = None,
    tokenizer: TokenizerName = None,
    depth: Depth = None,
    distractors: Distractors = None,
    corpus: Corpus = None,
    max_reuse: MaxReuse = None,
    header: Header = None,
    abstain: Abstain = None,
    oversize: Oversize = None,
    seed: Seed = None,
    out: Out = None,
    name: Name = None,
    license: License = None,
    quiet: Quiet = False,
) -> None:
    """Write contexts, score them, assemble samples and build the dataset folder.

    Run the same command again to go on after an interruption.
    """
    given = dict(locals())
    from builder.settings import configured

    resolved = configured(given)
    from builder.job import execute

    do(execute, resolved, quiet)


@command(like=run)
def plan(**given: Any) -> None:
    """Say what a run would do: pairs done, stale and new. Writes nothing."""
    from builder.settings import configured

    resolved = configured(given)
    from builder.job import plan as survey

    counts = survey(resolved)
    typer.echo(
        f"{counts.total:,} rows for {resolved.out_dir}: {counts.settled:,} done, {counts.stale:,} stale, "
        f"{counts.new:,} new, {counts.bad:,} unusable"
    )
    about = counts.todo * resolved.generation.words
    typer.echo(f"a run would write {counts.todo:,} contexts, about {about:,} words")


@command()
def assemble(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")],
    lengths: Lengths = None,
    tokenizer: TokenizerName = None,
    depth: Depth = None,
    distractors: Distractors = None,
    corpus: Corpus = None,
    max_reuse: MaxReuse = None,
    header: Header = None,
    abstain: Abstain = None,
    oversize: Oversize = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Make samples of other lengths from contexts that exist."""
    given = dict(locals())
    from builder.settings import overridden
    from synthesis.config import load_config

    saved = folder / "run.toml"
    if not saved.is_file():
        raise UsageError(f"{folder} holds no run (no run.toml); give the folder of a finished run")
    resolved = overridden(load_config(saved), {**given, "out": str(folder)})
    from builder.job import reassemble

    do(reassemble, resolved, quiet)
