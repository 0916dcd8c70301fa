"""Where a dataset to look into may lie, and how its files are opened there.

The small example made here at first use, a public dataset on the Hub (read without any login, at one
commit) or, where the page serves this machine alone, a folder. Of the Hub's files only the parts that are
asked for travel, and none of them stays on the disk. Knows nothing of rows.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, cast

from builder.folder.place import Place, find_place
from builder.folder.versions import Manifest, parse_manifest
from space.datasets.archive import write_folder
from space.making.rows import Made
from space.making.writing import bundled, tokenizer
from synthesis.assembly import assemble
from synthesis.coherence import score_context
from synthesis.data import Context, Sample
from synthesis.errors import FolderError, SourceError
from synthesis.run.loop import synthesize
from synthesis.storage import scratch_folder

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MOST_CONFIGS: Final = 40
_MOST_MANIFEST: Final = 2 * 2**20
_MOST_MANIFESTS: Final = 8 * 2**20
_BLOCK: Final = 2**18  # asked of the Hub at once: light columns are small and far apart
_PATIENCE: Final = 20.0  # seconds


def find(name: str) -> Place:
    """The dataset that a visitor named; a blank name is the example.

    Raises:
        SourceError: there is no such public dataset, or a folder was named where none may be read.
    """
    name = _named(name.strip())
    if not name:
        return Place("example", folder=Path(_example()))
    if any(mark in name for mark in "\\~") or name.startswith(("/", ".")) or name.count("/") != 1:
        return Place(name, folder=_local(name))
    if serves_this_machine_alone() and Path(name).is_dir():
        return Place(name, folder=_local(name))
    repo, _, revision = name.partition("@")
    from huggingface_hub import HfApi

    with _hub_errors(name):
        # token=False: a visitor sees what everybody sees, whatever the owner of this page may see.
        info = HfApi(token=False).dataset_info(repo, revision=revision or None, timeout=_PATIENCE)
    return Place(name, repo=repo, revision=str(info.sha))


def _named(name: str) -> str:
    """OWNER/NAME where the address of a dataset's page on the Hub was given."""
    if "://" not in name:
        return name
    from huggingface_hub import constants

    if not name.startswith(home := f"{constants.ENDPOINT}/datasets/"):
        raise SourceError("This address is no dataset's page on the Hub. Write OWNER/NAME instead.")
    return "/".join(re.split("[/?#]", name.removeprefix(home))[:2])


def serves_this_machine_alone() -> bool:
    """Whether nobody but who started the page can reach it; only then are paths of this machine read."""
    address = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    shared = os.environ.get("SPACE_ID") or os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true")
    return not shared and address in ("127.0.0.1", "localhost", "::1")


