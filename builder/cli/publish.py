"""``publish`` and ``publish-space``: a dataset folder, or the page as a Space of one's own, to the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from builder.cli.base import command
from builder.cli.options import Quiet
from synthesis.proxies import check_proxies


@command()
def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder, or its dataset folder.")],
    repo_id: Annotated[str, typer.Argument(metavar="REPO_ID", help="OWNER/NAME of a dataset repository.")],
    version: Annotated[
        str | None,
        typer.Option(help="Of the release, as in 1.2.0. Default: from what changed there."),
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Create the repository as private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, do nothing.")] = False,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request instead.")] = False,
    revision: Annotated[str | None, typer.Option(metavar="BRANCH", help="Branch to commit to.")] = None,
    message: Annotated[str | None, typer.Option(help="Of the commit.")] = None,
    quiet: Quiet = False,
) -> None:
    """Publish to the Hub: one commit, a tag, and every new config loaded back.

    Numbers belong to the repository: what is new is written under the release's, whatever it was built under.
    The token is that of `hf auth login` or HF_TOKEN. Run again to finish an interrupted publication.
    """
    from huggingface_hub.utils.tqdm import disable_progress_bars

    from builder.hub.publish import publish as send
    from synthesis.wording import readable_size

    check_proxies()
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
        typer.echo(f"{result.version or 'pull request'}: {named}")
        for line in result.plan:
            told = line.startswith(("number ", "skip ", "leave out ", "nothing to do"))
            if told or ", built as " in line or "; the newest there" in line:
                typer.echo(line)
        typer.echo(f"sent {readable_size(result.uploaded_bytes)}\n{result.url}")


@command(name="publish-space")
def publish_space(
    repo_id: Annotated[str, typer.Argument(metavar="REPO_ID", help="OWNER/NAME of a Space.")],
    private: Annotated[bool, typer.Option("--private", help="Create the Space as private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List every file, change nothing.")] = False,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request instead.")] = False,
    quiet: Quiet = False,
) -> None:
    """Put the Gradio page on the Hub as a Space: the page, its packages and its card in one commit.

    The token is that of `hf auth login` or HF_TOKEN; the Space itself gets none. Run again to update it.
    """
    from huggingface_hub.utils.tqdm import disable_progress_bars

    from builder.hub.space import publish_space as send

    check_proxies()
    disable_progress_bars()
    result = send(
        repo_id,
        private=private,
        dry_run=dry_run,
        create_pr=create_pr,
        on_step=lambda step: None if quiet else typer.echo(step, err=True),
    )
    if dry_run:
        typer.echo("\n".join(result.plan))
    elif not quiet:
        typer.echo(result.plan[0] if result.commit is None else result.url)
