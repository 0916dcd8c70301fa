"""LongBench v2: questions with four choices, of which a reply names one by its letter.

Prompts come from the files ``0shot.txt`` and ``0shot_no_context.txt`` in ``prompts``, beside the data or as
given; without them the wording is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from synthesis.data import Rejected
from synthesis.errors import SourceError
from synthesis.evaluation.benchmarks.rows import Row, questions_in, text_of, write_lines
from synthesis.evaluation.benchmarks.tables import TaskFiles
from synthesis.evaluation.benchmarks.wording import CLOSED, OWN, TEMPLATES, prompt_file, read_text
from synthesis.evaluation.metrics.labels import chosen_letter
from synthesis.evaluation.questions import ContextQuestion, Prediction, QuestionSource
from synthesis.evaluation.rows import of_tasks
from synthesis.sources.values import BadRow

_LETTERS: Final = "ABCD"
_CHOICES: Final = tuple(f"choice_{letter}" for letter in _LETTERS)
_SHOWN: Final = ("_id", "domain", "sub_domain", "difficulty", "length", "question", *_CHOICES, "answer")
_PROMPT: Final = "0shot.txt"
_WITHOUT: Final = "0shot_no_context.txt"
_DOCUMENT: Final = "$DOC$"
_ASKED: Final = re.compile(r"\$Q\$.*\$C_A\$.*\$C_B\$.*\$C_C\$.*\$C_D\$", re.DOTALL)
_MOST_TOKENS: Final = 128
_KEPT: Final = 1_000  # characters of the context in a prediction file

_FILES: Final = TaskFiles("LongBench-v2", lambda part: "v2" if part == "data" else "", split="train")


class _Prompts(NamedTuple):
    """Templates with and without a context; empty where the benchmark's are not at hand."""

    full: str = ""
    closed: str = ""


class LongBenchV2:
    """See the module."""

    name = "longbench-v2"
    told = "LongBench v2's data.json, with choice_A to choice_D"

    def fits(self, source: QuestionSource) -> bool:
        """By the name of the dataset on the Hub, else by the columns of a first row."""
        return _FILES.fits(source, lambda row: row.keys() >= {"context", "question", "answer", *_CHOICES})

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """The questions of the domains wanted; these are its tasks."""
        prompts = _prompts_of(source)
        found = (
            question
            for table in _FILES.tables(replace(source, tasks=()))
            for question in questions_in(table.table, partial(_question, prompts))
        )
        return of_tasks(found, source)

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """``results/MODEL.jsonl`` for ``result.py``; ``MODEL_no_context.jsonl`` of questions asked closed."""
        files: dict[str, list[Row]] = {}
        for one in answered:
            record, letter = one.question.record, chosen_letter(one.reply) or None
            row = {
                **record,
                "context": one.question.context[:_KEPT],
                "response": one.reply,
                "pred": letter,
                "judge": letter == record["answer"],
            }
            closed = "_no_context" if one.variant.condition == "closed" else ""
            files.setdefault(f"{model}{closed}.jsonl", []).append(row)
        return [write_lines(folder / "results" / name, rows) for name, rows in files.items()]


FORM = LongBenchV2()


def _question(prompts: _Prompts, row: Row, line: int) -> ContextQuestion:
    task = text_of(row, "domain", "longbench-v2")
    record = {name: text_of(row, name, "" if name in _SHOWN[:5] else None) for name in _SHOWN}
    if record["answer"] not in tuple(_LETTERS):
        raise BadRow(f"the answer {record['answer']!r} is none of the letters A to D")
    choices = (f"({letter}) {record[f'choice_{letter}'].strip()}" for letter in _LETTERS)
    return ContextQuestion(
        id=record["_id"],
        context=text_of(row, "context").strip(),
        instruction="\n".join([record["question"].strip(), "Choices:", *choices]),
        answers=(record["answer"],),
        task=task,
        metric="choice",
        classes=tuple(_LETTERS),
        record=record,
        template=prompts.full or TEMPLATES["choice"],
        closed=prompts.closed or ("" if prompts.full else CLOSED["choice"]),
        wording=_PROMPT if prompts.full else OWN,
        most_tokens=_MOST_TOKENS,
    )


def _prompts_of(source: QuestionSource) -> _Prompts:
    """The benchmark's own prompts, with our places for the context and for the question with its choices.

    Raises:
        SourceError: a file of them lacks its marks.
    """
    path = prompt_file(source, _PROMPT, "prompts")
    if path is None:
        return _Prompts()
    without = path.with_name(_WITHOUT)
    full, closed = (_template(one) if one.is_file() else "" for one in (path, without))
    if "{context}" not in full:
        raise SourceError(f"{path} has no {_DOCUMENT}, so it says not where the text goes. Give {_PROMPT}.")
    return _Prompts(full, closed)


def _template(path: Path) -> str:
    text = read_text(path)
    found = _ASKED.search(text)
    if found is None:
        raise SourceError(f"{path} has no $Q$ with $C_A$ to $C_D$ behind it. Give the benchmark's own file.")
    return f"{text[: found.start()]}{{input}}{text[found.end() :]}".replace(_DOCUMENT, "{context}")
