"""Datasets on the Hugging Face Hub, streamed; also a local folder laid out as one.

Everything the Hub's libraries raise is turned into a ``SourceError`` with advice and
without tokens. Needs datasets and huggingface_hub, imported when a source is opened.
Knows nothing of what the columns mean.
"""

from __future__ import annotations

import gc
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from synthesis.errors import SourceError
from synthesis.proxies import check_proxies
from synthesis.sources.cards import overlooked_files
from synthesis.sources.files import KNOWN, file_tables, suffix_of
from synthesis.sources.labels import label_names, with_names
from synthesis.sources.rows import Cut, SourceRow, SourceTable, task_from_name
from synthesis.sources.splits import choose_split

_PREFIX = "hf://datasets/"
_ID = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[^/\s]+))?(/(?P<path>.+))?")
_TOKEN = re.compile("[!-~]+")
_LAID_OUT = (
    "Give a folder that `datasets` can load: one of ours, or data files whose columns are the same in all."
)


@dataclass(frozen=True, slots=True)
class HubSource:
    """A dataset ``repo`` at a ``revision`` (None: its main branch), or files at a ``path`` in it."""

    repo: str
    revision: str | None = None
    path: str = ""


def parse_hub(source: str) -> HubSource | None:
    """``ORG/NAME[@REVISION]`` or ``hf://datasets/ORG/NAME[@REVISION][/PATH]``, else None."""
    explicit = source.startswith(_PREFIX)
    found = _ID.fullmatch(source.removeprefix(_PREFIX).rstrip("/"))
    if not found or (found["path"] and not explicit):
        return None
    return HubSource(found["repo"], found["revision"], found["path"] or "")


def redact(text: str, token: str | None = None) -> str:
    """``text`` with the token, and anything that looks like one, blacked out."""
    if token:
        text = text.replace(token, "[token]")
    return re.sub(r"\bhf_[A-Za-z0-9]{6,}", "[token]", text)


def check_token(token: str | None) -> None:
    """Refuse a token that no header can carry: the transport would show it in its error.

    Raises:
        SourceError: it holds spaces, line breaks or characters beyond ASCII.
    """
    if token and not _TOKEN.fullmatch(token):
        raise SourceError(
            "the token for the Hub holds a space, a line break or a letter that no token can have. Set "
            "HF_TOKEN again, to the token and nothing else, or run `hf auth login`."
        )


@contextmanager
def hub_errors(name: str, token: str | None, *, here: bool = False) -> Iterator[None]:
    """Turn what the Hub's libraries raise on purpose into a ``SourceError``; ``here`` is a local folder."""
    from datasets.exceptions import DatasetsError
    from huggingface_hub import get_token
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    secret = token or get_token()
    check_token(secret)
    # The HTTP library's own base error, whichever library the installed hub client uses.
    http_error = cast(type[Exception], HfHubHTTPError.__mro__[1])
    try:
        yield
    except (http_error, DatasetsError, EntryNotFoundError, OSError, ValueError, RuntimeError) as error:
        text = str(error) or str(error.__cause__ or "") or type(error).__name__
        detail = redact(" ".join(text.split()), secret)
        shown = detail if len(detail) <= 300 else detail[:300] + "..."
        # "from None": the original may carry the request, and with it the token.
        stop = "" if shown.endswith((".", "!", "?", ":")) else "."
        raise SourceError(f"{name}: {shown}{stop} {_advice(error, detail, here)}") from None


def _advice(error: Exception, detail: str, here: bool) -> str:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    names = {type(error).__name__} | set(re.findall(r"\w+", detail))
    missing = isinstance(error, RepositoryNotFoundError) and not isinstance(error, GatedRepoError)
    if missing:  # its text speaks of gated repositories too, so it comes first
        return "Check the spelling of ORG/NAME; if it is private, run `hf auth login` or set HF_TOKEN."
    if isinstance(error, GatedRepoError) or "gated" in names:
        return "Ask for access on the dataset's page, then run `hf auth login` or set HF_TOKEN."
    if "OfflineModeIsEnabled" in names or "HF_HUB_OFFLINE" in names:
        return "Unset HF_HUB_OFFLINE to reach the Hub, or give a local file or folder."
    if names & {"Config", "BuilderConfig"}:
        return "Name the dataset's config with --pairs-config."
    if names & {"split", "splits", "Split"}:
        return "Name one of its splits with --split."
    if "scripts" in names:
        return "Give one of its files instead: hf://datasets/ORG/NAME/PATH.parquet."
    if isinstance(error, ConnectionError) or names & {"ConnectError", "ConnectTimeout", "ReadTimeout"}:
        return "Check the network, HF_ENDPOINT and proxies, or give a local file."
    if isinstance(error, PermissionError):
        return "Make it readable (chmod +r) or run as its owner."
    if here:
        return _LAID_OUT
    return "Check the name, the config and the split; for private data set HF_TOKEN or run `hf auth login`."


def resolve_revision(hub: HubSource, token: str | None) -> str:
    """The commit that the source's revision stands for now. Asks the Hub once."""
    from huggingface_hub import HfApi

    check_proxies()
    with hub_errors(hub.repo, token):
        info = HfApi(token=token).dataset_info(hub.repo, revision=hub.revision)
    return str(info.sha)


def hub_names(hub: HubSource, token: str | None) -> tuple[str, list[str]]:
    """The commit that a source stands for now, and the files at its path. Asks the Hub once."""
    from huggingface_hub import HfApi

    check_proxies()
    with hub_errors(hub.repo, token):
        info = HfApi(token=token).dataset_info(hub.repo, revision=hub.revision)
    path = hub.path.rstrip("/")
    names = sorted(str(one.rfilename) for one in info.siblings or ())
    if "*" in path:
        return str(info.sha), [name for name in names if fnmatchcase(name, path)]
    return str(info.sha), [name for name in names if not path or name == path or name.startswith(f"{path}/")]


