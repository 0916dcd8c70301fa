"""Where the contexts of a raw config are: a dataset folder, a run's folder or a Hub repository.

Turns a place and a name into the Parquet files of one version and a digest of what they hold.
A repository is read through a local copy of just the files that are needed, so both kinds of
place are the same from there on. Knows nothing of what is made from the rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from builder.versions import Manifest, read_manifests
from synthesis.data import content_hash
from synthesis.errors import SourceError, UsageError
from synthesis.sources.hub import hub_errors, parse_hub

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset: ``at`` is a folder or a Hub id, ``name`` what the user wrote."""

    name: str
    at: str
    hub: bool
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class RawConfig:
    """One version of a raw config, its ``files`` all here.

    ``digest`` names what the files hold. ``tokenizer`` is the one that the dataset was measured
    with, and ``counted_by`` its identity; both are empty where that was not recorded.
    """

    config: str
    version: str
    rows: int
    files: tuple[Path, ...]
    digest: str
    place: str
    tokenizer: str = ""
    counted_by: str = ""


def find_place(source: str | Path, revision: str | None = None) -> Place:
    """What a source means: a dataset folder, a run's folder, or ``OWNER/NAME[@REVISION]`` on the Hub.

    Raises:
        SourceError: it is none of them.
        UsageError: a revision is given for a folder, or twice.
    """
    name, path = str(source), Path(source).expanduser()
    if name.strip() and path.is_dir():
        if revision is not None:
            raise UsageError(
                f"{name} is a folder, which has no revision {revision!r}. Leave the revision out, "
                "or name a version as in CONFIG-v1.0.0."
            )
        inner = path / "dataset"
        is_run = (inner / "manifests").is_dir() and not (path / "manifests").is_dir()
        return Place(name, str((inner if is_run else path).resolve()), hub=False)
    found = parse_hub(name) if isinstance(source, str) and not path.exists() else None
    if found is None or found.path or name.startswith("."):
        raise SourceError(
            f"{name} is not a folder that is here, nor a dataset on the Hub. Give a dataset folder, "
            "the folder of a run, or OWNER/NAME."
        )
    if revision is not None and found.revision not in (None, revision):
        raise UsageError(f"{name} names another revision than {revision!r}. Give only one of them.")
    return Place(name, found.repo, hub=True, revision=revision or found.revision)


def find_raw(place: Place, config: str | None = None, token: str | None = None) -> RawConfig:
    """The raw config called ``config``, with its Parquet files here.

    ``NAME`` is its newest version, ``NAME-v1.2.0`` that one; without a name there must be only
    one raw config. From the Hub, the files are downloaded once into the client's own cache.

    Raises:
        SourceError: the place, revision, config or a file does not exist or cannot be read.
        FolderError: a manifest cannot be understood.
    """
    if place.hub:
        folder = _download(place, ["manifests/*/*.json"], token)
        # Whatever moves meanwhile, manifests and data are those of one commit.
        commit = replace(place, revision=folder.name)
        manifest = _choose(place, read_manifests(folder), config)
        _download(commit, [file.path for file in manifest.files], token)
    else:
        folder = Path(place.at)
        manifest = _choose(place, read_manifests(folder), config)
    paths = tuple(folder / file.path for file in manifest.files)
    for path, file in zip(paths, manifest.files, strict=True):
        # A manifest from the Hub must not lead out of its own folder.
        if not path.is_file() or file.path != f"{manifest.directory}/{path.name}":
            raise SourceError(
                f"{place.name}: the file {file.path} of '{manifest.config}' {manifest.version} is missing. "
                "Build or download the dataset again, or name another version."
            )
    tokenizer = manifest.facts.get("tokenizer")
    recorded: Mapping[str, str] = tokenizer if isinstance(tokenizer, Mapping) else {}
    return RawConfig(
        config=manifest.config,
        version=manifest.version,
        rows=manifest.rows,
        files=paths,
        digest=content_hash(*map(_digest, paths)),
        place=place.name,
        tokenizer=str(recorded.get("name") or ""),
        counted_by=str(recorded.get("identity") or ""),
    )


def _choose(place: Place, manifests: Mapping[str, Sequence[Manifest]], config: str | None) -> Manifest:
    if not manifests:
        raise SourceError(
            f"{place.name} holds no dataset that this tool built (there is no manifests folder). "
            "Build one with context-synthesis run, or load it as it is: leave out the length."
        )
    raws = {name: found for name, found in manifests.items() if found[-1].kind == "raw"}
    named = {name: found[-1] for name, found in raws.items() if found[-1].rows}
    pinned = {f"{one.config}-v{one.version}": one for found in raws.values() for one in found if one.rows}
    if config is None:
        if len(named) == 1:
            return next(iter(named.values()))
        raise SourceError(
            f"{place.name} has {len(named)} raw configs with rows to choose from"
            + (f": {', '.join(named)}. Name one of them." if named else ". Add contexts to it first.")
        )
    choice = named.get(config) or pinned.get(config)
    if choice is None:
        raise SourceError(unknown_config(place.name, config, [*named, *pinned], _hint(config, manifests)))
    return choice


def _hint(config: str, manifests: Mapping[str, Sequence[Manifest]]) -> str:
    """Why a config that exists cannot be assembled from."""
    for name, found in manifests.items():
        if config in (name, *(f"{name}-v{one.version}" for one in found)):
            if found[-1].kind != "raw":
                return f"'{config}' holds {found[-1].kind} rows, and samples are made from raw ones"
            return f"'{config}' has no rows"
    return ""


def unknown_config(place: str, config: str, names: Iterable[str], why: str = "") -> str:
    """The message for a config name that cannot be used: why, the nearest one, and all there are."""
    known = list(names)
    near = get_close_matches(config, known, 1, 0.5)
    return (
        f"{place}: {why or f'there is no config {config!r}'}. "
        + (f"Did you mean '{near[0]}'? " if near else "")
        + (f"Name one of these: {', '.join(known)}." if known else "It has none with rows.")
    )


def _download(place: Place, patterns: list[str], token: str | None) -> Path:
    """The folder with a repository's files that match; its name is the commit."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RevisionNotFoundError

    unknown = False
    with hub_errors(place.name, token):
        try:
            found = snapshot_download(
                place.at, repo_type="dataset", revision=place.revision, allow_patterns=patterns, token=token
            )
        except RevisionNotFoundError:
            unknown = True
    if unknown:  # raised out here, the error carries no trace of the request and its token
        raise SourceError(unknown_revision(place, token))
    return Path(found)


def unknown_revision(place: Place, token: str | None) -> str:
    """The message for a revision that is not there."""
    from huggingface_hub import HfApi

    with hub_errors(place.name, token):
        refs = HfApi(token=token).list_repo_refs(place.at, repo_type="dataset")
    names = [one.name for one in (*refs.tags, *refs.branches)]
    near = get_close_matches(str(place.revision), names, 1, 0.5)
    return (
        f"{place.name}: there is no revision '{place.revision}'. "
        + (f"Did you mean '{near[0]}'? " if near else "")
        + f"Name a commit or one of these: {', '.join(names)}."
    )


def _digest(path: Path) -> str:
    # The Hub's cache keeps large files under the SHA-256 of their content.
    stored = path.resolve()
    if path.is_symlink() and stored.parent.name == "blobs" and _SHA256.fullmatch(stored.name):
        return stored.name
    state = path.stat()
    return _hashed(path, state.st_size, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=4096)
def _hashed(path: Path, *_state: int) -> str:
    """SHA-256 of a file; the state is there so that a file written anew is read anew."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
