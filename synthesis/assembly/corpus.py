"""The user's own texts as a sequence of (id, text) that is read from disk when needed.

JSON lines or Parquet with a column ``text`` and, if there is one, ``id``. Knows nothing of
what the texts are for.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, overload

from synthesis.assembly.shelf import Shelf
from synthesis.data import content_hash
from synthesis.errors import SourceError

_TEXT: Final = "text"
_ID: Final = "id"
_ROWS: Final = 256


class TextFile(Sequence[tuple[str, str]]):
    """The texts of a file. ``read(place)`` gives a row as a mapping."""

    def __init__(self, path: Path, size: int, read: Callable[[int], Any]) -> None:
        """``size`` rows."""
        self._path, self._size, self._read = path, size, read

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._size))]
        row = self._read(range(self._size)[place])
        text = row.get(_TEXT) if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise SourceError(
                f"row {place + 1} of the corpus {self._path} has no text. Give every row a string "
                f"in the column {_TEXT!r}, or pass a sequence of (id, text)."
            )
        name = row.get(_ID)
        return (content_hash(text)[:16] if name is None else str(name)), text


def open_corpus(source: str | Path | Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """A corpus from a ``.jsonl`` or ``.parquet`` file; a sequence is passed through.

    Raises:
        SourceError: the file does not exist, is of another kind, or lacks the column ``text``.
    """
    if not isinstance(source, str | Path):
        return source
    path = Path(source)
    if not path.is_file():
        raise SourceError(f"the corpus {path} does not exist. Give a .jsonl or .parquet file.")
    if path.suffix == ".parquet":
        return _parquet(path)
    if path.suffix in (".jsonl", ".ndjson"):
        return _json_lines(path)
    raise SourceError(f"the corpus {path} is neither .jsonl nor .parquet. Convert it, or rename it if it is.")


def _json_lines(path: Path) -> TextFile:
    starts = array("Q")
    with path.open("rb") as file:
        at = 0
        for line in file:
            if line.strip():
                starts.append(at)
            at += len(line)

    def read(place: int) -> Any:
        with path.open("rb") as opened:
            opened.seek(starts[place])
            line = opened.readline()
        try:
            return json.loads(line)
        except ValueError as error:
            raise SourceError(
                f"row {place + 1} of the corpus {path} is not JSON: {error}. Correct or remove the line."
            ) from error

    return TextFile(path, len(starts), read)


def _parquet(path: Path) -> TextFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"the corpus {path} cannot be read as Parquet: {error}.") from error
    names = set(file.schema_arrow.names)
    if _TEXT not in names:
        raise SourceError(
            f"the corpus {path} has no column {_TEXT!r}; it has {', '.join(sorted(names))}. Rename one."
        )
    columns = [name for name in (_ID, _TEXT) if name in names]
    # Reading one row of Parquet means decoding its whole group, so rows are copied out first.
    shelf = Shelf()
    for batch in file.iter_batches(batch_size=_ROWS, columns=columns):
        for row in batch.to_pylist():
            shelf.add(json.dumps(row, default=str).encode())
    return TextFile(path, len(shelf), lambda place: json.loads(shelf[place]))
