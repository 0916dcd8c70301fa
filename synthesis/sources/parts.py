"""Parts of a source: what each of many tasks reads of it.

The source is one line of bytes, file after file, of which each task has an equal stretch. Of files whose
rows can be found anywhere (JSON Lines, Parquet) it reads those that begin there; a file that only reads
from its beginning is read by every task whose stretch meets it, and its rows are dealt out by their ids.
Every row falls to one task, and the order of the rows is kept. Knows nothing of what rows hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import BinaryIO

from synthesis.data import content_hash
from synthesis.sources.formats import is_array, read_lines, rows_of_lines
from synthesis.sources.packed import is_packed
from synthesis.sources.parquet import parquet_rows, read_parquet
from synthesis.sources.rows import Cut, SourceRow, SourceTable

_CHUNK = 1 << 20
_BITS = 64


def cut_lines(opened: Callable[[], BinaryIO], name: str) -> Cut:
    """How a file of JSON Lines is cut: anywhere, unless it is packed or an array after all."""

    def units() -> int:
        if is_packed(opened, name):
            return 0
        with opened() as handle:
            if is_array(handle):
                return 0
            return handle.seek(0, 2)

    def rows(start: int, stop: int) -> Iterator[SourceRow]:
        with opened() as handle:
            first = _line_start(handle, start)
            lines = read_lines(handle, name, first, stop, partial(before, start))
            yield from rows_of_lines(lines)

    @cache
    def before(start: int) -> int:
        with opened() as handle:
            left = _line_start(handle, start)
            handle.seek(0)
            number = 0
            while left > 0 and (data := handle.read(min(_CHUNK, left))):
                number += data.count(b"\n")
                left -= len(data)
            return number

    return Cut(units, rows, before)


def _line_start(handle: BinaryIO, start: int) -> int:
    """Go to the first line that begins at this byte or behind it; where that is."""
    if start == 0:
        return 0
    at = handle.seek(start - 1)
    while data := handle.readline(_CHUNK):
        at += len(data)
        if data.endswith(b"\n"):
            break
    return at


def cut_parquet(opened: Callable[[], BinaryIO], name: str) -> Cut:
    """How a Parquet file is cut: at any row. A row group that two parts share is read for both."""

    def units() -> int:
        with opened() as handle:
            return parquet_rows(handle)

    def rows(start: int, stop: int) -> Iterator[SourceRow]:
        with opened() as handle:
            yield from read_parquet(handle, name, start, stop)

    return Cut(units, rows, lambda start: 0)  # they are numbered as in the whole


@dataclass(frozen=True, slots=True)
class SourcePart:
    """What a task reads of a table. ``whole`` is the table; ``takes`` says whether an id is the task's."""

    table: SourceTable
    whole: SourceTable
    takes: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Division:
    """A source divided among tasks: ``parts`` are those of one.

    ``name`` is a hash of how it is divided: under an equal one each row falls to the same task.
    """

    name: str
    parts: list[SourcePart]


def divide(tables: Sequence[SourceTable], rank: int, tasks: int) -> Division:
    """What task ``rank`` of ``tasks`` reads, in the source's order; nothing is read yet but sizes."""
    pieces = [piece for table in tables for piece in (table.shards() if table.shards else (table,))]
    sizes = [max(1, piece.size()) for piece in pieces]
    # In units of which every task has as many as the source has bytes, so that nothing is rounded.
    first, last = rank * sum(sizes), (rank + 1) * sum(sizes)
    parts: list[SourcePart] = []
    at = 0
    for piece, size in zip(pieces, sizes, strict=True):
        start, at = at, at + size * tasks
        if start < last and at > first:
            parts += _part(piece, max(first - start, 0), min(last, at) - start, size * tasks)
    return Division(content_hash(tasks, [piece.name for piece in pieces], sizes), parts)


def _part(table: SourceTable, first: int, last: int, whole: int) -> Iterator[SourcePart]:
    """The part ``[first, last)`` of the ``whole``."""
    if (first, last) == (0, whole):
        yield SourcePart(table, table, lambda _: True)
        return
    units = table.cut.units() if table.cut else 0
    if table.cut is None or not units:
        yield SourcePart(table, table, lambda name: first <= _place(name) * whole >> _BITS < last)
        return
    start, stop = units * first // whole, units * last // whole
    if start < stop:
        rows, before = partial(table.cut.rows, start, stop), partial(table.cut.before, start)
        yield SourcePart(replace(table, rows=rows, before=before), table, lambda _: True)


def _place(name: str) -> int:
    return int(content_hash(name)[: _BITS // 4], 16)
