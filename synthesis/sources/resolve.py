"""What a source string means: local files, a dataset folder, that of a run, or the Hub. A local path wins.

Knows nothing of what the rows hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthesis.errors import SourceError
from synthesis.sources.cards import lists_configs
from synthesis.sources.files import KNOWN, describe_all, describe_files, local_tables, not_found, suffix_of
from synthesis.sources.hub import (
    HubSource,
    dataset_table,
    hub_names,
    hub_tables,
    parse_hub,
    redact,
    resolve_revision,
)
from synthesis.sources.rows import SourceTable

_NAME = 255  # bytes of a file's name, on every usual system
_SURROGATE = re.compile("[\ud800-\udfff]")
_PART = re.compile(r"[\[+]")  # of a split, or several: "train[:10%]", "train+test"


def as_text(source: str | Path) -> str:
    """A source as one string, with ``~`` for the home folder resolved."""
    text = str(source)
    if isinstance(source, Path) and text.startswith("hf:/"):
        text = "hf://" + text.removeprefix("hf:/").lstrip("/")  # Path folds the double slash
    return str(Path(text).expanduser()) if text.startswith("~") else text


def tables(source: str, config: str | None, split: str, token: str | None) -> list[SourceTable]:
    """The tables behind a source, in reading order.

    Raises:
        SourceError: If there is nothing there, or it cannot be reached.
    """
    hub = hub_of(source)
    if hub:
        with _taken_for_hub(source):
            return hub_tables(hub, config, split, token)
    folder = _dataset_of(source)
    if _is_dataset_folder(folder, config, split):
        return [dataset_table(str(Path(folder).resolve()), source, config, split, token)]
    _refuse_choice(source, config, split)
    return local_tables(source, split)


def hub_listing(source: str, revision: str | None, token: str | None) -> tuple[str, str, list[str]] | None:
    """Of a Hub source its dataset, the commit it stands for and the files at its path; None for another.

    Raises:
        SourceError: It cannot be reached.
    """
    hub = hub_of(source)
    if hub is None:
        return None
    with _taken_for_hub(source):
        return hub.repo, *hub_names(replace(hub, revision=revision or hub.revision), token)


def describe(source: str, config: str | None, split: str, token: str | None) -> dict[str, Any]:
    """See ``synthesis.sources.pairs.describe_source``."""
    hub = hub_of(source)
    if hub:
        with _taken_for_hub(source):
            revision = resolve_revision(hub, token)
        place = {"path": hub.path} if hub.path else {"config": config, "split": split}
        return {"kind": "hub", "name": hub.repo, "revision": revision, **place}
    folder = _dataset_of(source)
    if not _is_dataset_folder(folder, config, split):
        _refuse_choice(source, config, split)
        return {"kind": "files", "name": source, **describe_files(source, split)}
    whole = {"files": describe_all(folder)}
    return {"kind": "dataset-folder", "name": source, **whole, "config": config, "split": split}


def hub_of(source: str) -> HubSource | None:
    """The Hub source meant, or None for a local one; an address that is neither is an error."""
    if not source.strip():
        raise SourceError("The source is empty. Give a file, a folder, a glob or a Hub dataset.")
    if "\0" in source:
        raise SourceError("The source holds a NUL character, which no path can. Give it again.")
    if _SURROGATE.search(source):
        raise SourceError(
            f"The source {source!r} holds bytes that are not UTF-8, which cannot be saved. Rename it."
        )
    if os.path.exists(source):  # noqa: PTH110 (Path.exists raises for a name that no file can have)
        return None
    if any(len(part.encode()) > _NAME for part in Path(source).parts):
        raise SourceError(
            f"{source[:80]}... holds a name of over {_NAME} bytes, which no file has. Give the path again."
        )
    if "://" in source and not source.startswith("hf://datasets/"):
        raise SourceError(
            f"{redact(source)} is not a kind of address that can be read. "
            "Download the file, or write hf://datasets/ORG/NAME/FILE, or ORG/NAME for a Hub dataset."
        )
    hub = parse_hub(source)
    if source.startswith("hf://"):
        if not hub:
            raise SourceError(f"{redact(source)} is incomplete. Write hf://datasets/ORG/NAME/FILE.")
        return hub
    # "data/pairs.jsonl" has the shape of a Hub id, but what is missing is a file. So it
    # is when the first part is a folder here.
    if hub and (
        suffix_of(source) or Path(source).parts[0] in {".", "..", "~"} or Path(source).parent.exists()
    ):
        raise not_found(source)
    return hub


@contextmanager
def _taken_for_hub(source: str) -> Iterator[None]:
    """Say of a dataset that cannot be reached why it was looked for: a folder may have been meant."""
    try:
        yield
    except SourceError as error:
        if source.startswith("hf://"):
            raise
        raise SourceError(
            f"{error} (There is no file or folder {source}, so it was taken for a Hub dataset.)"
        ) from None


def _dataset_of(source: str) -> str:
    """The dataset in a run's folder, whose other files are no rows; any other source as it is.

    Raises:
        SourceError: the run has none yet.
    """
    dataset = os.path.join(source, "dataset")  # noqa: PTH118 (as the source is written)
    if os.path.isdir(os.path.join(dataset, "manifests")):  # noqa: PTH112, PTH118 (never raises)
        return dataset
    begun = (os.path.join(source, name) for name in ("run.toml", "journal"))  # noqa: PTH118
    if all(map(os.path.exists, begun)):
        raise SourceError(
            f"The run in {source} has no dataset yet. Finish it with the command that began it, "
            "or give the file meant."
        )
    return source


def _is_dataset_folder(source: str, config: str | None, split: str) -> bool:
    """Whether ``datasets`` is to read a folder: its card lists configs, or part of a split is asked for."""
    folder = Path(source)
    return folder.is_dir() and (config is not None or bool(_PART.search(split)) or lists_configs(folder))


def _refuse_choice(source: str, config: str | None, split: str) -> None:
    if not Path(source).is_dir() and (config is not None or split != "train"):
        raise SourceError(
            f"{source} is a file, which has no configs or splits. Leave out --pairs-config and --split, "
            f"or give a dataset folder or a Hub dataset. (Files: {KNOWN}.)"
        )
