"""The user's own texts, from whatever pairs are read from, as a sequence that stays on disk."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from synthesis.assembly.record_file import RecordFile
from synthesis.errors import SourceError
from synthesis.lazy_sequence import OnDemand
from synthesis.sources.address import Address, errors_about
from synthesis.sources.files import suffix_of, unreadable
from synthesis.sources.formats import read_jsonl
from synthesis.sources.rows import SourceRow, parse_json
from synthesis.sources.texts import describe_texts, entry_of, text_address, text_tables

Entry = tuple[str, str]
"""Id and text."""


class Texts(OnDemand[Entry]):
    """``size`` texts; ``read(place)`` gives one with its id."""

    def __init__(self, size: int, read: Callable[[int], Entry]) -> None:
        """Nothing is read yet."""
        self._size, self._read = size, read

    def read(self, place: int) -> Entry:
        """A text with its id."""
        return self._read(place)

    def __len__(self) -> int:
        return self._size


def copied(entries: Iterable[Entry]) -> Texts:
    """Texts that can only be read in order, in a nameless temporary file.

    Raises:
        StorageError: there is no room for it.
    """
    records = RecordFile()
    for entry in entries:
        records.add(json.dumps(entry, ensure_ascii=False).encode())

    def read(place: int) -> Entry:
        name, text = json.loads(records[place])
        return name, text

    return Texts(len(records), read)


def in_place(path: Path, entry_of: Callable[[SourceRow], Entry]) -> Texts:
    """The rows of a plain JSON Lines file, which must not change meanwhile.

    Every row is looked at once; what is kept in memory is where each ends (8 bytes).

    Args:
        path: the file.
        entry_of: makes id and text of a row; raises a ``SourceError`` if there is none in it.

    Raises:
        SourceError: the file or a row cannot be used; later, if the file has changed.
    """
    ends = array("Q", [0])
    try:
        with path.open("rb") as file:
            for row in read_jsonl(file, path.name):
                entry_of(row)
                ends.append(file.tell())
    except OSError as error:
        raise unreadable(str(path), error) from None

    def read(place: int) -> Entry:
        try:
            with path.open("rb") as file:
                file.seek(ends[place])
                line = file.read(ends[place + 1] - ends[place])  # and blank lines before it
            value, wrong = parse_json(line.decode("utf-8-sig").strip())
            return entry_of(SourceRow(place + 1, value, error=wrong))
        except (OSError, UnicodeDecodeError, SourceError) as error:
            raise SourceError(
                f"the corpus {path} has changed since it was opened ({error}). Leave it as it is while it is "
                "in use, and run again."
            ) from None

    return Texts(len(ends) - 1, read)


def open_corpus(source: str | Path | Sequence[Entry], *, revision: str | None = None) -> Sequence[Entry]:
    """A corpus as a sequence of (id, text) that is read from disk when needed.

    A plain JSON Lines file is read where it is; texts of anything else are copied once to a
    temporary file. A sequence is passed through.

    Args:
        source: a file, folder (of text files, too), glob, ``hf://datasets/ORG/NAME/PATH`` or
            ``ORG/NAME[@REVISION]``, if need be with choices behind it, as in
            ``SOURCE?config=en&split=test&columns=body``
            (see ``synthesis.sources.address``). ``columns`` names the one column with the text;
            without it that is ``text``, else the only one of ``context``, ``content`` and
            ``document``. A column ``id`` names the text; without one its hash does. For what is
            private on the Hub, the environment's login is used.
        revision: the commit to read of a Hub dataset, as ``describe_corpus`` found it.

    Raises:
        SourceError: it cannot be found or read, has no rows, or a row has no text.
        StorageError: there is no room for the temporary file.
    """
    if not isinstance(source, str | Path):
        return source
    with _errors():
        address, column = text_address(source)
        tables, path = text_tables(address, revision), Path(address.place)
        if path.is_file() and suffix_of(path.name) in (".jsonl", ".ndjson"):
            texts = in_place(path, lambda row: entry_of(row, path.name, column))
        else:
            texts = copied(entry_of(row, table.name, column) for table in tables for row in table.rows())
        if not texts:
            raise _nothing(address)
        return texts


def probe_corpus(source: str | Path) -> None:
    """See whether a corpus can be read, by its first row.

    Raises:
        SourceError: as for ``open_corpus``.
    """
    with _errors():
        address, column = text_address(source)
        rows = ((row, table.name) for table in text_tables(address) for row in table.rows())
        first = next(rows, None)
        if first is None:
            raise _nothing(address)
        entry_of(*first, column)


def describe_corpus(source: str | Path) -> dict[str, Any]:
    """What a corpus is, as ``synthesis.sources.pairs.describe_source`` says it of pairs; never holds a token.

    ``column`` is there if the address names one.

    Raises:
        SourceError: it cannot be found or read.
    """
    with _errors():
        address, column = text_address(source)
        return describe_texts(address) | ({"column": column} if column else {})


def _errors() -> AbstractContextManager[None]:
    return errors_about("the corpus")


def _nothing(address: Address) -> SourceError:
    return SourceError(f"{address.place} has no rows. Give a source with texts in it.")
