"""Rows of a source of questions, whatever kind of file or dataset it is. Knows no form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synthesis.errors import ContextSynthesisError
from synthesis.evaluation.questions import QuestionSource
from synthesis.sources import resolve
from synthesis.sources.address import address_of
from synthesis.sources.rows import SourceRow, SourceTable


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


def numbered_rows(source: QuestionSource) -> Iterator[tuple[str, SourceRow, str]]:
    """Each row with its place, ``FILE:LINE``, and what its table would be called as a task."""
    for table in tables_of(source):
        for row in table.rows():
            yield f"{table.name}:{row.line}", row, table.label
