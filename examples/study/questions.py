"""Questions with contexts that people wrote, and their folds."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from examples.study.passages import shortened
from synthesis.data import Context, Pair
from synthesis.text.states import states


@dataclass(frozen=True, slots=True)
class Question:
    """A pair, all answers that count as right, and the context people gave it."""

    pair: Pair
    answers: tuple[str, ...]
    human: str


def read_questions(source: str, limit: int = 0, words: int = 0) -> list[Question]:
    """The questions of ``TASK=PAIRS[,CONTEXTS]``: files of JSON lines, gzipped or not.

    A row has ``instruction``, ``answer``, perhaps ``answers``, and ``context``; or the context
    stands in the same line of the second file. Questions whose context does not state the answer
    are left out: a test that cannot be passed tells nothing, and yes or no is stated by any text.
    With ``words`` a context is cut to the passages that bear on its question, about so many words.
    """
    task, separator, files = source.partition("=")
    if not separator:
        raise SystemExit(f"give questions as TASK=PAIRS[,CONTEXTS], not {source!r}")
    tables = [list(_rows(Path(name))) for name in files.split(",")]
    found = []
    if len({len(table) for table in tables}) > 1:
        raise SystemExit(
            f"{files}: the files have {', '.join(str(len(t)) for t in tables)} rows; give as many"
        )
    for line, rows in enumerate(zip(*tables, strict=True), 1):
        row = {key: value for one in rows for key, value in one.items()}
        if lacking := [name for name in ("instruction", "answer", "context") if row.get(name) is None]:
            raise SystemExit(f"{files}, row {line} has no {', '.join(lacking)}")
        pair = Pair(instruction=str(row["instruction"]), answer=str(row["answer"]), task=task)
        answers = tuple(map(str, row.get("answers") or (pair.answer,)))
        if pair.answer.strip().casefold() in ("yes", "no"):
            continue
        if any(states(row["context"], answer) for answer in answers):
            human = row["context"]
            if words:
                human = shortened(human, pair.instruction, answers, words)
            found.append(Question(pair, answers, human))
        if limit and len(found) == limit:
            break
    return found


def human_context(question: Question) -> Context:
    """What people wrote, as if an engine had."""
    return Context(question.pair.id, question.human, (), len(question.human.split()), "human")


def fold(
    questions: Sequence[Question], seed: int | None, folds: int, held: int
) -> tuple[list[Question], list[Question]]:
    """Training and test questions: all folds but ``held``, and ``held``. Each source is parted evenly.

    Questions are shuffled by ``seed``; without one, a fold is the rows that stand together in their file.
    """
    if seed is None:
        sizes = Counter(one.pair.task for one in questions)
        seen: Counter[str] = Counter()
        parts = []
        for one in questions:
            parts.append(seen[one.pair.task] * folds // sizes[one.pair.task])
            seen[one.pair.task] += 1
        numbered = list(zip(parts, questions, strict=True))
    else:
        order = sorted(questions, key=lambda one: one.pair.id)
        Random(f"fold {seed}").shuffle(order)
        order.sort(key=lambda one: one.pair.task)  # stable: shuffled within a task
        numbered = [(number % folds, one) for number, one in enumerate(order)]
    return (
        [one for part, one in numbered if part != held],
        [one for part, one in numbered if part == held],
    )


def of_tasks(questions: Sequence[Question], tasks: Sequence[str]) -> list[Question]:
    """Those of some tasks; of no task in particular, all.

    Raises:
        SystemExit: there is none of one of them.
    """
    there = {one.pair.task for one in questions}
    if lacking := [task for task in tasks if task not in there]:
        raise SystemExit(f"no question is of the task {lacking[0]!r}; there are {', '.join(sorted(there))}")
    return [one for one in questions if not tasks or one.pair.task in tasks]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    if not path.is_file():
        raise SystemExit(f"{path} is no file of questions or contexts that is here")
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise SystemExit(f"{path}, line {number} is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise SystemExit(f"{path}, line {number} is no object")
            yield row
