"""Texts with their ids as a sequence that stays on disk: read again where they are, or copied once.

Knows how texts are kept and found, not what makes a row a text or what texts are for.
"""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path

from synthesis.assembly.shelf import Shelf
from synthesis.errors import SourceError
from synthesis.ondemand import OnDemand
from synthesis.sources.files import unreadable
from synthesis.sources.rows import Row, parse_json
from synthesis.sources.text import read_jsonl
from synthesis.storage import storage_errors

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
    shelf = Shelf()
    with storage_errors(Path(tempfile.gettempdir())):
        for entry in entries:
            shelf.add(json.dumps(entry, ensure_ascii=False).encode())

    def read(place: int) -> Entry:
        name, text = json.loads(shelf[place])
        return name, text

    return Texts(len(shelf), read)


def in_place(path: Path, entry_of: Callable[[Row], Entry]) -> Texts:
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
            return entry_of(Row(place + 1, value, error=wrong))
        except (OSError, UnicodeDecodeError, SourceError) as error:
            raise SourceError(
                f"the corpus {path} has changed since it was opened ({error}). Leave it as it is while it is "
                "in use, and run again."
            ) from None

    return Texts(len(ends) - 1, read)
