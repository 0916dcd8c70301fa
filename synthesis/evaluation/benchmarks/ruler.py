"""RULER: tasks made of one's own texts and tokenizer, a folder for each with ``validation.jsonl`` in it.

A row holds its whole prompt in the benchmark's words. What stands behind its last line break asks, with the
beginning of the answer behind it; what stands before it is the context.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from synthesis.data import Rejected
from synthesis.evaluation.benchmarks.rows import (
    Row,
    found_once,
    questions_in,
    text_of,
    texts_of,
    whole_of,
    write_lines,
)
from synthesis.evaluation.benchmarks.tables import TaskFiles, TaskTable
from synthesis.evaluation.benchmarks.wording import IN_ROW
from synthesis.evaluation.questions import ContextQuestion, Prediction, QuestionSource
from synthesis.sources.values import BadRow

# The beginning of a task's name -> how many tokens a reply may have.
_KINDS: Final = {"niah": 128, "vt": 30, "cwe": 120, "fwe": 50, "qa": 32}
_ANY: Final = "qa"  # one of its answers is enough; of the others all are to be found
_TASK: Final = re.compile(r"(niah|vt|cwe|fwe|qa)(_\w+)?")

_FILES: Final = TaskFiles("RULER", lambda part: part if _TASK.fullmatch(part) else "", split="validation")


class Ruler:
    """See the module."""

    name = "ruler"
    told = "RULER's TASK/validation.jsonl, with input and outputs"

    def fits(self, source: QuestionSource) -> bool:
        """By the name of the dataset on the Hub, else by the columns of a first row."""
        return _FILES.fits(source, lambda row: row.keys() >= {"index", "input", "outputs"})

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """The questions of the tasks wanted, file by file."""
        for table in _FILES.tables(source):
            yield from questions_in(table.table, partial(_question, table))

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """``MODEL/pred/TASK.jsonl`` for RULER's ``evaluate.py``, below the folder that the task stood in."""
        files: dict[Path, list[Row]] = {}
        for one in answered:
            record = dict(one.question.record)
            path = folder / model / record.pop("folder") / "pred" / f"{one.question.task}.jsonl"
            index = record.pop("index")
            files.setdefault(path, []).append({"index": index, "pred": one.reply, **record})
        return [write_lines(path, rows) for path, rows in files.items()]


FORM = Ruler()


def _question(at: TaskTable, row: Row, line: int) -> ContextQuestion:
    task = at.task or text_of(row, "task", "")
    if not _TASK.fullmatch(task):
        raise BadRow(
            "neither the file, its folder nor a column 'task' names a task of RULER, as niah_single_1"
        )
    kind = task.split("_")[0]
    given, begun = text_of(row, "input"), text_of(row, "answer_prefix", "")
    context, newline, asked = given.rstrip().rpartition("\n")
    trail = given[len(given.rstrip()) :]
    index = whole_of(row, "index", line - 1)
    outputs = texts_of(row, "outputs")
    # A needle's number or code is drawn for it; in the other tasks an answer stands in many places.
    evidence = found_once(context, outputs) if kind == "niah" else ()
    folder = "" if at.folder == "." else at.folder.removesuffix("data").rstrip("/")
    return ContextQuestion(
        id="-".join(part for part in (folder.replace("/", "-"), task, str(index)) if part),
        context=context,
        instruction=f"{asked}{trail}{begun}",
        answers=outputs,
        task=task,
        metric="any-substring" if kind == _ANY else "all-substrings",
        evidence=evidence,
        evidence_source="exact" if evidence else "none",
        length=whole_of(row, "length"),
        depth=_depth(row),
        record={
            "folder": folder,
            "index": index,
            "input": given + begun,
            "outputs": list(outputs),
            "others": row.get("others") or {},
            "truncation": whole_of(row, "truncation", -1),
            "length": whole_of(row, "length", -1),
        },
        template=f"{{context}}{newline}{{input}}",
        closed="{input}",
        wording=IN_ROW,
        most_tokens=_KINDS[kind],
    )


def _depth(row: Row) -> float | None:
    """Where the first answer stands, by the tokens that the benchmark counted."""
    length, place = whole_of(row, "length"), whole_of(row, "token_position_answer", -1)
    return min(1.0, place / length) if length and place >= 0 else None
