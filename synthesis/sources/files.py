"""Local sources: a file, a folder, a glob; what they hold and what they are made of.

Knows the formats by their suffix and how to open them. Knows nothing of the Hub.
"""

from __future__ import annotations

import difflib
import glob
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from synthesis.errors import SourceError
from synthesis.sources.formats import read_csv, read_json, read_json_lines
from synthesis.sources.packed import DAMAGED, PACKINGS, unpacked, without_packing, zip_members
from synthesis.sources.parquet import read_parquet
from synthesis.sources.parts import cut_lines, cut_parquet
from synthesis.sources.rows import SourceRow, SourceTable
from synthesis.sources.splits import ChosenFiles, choose_split

TEXT_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
SUFFIXES = (
    *TEXT_SUFFIXES,
    ".parquet",
    ".zip",
    *(one + packed for one in TEXT_SUFFIXES for packed in PACKINGS),
)
KNOWN = f"{', '.join(TEXT_SUFFIXES)}, these with {', '.join(PACKINGS)} behind them, .parquet and .zip"
"""The suffixes in words."""
PLAIN_SUFFIXES = (".txt", ".md")
"""Files that are one text each."""
_TEXTS = " Plain texts have no rows; to ask about them: run --method instruction --contexts SRC."
# Descriptions that `datasets` and tools like it leave beside the data.
_NOT_DATA = {"config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}


def suffix_of(name: str) -> str:
    """The known suffix of a file name, such as ``.jsonl`` or ``.csv.gz``, else an empty string."""
    fitting = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    return max(fitting, key=len, default="")


def find_files(source: str, split: str = "train") -> ChosenFiles:
    """The readable files behind a path, folder or glob, in order, written as ``source`` is.

    Of a folder those of ``split``: see ``synthesis.sources.splits``.

    Raises:
        SourceError: If there is none.
    """
    path = Path(source)
    if path.is_dir():
        inside = [one.relative_to(path).as_posix() for one in _in_folder(path)]
        chosen = choose_split(source, inside, split)
        return ChosenFiles([str(path / name) for name in chosen.read], chosen.left)
    if path.exists():
        return ChosenFiles([_checked(path)], {})
    if glob.has_magic(source):
        matches = glob.glob(source, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        found = sorted(name for name in matches if suffix_of(name))
        files = [name for name in found if Path(name).is_file()]
        if not files:
            raise SourceError(
                f"No file matches {source} with a known suffix ({KNOWN}). "
                "Correct the pattern, or convert the files to JSON Lines (.jsonl)."
            )
        return ChosenFiles(files, {})
    raise not_found(source)


def _checked(path: Path) -> str:
    if not path.is_file():
        raise SourceError(f"{path} is not a regular file. Write its rows to a .jsonl file and give that.")
    if not suffix_of(path.name):
        raise SourceError(
            f"{path}: the suffix '{path.suffix}' does not name a format. Known: {KNOWN}. "
            "Rename the file, or convert it to JSON Lines (.jsonl)."
            + (_TEXTS if path.suffix.lower() in PLAIN_SUFFIXES else "")
        )
    return str(path)


def _in_folder(folder: Path) -> list[Path]:
    found: list[Path] = []
    plain = False
    # An unreadable subfolder would otherwise be left out without a word.
    for where, inner, names in os.walk(folder, onerror=_refuse):
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__")))
        keep = (name for name in names if not name.startswith(".") and name not in _NOT_DATA)
        found += [Path(where, name) for name in keep if suffix_of(name)]
        plain = plain or any(name.lower().endswith(PLAIN_SUFFIXES) for name in names)
    if found:
        return sorted(found)
    if (folder / "state.json").exists() or (folder / "dataset_dict.json").exists():
        raise SourceError(
            f"{folder} was written by Dataset.save_to_disk (Arrow files), which is not read directly. "
            "Write it with Dataset.to_parquet or Dataset.to_json and give that file."
        )
    raise SourceError(
        f"The folder {folder} holds no file with a known suffix ({KNOWN}). "
        "Give another folder, or convert its files to JSON Lines (.jsonl)." + (_TEXTS if plain else "")
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


def file_tables(
    shown: str, filename: str, opened: Callable[[], BinaryIO], size: Callable[[], int]
) -> list[SourceTable]:
    """The tables of one file, ``shown`` being its name: one, or one for each file in a zip archive.

    ``size`` tells the bytes of the file.
    """
    if suffix_of(filename) != ".zip":
        return [_cuttable(_table(shown, filename, opened, size=size), filename, opened)]
    members = [name for name in zip_members(opened, shown) if suffix_of(name) not in ("", ".zip")]
    if not members:
        raise SourceError(
            f"The zip archive {shown} holds no file with a known suffix ({KNOWN}). Unpack it and convert "
            "what it holds to JSON Lines (.jsonl)."
        )
    return [_table(f"{shown}/{name}", name, opened, name) for name in members]


def _cuttable(table: SourceTable, filename: str, opened: Callable[[], BinaryIO]) -> SourceTable:
    """The table of a file, with how a part of it is read, if it is of a format that has parts."""
    cut = {".jsonl": cut_lines, ".ndjson": cut_lines, ".parquet": cut_parquet}.get(suffix_of(filename))
    if cut is None:
        return table
    made = cut(opened, table.name)

    def rows(start: int, stop: int) -> Iterator[SourceRow]:
        return _guarded(lambda: made.rows(start, stop), table.name)

    return replace(table, cut=replace(made, rows=rows))


def _table(
    shown: str,
    filename: str,
    opened: Callable[[], BinaryIO],
    member: str = "",
    size: Callable[[], int] = lambda: 1,
) -> SourceTable:
    """A table over one file: ``filename`` says its format."""
    base = PurePosixPath(filename.replace(os.sep, "/")).name
    suffix = suffix_of(base)
    kind = without_packing(suffix)
    plain = partial(unpacked, opened, shown, member, kind == ".parquet")

    def rows() -> Iterator[SourceRow]:
        return _guarded(lambda: _rows(kind, plain, shown), shown)

    uniform = kind in {".csv", ".tsv", ".parquet"}
    return SourceTable(shown, base[: len(base) - len(suffix)], rows, uniform, size)


def _rows(
    kind: str, opened: Callable[[], AbstractContextManager[BinaryIO]], name: str
) -> Iterator[SourceRow]:
    if kind in (".json", ".jsonl", ".ndjson"):
        yield from read_json(opened, name) if kind == ".json" else read_json_lines(opened, name)
        return
    with opened() as handle:
        if kind == ".parquet":
            yield from read_parquet(handle, name)
        elif kind == ".csv":
            yield from read_csv(handle, name)
        else:
            yield from read_csv(handle, name, "\t")


def _guarded(rows: Callable[[], Iterator[SourceRow]], name: str) -> Iterator[SourceRow]:
    line = 0
    try:
        for row in rows():
            line = row.line
            yield row
    except DAMAGED as error:
        raise _damaged(name, line, error) from None
    except OSError as error:
        # Some unpackers raise one that is not of the system, and so has no number.
        raise unreadable(name, error) if error.errno else _damaged(name, line, error) from None
    except RuntimeError as error:  # zipfile on a password or a method it does not know
        raise SourceError(f"{name} cannot be unpacked: {error}. Unpack it and give the file in it.") from None


def _damaged(name: str, line: int, error: Exception) -> SourceError:
    return SourceError(
        f"{name}: damaged compressed data after line {line} ({error}). Compress or download it again."
    )


def local_tables(source: str, split: str = "train") -> list[SourceTable]:
    """The tables of the files behind a path, folder or glob."""
    root = Path(source)
    tables: list[SourceTable] = []
    for found in find_files(source, split).read:
        path = Path(found)
        shown = path.relative_to(root).as_posix() if root.is_dir() else path.name
        tables += file_tables(shown, path.name, _opener(path), _sizer(path))
    return tables


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _sizer(path: Path) -> Callable[[], int]:
    return lambda: path.stat().st_size


def describe_files(source: str, split: str = "train") -> dict[str, Any]:
    """``files`` behind a local source, each with ``path`` (as given), ``sha256`` and ``bytes``.

    Where a folder has files of other splits: ``left_out`` as well, name -> split.
    """
    found = find_files(source, split)
    left = {"left_out": dict(found.left)} if found.left else {}
    return {"files": [_fingerprint(name) for name in found.read], **left}


def describe_all(folder: str) -> list[dict[str, Any]]:
    """The same of every readable file in a folder, whatever its split."""
    return [_fingerprint(str(path)) for path in _in_folder(Path(folder))]


def _fingerprint(found: str) -> dict[str, Any]:
    try:
        with Path(found).open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            return {"path": found, "sha256": digest, "bytes": handle.tell()}
    except OSError as error:
        raise unreadable(found, error) from None
