"""The raw config that samples are assembled from: where it is, and its rows at random access.

A dataset folder, a run's folder or a Hub repository; rows are memory-mapped from a copy on disk.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from builder.folder.facts import tokenizer_of
from builder.folder.place import Place, not_built
from builder.folder.reading import LATER, batches, file_digest, pair_and_context
from builder.folder.versions import Manifest, read_manifests
from synthesis.data import Context, Pair, content_hash
from synthesis.errors import SourceError, StorageError, UsageError
from synthesis.lazy_sequence import OnDemand
from synthesis.sources.hub import hub_errors
from synthesis.storage import locked, storage_errors, written_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMAT = 1  # of the file written here; another number leaves older ones unread
_BATCH = 1024  # rows held in memory while they are copied
# What assembling takes of a row; a dataset of another version may lack any other column.
_USED = ("id", "task", "instruction", "answer", "context", "evidence", "tokens")


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


def find_raw(place: Place, config: str | None = None, token: str | None = None) -> RawConfig:
    """The raw config called ``config``, with its Parquet files here.

    ``NAME`` is its newest version, ``NAME-v1.2.0`` that one; without a name there must be only
    one raw config. From the Hub, the files are downloaded once into the client's own cache.

    Raises:
        SourceError: the place, revision, config or a file does not exist or cannot be read.
        FolderError: a manifest cannot be understood.
    """
    folder = place.folder
    if folder is None:
        folder = _download(place, ["manifests/*/*.json"], token)
        # Whatever moves meanwhile, manifests and data are those of one commit.
        commit = replace(place, revision=folder.name)
        manifest = _choose(place, read_manifests(folder), config)
        _download(commit, [file.path for file in manifest.files], token)
    else:
        manifest = _choose(place, read_manifests(folder), config)
    paths = tuple(manifest.paths(folder))
    for path, file in zip(paths, manifest.files, strict=True):
        # A manifest from the Hub must not lead out of its own folder.
        if not path.is_file() or file.path != f"{manifest.directory}/{path.name}":
            raise SourceError(
                f"{place.name}: the file {file.path} of '{manifest.config}' {manifest.version} is missing. "
                "Build or download the dataset again, or name another version."
            )
    tokenizer, counted_by = tokenizer_of(manifest.facts)
    return RawConfig(
        config=manifest.config,
        version=manifest.version,
        rows=manifest.rows,
        files=paths,
        digest=content_hash(*map(_digest, paths)),
        place=place.name,
        tokenizer=tokenizer,
        counted_by=counted_by,
    )


def _choose(place: Place, manifests: Mapping[str, Sequence[Manifest]], config: str | None) -> Manifest:
    if not manifests:
        raise SourceError(f"{not_built(place.name)} To load it as it is, leave out the length.")
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
                place.repo, repo_type="dataset", revision=place.revision, allow_patterns=patterns, token=token
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
        refs = HfApi(token=token).list_repo_refs(place.repo, repo_type="dataset")
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
    return file_digest(path)


def prepare_store(raw: RawConfig, folder: Path) -> Path:
    """The Arrow file with the rows of ``raw``, in ``folder``; written at most once.

    Raises:
        SourceError: a Parquet file cannot be read or lacks a column.
        StorageError: the disk is full, or it failed in another way.
        FolderError: writing is not permitted.
    """
    name = content_hash("raw rows", _FORMAT, raw.digest)
    store = folder / f"{name}.arrow"
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / f"{name}.lock", patience=None):
        if not store.is_file():
            _write_rows(raw, store)
    return store


def _write_rows(raw: RawConfig, target: Path) -> None:
    with written_whole(target) as staging:
        _copy_rows(raw, staging)


def _copy_rows(raw: RawConfig, target: Path) -> None:
    import pyarrow as pa

    writer: Any = None
    try:
        for path in raw.files:
            try:
                for batch in batches([path], rows=_BATCH):
                    _check_columns(raw, path, batch.schema.names)
                    plain = batch.replace_schema_metadata(None)
                    writer = writer or pa.ipc.new_file(str(target), plain.schema)
                    writer.write_batch(plain)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise SourceError(
                    f"{raw.place}: {path.name} of '{raw.config}' {raw.version} cannot be read: {error}. "
                    "Build or download the dataset again."
                ) from error
    finally:
        if writer is not None:
            writer.close()


def _check_columns(raw: RawConfig, path: Path, names: Sequence[str]) -> None:
    lacking = [name for name in (*_USED, "coherence") if name not in names]
    if lacking:
        raise SourceError(
            f"{raw.place}: {path.name} of '{raw.config}' {raw.version} has no column "
            f"{', '.join(map(repr, lacking))}. Build the dataset again with this version of the tool, "
            "or load it with the one that built it."
        )


def _mapped(path: Path) -> Any:
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


class RawRows(OnDemand[tuple[Pair, Context]]):
    """Pairs with their contexts, in the order of the files; only the row asked for is in memory.

    ``least`` leaves out rows whose coherence is below it or was not measured; without ``every`` of several
    contexts for one pair only the best is there, of those that ``least`` lets pass.
    """

    def __init__(self, store: Path, least: float | None = None, every: bool = False) -> None:
        """Open what ``prepare_store`` has written.

        Raises:
            StorageError: it is not there (any more).
        """
        try:
            self._table = _mapped(store)
        except FileNotFoundError as error:
            raise StorageError(f"{store} was removed while it was in use. Load the dataset again.") from error
        self._used = (*_USED, *(name for name in LATER if name in self._table.column_names))
        self._scores = array("d", self._column("coherence", -1.0))
        kept = range(len(self._scores)) if least is None else _at_least(self._scores, least)
        ranks = self._table.column("rank").to_pylist() if "rank" in self._table.column_names else []
        several = not every and any(rank != 1 for rank in ranks)
        self._kept: Sequence[int] = self._best(kept, ranks) if several else kept

    def _column(self, name: str, missing: float) -> list[float]:
        return [missing if value is None else value for value in self._table.column(name).to_pylist()]

    def _best(self, kept: Sequence[int], ranks: Sequence[int]) -> array[int]:
        names = self._table.column("id").to_pylist()
        best: dict[str, int] = {}
        for position in kept:
            if ranks[position] < ranks[best.setdefault(names[position], position)]:
                best[names[position]] = position
        return array("L", sorted(best.values()))

    def rank(self, index: int) -> int:
        """The rank of a row among the contexts for its pair, 1 for the best."""
        if "rank" not in self._table.column_names:
            return 1
        return int(self._table.column("rank")[self._kept[index]].as_py() or 1)

    def __len__(self) -> int:
        return len(self._kept)

    def read(self, place: int) -> tuple[Pair, Context]:
        """A pair with its context."""
        position = self._kept[place]
        row = {name: self._table.column(name)[position].as_py() for name in self._used}
        return pair_and_context(row)

    def coherence(self, index: int) -> float | None:
        """The overall score of a row, None where nothing was scored."""
        score = self._scores[self._kept[index]]
        return None if score < 0 else score

    def highest(self) -> float | None:
        """The best score of all rows, left out or not; None where nothing was scored."""
        best = max(self._scores, default=-1.0)
        return None if best < 0 else best


def _at_least(scores: Sequence[float], least: float) -> array[int]:
    return array("L", [position for position, score in enumerate(scores) if score >= least])


def open_rows(store: Path, least: float | None, config: str, every: bool = False) -> RawRows:
    """The rows of a store that reach ``least``.

    Raises:
        UsageError: there are none.
    """
    rows = RawRows(store, least, every)
    if not len(rows):
        best = rows.highest()
        raise UsageError(
            f"No context of '{config}' reaches a coherence of {least}: "
            + (
                f"the highest is {best:.3f}. Ask for less, or None."
                if best is not None
                else "none is scored."
            )
        )
    return rows
