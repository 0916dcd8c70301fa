"""How right a reply is: by the question's own metric, and by those that are usual for short answers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from synthesis.errors import UsageError
from synthesis.evaluation.metrics import METRICS, score
from synthesis.evaluation.questions import ContextQuestion
from synthesis.gate.replies import without_thinking
from synthesis.text.answers import kind_of

SHORT: Final = ("f1", "exact-match", "contains")
"""What an answer of a few words is scored by, the first before all."""
LONG: Final = ("rouge-l",)
"""What an answer of sentences is scored by."""


def usual_metrics(answer: str) -> tuple[str, ...]:
    """The metrics for an answer of which nobody says how it is to be scored."""
    return LONG if kind_of(answer) == "summary" else SHORT


def check_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """The names of metrics, each of which there is.

    Raises:
        UsageError: one is not known.
    """
    for name in names:
        if name not in METRICS:
            near = difflib.get_close_matches(name.casefold(), sorted(METRICS), n=3, cutoff=0.5)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise UsageError(
                f"metric {name!r} is not known; {meant}docs/benchmarks.md lists all {len(METRICS)}, such as "
                "f1, rouge-l and contains"
            )
    return tuple(dict.fromkeys(names))


def answer_in(text: str) -> str:
    """A reply without what a model thought before it, and without white space around it."""
    return without_thinking(text).strip()


def scored(question: ContextQuestion, reply: str, metrics: Sequence[str] = ()) -> dict[str, float]:
    """Each score of a reply (0..1) by the name of its metric: the question's own first. None without answers.

    ``metrics`` are further ones; without any, those that are usual for the answer where its own is. A
    question whose answers are kept hidden (all empty) has no score.
    """
    if not any(question.answers):
        return {}
    if not question.answers:
        return {}
    further = tuple(metrics)
    if not further and question.metric in (usual := usual_metrics(question.answer)):
        further = usual
    names = dict.fromkeys((question.metric, *further))
    return {name: score(name, reply, question.answers, question.classes) for name in names}
