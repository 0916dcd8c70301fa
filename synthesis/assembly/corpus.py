"""The user's own texts as a sequence of (id, text) that is read from disk when needed.

From whatever pairs are read from: files, folders, globs, the Hub. A plain JSON Lines file is
read where it is; texts of anything else are copied once to a temporary file. Knows nothing of
what the texts are for.
"""

from __future__ import annotations

import json
import re
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, overload
from urllib.parse import parse_qsl

from synthesis.assembly.shelf import Shelf
from synthesis.data import content_hash
from synthesis.errors import SourceError
from synthesis.sources import resolve
from synthesis.sources.files import suffix_of, unreadable
from synthesis.sources.hub import hub_tables, redact
from synthesis.sources.rows import Row, Table, parse_json
from synthesis.sources.text import read_jsonl
from synthesis.storage import storage_errors

_TEXT: Final = "text"
_OTHERS: Final = ("context", "content", "document")
_ID: Final = "id"
_CHOICES: Final = ("config", "split", "columns")
# A question mark is also a wildcard; before choices it is followed by a name and "=".
_CHOSEN: Final = re.compile(r"(.+)\?(\w+=[^?]*)", re.DOTALL)
_SHOWN: Final = 40

Entry = tuple[str, str]


class Texts(Sequence[Entry]):
    """The texts of a corpus. ``read(place)`` gives one with its id."""

    def __init__(self, size: int, read: Callable[[int], Entry]) -> None:
        """``size`` texts."""
        self._size, self._read = size, read

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._size))]
        return self._read(range(self._size)[place])


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a corpus is; an empty ``column`` means that it has one of the usual names."""

    place: str
    config: str | None = None
    split: str = "train"
    column: str = ""

    def tables(self, revision: str | None = None) -> list[Table]:
        """Its tables; a Hub dataset's at ``revision`` if that is given."""
        hub = resolve.hub_of(self.place)
        if hub and revision:
            return hub_tables(replace(hub, revision=revision), self.config, self.split, None)
        return resolve.tables(self.place, self.config, self.split, None)


def open_corpus(source: str | Path | Sequence[Entry], *, revision: str | None = None) -> Sequence[Entry]:
    """A corpus from any source that pairs can have; a sequence is passed through.

    Args:
        source: a file, folder, glob, ``hf://datasets/ORG/NAME/PATH`` or ``ORG/NAME[@REVISION]``,
            if need be with ``?config=NAME&split=NAME&columns=NAME`` behind it (the split is
            ``train`` otherwise). The text is the named column, else ``text``, else the only one of
            ``context``, ``content`` and ``document``; ``id`` is optional. For what is private on
            the Hub, the environment's login is used.
        revision: the commit to read of a Hub dataset, as ``describe_corpus`` found it.

    Raises:
        SourceError: it cannot be found or read, has no rows, or a row has no text.
        StorageError: there is no room for the temporary file.
    """
    if not isinstance(source, str | Path):
        return source
    with _corpus_errors():
        address = _parse(source)
        tables, path = address.tables(revision), Path(address.place)
        if path.is_file() and suffix_of(path.name) in (".jsonl", ".ndjson"):
            return _in_place(path, address.column)
        return _copied(_entries(tables, address))


def probe_corpus(source: str | Path) -> None:
    """See whether a corpus can be read, by its first row.

    Raises:
        SourceError: as for ``open_corpus``.
    """
    with _corpus_errors():
        address = _parse(source)
        next(_entries(address.tables(), address))


def describe_corpus(source: str | Path) -> dict[str, Any]:
    """What a corpus is, as ``synthesis.pairs.describe_source`` says it of pairs; never holds a token.

    ``column`` is there if one was named.

    Raises:
        SourceError: it cannot be found or read.
    """
    with _corpus_errors():
        address = _parse(source)
        found = resolve.describe(address.place, address.config, address.split, None)
    return found | ({"column": address.column} if address.column else {})


