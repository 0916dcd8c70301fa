"""``context-synthesis``: the command line. Parses, calls, prints; everything else is elsewhere.

Exit codes: 0 done, 1 failed (what is finished is kept, run again to go on), 2 wrong usage.
Only the standard library and typer are imported until a command runs.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from synthesis.errors import ContextSynthesisError, UsageError

if TYPE_CHECKING:
    from builder.job import Summary
    from synthesis.config import RunConfig

app = typer.Typer(
    name="context-synthesis",
    help="Turn short instruction-answer pairs into long-context training data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command whose errors become a message and an exit code."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except ContextSynthesisError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            typer.echo("\nstopped; what is finished is kept, run the same command to go on", err=True)
            raise typer.Exit(1) from None

    return app.command()(guarded)


@_command
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

    _do(execute, resolved, quiet)


@_command
def plan(
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
) -> None:
    """Say what a run would do: pairs done, stale and new. Writes nothing."""
    given = dict(locals())
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


@_command
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

    _do(reassemble, resolved, quiet)


@_command
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


@_command
def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder, or its dataset folder.")],
    repo_id: Annotated[str, typer.Argument(metavar="REPO_ID", help="OWNER/NAME of a dataset repository.")],
    version: Annotated[
        str | None, typer.Option(help="Of the release, as in 1.2.0. Default: from what changed.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Create the repository as private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, do nothing.")] = False,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request instead.")] = False,
    revision: Annotated[str | None, typer.Option(metavar="BRANCH", help="Branch to commit to.")] = None,
    message: Annotated[str | None, typer.Option(help="Of the commit.")] = None,
    quiet: Quiet = False,
) -> None:
    """Publish to the Hub: one commit, a tag, and every new config loaded back.

    The token is that of `hf auth login` or HF_TOKEN. Run again to finish an interrupted publication.
    """
    from huggingface_hub.utils.tqdm import disable_progress_bars

    from builder.publish import publish as send

    disable_progress_bars()
    result = send(
        folder,
        repo_id,
        version=version,
        private=private,
        dry_run=dry_run,
        create_pr=create_pr,
        revision=revision,
        message=message,
        on_step=lambda step: None if quiet else typer.echo(step, err=True),
    )
    if dry_run:
        typer.echo("\n".join(result.plan))
    elif not quiet:
        named = ", ".join(f"{name} {number}" for name, number in result.configs.items())
        typer.echo(f"{result.version or 'pull request'}: {named}\n{result.url}")


@_command
def export(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A run's folder, a dataset folder, or OWNER/NAME.")
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The .jsonl or .parquet file to write.")],
    format: Annotated[
        str, typer.Option(help="messages, prompt-completion, longalign, sharegpt or packed.")
    ] = "messages",
    config: Annotated[str | None, typer.Option(help="Which chat config, if there are several.")] = None,
    length: Annotated[str | None, typer.Option(help="Tokens of a pack, for packed.")] = None,
    tokenizer: TokenizerName = None,
    limit: Limit = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Mix the order, by --seed.")] = False,
    seed: Seed = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a chat config as one file in the form that a trainer reads."""
    from builder.export import export as write

    result = write(
        source,
        target,
        config=config,
        format=format,
        length=length,
        tokenizer=tokenizer,
        limit=limit,
        shuffle=shuffle,
        seed=seed or 0,
        overwrite=overwrite,
    )
    typer.echo(f"{result.samples:,} samples of {result.config} in {result.rows:,} rows, {target}")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from synthesis import __version__

        typer.echo(f"context-synthesis {__version__}")
        raise typer.Exit


def _do(work: Callable[..., Summary], config: RunConfig, quiet: bool) -> None:
    from rich.console import Console

    from builder.progress import TerminalReporter

    console = Console(stderr=True, quiet=quiet)
    with TerminalReporter(console) as reporter:
        summary = work(config, reporter)
    if not quiet:
        typer.echo(_sentence(summary))


def _sentence(summary: Summary) -> str:
    filled = [result for result in summary.dataset.configs if result.rows]
    written = sum(result.built for result in filled)
    parts = [
        _some(summary.contexts, "context"),
        f"{summary.rejected:,} rejected",
        f"{_some(len(filled), 'config')} ({f'{written} written' if written else 'nothing changed'})",
        f"{summary.seconds:.1f} s",
        str(summary.dataset.path),
    ]
    line = ", ".join(parts)
    if summary.short:
        line += (
            f"\nshorter than asked: {_some(summary.short, 'sample')}, for lack of other contexts. "
            "Add pairs, raise --words, or use --distractors random"
        )
    return line


def _some(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def main() -> None:
    """Entry point of the ``context-synthesis`` command."""
    # Text of any script must print whatever the terminal's encoding is.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
