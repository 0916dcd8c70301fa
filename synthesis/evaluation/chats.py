"""Questions of a chat config of this tool: documents and a question, and where the evidence stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

from synthesis.data import Evidence, Rejected
from synthesis.evaluation.questions import STAGE, ContextQuestion, Prediction, QuestionSource
from synthesis.evaluation.rows import first_row, numbered_rows, of_tasks, span_of, whole_number
from synthesis.evaluation.scoring import usual_metrics
from synthesis.sources.values import BadRow
from synthesis.tasks import GENERIC, task_of

_NEEDED = ("messages", "evidence_start", "evidence_end")
_TOLD = ("pair_id", "budget", "form", "hops", "rings", "distractors", "coherence")
_LONG = 1024  # tokens of a reply that is to be a summary


class ChatForm:
    """The form ``chat``: the columns of a chat config."""

    name = "chat"
    told = "a chat config of a dataset that this tool built"

    def fits(self, source: QuestionSource) -> bool:
        """Whether the first row has messages and the place of its evidence."""
        row = first_row(source)
        return all(name in row for name in _NEEDED)

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """A question of each row, of the tasks wanted.

        Raises:
            SourceError, UsageError: it cannot be read, or has no question of a task that is wanted.
        """
        return of_tasks(self._read(source), source)

    def _read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        for place, row, _ in numbered_rows(source):
            try:
                if row.error:
                    raise BadRow(row.error)
                yield _question(row.value, source.task)
            except BadRow as bad:
                yield Rejected(place, STAGE, bad.reason, row.preview())

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """Nothing: no scorer of its own reads files."""
        return []


FORM = ChatForm()


def _question(row: Any, task: str) -> ContextQuestion:
    if not isinstance(row, Mapping) or not all(name in row for name in _NEEDED):
        raise BadRow("it has no messages, or not the place of its evidence")
    if not isinstance(row["messages"], list) or not all(isinstance(one, Mapping) for one in row["messages"]):
        raise BadRow("its messages are not a list of turns")
    turns = [(one.get("role"), one.get("content")) for one in row["messages"]]
    system = "\n\n".join(str(text) for role, text in turns if role == "system")
    said = [(role, text) for role, text in turns if role != "system"]
    if [role for role, _ in said] != ["user", "assistant"] or not all(isinstance(t, str) for _, t in said):
        raise BadRow("its messages are not one question of the user's and one answer")
    content, answer = (str(text) for _, text in said)
    if not answer.strip():
        raise BadRow("its answer is empty")
    kind = str(row.get("task") or "generic")
    first, last = (whole_number(row[name], name) for name in _NEEDED[1:])
    start, end, instruction, template = parted(content, kind, last)
    own, context = (first - start, last - start), content[start:end]
    shown = 0 <= own[0] < own[1] <= len(context)
    pieces = _pieces(row.get("evidence"), context, start) if shown else ()
    # A question that is hidden stands among the documents, and nobody can be shown the evidence alone.
    known = shown and not template
    metric = usual_metrics(answer)[0]
    return ContextQuestion(
        id=str(row.get("id") or ""),
        context=context,
        instruction=instruction,
        answers=(answer,),
        task=task or kind,
        metric=metric,
        evidence=pieces if known else (),
        evidence_source=_source_of(row) if pieces and known else "none",
        own=own if known else (0, 0),
        depth=_depth(row) if shown else None,
        length=whole_number(row.get("tokens"), "tokens"),
        record={name: _plain(row[name]) for name in _TOLD if name in row},
        template=template,
        system=system,
        most_tokens=_LONG if metric == "rouge-l" else 0,
    )


def _source_of(row: Mapping[str, Any]) -> Literal["exact", "located"]:
    """How the evidence is known; where the row does not say, by what engines alone can tell."""
    exact = row.get("form") or row.get("hops")
    if (told := row.get("evidence_source")) in ("exact", "located"):
        exact = told == "exact"
    return "exact" if exact else "located"


class MessageParts(NamedTuple):
    """A message taken apart: where its documents stand, and what is asked; ``template`` if by a key."""

    start: int
    end: int
    instruction: str
    template: str = ""


def parted(content: str, task: str, after: int) -> MessageParts:
    """The parts of a message.

    Raises:
        BadRow: the message is not worded as its task is.
    """
    kind = task_of(task)
    hidden = kind.hidden or GENERIC.hidden
    for wording, slot, template in (
        (hidden, "{key}", hidden.replace("{documents}", "{context}").replace("{key}", "{input}")),
        (kind.wording, "{instruction}", ""),
    ):
        opening, _, closing = wording.partition("{documents}")
        asking, _, last = closing.partition(slot)
        end = len(content) - len(last)
        at = content.rfind(asking, after, end)
        if not content.startswith(opening) or at < 0 or not content.endswith(last):
            continue
        if not (instruction := content[at + len(asking) : end]).strip():
            raise BadRow("its instruction is empty")
        return MessageParts(len(opening), at, instruction, template)
    raise BadRow(
        f"its question is not worded as that of the task '{task}', so it cannot be told from the text"
    )


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value  # JSON lines are read exactly


def _pieces(cell: Any, context: str, start: int) -> tuple[Evidence, ...]:
    """Pieces of evidence, whose spans are of the message."""
    if not isinstance(cell, list | None) or not all(isinstance(one, Mapping) for one in cell or ()):
        raise BadRow("its evidence is not a list of spans")
    return tuple(span_of(one, context, start) for one in cell or ())


def _depth(row: Mapping[str, Any]) -> float | None:
    """Where the own document stands; None beside no other."""
    depth, documents = row.get("depth"), row.get("documents")
    if not isinstance(documents, list) or len(documents) < 2 or isinstance(depth, bool):
        return None
    return float(depth) if isinstance(depth, int | float | Decimal) and 0 <= depth <= 1 else None
