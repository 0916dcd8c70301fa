"""``batch submit``, ``batch status``, ``batch fetch``, ``batch cancel``: a run through the Batch API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from builder.cli.base import app, command, do
from builder.cli.options import AsConfig, Quiet, RunFile, configured, named_file
from builder.cli.run import ALL
from synthesis.errors import UsageError
from synthesis.storage import in_shell
from synthesis.wording import counted

if TYPE_CHECKING:
    from builder.cli.progress import TerminalReporter
    from builder.job.batch import Fetched, Look, Submitted
    from synthesis.options import RunConfig

batch = typer.Typer(
    name="batch",
    help="A run through the Batch API: within a day, at half the price where a provider offers that.",
    no_args_is_help=True,
)
app.add_typer(batch)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a submitted run.")]


@command(group=batch, tables=ALL)
def submit(run_file: RunFile = None, config: AsConfig = None, *, quiet: Quiet = False, **given: Any) -> None:
    """Send what is neither done nor in flight, and return at once.

    Run it again after fetching to send what got no reply.
    """
    from builder.job.batch import submit as send

    saved = named_file(run_file, config)
    if saved and not given["out"] and (saved.parent / "journal").is_dir():
        given["out"] = str(saved.parent)  # DIR/run.toml means DIR wherever the command is given
    resolved = _through_batches(configured(saved, given), given["engine"])
    with _reporting(quiet) as reporter:
        submitted = send(resolved, reporter)
    if not quiet:
        typer.echo(_tell_submitted(submitted, resolved.out_dir))


@command(group=batch)
def status(folder: Folder) -> None:
    """Say how each batch stands. Writes nothing."""
    from builder.job.batch import status as look

    looks = []
    for one in look(folder):
        looks.append(one)
        typer.echo(_tell_look(one))
    ended = sum(1 for one in looks if one.status and one.status.ended)
    flying = sum(1 for one in looks if one.note != "fetched") - ended
    typer.echo(f"{counted(ended, 'batch', 'batches')} to fetch, {flying:,} under way")
    if ended:
        typer.echo(f"take the replies with: context-synthesis batch fetch {in_shell(folder)}")


@command(group=batch)
def fetch(
    folder: Folder,
    wait: Annotated[bool, typer.Option("--wait", help="Until every batch in flight has ended.")] = False,
    quiet: Quiet = False,
) -> None:
    """Take the replies of batches that have ended; build the dataset when none is left out."""
    from builder.job.batch import fetch as take
    from builder.job.batch import finish, saved_config

    with _reporting(quiet) as reporter:
        fetched = take(folder, reporter, wait=wait)
    if not quiet:
        typer.echo(_tell_fetched(fetched, folder))
    if not fetched.left:
        do(finish, saved_config(folder), quiet)


@command(group=batch)
def cancel(folder: Folder) -> None:
    """End the batches in flight; replies they have by then are paid and can be fetched."""
    from builder.job.batch import cancel as end

    ended = end(folder)
    typer.echo(
        f"{counted(len(ended), 'batch', 'batches')} cancelled; a little later, take what was answered with: "
        f"context-synthesis batch fetch {in_shell(folder)}"
    )


def _through_batches(config: RunConfig, asked: str | None) -> RunConfig:
    """The configuration with an engine that sends batches, unless another was chosen."""
    from synthesis.engines import engine_class
    from synthesis.engines.openai.batch import BatchEngine
    from synthesis.options import GenerationConfig, override

    chosen, own = config.generation.engine, BatchEngine.name
    if engine_class(chosen).outlives_process:
        return config
    if asked or chosen != GenerationConfig().engine:
        raise UsageError(
            f"engine '{chosen}' has no batches; leave --engine out or set generation.engine to '{own}'"
        )
    return override(config, {"generation.engine": own})


def _tell_submitted(submitted: Submitted, out: Path) -> str:
    lines = []
    if submitted.found:
        lines.append(
            f"{counted(len(submitted.found), 'batch', 'batches')} sent before went unheard; found again"
        )
    if submitted.stale:
        lines.append("the pairs' source is gone; used its copy of the last submission")
    if submitted.sent:
        batches = counted(len(submitted.sent), "batch", "batches")
        before = f", {submitted.before:,} in flight before" if submitted.before else ""
        lines.append(
            f"sent {counted(submitted.requests, 'request')} in {batches} to {submitted.host}{before}"
        )
    else:
        lines.append(f"nothing to send; {counted(submitted.before, 'request')} in flight")
    lines.append(f"look with: context-synthesis batch status {in_shell(out)}")
    lines.append(f"take the replies with: context-synthesis batch fetch {in_shell(out)}")
    return "\n".join(lines)


def _tell_look(look: Look) -> str:
    made = _moment(look.batch.made)
    size = counted(len(look.batch.prompt_ids), "request")
    if look.status is None:
        note = {
            "unheard": "sent or not? the next submit or fetch finds out",
            "fetched": "fetched",
        }[look.note]
        return f"{look.batch.id or look.batch.key}  {note}: {size}, sent {made}"
    found = look.status
    line = f"{look.batch.id}  {found.state}: {found.completed:,} of {size} answered, {found.failed:,} failed"
    line += f", sent {made}"
    if found.expires and not found.ended:
        line += f", expires {_moment(found.expires)}"
    problems = {str(failure) for _, failure in found.problems}
    return "\n  ".join([line, *sorted(problems)[:3]])


def _tell_fetched(fetched: Fetched, folder: Path) -> str:
    lines = [
        f"{counted(fetched.replies, 'reply', 'replies')} from {counted(fetched.batches, 'batch', 'batches')}"
    ]
    lines += [f"  without a reply: {count:,}, {why}" for why, count in fetched.lost.most_common()]
    if fetched.left.in_flight:
        lines.append(f"{counted(fetched.left.in_flight, 'request')} still in flight; fetch again later")
    if fetched.left.to_send:
        saved = folder / "run.toml"
        lines.append(
            f"{counted(fetched.left.to_send, 'request')} to send: "
            f"context-synthesis batch submit {in_shell(saved)}"
        )
    return "\n".join(lines)


@contextmanager
def _reporting(quiet: bool) -> Iterator[TerminalReporter]:
    from rich.console import Console

    from builder.cli.progress import TerminalReporter

    with TerminalReporter(Console(stderr=True, quiet=quiet)) as reporter:
        yield reporter


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
