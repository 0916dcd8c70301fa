"""ZeroSCROLLS: ten tasks, each a dataset whose rows hold their whole prompt in the benchmark's words.

The answers of its test split are kept by its server, which scores; those of ``validation`` are known. A
question with several answers is as many rows in a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from synthesis.data import Rejected
from synthesis.evaluation.benchmarks.rows import Row, questions_in, text_of, whole_of, write_json
from synthesis.evaluation.benchmarks.tables import TaskFiles
from synthesis.evaluation.benchmarks.wording import IN_ROW
from synthesis.evaluation.questions import ContextQuestion, Prediction, QuestionSource
from synthesis.sources.values import BadRow

METRIC_OF: Final = {
    "gov_report": "rouge-mean",
    "summ_screen_fd": "rouge-mean",
    "qmsum": "rouge-mean",
    "squality": "rouge-mean",
    "qasper": "f1",
    "narrative_qa": "f1",
    "musique": "f1",
    "quality": "letter",
    "space_digest": "percentage",
    "book_sum_sort": "order",
}
_MOST_TOKENS: Final = 1_024

_FILES: Final = TaskFiles(
    "zero_scrolls", lambda part: part if part in METRIC_OF else "", configs=tuple(METRIC_OF)
)


class ZeroScrolls:
    """See the module."""

    name = "zeroscrolls"
    told = "ZeroSCROLLS' TASK.zip or TASK/test.jsonl, with query_start_index"

    def fits(self, source: QuestionSource) -> bool:
        """By the name of the dataset on the Hub, else by the columns of a first row."""
        return _FILES.fits(
            source, lambda row: row.keys() >= {"id", "input", "document_start_index", "document_end_index"}
        )

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """The questions of the tasks wanted, file by file."""
        for table in _FILES.tables(source):
            held: ContextQuestion | None = None
            for one in questions_in(table.table, partial(_question, table.task)):
                if isinstance(one, Rejected):
                    yield one
                elif held is not None and held.id == one.id:
                    held = replace(held, answers=(*held.answers, *one.answers))
                else:
                    if held is not None:
                        yield held
                    held = one
            if held is not None:
                yield held

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """``MODEL/preds_TASK.json`` for ``prepare_submission.py``, which wants all ten tasks."""
        files: dict[str, dict[str, str]] = {}
        for one in answered:
            files.setdefault(one.question.task, {})[str(one.question.record["id"])] = one.reply
        return [write_json(folder / model / f"preds_{task}.json", rows) for task, rows in files.items()]


FORM = ZeroScrolls()


def _question(task: str, row: Row, line: int) -> ContextQuestion:
    if task not in METRIC_OF:
        raise BadRow("the file names no task of ZeroSCROLLS. Give its folder, or name the file by its task")
    given, prompt = text_of(row, "id"), text_of(row, "input")
    start, end = whole_of(row, "document_start_index", -1), whole_of(row, "document_end_index", -1)
    if not 0 <= start <= end <= len(prompt):
        raise BadRow(f"the document is said to stand at {start} to {end} of {len(prompt)} characters")
    before, behind = prompt[:start], prompt[end:]
    if "{context}" in before or "{input}" in before:
        raise BadRow("the prompt has {context} or {input} in it, which would be taken for a placeholder")
    return ContextQuestion(
        id=f"{task}-{given}",
        context=prompt[start:end],
        instruction=behind,
        answers=(text_of(row, "output", ""),),
        task=task,
        metric=METRIC_OF[task],
        record={"id": given},
        template=f"{before}{{context}}{{input}}",
        wording=IN_ROW,
        most_tokens=_MOST_TOKENS,
    )