def read_hub_file(repo: str, revision: str, name: str, token: str | None) -> bytes:
    """A whole file of a dataset."""
    from huggingface_hub import HfFileSystem

    with hub_errors(repo, token):
        return bytes(HfFileSystem(token=token).cat_file(f"datasets/{repo}@{revision}/{name}"))


def hub_tables(hub: HubSource, config: str | None, split: str, token: str | None) -> list[SourceTable]:
    """One table for a dataset's split, or one per file at the source's path."""
    revision = resolve_revision(hub, token)
    if not hub.path:
        return [dataset_table(hub.repo, hub.repo, config, split, token, revision)]
    from huggingface_hub import HfFileSystem

    files = HfFileSystem(token=token)
    place = f"datasets/{hub.repo}@{revision}/{hub.path}"
    with hub_errors(hub.repo, token):
        found = files.glob(place) if "*" in hub.path else files.find(place)
    names = sorted(str(name) for name in found if suffix_of(str(name)))
    if not names:
        raise SourceError(
            f"{_PREFIX}{hub.repo} holds no file at '{hub.path}' with a known suffix ({KNOWN}). "
            f"Look at the dataset's list of files, or give {hub.repo} to let datasets read it."
        )
    if "*" not in hub.path and names != [place]:  # a folder
        inside = {name.removeprefix(f"{place}/"): name for name in names}
        names = [
            inside[name] for name in choose_split(f"{_PREFIX}{hub.repo}/{hub.path}", list(inside), split).read
        ]
    return [table for name in names for table in _remote_tables(files, name, hub.repo, token)]


def _remote_tables(files: Any, name: str, repo: str, token: str | None) -> Iterator[SourceTable]:
    base = PurePosixPath(name).name

    def opened() -> BinaryIO:
        # The file system's own readline takes no limit; a buffered reader's does.
        return io.BufferedReader(files.open(name, "rb"))

    def size() -> int:
        with hub_errors(repo, token):
            return int(files.size(name) or 1)

    with hub_errors(repo, token):
        tables = file_tables(base, base, opened, size)
    for table in tables:
        # "train.jsonl" says nothing of the task; the dataset's own name may.
        label = table.label if task_from_name(table.label) != "generic" else repo.split("/")[1]
        rows = partial(_reached, table.rows, repo, token)
        yield replace(table, label=label, rows=rows, cut=table.cut and _reached_cut(table.cut, repo, token))


def _reached(
    read: Callable[..., Iterator[SourceRow]], repo: str, token: str | None, *part: int
) -> Iterator[SourceRow]:
    with hub_errors(repo, token):
        yield from read(*part)


def _reached_cut(cut: Cut, repo: str, token: str | None) -> Cut:
    def units() -> int:
        with hub_errors(repo, token):
            return cut.units()

    def before(start: int) -> int:
        with hub_errors(repo, token):
            return cut.before(start)

    return Cut(units, partial(_reached, cut.rows, repo, token), before)


def dataset_table(
    place: str, name: str, config: str | None, split: str, token: str | None, revision: str | None = None
) -> SourceTable:
    """A split of a dataset: ``place`` is a Hub id or a local folder, ``name`` is what to call it."""
    label = name.rstrip("/").rsplit("/", 1)[-1]

    def loaded() -> Any:
        folder = Path(place)
        if not folder.is_dir():
            check_proxies()
        files = overlooked_files(folder, config) if folder.is_dir() else None
        chosen = config if files is None else None
        with hub_errors(name, token, here=folder.is_dir()), _quiet_datasets() as load:
            return load(
                place, chosen, data_files=files, split=split, streaming=True, token=token, revision=revision
            )

    def shards() -> list[SourceTable]:
        with hub_errors(name, token):
            data = loaded().reshard()  # row groups instead of files, where they are Parquet
            parts = [data.shard(data.num_shards, number) for number in range(data.num_shards)]

        @cache
        def before(number: int) -> int:
            return number and before(number - 1) + sum(1 for _ in _read(parts[number - 1], name, token))

        return [
            SourceTable(name, label, partial(_read, part, name, token), True, before=partial(before, number))
            for number, part in enumerate(parts)
        ]

    return SourceTable(
        name, label, lambda: _read(loaded(), name, token, Path(place).is_dir()), uniform=True, shards=shards
    )


def _read(data: Any, name: str, token: str | None, here: bool = False) -> Iterator[SourceRow]:
    """The rows of a streamed dataset, or of a part of it."""
    with hub_errors(name, token, here=here):
        named, stream = label_names(data.features), iter(data)
    number = 0
    try:
        while True:
            with hub_errors(f"{name} (after row {number})", token, here=here):
                value = next(stream, None)
            if value is None:
                return
            number += 1
            yield SourceRow(number, with_names(dict(cast(Mapping[str, Any], value)), named))
    finally:
        # It is read ahead by threads: one that still reads when the process ends aborts it.
        del data, stream
        gc.collect()


@contextmanager
def _quiet_datasets() -> Iterator[Callable[..., Any]]:
    from datasets import disable_progress_bars, enable_progress_bars, load_dataset
    from datasets.utils import are_progress_bars_disabled, logging

    verbosity, hidden = logging.get_verbosity(), are_progress_bars_disabled()
    logging.set_verbosity_error()
    disable_progress_bars()
    try:
        yield load_dataset
    finally:
        logging.set_verbosity(verbosity)
        if not hidden:
            enable_progress_bars()
