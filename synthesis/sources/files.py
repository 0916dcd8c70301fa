"""Local sources: a file, a folder, a glob; what they hold and what they are made of.

Knows the formats by their suffix and how to open them. Knows nothing of the Hub.
"""

from __future__ import annotations

import difflib
import glob
import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from synthesis.errors import SourceError
from synthesis.sources.formats import read_csv, read_json, read_jsonl, read_parquet
from synthesis.sources.rows import SourceRow, SourceTable

TEXT_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", *(suffix + ".gz" for suffix in TEXT_SUFFIXES))
# Descriptions that `datasets` and tools like it leave beside the data.
_NOT_DATA = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}


def suffix_of(name: str) -> str:
    """The known suffix of a file name, such as ``.jsonl`` or ``.csv.gz``, else an empty string."""
    fitting = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    return max(fitting, key=len, default="")


def find_files(source: str) -> list[str]:
    """The readable files behind a path, folder or glob, sorted by name, written as ``source`` is.

    Raises:
        SourceError: If there is none.
    """
    path = Path(source)
    if path.is_dir():
        return _in_folder(path)
    if path.exists():
        return [_checked(path)]
    if glob.has_magic(source):
        matches = glob.glob(source, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        found = sorted(name for name in matches if suffix_of(name))
        files = [name for name in found if Path(name).is_file()]
        if not files:
            raise SourceError(
                f"No file matches {source} with a known suffix ({', '.join(SUFFIXES)}). "
                "Correct the pattern, or convert the files to JSON Lines (.jsonl)."
            )
        return files
    raise not_found(source)


def _checked(path: Path) -> str:
    if not path.is_file():
        raise SourceError(f"{path} is not a regular file. Write its rows to a .jsonl file and give that.")
    if not suffix_of(path.name):
        raise SourceError(
            f"{path}: the suffix '{path.suffix}' does not name a format. Known: {', '.join(SUFFIXES)}. "
            "Rename the file, or convert it to JSON Lines (.jsonl)."
        )
    return str(path)


def _in_folder(folder: Path) -> list[str]:
    found = []
    # An unreadable subfolder would otherwise be left out without a word.
    for where, inner, names in os.walk(folder, onerror=_refuse):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        keep = (name for name in names if not name.startswith(".") and name not in _NOT_DATA)
        found += [Path(where, name) for name in keep if suffix_of(name)]
    if found:
        return [str(path) for path in sorted(found)]
    if (folder / "state.json").exists() or (folder / "dataset_dict.json").exists():
        raise SourceError(
            f"{folder} was written by Dataset.save_to_disk (Arrow files), which is not read directly. "
            "Write it with Dataset.to_parquet or Dataset.to_json and give that file."
        )
    raise SourceError(
        f"The folder {folder} holds no file with a known suffix ({', '.join(SUFFIXES)}). "
        "Give another folder, or convert its files to JSON Lines (.jsonl)."
    )


def not_found(source: str) -> SourceError:
    """The error for a path that does not exist, with names that are near to it."""
    path = Path(source)
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    try:
        beside = [entry.name for entry in missing.parent.iterdir() if entry.is_dir() or suffix_of(entry.name)]
    except PermissionError as error:
        return unreadable(str(missing.parent), error)
    near = difflib.get_close_matches(missing.name, beside, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(str(missing.parent / name) for name in near)}?" if near else ""
    folder = "" if missing == path else f" (there is no {missing})"
    return SourceError(
        f"{source} was not found{folder}.{hint} Give a file, a folder, a glob, a Hub dataset as ORG/NAME, "
        "or hf://datasets/ORG/NAME/FILE."
    )


def _refuse(error: OSError) -> None:
    raise unreadable(str(error.filename), error)


def unreadable(name: str, error: OSError) -> SourceError:
    """The error for a file the system will not let us read."""
    if isinstance(error, PermissionError):
        return SourceError(f"{name}: permission denied. Make it readable (chmod +r) or run as its owner.")
    return SourceError(f"{name} cannot be read: {error.strerror or error}. Check the file and its disk.")


def file_table(shown: str, filename: str, opened: Callable[[], BinaryIO]) -> SourceTable:
    """A table over one file: ``shown`` names it, ``filename`` says its format."""
    base = PurePosixPath(filename.replace(os.sep, "/")).name
    suffix = suffix_of(base)
    kind = suffix.removesuffix(".gz")

    @contextmanager
    def unpacked() -> Iterator[BinaryIO]:
        with opened() as raw:
            if suffix.endswith(".gz"):
                with gzip.GzipFile(fileobj=raw, mode="rb") as plain:
                    yield cast(BinaryIO, plain)
            else:
                yield raw

    def rows() -> Iterator[SourceRow]:
        return _guarded(lambda: _rows(kind, unpacked, shown), shown)

    uniform = kind in {".csv", ".tsv", ".parquet"}
    return SourceTable(shown, base[: len(base) - len(suffix)], rows, uniform)


def _rows(
    kind: str, opened: Callable[[], AbstractContextManager[BinaryIO]], name: str
) -> Iterator[SourceRow]:
    if kind == ".json":
        yield from read_json(opened, name)
        return
    with opened() as handle:
        if kind == ".parquet":
            yield from read_parquet(handle, name)
        elif kind == ".csv":
            yield from read_csv(handle, name)
        elif kind == ".tsv":
            yield from read_csv(handle, name, "\t")
        else:
            yield from read_jsonl(handle, name)


def _guarded(rows: Callable[[], Iterator[SourceRow]], name: str) -> Iterator[SourceRow]:
    line = 0
    try:
        for row in rows():
            line = row.line
            yield row
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(
            f"{name}: damaged gzip data after line {line} ({error}). Compress or download it again."
        ) from None
    except OSError as error:
        raise unreadable(name, error) from None


def local_tables(source: str) -> list[SourceTable]:
    """One table per file behind a path, folder or glob."""
    root = Path(source)
    tables = []
    for found in find_files(source):
        path = Path(found)
        shown = path.relative_to(root).as_posix() if root.is_dir() else path.name
        tables.append(file_table(shown, path.name, _opener(path)))
    return tables


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def describe_files(source: str) -> list[dict[str, Any]]:
    """``path`` (as given), ``sha256`` and ``bytes`` of every file behind a local source."""
    return [_fingerprint(found) for found in find_files(source)]


def _fingerprint(found: str) -> dict[str, Any]:
    try:
        with Path(found).open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            return {"path": found, "sha256": digest, "bytes": handle.tell()}
    except OSError as error:
        raise unreadable(found, error) from None
