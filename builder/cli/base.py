"""The application, and what its commands share: how they register, fail and report.

Exit codes: 0 done, 1 failed (what is finished is kept, run again to go on), 2 wrong usage.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any

import typer

from builder.cli.options import lent
from synthesis.errors import ContextSynthesisError
from synthesis.sources.splits import tell_files

if TYPE_CHECKING:
    from builder.job.execute import Summary
    from synthesis.options import RunConfig

app = typer.Typer(
    name="context-synthesis",
    help="Turn short instruction-answer pairs into long-context training data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def command(
    *,
    name: str | None = None,
    tables: Container[str] = (),
    options: Container[str] = (),
    group: typer.Typer = app,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command of ``group`` whose errors become a message and an exit code.

    ``name`` is what it is called, by default like its function, which takes, as ``**given``, the
    options of the ``tables`` of a run and further ``options`` named one by one.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
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

        # typer reads a command's options from its signature and annotations.
        signature = _with_lent(function, lent(tables, options))
        guarded.__signature__ = signature  # type: ignore[attr-defined]
        guarded.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
        return group.command(name)(guarded)

    return register


def _with_lent(function: Callable[..., None], options: Mapping[str, inspect.Parameter]) -> inspect.Signature:
    """A command's parameters and the options that its ``**given`` takes; those after ``*`` come last."""
    own = inspect.signature(function, eval_str=True).parameters
    first = [one for one in own.values() if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    last = [one for one in own.values() if one.kind is inspect.Parameter.KEYWORD_ONLY]
    return inspect.Signature([*first, *(one for name, one in options.items() if name not in own), *last])


def do(work: Callable[..., Summary], config: RunConfig, quiet: bool) -> None:
    """Do a job with a progress bar, then say in a line what came of it."""
    from rich.console import Console

    from builder.cli.progress import TerminalReporter

    console = Console(stderr=True, quiet=quiet)
    with TerminalReporter(console) as reporter:
        summary = work(config, reporter)
    if not quiet:
        typer.echo(_sentence(summary, config))
    if summary.counts.left:
        raise typer.Exit(1)


def _sentence(summary: Summary, config: RunConfig) -> str:
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
    empty = [result.name for result in summary.dataset.configs if result.kind == "chat" and not result.rows]
    if summary.contexts and empty:
        line += (
            f"\nwithout a single sample: {', '.join(empty)}. No context fits the length; ask for a greater "
            "one with --lengths, or add --oversize trim"
        )
    if summary.damaged:
        line += f"\n{_some(summary.damaged, 'damaged record')} redone"
    if summary.usage.output_tokens:
        from builder.job.meter import tell_usage

        line += f"\nso far in this folder: {tell_usage(summary.usage, config.cost)}"
    if summary.counts.left:
        line += _spent(summary, config)
    if summary.realised and summary.realised.off:
        line += (
            f"\nover 20 % longer or shorter than asked: {_some(summary.realised.off, 'context')} of "
            f"{summary.realised.contexts:,}; on average {summary.realised.mean:.0%} of the words"
        )
    if summary.short:
        line += f"\nshorter than asked: {_some(summary.short, 'sample')}, {_why_short(config)}"
    if told := tell_files(summary.source or {}):
        line += f"\n{told}"
    return line


def _spent(summary: Summary, config: RunConfig) -> str:
    """That the budget is spent, what is left, and how to go on."""
    left, cost = summary.counts.left, config.cost
    more = "--max-cost" if cost.max_cost else "--max-total-tokens"
    return (
        f"\nthe budget does not reach further: {_some(left, 'pair')} of {summary.counts.total:,} left; what "
        f"is done is kept. Go on with a higher one: "
        f"context-synthesis run {config.out_dir / 'run.toml'} {more} ..."
    )


def _why_short(config: RunConfig) -> str:
    asked = config.samples.distractors
    if asked == "none":
        return "as no distractors were asked for. Raise --words, or leave --distractors none out"
    more = "" if "random" in asked else ", or use --distractors random"
    return f"for lack of other contexts. Add pairs{',' if more else ' or'} raise --words{more}"


def _some(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
