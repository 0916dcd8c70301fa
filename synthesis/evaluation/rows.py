"""Rows of a source of questions, whatever kind of file or dataset it is. Knows no form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from synthesis.data import Evidence, Rejected
from synthesis.errors import ContextSynthesisError, UsageError
from synthesis.evaluation.questions import ContextQuestion, QuestionSource
from synthesis.sources import resolve
from synthesis.sources.address import address_of
from synthesis.sources.rows import PREVIEW, SourceRow, SourceTable
from synthesis.sources.values import BadRow


def tables_of(source: QuestionSource) -> list[SourceTable]:
    """The tables behind a source, in reading order.

    Raises:
        SourceError: there is nothing there, or it cannot be reached.
    """
    at = address_of(source.place, source.config, source.split or "train")
    return resolve.tables(at.place, at.config, at.split, None)


def first_row(source: QuestionSource) -> Mapping[str, Any]:
    """The first row of a source that is an object; empty where there is none, or nothing can be read."""
    try:
        for table in tables_of(source):
            for row in table.rows():
                return row.value if isinstance(row.value, Mapping) else {}
    except ContextSynthesisError:  # said again, and in full, when it is read
        pass
    return {}


def whole_number(value: object, what: str) -> int:
    """A cell as a whole number; 0 for null.

    Raises:
        BadRow: it is none, naming ``what`` it was to be.
    """
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value % 1:
        raise BadRow(f"its {what} is {str(value)[:PREVIEW]!r}, which is no whole number")
    return int(value)


def span_of(cell: Mapping[str, Any], text: str, before: int = 0) -> Evidence:
    """The span of ``text`` that a cell's ``start`` and ``end`` tell, each with ``before`` taken off.

    Raises:
        BadRow: they are no whole numbers, or not in the text.
    """
    start, end = (whole_number(cell.get(name), f"evidence's {name}") - before for name in ("start", "end"))
    if not 0 <= start < end <= len(text):
        raise BadRow(f"its evidence lies outside of its context: {start + before} to {end + before}")
    return Evidence(start, end, str(cell.get("what") or ""))


def of_tasks(
    found: Iterable[ContextQuestion | Rejected], source: QuestionSource
) -> Iterator[ContextQuestion | Rejected]:
    """Of questions that tell their task themselves those of the tasks wanted.

    Raises:
        UsageError: at the end, if one of these tasks has no question.
    """
    there: set[str] = set()
    for one in found:
        if isinstance(one, ContextQuestion):
            there.add(one.task)
            if source.tasks and one.task not in source.tasks:
                continue
        yield one
    if missing := sorted(set(source.tasks) - there):
        raise UsageError(
            f"{source.place} has no question of the task {', '.join(missing)} (--tasks). Tasks there: "
            f"{', '.join(sorted(there)) or 'none'}"
        )


def numbered_rows(source: QuestionSource) -> Iterator[tuple[str, SourceRow, str]]:
    """Each row with its place, ``FILE:LINE``, and what its table would be called as a task."""
    for table in tables_of(source):
        for row in table.rows():
            yield f"{table.name}:{row.line}", row, table.label
