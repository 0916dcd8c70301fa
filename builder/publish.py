"""The only writer to the Hub: one commit, then a tag, then the proof that it can be loaded.

Whatever is in the repository already stays loadable as it was. An interrupted publication is
finished by running it again; what arrived is not sent twice. Builds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from synthesis.errors import UsageError

if TYPE_CHECKING:
    from builder.publishing.publication import Goal

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What was published, or in a dry run what would be.

    ``version`` is the tag, such as ``v1.2.0``; None for a pull request. ``commit`` is what the tag
    stands for; None in a dry run. ``configs`` maps each config of the folder to its newest version
    there. ``uploaded_bytes`` is the size of the commit's files, ``skipped_bytes`` that of data
    which the repository had already. ``plan`` says line by line what was (or would be) done.
    """

    repo_id: str
    version: str | None
    commit: str | None
    url: str
    configs: dict[str, str]
    uploaded_bytes: int
    skipped_bytes: int
    plan: list[str] = field(default_factory=list)


def publish(
    folder: Path,
    repo_id: str,
    *,
    version: str | None = None,
    private: bool = False,
    dry_run: bool = False,
    create_pr: bool = False,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    message: str | None = None,
    on_step: Step = lambda _: None,
) -> PublishResult:
    """Publish a dataset folder to a dataset repository on the Hub.

    Adds what the repository lacks in one commit, tags the release, loads every new config back at
    that tag, and marks the versions as published in the folder.

    Args:
        folder: A run's folder, or the dataset folder in it.
        repo_id: ``owner/name``; created if missing.
        version: Number of the release, such as ``1.2.0``. By default it follows from what changed:
            1.0.0 first, major if rows were made anew, minor if rows or configs were added, else patch.
        private: Create the repository as private.
        dry_run: Only say what would be done.
        create_pr: Open a pull request, without a tag, instead of committing.
        revision: Branch to commit to; created off main if missing.
        token: By default the login's or HF_TOKEN's.
        endpoint: By default HF_ENDPOINT's.
        message: Of the commit.
        on_step: Called with a sentence at each step and each wait.

    Raises:
        UsageError: Wrong arguments or login, nothing to publish, or a published version would
            change. Nothing was written.
        FolderError: The folder was not built, or is damaged.
        HubError: The Hub failed or the release could not be read back. Running it again goes on.
    """
    from builder.publishing.hub import Hub
    from builder.publishing.publication import Publication
    from builder.publishing.sides import read_source

    goal = _goal(version, private, create_pr, revision, message)
    source = read_source(Path(folder))
    hub = Hub(repo_id, token=token, endpoint=endpoint, on_step=on_step)
    if not dry_run and hub.token is None:
        raise UsageError(
            f"You are not logged in, so nothing can be published to {repo_id}. "
            "Run `hf auth login`, set HF_TOKEN, or give a token."
        )
    return Publication(hub, source, goal, on_step).run(dry_run)


def _goal(
    version: str | None, private: bool, create_pr: bool, revision: str | None, message: str | None
) -> Goal:
    from builder.publishing.publication import Goal
    from builder.versions import Version

    if create_pr and revision not in (None, "main"):
        raise UsageError("A pull request is made against main. Leave out the revision, or create_pr.")
    if create_pr and version is not None:
        raise UsageError("A pull request is not tagged. Leave out the version, or create_pr.")
    number = Version.parse(version.removeprefix("v")) if version is not None else None
    return Goal(number, private, create_pr, revision or "main", message)
