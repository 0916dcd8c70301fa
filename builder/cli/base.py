"""The application, and what its commands share: how they register, fail and report.

Exit codes: 0 done, 1 failed (what is finished is kept, run again to go on), 2 wrong usage.
"""

from __future__ import annotations

import errno
import functools
import inspect
import re
from collections import Counter
from collections.abc import Callable, Container, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_origin

import typer
from typer.core import TyperCommand

from builder.cli.options import lent
from synthesis.errors import ContextSynthesisError, UsageError
from synthesis.keys import without_keys
from synthesis.options import run_settings

if TYPE_CHECKING:
    from builder.job.execute import Summary
    from synthesis.options import RunConfig

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNNAMEABLE = (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EILSEQ)

app = typer.Typer(
    name="context-synthesis",
    help="Turn short instruction-answer pairs into long-context training data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


class _TellingCommand(TyperCommand):
    """A command that tells of an option given twice, of which the last holds, and refuses empty values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look for them, then parse as usual."""
        if not ctx.resilient_parsing:
            values, _, order = self.make_parser(ctx).parse_args(args=list(args))
            # A variable of the shell that is not set would else stand for a default, or for this very folder.
            for one in order:
                if "" in _several(values.get(one.name)) and one.name not in _may_be_empty():
                    is_option = one.param_type_name == "option"
                    named = one.opts[0] if is_option else (one.metavar or one.name).strip("[]")
                    typer.echo(f"error: {named} is empty; give it a value, or leave it out", err=True)
                    raise typer.Exit(UsageError.exit_code)
            times = Counter(one for one in order if one.param_type_name == "option" and not one.multiple)
            for one, number in times.items():
                # What is only switched on stays on.
                if number > 1 and (one.secondary_opts or not getattr(one, "is_flag", False)):
                    several = "; several values stand with commas between them" * (one.name in _lists())
                    told = f"note: {one.opts[0]} is given {number} times, and the last one holds{several}"
                    typer.echo(told, err=True)
        return super().parse_args(ctx, args)


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _may_be_empty() -> set[str]:
    """The options that an empty text is a value of, or that say themselves what they take."""
    return {
        one.parameter for one in run_settings() if one.option.breaks or one.option.counts or one.option.part
    }


def _lists() -> set[str]:
    """The options that take several values at once, by their parameters."""
    return {one.parameter for one in run_settings() if get_origin(one.kind) is tuple or one.option.part}


def command(
    *,
    name: str | None = None,
    tables: Container[str] = (),
    options: Container[str] = (),
    told: Mapping[str, str] = MappingProxyType({}),
    group: typer.Typer = app,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command of ``group`` whose errors become a message and an exit code.

    ``name`` is what it is called, by default like its function, which takes, as ``**given``, the
    options of the ``tables`` of a run and further ``options`` named one by one; ``told`` is what its help
    says of some of these in place of their own.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> None:
            try:
                _check_given(kwargs)
                function(*args, **kwargs)
            except ContextSynthesisError as error:
                typer.echo(f"error: {without_keys(str(error))}", err=True)
                raise typer.Exit(error.exit_code) from None
            except OSError as error:
                if error.errno not in _UNNAMEABLE:
                    raise
                typer.echo(f"error: {_unnameable(error)}", err=True)
                raise typer.Exit(UsageError.exit_code) from None
            except KeyboardInterrupt:
                typer.echo("\nstopped; what is finished is kept, run the same command to go on", err=True)
                raise typer.Exit(1) from None

        # typer reads a command's options from its signature and annotations.
        signature = _with_lent(function, lent(tables, options, told))
        guarded.__signature__ = signature  # type: ignore[attr-defined]
        guarded.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
        return group.command(name, cls=_TellingCommand)(guarded)

    return register


def _check_given(given: Mapping[str, Any]) -> None:
    """Refuse an argument that cannot be printed, saved or sent.

    Raises:
        UsageError: it holds bytes that are not UTF-8.
    """
    for name, value in given.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str | PurePath) and _SURROGATE.search(str(text)):
                raise UsageError(
                    f"{name} is {str(text)!r}, with bytes that are not UTF-8; rename the file or folder, or "
                    "write it again"
                )


def _unnameable(error: OSError) -> str:
    name = str(error.filename or "")
    shown = f"{name[:80]}..." if len(name) > 80 else name
    return f"{shown} can be no file's name ({error.strerror}); give a shorter or another one"


def _with_lent(function: Callable[..., None], options: Mapping[str, inspect.Parameter]) -> inspect.Signature:
    """A command's parameters and the options that its ``**given`` takes; those after ``*`` come last."""
    own = inspect.signature(function, eval_str=True).parameters
    first = [one for one in own.values() if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    last = [one for one in own.values() if one.kind is inspect.Parameter.KEYWORD_ONLY]
    return inspect.Signature([*first, *(one for name, one in options.items() if name not in own), *last])


def do(work: Callable[..., Summary], config: RunConfig, quiet: bool) -> None:
    """Do a job with a progress bar, then say in a few lines what came of it."""
    from rich.console import Console

    from builder.cli.progress import TerminalReporter
    from builder.cli.summary import failure, tell_summary

    console = Console(stderr=True, quiet=quiet)
    with TerminalReporter(console) as reporter:
        summary = work(config, reporter)
    if not quiet:
        typer.echo("\n".join(tell_summary(summary, config)))
    if trouble := failure(summary, config):
        typer.echo(f"error: {trouble}", err=True)
        raise typer.Exit(1)
