"""What all forms of benchmarks share: columns -> a question or ``Rejected``, evidence, files written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from synthesis.data import Evidence, Rejected
from synthesis.evaluation.questions import STAGE, ContextQuestion
from synthesis.sources.rows import PREVIEW, SourceRow, SourceTable
from synthesis.sources.values import SURROGATE, BadRow
from synthesis.storage import written_whole

Row = Mapping[str, Any]


def questions_in(
    table: SourceTable, make: Callable[[Row, int], ContextQuestion | None]
) -> Iterator[ContextQuestion | Rejected]:
    """What ``make`` makes of each row (and its line); a ``BadRow`` is rejected, None is nothing."""
    for row in table.rows():
        try:
            question = make(_mapping(row), row.line)
            if question is not None:
                yield question
        except BadRow as why:
            yield Rejected(f"{table.name}:{row.line}", STAGE, why.reason, row.preview())


def _mapping(row: SourceRow) -> Row:
    if row.error:
        raise BadRow(row.error)
    if not isinstance(row.value, Mapping):
        raise BadRow(f"the row is no object with named columns but {type(row.value).__name__}")
    return row.value


def text_of(row: Row, column: str, default: str | None = None) -> str:
    """The text in a column; ``default`` where there is no such column or it is null.

    Raises:
        BadRow: it is no text, or there is none and no default.
    """
    value = row.get(column)
    if value is None and default is not None:
        return default
    if value is None:
        raise BadRow(f"the row {'has null in' if column in row else 'lacks'} the column '{column}'")
    return _text(value, column)


def whole_of(row: Row, column: str, default: int = 0) -> int:
    """The whole number in a column; ``default`` where there is none."""
    value = row.get(column)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def texts_of(row: Row, column: str) -> tuple[str, ...]:
    """The texts in a column, which holds one or a list of them.

    Raises:
        BadRow: there is none, or something that is no text.
    """
    value = row.get(column)
    if value is None or value == []:
        raise BadRow(f"the row has no answer in the column '{column}'")
    return tuple(_text(one, column) for one in (value if isinstance(value, list | tuple) else [value]))


def _text(value: object, column: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        kind = type(value).__name__
        raise BadRow(f"the column '{column}' has {str(value)[:PREVIEW]!r}, which is no text but {kind}")
    return str(value)  # a number as it is written


def found_once(context: str, wanted: Iterable[str]) -> tuple[Evidence, ...]:
    """Where each text stands that a context holds exactly once, in order; none if it does not hold all so."""
    found: list[Evidence] = []
    for text in dict.fromkeys(wanted):
        start = context.find(text) if text else -1
        if start < 0 or context.find(text, start + 1) >= 0:
            return ()
        found.append(Evidence(start, start + len(text), text))
    return tuple(sorted(found))


def write_lines(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows as JSON Lines in UTF-8."""
    with written_whole(path) as staging, staging.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(f"{as_json(row)}\n")
    return path


def write_json(path: Path, value: object, indent: int = 4) -> Path:
    """Write one JSON value in UTF-8."""
    with written_whole(path) as staging:
        staging.write_text(as_json(value, indent), encoding="utf-8")
    return path


def as_json(value: object, indent: int | None = None) -> str:
    """JSON with letters as they are, but for halves of a surrogate pair, which no file can hold."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=float)
    return SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