@contextmanager
def opened(place: Place, path: str) -> Iterator[ParquetFile]:
    """A Parquet file of a dataset, wherever it is; nothing of it is kept on this machine's disk."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        if place.folder:
            with ParquetFile(_inside(place.folder, path)) as file:
                yield file
        else:
            with (
                _hub_errors(place.name),
                _hub().open(f"{_root(place)}/{path}", block_size=_BLOCK) as handle,
                ParquetFile(handle) as file,
            ):
                yield file
    except (pa.ArrowException, KeyError, OSError) as error:
        raise SourceError(
            f"{place.name}: {path} cannot be read ({type(error).__name__}). "
            "Check the dataset, or name another."
        ) from error


def _inside(folder: Path, path: str) -> Path:
    found = (folder / path).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise SourceError(f"The dataset names a file outside its folder: {path}. Name another dataset.")
    return found


def newest_manifests(place: Place) -> list[Manifest]:
    """The newest manifest of each of the first ``MOST_CONFIGS`` configs, by name.

    Raises:
        SourceError: one is too large, or cannot be read.
    """
    texts = _manifest_texts(place) if place.folder is None else _own_manifests(place.folder, place.name)
    found = []
    for path, text in texts.items():
        _, config, name = path.split("/")
        try:
            found.append(parse_manifest(text, config, name.removesuffix(".json")))
        except FolderError as error:
            raise SourceError(f"{place.name}: {path} cannot be read ({error}). Name another.") from None
    return found


def _manifest_texts(place: Place) -> dict[str, bytes]:
    from huggingface_hub import HfApi

    with _hub_errors(place.name):
        info = HfApi(token=False).dataset_info(
            place.repo, revision=place.revision, files_metadata=True, timeout=_PATIENCE
        )
        sizes = {one.rfilename: one.size or 0 for one in info.siblings or []}
        newest = _newest(place.name, sizes)
        # Read no further than was listed, whatever the answer is.
        return {
            path: bytes(_hub().cat_file(f"{_root(place)}/{path}", start=0, end=max(1, sizes[path])))
            for path in newest
        }


def _own_manifests(folder: Path, name: str) -> dict[str, bytes]:
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in (folder / "manifests").glob("*/*.json")
    }
    try:
        return {path: (folder / path).read_bytes() for path in _newest(name, sizes)}
    except OSError as error:
        raise SourceError(f"{name}: a manifest cannot be read ({type(error).__name__}).") from None


def _newest(name: str, sizes: Mapping[str, int]) -> list[str]:
    """Paths of the newest manifests, none of them too large, nor all together."""
    newest: dict[str, str] = {}
    for path in sizes:
        parts = PurePosixPath(path).parts
        if len(parts) == 3 and parts[0] == "manifests" and path.endswith(".json"):
            newest[parts[1]] = max(newest.get(parts[1], path), path, key=_version)
    chosen = [newest[config] for config in sorted(newest)][:MOST_CONFIGS]
    large = next((path for path in chosen if sizes[path] > _MOST_MANIFEST), None)
    if large is None and sum(sizes[path] for path in chosen) > _MOST_MANIFESTS:
        large = "all manifests together"
    if large:
        raise SourceError(f"{name}: {large} is too large for a manifest. Name another dataset.")
    return chosen


def _version(path: str) -> tuple[int, ...]:
    parts = PurePosixPath(path).stem.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _root(place: Place) -> str:
    return f"datasets/{place.repo}@{place.revision}"


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """What the Hub refuses or fails at, in words for a visitor, who has no token to give here."""
    from huggingface_hub import errors

    # The HTTP library's own base error, whichever library the installed hub client uses.
    http_error = cast(type[Exception], errors.HfHubHTTPError.__mro__[1])
    refusals = (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError)
    try:
        yield
    except (*refusals, errors.HFValidationError, FileNotFoundError):
        raise SourceError(
            f"{name[:120]!r} is no public dataset on the Hub, or lacks a file. Check the spelling of "
            "OWNER/NAME; private and gated ones cannot be opened here."
        ) from None
    except (http_error, OSError) as error:
        raise SourceError(
            f"{name[:120]!r} cannot be read: the Hub did not answer as it should ({type(error).__name__}). "
            "Try again in a minute, or leave the field blank for the example."
        ) from None


def _hub() -> Any:
    from huggingface_hub import HfFileSystem, constants

    return HfFileSystem(token=False, endpoint=constants.ENDPOINT)


def _local(name: str) -> Path | None:
    if not serves_this_machine_alone():
        raise SourceError(
            f"{name[:80]!r} is not the name of a dataset. Write it as on the Hub, OWNER/NAME; folders can be "
            "opened only where this page runs on your own machine."
        )
    return find_place(Path(name)).folder


@lru_cache(maxsize=1)
def _example() -> str:
    """A dataset of bundled pairs, made when first asked for and gone with the process."""
    until_exit = ExitStack()
    place = until_exit.enter_context(scratch_folder())
    atexit.register(until_exit.close)
    pairs = bundled()[::3]
    written = zip(pairs, synthesize(pairs, words=400, seed=0), strict=True)
    items = [(pair, context) for pair, context in written if isinstance(context, Context)]
    scores = [score_context(pair, context).coherence for pair, context in items]
    samples = assemble(
        items,
        "4k",
        tokenizer=tokenizer(),
        distractors="random",
        seed=0,
        coherence=lambda index: scores[index].overall,
    )
    placed = {sample.pair_id: sample for sample in samples if isinstance(sample, Sample)}
    made = [
        Made(pair, context, placed.get(pair.id), coherence)
        for (pair, context), coherence in zip(items, scores, strict=True)
    ]
    folder = place / "dataset"
    write_folder(folder, made, words=400, seed=0, pretty_name="Example")
    return str(folder)
