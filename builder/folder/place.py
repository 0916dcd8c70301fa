"""What a dataset given as ``DIR`` or ``OWNER/NAME`` means: the same for every command, in the same words.

Says where it is. Reads no manifest, and asks the Hub nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synthesis.errors import FolderError, SourceError, StorageError, UsageError
from synthesis.run.folder import RunFolder, is_saved, kind_of
from synthesis.sources.hub import parse_hub
from synthesis.storage import storage_errors

_DEEPEST = 3  # folders between a dataset and its files
_GIVE = "Give the folder of a run, a dataset folder, or OWNER/NAME."


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset in a ``folder`` here, or in ``repo`` on the Hub; ``name`` is what was given."""

    name: str
    folder: Path | None = None
    repo: str = ""
    revision: str | None = None

    @property
    def at(self) -> str:
        """What plain ``datasets`` calls it by: the folder's path, or the repository."""
        return str(self.folder) if self.folder else self.repo


def find_place(source: str | Path, revision: str | None = None) -> Place:
    """A run's folder, a dataset folder, or ``OWNER/NAME[@REVISION]`` on the Hub; what is here comes first.

    A ``Path`` is a folder in any case.

    Raises:
        SourceError: it is none of them, an empty folder, one inside a dataset, or a run without a dataset.
        UsageError: a revision is given for a folder, or twice.
    """
    name, path = str(source), Path(source).expanduser()
    if name.strip() and path.is_dir():
        if revision is not None:
            raise UsageError(
                f"{name} is a folder, which has no revision {revision!r}. Leave the revision out, "
                "or name a version as in CONFIG-v1.0.0."
            )
        return Place(name, folder=_dataset_in(path, name).resolve())
    found = parse_hub(name) if isinstance(source, str) and not path.exists() else None
    if found is None or found.path or name.startswith("."):
        what = "is a file" if path.is_file() else "is not a folder that is here, nor a dataset on the Hub"
        raise SourceError(f"{name} {what}. {_GIVE}")
    if revision is not None and found.revision not in (None, revision):
        raise UsageError(f"{name} names another revision than {revision!r}. Give only one of them.")
    return Place(name, repo=found.repo, revision=revision or found.revision)


def find_built(folder: str | Path) -> Path:
    """The dataset folder that this tool built and that ``folder`` is, or holds as a run's.

    Raises:
        SourceError: there is none.
    """
    found = find_place(Path(folder)).folder
    if found is None or not is_built(found):
        raise SourceError(not_built(str(folder)))
    return found


def is_built(dataset: Path) -> bool:
    """Whether a dataset folder is one of ours."""
    return kind_of(dataset) == "dataset"


def not_built(name: str) -> str:
    """The message for a place without a dataset of ours."""
    return (
        f"{name} holds no dataset that this tool built (there is no manifests folder). Build it first: "
        "context-synthesis run --out DIR. Then give DIR, a dataset folder, or OWNER/NAME."
    )


def _is_run(path: Path) -> bool:
    try:
        return path.is_dir() and kind_of(path) == "run"
    except (OSError, FolderError, StorageError):  # one that may not be read is none that could be named
        return False


def _around(path: Path) -> Path | None:
    """The dataset, or run, that a folder is only a part of."""
    for one in path.absolute().parents[:_DEEPEST]:
        with suppress(OSError, FolderError, StorageError):
            if is_built(one) or is_saved(RunFolder(one).config):
                return one.relative_to(Path.cwd()) if one.is_relative_to(Path.cwd()) else one
    return None


def _dataset_in(path: Path, name: str) -> Path:
    kind = kind_of(path)
    if kind == "nothing":
        raise SourceError(not_built(name))
    if kind == "other":
        if whole := _around(path):
            raise SourceError(f"{name} is a part of {whole}. Give that.")
        with storage_errors(path):
            inside = sorted(one.name for one in path.iterdir() if _is_run(one))
        if inside:
            raise SourceError(f"{not_built(name)} There are runs in it: {', '.join(inside[:3])}.")
    if kind != "run":
        return path
    dataset = RunFolder(path).dataset
    if not is_built(dataset):
        raise SourceError(f"The run in {name} has no dataset yet. Finish it with the command that began it.")
    return dataset
