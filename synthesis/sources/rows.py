"""What every source is turned into: tables of numbered rows.

Knows nothing of file formats, of the Hub, or of what a row's columns mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

# A row longer than this is refused before it is parsed. It leaves room for the longest
# answer with every character escaped, and for a large column that we do not use.
ROW_LIMIT = 32 * 1024 * 1024
PREVIEW = 200


class SourceRow(NamedTuple):
    """One row: ``value`` as parsed, or why it could not be (``error``).

    ``line`` counts from 1: lines of a text file, rows of a Parquet file or Hub split.
    ``raw`` is the beginning of the row as written, where it was written as text.
    """

    line: int
    value: Any
    raw: str = ""
    error: str = ""

    def preview(self) -> str:
        """The first 200 characters of the row, safe to write anywhere as UTF-8."""
        text = self.raw
        if not text and isinstance(self.value, Mapping):
            short = {str(key)[:PREVIEW]: _short(cell) for key, cell in self.value.items()}
            text = json.dumps(short, ensure_ascii=False)
        elif not text and self.value is not None:
            text = str(_short(self.value))
        return text[:PREVIEW].encode("utf-8", "backslashreplace").decode()[:PREVIEW]


@dataclass(frozen=True, slots=True)
class SourceTable:
    """Rows that belong together: one file, or one split of a Hub dataset.

    ``name`` is shown to the user and begins the ids of bad rows; ``label`` is what the
    table would be called as a task. ``uniform`` says that all rows have the same
    columns, so that one row is enough to know whether they can be used.

    ``size`` tells how much of a source it is, in bytes where it is a file; ``cut`` how a part of
    it is read, if one can be, and ``shards`` what it consists of. ``before`` is to be added to the
    numbers of its rows, where it is itself a part and they are numbered from its beginning.
    """

    name: str
    label: str
    rows: Callable[[], Iterator[SourceRow]]
    uniform: bool = False
    size: Callable[[], int] = lambda: 1
    cut: Cut | None = None
    shards: Callable[[], Sequence[SourceTable]] | None = None
    before: Callable[[], int] = lambda: 0


@dataclass(frozen=True, slots=True)
class Cut:
    """How a table is read in parts: its ``units`` are bytes of a text file, rows of a Parquet file.

    ``units`` is 0 where it turns out that it cannot be. ``rows`` gives those that begin in the units
    ``[start, stop)``; ``before``, which may take a while, what is then to be added to their numbers.
    """

    units: Callable[[], int]
    rows: Callable[[int, int], Iterator[SourceRow]]
    before: Callable[[int], int]


class FirstSeen:
    """Where each of many rows was seen first; remembers that in one integer each, and nothing else."""

    def __init__(self) -> None:
        self._tables: list[SourceTable] = []
        self._places: dict[int, int] = {}  # digest -> number of the table, then line

    def begin(self, table: SourceTable) -> None:
        """The rows that follow are of another table."""
        self._tables.append(table)

    def before(self, digest: str, line: int) -> str | None:
        """``TABLE:LINE`` of the earlier row of this digest (16 hex digits); None for the first, now kept."""
        here = len(self._tables) << 40 | line
        earlier = self._places.setdefault(int(digest, 16), here)
        if earlier == here:
            return None
        table = self._tables[(earlier >> 40) - 1]
        return f"{table.name}:{table.before() + (earlier & (1 << 40) - 1)}"


def _short(cell: object) -> object:
    if isinstance(cell, str):
        return cell[:PREVIEW]
    if isinstance(cell, Mapping):
        return {str(key)[:PREVIEW]: _short(inner) for key, inner in list(cell.items())[:8]}
    if isinstance(cell, list):
        return [_short(inner) for inner in cell[:8]]
    return cell if isinstance(cell, int | None) else str(cell)[:PREVIEW]


def _number(text: str) -> Decimal | float:
    # Decimal keeps an answer such as 4.10 as it was written.
    try:
        return Decimal(text)
    except InvalidOperation:
        return float(text)


DECODER = json.JSONDecoder(parse_float=_number)


def parse_json(text: str) -> tuple[Any, str]:
    """The value of ``text`` and no error, or None and what is wrong with it."""
    try:
        return DECODER.decode(text), ""
    except json.JSONDecodeError as error:
        return None, f"broken JSON: {error.msg} at column {error.colno}"
    except RecursionError:
        return None, "broken JSON: nested too deeply"
    except ValueError as error:  # an integer of thousands of digits
        return None, f"broken JSON: {error}"


_PLAIN = re.compile(
    r"(train|training|test|testing|validation|valid|val|dev|eval|data|dataset|pairs|part|shard|chunk|rows"
    r"|samples|examples|records|default|input|inputs|output|outputs|file|all|\d+)"
    r"([-_. ]?(\d+|of|train|test|validation|data))*",
    re.IGNORECASE,
)


def task_from_name(name: str) -> str:
    """The task a file or dataset name stands for; names like ``train-00000`` mean ``generic``."""
    return "generic" if not name.strip() or _PLAIN.fullmatch(name.strip()) else name.strip()
