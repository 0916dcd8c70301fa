"""Questions of any table with a context, a question and its answers: JSON lines, CSV, Parquet, a Hub dataset.

Raw configs of this tool are such tables, and say where the evidence stands. Elsewhere a column may hold its
texts; without one it is where the context states an answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from synthesis.data import Evidence, Rejected
from synthesis.errors import SourceError
from synthesis.evaluation.conditions import stating
from synthesis.evaluation.questions import STAGE, ContextQuestion, Prediction, QuestionSource
from synthesis.evaluation.rows import first_row, numbered_rows, of_tasks, span_of
from synthesis.evaluation.scoring import check_metrics, usual_metrics
from synthesis.sources.columns import ROLES, check_columns, find_columns, map_row
from synthesis.sources.rows import task_from_name
from synthesis.sources.values import BadRow, text_of, unwrapped

GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "context": ("context", "synthesized_context", "document", "documents", "passage", "text"),
    "answers": ("answers", "all_answers", "aliases"),
    "evidence": ("evidence", "supporting_evidence"),
    "classes": ("classes", "all_classes"),
    "metric": ("metric",),
    "id": ("id", "_id"),
}
"""The columns of a question besides those of a pair, and how they are mostly called."""
_LONG = 1024  # tokens of a reply that is to be a summary


class TableForm:
    """The form ``table``."""

    name = "table"
    told = "any file or dataset with columns context, question (or instruction) and answer"

    def fits(self, source: QuestionSource) -> bool:
        """Whether the first row has a context."""
        row = first_row(source)
        return source.columns.get("context", "") in row or any(name in row for name in GUESSES["context"])

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """A question of each row, of the tasks wanted.

        Raises:
            SourceError: no row has a context, or a column is given that questions do not have.
            UsageError: there is no question of a task that is wanted.
        """
        return of_tasks(self._read(source), source)

    def _read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        # What a pair calls its instruction is a question here.
        columns = {{"question": "instruction"}.get(name, name): one for name, one in source.columns.items()}
        ours = {name: theirs for name, theirs in columns.items() if name in GUESSES}
        if unknown := sorted(set(columns) - {*GUESSES, *ROLES}):
            raise SourceError(
                f"--column {unknown[0]}=...: a question has no field '{unknown[0]}'. Known: "
                f"{', '.join(dict.fromkeys(('question', *GUESSES, *ROLES)))}."
            )
        pairs = check_columns({name: theirs for name, theirs in columns.items() if name not in ours})
        seen = False
        for place, row, label in numbered_rows(source):
            try:
                if row.error:
                    raise BadRow(row.error)
                if not isinstance(row.value, Mapping):
                    raise BadRow("row is not an object")
                seen = seen or _column(row.value, "context", ours) is not None
                yield _question(row.value, ours, pairs, source.task, label)
            except BadRow as bad:
                if not seen:
                    raise SourceError(
                        f"{place}: {bad.reason}. A question has a context (looked for: "
                        f"{ours.get('context') or ', '.join(GUESSES['context'])}), an instruction and an "
                        "answer; say which columns to use: --column context=NAME --column answer=NAME"
                    ) from None
                yield Rejected(place, STAGE, bad.reason, row.preview())

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """Nothing: no scorer of its own reads files."""
        return []


FORM = TableForm()


def _question(
    row: Mapping[str, Any], ours: Mapping[str, str], pairs: Mapping[str, str], task: str, label: str
) -> ContextQuestion:
    context = _text(_cell(row, "context", ours))
    answers = _answers(row, ours, pairs)
    # What is asked is read as of any pair; the answers may stand in a column that pairs do not have.
    fields = map_row(
        {**row, _ANSWER: answers[0]} if answers else row,
        {**pairs, **({"answer": _ANSWER} if answers else {})},
    )
    answers = answers or (fields.answer,)
    evidence, source = _evidence(row, ours, context, answers)
    metric = str(_cell(row, "metric", ours) or usual_metrics(answers[0])[0])
    if unknown := _unknown(metric):
        raise BadRow(unknown)
    return ContextQuestion(
        id=str(_cell(row, "id", ours) or ""),
        context=context,
        instruction=fields.instruction,
        answers=answers,
        task=task or fields.task or task_from_name(label),
        metric=metric,
        classes=_classes(_cell(row, "classes", ours)),
        evidence=evidence,
        evidence_source=source,
        own=(0, len(context)),
        most_tokens=_LONG if metric.startswith("rouge") else 0,
    )


_ANSWER = "\0answer"  # a column that no table has


def _column(row: Mapping[str, Any], role: str, ours: Mapping[str, str]) -> str | None:
    """The column of a row that plays a role."""
    if role in ours:
        return ours[role] if ours[role] in row else None
    return next((name for name in GUESSES[role] if row.get(name) is not None), None)


def _cell(row: Mapping[str, Any], role: str, ours: Mapping[str, str]) -> Any:
    name = _column(row, role, ours)
    return None if name is None else row[name]


def _text(value: Any) -> str:
    """A context as one text; several documents with a blank line between.

    Raises:
        BadRow: it is none, or blank.
    """
    if value is None:
        raise BadRow("it has no context")
    parts = [text_of(unwrapped(one)) for one in (value if isinstance(value, list) else [value])]
    if not all(part is not None for part in parts):
        raise BadRow("its context is not text, nor a list of texts")
    text = "\n\n".join(part for part in parts if part and part.strip())
    if not text:
        raise BadRow("its context is empty")
    return text


def _answers(row: Mapping[str, Any], ours: Mapping[str, str], pairs: Mapping[str, str]) -> tuple[str, ...]:
    """All answers that a row gives; none where it has but one, or none."""
    cell = _cell(row, "answers", ours)
    if cell is None:
        names = tuple(map(str, row))
        filled = tuple(name for name, value in row.items() if value is not None)
        found = find_columns(names, filled, tuple(sorted(pairs.items())))
        cell = row.get(found["answer"]) if "answer" in found else None
    cell = unwrapped(cell)
    if isinstance(cell, str) and cell.startswith("["):  # a list in a table of texts
        try:
            cell = json.loads(cell)
        except ValueError:
            return ()
    if not isinstance(cell, list):
        return ()
    texts = [text_of(unwrapped(one)) for one in cell]
    if not all(isinstance(text, str) for text in texts):
        raise BadRow("its answers are not a list of texts")
    return tuple(dict.fromkeys(text for text in texts if text and text.strip()))


def _classes(cell: Any) -> tuple[str, ...]:
    if not isinstance(cell, list | None) or not all(isinstance(one, str) for one in cell or ()):
        raise BadRow("its classes are not a list of texts")
    return tuple(cell or ())


def _evidence(
    row: Mapping[str, Any], ours: Mapping[str, str], context: str, answers: Sequence[str]
) -> tuple[tuple[Evidence, ...], Any]:
    """The evidence and where it is known from: spans or texts of a column, else where an answer is stated."""
    cell = _cell(row, "evidence", ours)
    given = [cell] if isinstance(cell, str | Mapping) else cell if isinstance(cell, list) else []
    pieces: list[Evidence] = []
    for one in given:
        if isinstance(one, Mapping) and {"start", "end"} <= one.keys():
            pieces.append(span_of(one, context))
        elif isinstance(text := text_of(unwrapped(one)), str) and text.strip():
            at = context.find(text)
            if at < 0:
                raise BadRow(f"its evidence does not stand in its context: {text[:60]!r}")
            pieces.append(Evidence(at, at + len(text), ""))
    if pieces:
        return tuple(sorted(pieces)), "located" if row.get("evidence_source") == "located" else "exact"
    found = stating(context, answers)
    return found, "located" if found else "none"


def _unknown(metric: str) -> str:
    from synthesis.errors import UsageError

    try:
        check_metrics([metric])
    except UsageError as error:
        return str(error)
    return ""
