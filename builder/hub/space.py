"""A Space of one's own: which files make it up, and one commit that brings a repository there.

The files are laid out as in an installed wheel, with the Space's card and requirements on top, so that
nothing has to be installed from this project. Files of somebody else in the repository stay; what an earlier
version of this tool put up and no longer exists is removed. Imports nothing of the page itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder.hub.repository import Hub, RemoteFile, same_content
from builder.hub.trouble import OfflineError, UnreachableError
from builder.resources import example_pairs
from synthesis.errors import ContextSynthesisError, UsageError
from synthesis.wording import counted

PACKAGES = ("builder", "space", "synthesis")
# Only what the packages are made of: never a stray key file, cache or note.
_SUFFIXES = frozenset(
    (".py", ".typed", ".txt", ".json", ".jinja", ".jsonl", ".md", ".html", ".css", ".js", ".svg", ".toml")
)
# Beside the packages on the Hub -> in the package ``space``.
_ON_TOP = {"README.md": "README.md", "requirements.txt": "requirements.txt", "app.py": "entry.py"}
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class SpaceResult:
    """What was put up, or in a dry run what would be; ``commit`` is None where nothing was changed.

    ``url`` is where the page is, or the pull request. ``plan`` says it line by line.
    """

    repo_id: str
    url: str
    commit: str | None
    plan: list[str] = field(default_factory=list)


def space_files() -> dict[str, Path]:
    """Every file of a Space: its path in the repository -> where it is here.

    Raises:
        ContextSynthesisError: the installation lacks the page or its files.
    """
    found = {
        path.relative_to(_ROOT).as_posix(): path
        for package in PACKAGES
        for path in sorted((_ROOT / package).rglob("*"))
        if path.is_file() and path.suffix in _SUFFIXES and not _is_hidden(path.relative_to(_ROOT))
    }
    for name, inside in _ON_TOP.items():
        source = found.pop(f"space/{inside}", None)
        if source is None:
            raise ContextSynthesisError(
                f"The file 'space/{inside}' is missing, so the installation is incomplete. "
                "Install context-synthesis again."
            )
        found[name] = source
    # A checkout has these beside its packages, an installed wheel where they go here.
    for name, place in (("builder", _ROOT / "dataset_card.md"), ("synthesis/examples", example_pairs())):
        if place.is_file():
            found[f"{name}/{place.name}"] = place
    return dict(sorted(found.items()))


def publish_space(
    repo_id: str,
    *,
    private: bool = False,
    dry_run: bool = False,
    create_pr: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> SpaceResult:
    """Put the page up as a Space: created if missing, brought up to date in one commit otherwise.

    Args:
        repo_id: ``owner/name``.
        private: create the Space as private; one that exists keeps its visibility.
        dry_run: only say what would be done; the Hub is asked what is there, and nothing is written.
        create_pr: open a pull request instead of committing.
        token: by default the login's or HF_TOKEN's; it is not stored in the Space.
        endpoint: by default HF_ENDPOINT's.
        on_step: called with a sentence at each step and each wait.

    Raises:
        UsageError: wrong arguments or login. Nothing was written.
        HubError: the Hub failed. Running it again goes on.
    """
    files = space_files()
    hub = _SpaceHub(repo_id, token=token, endpoint=endpoint, on_step=on_step, once=dry_run)
    if not dry_run and hub.token is None:
        raise UsageError(
            f"You are not logged in, so nothing can be published to {repo_id}. "
            "Run `hf auth login`, set HF_TOKEN, or give a token."
        )
    page = f"{hub.endpoint}/spaces/{repo_id}"
    try:
        there = hub.head()
    except (UnreachableError, OfflineError) as error:
        if not dry_run:
            raise
        return SpaceResult(
            repo_id, page, None, [*map("send at most {}".format, files), f"not known: {error}"]
        )
    changed = [path for path, source in files.items() if _differs(there.files, path, source)]
    gone = [path for path in there.files if path.partition("/")[0] in PACKAGES and path not in files]
    plan = _plan(hub, there, files, changed, gone, private)
    if dry_run or (there.oid and not changed and not gone):
        return SpaceResult(repo_id, page, None, plan)
    if there.oid is None:
        on_step(f"Creating the Space {repo_id}.")
        hub.create(private)
        there = hub.head()
        changed = [path for path, source in files.items() if _differs(there.files, path, source)]
    on_step(f"Sending {counted(len(changed), 'file')} in one commit.")
    url, commit = hub.bring({path: files[path] for path in changed}, gone, there.oid, create_pr)
    return SpaceResult(repo_id, url or page, commit, plan)


@dataclass(frozen=True, slots=True)
class _Head:
    """The repository as it is; ``oid`` is None where there is none."""

    oid: str | None
    files: Mapping[str, RemoteFile]


class _SpaceHub(Hub):
    """One repository of a Space."""

    repo_type = "space"
    noun = "Space"

    def head(self) -> _Head:
        """Its newest commit and files."""
        info = self._info("space", None)
        return _Head(None, {}) if info is None else _Head(info.sha, self.files(info.sha))

    def create(self, private: bool) -> None:
        """Make the Space, unless another writer just did."""
        self._ask(
            "creating the Space",
            lambda: self._api.create_repo(
                self.repo_id, repo_type="space", space_sdk="gradio", private=private, exist_ok=True
            ),
            writes=True,
        )

    def bring(
        self, files: Mapping[str, Path], gone: Sequence[str], parent: str | None, create_pr: bool
    ) -> tuple[str | None, str]:
        """One commit on top of ``parent``: the address of its pull request, if it is one, and its name."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        def ask() -> tuple[str | None, str]:
            made = self._api.create_commit(
                self.repo_id,
                [
                    *(CommitOperationAdd(path, str(source)) for path, source in files.items()),
                    *(CommitOperationDelete(path) for path in gone),
                ],
                commit_message="The page and the packages it runs on",
                repo_type="space",
                parent_commit=parent,
                create_pr=create_pr,
            )
            return made.pr_url, made.oid

        # Tried once: whether a commit that broke off was made is seen by running it again.
        return self._ask("committing", ask, tries=1, writes=True)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in path.parts)


def _differs(there: Mapping[str, RemoteFile], path: str, source: Path) -> bool:
    return path not in there or not same_content(there[path], source)


def _plan(
    hub: Hub,
    there: _Head,
    files: Mapping[str, Path],
    changed: Sequence[str],
    gone: Sequence[str],
    private: bool,
) -> list[str]:
    kind = "private" if private else "public"
    begin = f"Update the Space {hub.repo_id}" if there.oid else f"Create the {kind} Space {hub.repo_id}"
    if there.oid and not changed and not gone:
        return [f"The Space {hub.repo_id} is up to date: nothing to do."]
    size = sum(files[path].stat().st_size for path in changed)
    lines = [f"{begin} at {hub.endpoint}: one commit, {counted(len(changed), 'file')}, {size / 1e6:.1f} MB."]
    lines += [f"  add     {path}" for path in changed if path not in there.files]
    lines += [f"  change  {path}" for path in changed if path in there.files]
    return [*lines, *(f"  remove  {path}" for path in gone)]
