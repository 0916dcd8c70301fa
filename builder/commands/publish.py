"""``publish``: a dataset folder to the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from builder.commands.base import command
from builder.options import Quiet


@command()
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
