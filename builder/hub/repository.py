"""The thin layer over ``huggingface_hub``: what publishing asks of one dataset repository.

Tries again what passes by itself, words everything else as an error with advice, and
keeps tokens out of both. Knows paths, hashes and commits; not what the files mean.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from builder.hub.trouble import (
    AnswerError,
    ConflictError,
    HubError,
    UnreachableError,
    UnsettledError,
    expected,
    worded,
)
from synthesis.errors import UsageError
from synthesis.sources.hub import check_token

TRIES = 6
_TIMEOUT = 60.0  # seconds without a byte of an answer
_LONGEST_WAIT = 300.0  # seconds; whoever is told to wait longer should decide that
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in the repository: ``oid`` is git's name of it, ``sha256`` is known of large files."""

    size: int
    oid: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The repository at one commit ``oid``; ``branch`` is False where the branch is yet to be made."""

    oid: str | None
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    private: bool = False
    branch: bool = True


@dataclass(frozen=True, slots=True)
class Addition:
    """A file to commit: its path in the repository, its bytes or where they are, and their size."""

    path: str
    content: bytes | Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit that was made; the last two are set for a pull request."""

    oid: str
    pull_url: str | None = None
    pull_revision: str | None = None


class Hub:
    """One dataset repository. ``on_step`` hears of waits; with ``once``, nobody waits for a network."""

    repo_type: ClassVar[str] = "dataset"
    noun: ClassVar[str] = "repository"

    def __init__(
        self,
        repo_id: str,
        *,
        token: str | None,
        endpoint: str | None,
        on_step: Callable[[str], None],
        once: bool = False,
    ) -> None:
        from huggingface_hub import HfApi, constants, get_token

        if not _NAME.fullmatch(repo_id):
            raise UsageError(f"'{repo_id}' does not name a repository. Write it as OWNER/NAME.")
        self.repo_id = repo_id
        self.endpoint = (endpoint or constants.ENDPOINT).rstrip("/")
        self.token = token or get_token()
        check_token(self.token)
        self._on_step, self._once = on_step, once
        self._api = HfApi(endpoint=self.endpoint, token=self.token or False, library_name="context-synthesis")
        self._texts: dict[str, bytes] = {}
        # Writers that were sent away together must not come back together.
        self._random = random.Random(f"{repo_id} {os.getpid()} {threading.get_ident()}")

    def look(self, revision: str) -> Snapshot | None:
        """The repository as it is now, or None if there is none (or none that this login sees).

        Raises:
            UsageError: There is a model or a Space of that name.
        """
        branch, info = True, self._info("dataset", revision)
        if info is False:
            branch, info = False, self._info("dataset", "main")
        if info is None:
            for kind in ("model", "space"):
                if self._info(kind, None) is not None:
                    raise UsageError(
                        f"{self.repo_id} is a {kind}, not a dataset. Choose another name, or make the "
                        f"dataset first: hf repos create {self.repo_id} --repo-type dataset"
                    )
            return None
        return Snapshot(
            info.sha, self.files(info.sha) if info.sha else {}, self.tags(), bool(info.private), branch
        )

    def _info(self, kind: str, revision: str | None) -> Any:
        """None without such a repository, False without such a revision."""
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        def ask() -> Any:
            try:
                return self._api.repo_info(self.repo_id, repo_type=kind, revision=revision)
            except RepositoryNotFoundError:
                return None
            except RevisionNotFoundError:
                return False

        return self._ask("looking at the repository", ask)

    def files(self, revision: str) -> dict[str, RemoteFile]:
        """Every file at a revision."""
        from huggingface_hub.hf_api import RepoFile

        def ask() -> dict[str, RemoteFile]:
            tree = self._api.list_repo_tree(
                self.repo_id, recursive=True, revision=revision, repo_type=self.repo_type
            )
            return {
                one.path: RemoteFile(one.size, one.blob_id, one.lfs.sha256 if one.lfs else None)
                for one in tree
                if isinstance(one, RepoFile)
            }

        return self._ask(f"listing the {self.noun}'s files", ask)

    def tags(self) -> dict[str, str]:
        """Tag -> commit."""
        refs = self._ask(
            "listing the repository's tags",
            lambda: self._api.list_repo_refs(self.repo_id, repo_type="dataset"),
        )
        return {one.name: one.target_commit for one in refs.tags}

    def read(self, paths: Iterable[str], snapshot: Snapshot) -> dict[str, bytes]:
        """Contents of small files of a snapshot. What did not change since is not read again."""
        wanted = {path: snapshot.files[path].oid for path in paths}
        missing = {oid: path for path, oid in wanted.items() if oid not in self._texts}
        with ThreadPoolExecutor(8) as pool:
            contents = pool.map(lambda path: self._fetch(path, snapshot), missing.values())
            self._texts.update(zip(missing, contents, strict=True))
        return {path: self._texts[oid] for path, oid in wanted.items()}

    def _fetch(self, path: str, snapshot: Snapshot) -> bytes:
        file = snapshot.files[path]

        def ask() -> bytes:
            content, _, kind = self._get(path, str(snapshot.oid), file.size, {})
            # A gateway may answer in the Hub's place, with a page of its own and a good status.
            if not same_content(file, content):
                raise AnswerError(f"what came is not that file ({kind}, {len(content):,} bytes)")
            return content

        return self._ask(f"reading {path}", ask)

    def read_range(self, path: str, oid: str, start: int, end: int, size: int) -> bytes:
        """Bytes ``start`` to ``end`` of a file of ``size`` bytes at a commit."""

        def ask() -> bytes:
            wanted = {"Range": f"bytes={start}-{end - 1}"}
            content, status, kind = self._get(path, oid, size, wanted)
            if status == 200 and len(content) == size:  # some servers only know whole files
                content = content[start:end]
            if len(content) != end - start:
                raise AnswerError(f"what came is not part of that file ({kind}, {len(content):,} bytes)")
            return content

        return self._ask(f"reading {path}", ask)

    def _get(self, path: str, revision: str, most: int, headers: Mapping[str, str]) -> tuple[bytes, int, str]:
        """Content, status and kind of an answer that has at most so many bytes."""
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            hf_raise_for_status,
        )

        url = hf_hub_url(self.repo_id, path, repo_type="dataset", revision=revision, endpoint=self.endpoint)
        sent = build_hf_headers(token=self.token or False) | dict(headers)
        with get_session().stream("GET", url, headers=sent, timeout=_TIMEOUT) as response:
            if response.status_code >= 400:
                response.read()
            hf_raise_for_status(response)
            kind = response.headers.get("Content-Type", "").partition(";")[0] or "of no known kind"
            content = bytearray()
            for piece in response.iter_bytes():
                content += piece
                if len(content) > most:
                    raise AnswerError(f"what came is not that file ({kind}, more than {most:,} bytes)")
            return bytes(content), response.status_code, kind

    def create(self, private: bool) -> None:
        """Make the repository, unless another writer just did."""
        self._ask(
            "creating the repository",
            lambda: self._api.create_repo(self.repo_id, repo_type="dataset", private=private, exist_ok=True),
            writes=True,
        )

    def create_branch(self, name: str) -> None:
        """Make a branch off main, unless it is there."""
        self._ask(
            f"creating the branch {name}",
            lambda: self._api.create_branch(self.repo_id, branch=name, repo_type="dataset", exist_ok=True),
            writes=True,
        )

    def commit(
        self,
        additions: Sequence[Addition],
        *,
        parent: str | None,
        message: str,
        revision: str,
        create_pr: bool,
    ) -> Landed:
        """Send what the Hub lacks and make one commit, on top of ``parent`` and nothing else.

        Tried once: whether a commit that broke off was made is seen by looking again.

        Raises:
            ConflictError: The revision is not at ``parent`` any more.
            UnsettledError: It may have been made or not.
        """
        from huggingface_hub import CommitOperationAdd

        def ask() -> Landed:
            operations = []
            for one in additions:
                content = one.content if isinstance(one.content, bytes) else str(one.content)
                operation = CommitOperationAdd(one.path, content)
                operation.upload_info.sha256 = bytes.fromhex(one.sha256)  # known: need not be read for it
                operations.append(operation)
            made = self._api.create_commit(
                self.repo_id,
                operations,
                commit_message=message,
                repo_type="dataset",
                revision=revision,
                parent_commit=parent,
                create_pr=create_pr,
            )
            return Landed(made.oid, made.pr_url, made.pr_revision)

        return self._ask("committing", ask, tries=1, writes=True)

    def tag(self, name: str, oid: str) -> bool:
        """Put a tag on a commit. False if the tag is on another one already."""
        with suppress(ConflictError):  # there already: perhaps put there by us, and the answer was lost
            self._ask(
                f"tagging {name}",
                lambda: self._api.create_tag(self.repo_id, tag=name, revision=oid, repo_type="dataset"),
                writes=True,
            )
        return self.tags().get(name) == oid

    def untag(self, name: str) -> None:
        """Take a tag off."""
        self._ask(
            f"removing the tag {name}",
            lambda: self._api.delete_tag(self.repo_id, tag=name, repo_type="dataset"),
        )

    def pause(self, failure: UnsettledError, attempt: int) -> None:
        """Wait as long as the Hub asks for, else longer each time and never the same as others.

        Raises:
            HubError: It asks for too long a wait.
        """
        if failure.wait is not None and failure.wait > _LONGEST_WAIT:
            raise HubError(f"{failure} It asks to wait {failure.wait:.0f} seconds; run it again then.")
        backoff = min(30.0, 0.5 * 2 ** (attempt - 1)) * self._random.uniform(0.5, 1.0)
        wait = backoff if failure.wait is None else failure.wait + self._random.uniform(0.0, 0.5)
        self._on_step(f"{failure} Trying again in {wait:.1f} s.")
        time.sleep(wait)

    def _ask(self, what: str, function: Callable[[], _T], tries: int = TRIES, *, writes: bool = False) -> _T:
        """Ask until there is an answer. Only a write can meet another writer; a read is asked again."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return function()
            except expected() as error:
                failure = worded(
                    self.repo_id, what, error, endpoint=self.endpoint, token=self.token, writes=writes
                )
            # Raised out here, the error carries no trace of the request and its token.
            if (
                not isinstance(failure, UnsettledError)
                or isinstance(failure, ConflictError)
                or (self._once and isinstance(failure, UnreachableError))
                or attempt >= tries
            ):
                raise failure
            self.pause(failure, attempt)


def same_content(there: RemoteFile, content: bytes | Path, sha256: str | None = None) -> bool:
    """Whether a file in the repository holds exactly these bytes."""
    if there.sha256:
        return there.sha256 == (sha256 or _digest(hashlib.sha256(), content))
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    return there.oid == _digest(hashlib.sha1(b"blob %d\0" % size), content)


def file_sha256(content: bytes | Path) -> str:
    """Hex digest of bytes, or of a file read in pieces."""
    return _digest(hashlib.sha256(), content)


def _digest(digest: Any, content: bytes | Path) -> str:
    if isinstance(content, bytes):
        digest.update(content)
    else:
        with content.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    return str(digest.hexdigest())
