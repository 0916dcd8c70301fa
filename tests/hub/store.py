"""Repositories of the local Hub: files, commits with parents, branches, tags, pull requests.

Knows neither HTTP nor users. One lock guards everything, so a commit that names its
parent is a compare-and-swap, as on the real Hub.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ATTRIBUTES = "".join(
    f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n"
    for suffix in ("parquet", "arrow", "bin", "gz", "zip", "zst", "png", "jpg")
)
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """The Hub says no: an HTTP status, a machine-readable code and a sentence."""

    def __init__(self, status: int, message: str, code: str = "", **extra: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.extra = status, message, code, extra


@dataclass(frozen=True, slots=True)
class File:
    """One file's content; LFS files are known by the sha256 of it, others by git's sha1."""

    content: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        return f"lfs\noid sha256:{self.sha256}\nsize {len(self.content)}\n".encode()

    @property
    def oid(self) -> str:
        """Git's name of the blob: of the content, or of the pointer that stands for it."""
        blob = self.pointer if self.lfs else self.content
        return hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: the whole tree (path -> file), its parents, and who said what when."""

    oid: str
    parents: tuple[str, ...]
    title: str
    message: str
    author: str
    date: datetime
    tree: Mapping[str, File]


@dataclass(slots=True)
class Repo:
    """One repository. ``refs`` maps full names (refs/heads/main, refs/tags/v1, refs/pr/1) to commits."""

    kind: str
    id: str
    private: bool
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    lfs: dict[str, bytes] = field(default_factory=dict)

    def find(self, revision: str) -> Commit:
        """The commit that a branch, tag, full ref or oid stands for."""
        for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if name in self.refs:
                return self.commits[self.refs[name]]
        if revision in self.commits:
            return self.commits[revision]
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def history(self, commit: Commit) -> Iterator[Commit]:
        """The commit and its ancestors along first parents, newest first."""
        yield commit
        while commit.parents:
            commit = self.commits[commit.parents[0]]
            yield commit

    def names(self, prefix: str) -> dict[str, str]:
        """Refs below ``prefix``, without it."""
        return {ref.removeprefix(prefix): oid for ref, oid in self.refs.items() if ref.startswith(prefix)}

    def is_lfs(self, path: str, tree: Mapping[str, File]) -> bool:
        """Whether the tree's .gitattributes send a path to large file storage."""
        rules = tree[".gitattributes"].content.decode() if ".gitattributes" in tree else ""
        patterns = [line.split()[0] for line in rules.splitlines() if "filter=lfs" in line]
        return any(fnmatch.fnmatch(path.rsplit("/", 1)[-1], pattern) for pattern in patterns)

    def record(self, ref: str, tree: Mapping[str, File], parent: str | None, message: str, by: str) -> Commit:
        """Add a commit on top of ``parent`` and move ``ref`` to it."""
        title, _, rest = message.partition("\n")
        date = _START + timedelta(minutes=len(self.commits))
        named = {path: file.oid for path, file in sorted(tree.items())}
        oid = hashlib.sha1(json.dumps([named, parent, message, by, str(date)]).encode()).hexdigest()
        commit = Commit(oid, (parent,) if parent else (), title, rest.strip(), by, date, dict(tree))
        self.commits[oid] = commit
        self.refs[ref] = oid
        return commit


class Store:
    """All repositories, by kind ("dataset", "model", "space") and id."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.repos: dict[tuple[str, str], Repo] = {}

    def create(self, kind: str, repo_id: str, private: bool, by: str) -> Repo:
        """A new repository with one commit, as the Hub makes them."""
        with self.lock:
            if (kind, repo_id) in self.repos:
                raise Refused(409, f"You already created this {kind} repo: {repo_id}")
            repo = Repo(kind, repo_id, private)
            tree = {".gitattributes": File(ATTRIBUTES.encode(), lfs=False)}
            repo.record("refs/heads/main", tree, None, "initial commit", by)
            self.repos[kind, repo_id] = repo
            return repo
