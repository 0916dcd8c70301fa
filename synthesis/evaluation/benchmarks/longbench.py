"""LongBench, version 1 and its even lengths (-E): 21 tasks of files named by them.

Prompts and the lengths of replies come from ``config/dataset2prompt.json`` and ``dataset2maxlen.json``,
beside the data or as given; without them the wording is ours and the lengths are the published ones. A
prompt that does not fit is cut in its middle. Every task is asked as a chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from synthesis.data import Evidence, Rejected
from synthesis.errors import SourceError
from synthesis.evaluation.benchmarks.rows import Row, questions_in, text_of, texts_of, whole_of, write_lines
from synthesis.evaluation.benchmarks.tables import TaskFiles
from synthesis.evaluation.benchmarks.wording import (
    CLOSED,
    OWN,
    TEMPLATES,
    checked_template,
    prompt_file,
    read_json_object,
)
from synthesis.evaluation.questions import ContextQuestion, Prediction, QuestionSource
from synthesis.sources.values import BadRow

_EVEN: Final = "_e"
_PROMPTS: Final = "dataset2prompt.json"
_LENGTHS: Final = "dataset2maxlen.json"


class _Task(NamedTuple):
    """How a task is scored, how many tokens a reply may have, and our wording of it."""

    metric: str
    most_tokens: int
    wording: str


TASKS: Final[Mapping[str, _Task]] = {
    "narrativeqa": _Task("f1", 128, "answer"),
    "qasper": _Task("f1", 128, "answer"),
    "multifieldqa_en": _Task("f1", 64, "answer"),
    "multifieldqa_zh": _Task("f1-zh", 64, "answer-zh"),
    "hotpotqa": _Task("f1", 32, "answer"),
    "2wikimqa": _Task("f1", 32, "answer"),
    "musique": _Task("f1", 32, "answer"),
    "dureader": _Task("rouge-l-zh", 128, "answer-zh"),
    "gov_report": _Task("rouge-l", 512, "summary"),
    "qmsum": _Task("rouge-l", 512, "query"),
    "multi_news": _Task("rouge-l", 512, "summary"),
    "vcsum": _Task("rouge-l-zh", 512, "summary-zh"),
    "trec": _Task("classification-first-line", 64, "examples"),
    "triviaqa": _Task("f1-first-line", 32, "examples"),
    "samsum": _Task("rouge-l-first-line", 128, "examples"),
    "lsht": _Task("classification-first-line", 64, "examples-zh"),
    "passage_count": _Task("count", 32, "count"),
    "passage_retrieval_en": _Task("retrieval", 32, "which-paragraph"),
    "passage_retrieval_zh": _Task("retrieval-zh", 32, "which-paragraph-zh"),
    "lcc": _Task("code", 64, "code"),
    "repobench-p": _Task("code", 64, "code"),
}


def _task_of(part: str) -> str:
    return part if part.removesuffix(_EVEN) in TASKS else ""


_FILES: Final = TaskFiles("LongBench", _task_of, archive="data.zip")


@dataclass
class _Prompts:
    """The prompts and lengths of replies at hand, and where the prompts are from."""

    templates: Mapping[str, str] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    wording: str = OWN


class LongBench:
    """See the module."""

    name = "longbench"
    told = "LongBench's TASK.jsonl or TASK_e.jsonl"

    def fits(self, source: QuestionSource) -> bool:
        """By the name of the dataset on the Hub, else by the columns of a first row."""
        return _FILES.fits(source, lambda row: row.keys() >= {"input", "context", "answers", "all_classes"})

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """The questions of the tasks wanted, file by file."""
        prompts = _prompts_of(source)
        for table in _FILES.tables(source):
            yield from questions_in(table.table, partial(_question, table.task, prompts))

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """``pred/MODEL/TASK.jsonl`` and, of -E, ``pred_e/MODEL/TASK.jsonl``, for LongBench's ``eval.py``."""
        files: dict[Path, list[Row]] = {}
        for one in answered:
            task = one.question.task
            even = task.endswith(_EVEN)
            path = folder / ("pred_e" if even else "pred") / model / f"{task.removesuffix(_EVEN)}.jsonl"
            files.setdefault(path, []).append({"pred": one.reply, **one.question.record})
        return [write_lines(path, rows) for path, rows in files.items()]


FORM = LongBench()


def _question(of: str, prompts: _Prompts, row: Row, line: int) -> ContextQuestion:
    task = of or text_of(row, "dataset", "")
    name = task.removesuffix(_EVEN)
    if name not in TASKS:
        raise BadRow(f"neither the file nor the column 'dataset' ({task!r}) names a task of LongBench")
    told = TASKS[name]
    classes = texts_of(row, "all_classes") if row.get("all_classes") else ()
    answers = texts_of(row, "answers")
    given = text_of(row, "_id", "")
    context = text_of(row, "context")
    evidence = _paragraph(context, answers[0]) if told.metric.startswith("retrieval") else ()
    return ContextQuestion(
        id=f"{task}-{given}" if given else "",
        context=context,
        instruction=text_of(row, "input", ""),
        answers=answers,
        task=task,
        metric=told.metric,
        classes=classes,
        evidence=evidence,
        evidence_source="exact" if evidence else "none",
        length=whole_of(row, "length"),
        record={
            "answers": list(answers),
            "all_classes": list(classes) or None,
            "length": whole_of(row, "length"),
        },
        template=prompts.templates.get(name, TEMPLATES[told.wording]),
        closed="" if name in prompts.templates else CLOSED.get(told.wording, ""),
        most_tokens=prompts.lengths.get(name, told.most_tokens),
        wording=prompts.wording if name in prompts.templates else OWN,
    )


def _paragraph(context: str, answer: str) -> tuple[Evidence, ...]:
    """Where the paragraph stands that an answer such as "Paragraph 12" names."""
    begins = re.compile(rf"^{re.escape(answer)}\s*[:：]", re.MULTILINE)
    found = list(begins.finditer(context))
    if len(found) != 1:
        return ()
    start = found[0].start()
    end = context.find("\n\n", start)
    return (Evidence(start, end if end >= 0 else len(context), answer),)


def _prompts_of(source: QuestionSource) -> _Prompts:
    """The benchmark's own prompts and lengths of replies, where they are at hand.

    Raises:
        SourceError: a file of them cannot be used.
    """
    path = prompt_file(source, _PROMPTS, "config")
    if path is None:
        return _Prompts()
    templates = {task: checked_template(text, path, task) for task, text in read_json_object(path).items()}
    beside = path.with_name(_LENGTHS)
    lengths: dict[str, int] = {}
    for task, most in (read_json_object(beside) if beside.is_file() else {}).items():
        if not isinstance(most, int) or most < 1:
            raise SourceError(
                f"{beside}: the length of replies to '{task}' is {most!r}, no number of tokens."
            )
        lengths[task] = most
    return _Prompts(templates, lengths, path.name)
