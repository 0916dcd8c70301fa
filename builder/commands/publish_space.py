"""``publish-space``: the page as a Space of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from builder.commands.base import command
from builder.options import Quiet


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

    from builder.publishing.space import publish_space as send

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