def _parse(source: str | Path) -> _Address:
    text = str(source).strip()
    if isinstance(source, Path) and text.startswith("hf:/"):
        text = "hf://" + text.removeprefix("hf:/").lstrip("/")  # Path folds the double slash
    text = str(Path(text).expanduser()) if text.startswith("~") else text
    match = None if Path(text).exists() else _CHOSEN.fullmatch(text)
    if not match:
        return _Address(text)
    pairs = parse_qsl(match[2], keep_blank_values=True)
    chosen = {key: value.strip() for key, value in pairs}
    if len(chosen) < len(pairs) or not all(key in _CHOICES and value for key, value in chosen.items()):
        raise SourceError(
            f"it is given as {redact(text)!r}; write SOURCE, or SOURCE?split=test, with any of "
            f"{', '.join(_CHOICES)} once and '&' between them."
        )
    return _Address(match[1], chosen.get("config"), chosen.get("split", "train"), chosen.get("columns", ""))


@contextmanager
def _corpus_errors() -> Iterator[None]:
    """Say of an error about a source that it is the corpus, and how one writes what it advises."""
    try:
        yield
    except SourceError as error:
        text = f"the corpus cannot be read: {error}"
        if "--config" in text or "--split" in text:
            text += " For a corpus both stand behind its name: SOURCE?config=NAME&split=NAME."
        # "from None": what lies behind it may carry a request, and with it a token.
        raise SourceError(text) from None


def _entries(tables: Iterable[Table], address: _Address) -> Iterator[Entry]:
    """Id and text of every row. There is at least one."""
    empty = True
    for table in tables:
        for row in table.rows():
            empty = False
            yield _entry(row, f"row {row.line} of {table.name}", address.column)
    if empty:
        raise SourceError(f"{address.place} has no rows. Give a source with texts in it.")


def _entry(row: Row, where: str, chosen: str) -> Entry:
    value = row.value
    if row.error or not isinstance(value, Mapping):
        what = f"cannot be used ({row.error})" if row.error else "is not an object with named columns"
        raise SourceError(f"{where} {what}. Correct or remove it.")
    column = chosen or _text_column(value)
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


def _text_column(row: Mapping[str, Any]) -> str:
    """The column with the text by its name; empty if none has one of the usual, or several have."""
    others = [name for name in _OTHERS if name in row]
    return _TEXT if _TEXT in row else others[0] if len(others) == 1 else ""


def _copied(entries: Iterable[Entry]) -> Texts:
    shelf = Shelf()
    with storage_errors(Path(tempfile.gettempdir())):
        for entry in entries:
            shelf.add(json.dumps(entry, ensure_ascii=False).encode())

    def read(place: int) -> Entry:
        name, text = json.loads(shelf[place])
        return name, text

    return Texts(len(shelf), read)


def _in_place(path: Path, column: str) -> Texts:
    """A JSON Lines file: every row is looked at once, and only where it ends is remembered."""
    ends = array("Q", [0])
    try:
        with path.open("rb") as file:
            table = Table(path.name, "", lambda: read_jsonl(file, path.name))
            for _ in _entries([table], _Address(str(path), column=column)):
                ends.append(file.tell())
    except OSError as error:
        raise unreadable(str(path), error) from None

    def read(place: int) -> Entry:
        try:
            with path.open("rb") as file:
                file.seek(ends[place])
                line = file.read(ends[place + 1] - ends[place])  # and blank lines before it
            value, wrong = parse_json(line.decode("utf-8-sig").strip())
            return _entry(Row(place + 1, value, error=wrong), f"text {place + 1}", column)
        except (OSError, UnicodeDecodeError, SourceError) as error:
            raise SourceError(
                f"the corpus {path} has changed since it was opened ({error}). Leave it as it is while it is "
                "in use, and run again."
            ) from None

    return Texts(len(ends) - 1, read)
