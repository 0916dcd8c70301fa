"""Long texts, from whatever pairs are read from and from plain text files, each with its id.

Knows columns and files, not what the texts are for: documents that stand beside others, or that are
asked about.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from synthesis.data import Rejected, content_hash
from synthesis.errors import SourceError
from synthesis.sources import resolve
from synthesis.sources.address import Address, errors_about, parse_address
from synthesis.sources.files import PLAIN_SUFFIXES, suffix_of, unreadable
from synthesis.sources.hub import read_hub_file
from synthesis.sources.rows import SourceRow, SourceTable, task_from_name
from synthesis.sources.values import plain

_CARD: Final = "README.md"  # of a dataset on the Hub
_ROWS: Final = (".arrow", ".xml", ".tar")  # what `datasets` reads rows from and we do not
_TEXT: Final = "text"
_OTHERS: Final = ("context", "content", "document")
_ID: Final = "id"
_TASK: Final = "task"
_SHOWN: Final = 40
_MOST: Final = 20_000_000  # characters: some five million tokens
_MOST_KEPT: Final = 2000  # characters of another column


@dataclass(frozen=True, slots=True)
class LongText:
    """A text with its id, the ``task`` that the source gives it, and the other fields of its row."""

    id: str
    text: str
    task: str = "generic"
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


def text_address(source: str | Path) -> tuple[Address, str]:
    """The address of texts, and the column that it names or an empty string.

    Raises:
        SourceError: it names several columns, or cannot be used.
    """
    address = parse_address(source)
    if len(address.columns) > 1:
        raise SourceError(
            f"its texts stand in one column, and {', '.join(address.columns)} are named. Name one of them, "
            "as in SOURCE?columns=body."
        )
    return address, "".join(address.columns)


def text_tables(address: Address, revision: str | None = None) -> list[SourceTable]:
    """The tables of an address in reading order; a plain text file is a table of one row.

    Text files of a folder, a glob or a Hub dataset are read where nothing in it has rows.

    Raises:
        SourceError: there is nothing, or it cannot be reached.
    """
    files = plain_files(address.place)
    if files:
        return [_file_table(shown, partial(_read_file, path, shown)) for path, shown in files]
    # `datasets` would give the text files of a Hub dataset line by line.
    listed = None if address.config or address.columns else resolve.hub_listing(address.place, revision, None)
    if listed is None:
        return address.tables(revision)
    repo, commit, names = listed
    plain = [name for name in names if name != _CARD and name.lower().endswith(PLAIN_SUFFIXES)]
    if not plain or any(suffix_of(name) or name.lower().endswith(_ROWS) for name in names):
        return address.tables(commit)
    return [_file_table(name, partial(read_hub_file, repo, commit, name, None)) for name in plain]


def describe_texts(address: Address) -> dict[str, Any]:
    """What is there, as ``synthesis.sources.pairs.describe_source`` says it of pairs.

    Raises:
        SourceError: it cannot be found or read.
    """
    files = plain_files(address.place)
    if not files:
        return address.describe()
    return {"kind": "files", "name": address.place, "files": [_described(path) for path, _ in files]}


def plain_files(place: str) -> list[tuple[Path, str]]:
    """The text files that a place means, each with the name it is shown by; none where it has rows.

    Raises:
        SourceError: a folder cannot be read.
    """
    path = Path(place)
    if os.path.isfile(place):  # noqa: PTH113 (Path.is_file raises for a name that no file can have)
        return [(path, path.name)] if path.suffix.lower() in PLAIN_SUFFIXES else []
    if os.path.isdir(place):  # noqa: PTH112
        inside = list(_walked(path))
        if any(suffix_of(one.name) for one in inside):
            return []
        found = [(one, one.relative_to(path).as_posix()) for one in inside]
    elif glob.has_magic(place):
        inside = [Path(one) for one in sorted(glob.glob(place, recursive=True))]  # noqa: PTH207
        if any(suffix_of(one.name) for one in inside):
            return []
        found = [(one, one.name) for one in inside if one.is_file()]
    else:
        return []
    return [each for each in found if each[0].suffix.lower() in PLAIN_SUFFIXES]


def _walked(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise unreadable(str(error.filename), error)

    found = []
    for where, inner, names in os.walk(folder, onerror=refuse):
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__")))
        found += [Path(where, name) for name in names if not name.startswith(".")]
    yield from sorted(found)


def _read_file(path: Path, shown: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(shown, error) from None


def _file_table(shown: str, read: Callable[[], bytes]) -> SourceTable:
    def rows() -> Iterator[SourceRow]:
        try:
            yield SourceRow(1, {_ID: shown, _TEXT: read().decode("utf-8-sig")})
        except UnicodeDecodeError as error:
            yield SourceRow(1, None, "", f"not UTF-8 (byte {error.start}); convert it with iconv")

    return SourceTable(shown, "", rows)


def _described(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            return {"path": str(path), "sha256": digest, "bytes": handle.tell()}
    except OSError as error:
        raise unreadable(str(path), error) from None


def read_texts(source: str | Path, *, task: str = "", limit: int = 0) -> Iterator[LongText | Rejected]:
    """The texts of a source, and rows that are none (stage ``contexts``).

    ``task`` names that of all; without it a column ``task`` does, else the name of the file with the rows. Of
    a row's other columns those with a number or a short text are kept.

    Args:
        source: a file, folder, glob, ``hf://`` path or Hub dataset, with choices behind it if need be.
        task: of all texts.
        limit: stop after so many texts (rejected rows do not count); 0 for all.

    Raises:
        SourceError: it cannot be found or read, or there is no text in it.
    """
    with errors_about("the texts"):
        address, column = text_address(source)
        tables = text_tables(address)
    number, first = 0, ""
    seen: set[int] = set()
    for table in tables:
        for row in table.rows():
            place = f"{table.name}:{row.line}"
            try:
                name, text = entry_of(row, table.name, column)
                _check(text, place)
                key = int(content_hash(text)[:16], 16)
                if key in seen:
                    raise SourceError(f"{place} holds a text that an earlier row has.")
            except SourceError as error:
                first = first or str(error)
                yield Rejected(place, "contexts", str(error), row.preview())
                continue
            seen.add(key)
            yield _long_text(name, text, row.value, column, task or task_from_name(table.label), bool(task))
            number += 1
            if number == limit:
                return
    if not number:
        raise SourceError(f"the texts cannot be read: {first or f'{address.place} has no rows.'}")


def _check(text: str, place: str) -> None:
    if not text.strip():
        raise SourceError(f"{place} has an empty text. Remove it.")
    if len(text) > _MOST:
        raise SourceError(f"{place} is too long: {len(text):,} characters, the limit is {_MOST:,}. Cut it.")
    if "\0" in text:
        raise SourceError(f"{place} holds a NUL character. Remove it.")


def _long_text(
    name: str, text: str, row: Mapping[str, Any], column: str, task: str, forced: bool
) -> LongText:
    others = {str(key): plain(value) for key, value in row.items() if key not in (column or _usual(row), _ID)}
    own = others.pop(_TASK, None)
    kept = {
        key: value
        for key, value in others.items()
        if value is not None and not (isinstance(value, str) and len(value) > _MOST_KEPT)
    }
    return LongText(name, text, str(own) if own and not forced else task, kept)


def entry_of(row: SourceRow, table: str, column: str) -> tuple[str, str]:
    """Id and text of a row; ``column`` is the one chosen, if one was.

    Raises:
        SourceError: there is none in it.
    """
    value, where = row.value, f"row {row.line} of {table}"
    if row.error or not isinstance(value, Mapping):
        what = f"cannot be used ({row.error})" if row.error else "is not an object with named columns"
        raise SourceError(f"{where} {what}. Correct or remove it.")
    column = column or _usual(value)
    if column not in value:
        columns = ", ".join(map(str, list(value)[:_SHOWN])) or "none"
        raise SourceError(
            f"{where} has no column {column or _TEXT!r}; it has {columns}. "
            "Name the column of the texts, as in SOURCE?columns=body, or correct the row."
        )
    text, name = value[column], value.get(_ID)
    if not isinstance(text, str):
        raise SourceError(f"{where} has no text in the column {column!r}. Put a string there or remove it.")
    entry = (content_hash(text)[:16] if name in (None, "") else str(name)), text
    try:
        "".join(entry).encode()
    except UnicodeEncodeError:
        raise SourceError(f"{where} holds a lone surrogate (half of a character). Correct it.") from None
    return entry


def _usual(row: Mapping[str, Any]) -> str:
    """The column that has the text by its name; empty if none of the usual has, or several have."""
    others = [name for name in _OTHERS if name in row]
    return _TEXT if _TEXT in row else others[0] if len(others) == 1 else ""
