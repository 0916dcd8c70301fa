"""What the contexts of an arm are like, beside people's: what a model could go by without reading them.

No model is asked. Where an answer is one of few names, or always ends its sentence, or its sentence is the
question again, a model learns that instead of looking for evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import fmean

from examples.study.arms import contexts_of
from examples.study.plan import Arm
from examples.study.questions import Question
from synthesis.engines.composer.reading.topics import STOPWORDS
from synthesis.text.ngrams import plain_words
from synthesis.text.sentences import sentences
from synthesis.text.states import states

COLUMNS = (
    "names / 100 words",
    "numbers / 100 words",
    "sentences with the answer",
    "question's words in the nearest",
    "longest run of them",
    "answer first or last in it",
    "near to the question / 100 words",
    "nearest states the answer",
)
_NEAR = 0.3  # of the question's words, but for the most common ones
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][a-z]+(?:\s+[A-Z][a-z]+)*")
_NUMBER = re.compile(r"\b\d[\d,]*\b")


def traits(arm: Arm, questions: Sequence[Question], seed: int = 0) -> list[str]:
    """A cell for each of ``COLUMNS``; means over the questions, shares but for counts."""
    asked = {one.pair.id: one for one in questions}
    rows = [_traits(context.text, asked[pair.id]) for pair, context in contexts_of(arm, questions, seed)]
    columns = zip(*rows, strict=True)
    return [_mean([value for value in column if value is not None]) for column in columns]


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f}" if values else ""


def _traits(text: str, question: Question) -> tuple[float | None, ...]:
    words = max(1, len(text.split()))
    asked = plain_words(question.pair.instruction)
    every = [text[start:end] for start, end in sentences(text)]
    told = [one for one in every if any(states(one, answer) for answer in question.answers)]
    content = {*asked} - {*STOPWORDS}
    shares = [len({*plain_words(one)} & content) / max(1, len(content)) for one in every]
    best = [one for one, share in zip(every, shares, strict=True) if share == max(shares)]
    nearest = max(told, key=lambda one: len({*plain_words(one)} & {*asked}), default="")
    at = nearest.casefold().find(question.pair.answer.casefold()) if nearest else -1
    rest = max(1, len(nearest) - len(question.pair.answer))
    return (
        100 * len(_NAME.findall(text)) / words,
        100 * len(_NUMBER.findall(text)) / words,
        len(told),
        len({*plain_words(nearest)} & {*asked}) / max(1, len(set(asked))) if told else None,
        _run(plain_words(nearest), asked) / max(1, len(asked)) if told else None,
        float(not 0.05 <= at / rest <= 0.93) if at >= 0 else None,
        100 * sum(share >= _NEAR for share in shares) / words,
        len({*best} & {*told}) / len({*best}) if told else None,
    )


def _run(one: Sequence[str], two: Sequence[str]) -> int:
    """Length of the longest run of words that both have."""
    longest, before = 0, [0] * (len(two) + 1)
    for word in one:
        now = [0] * (len(two) + 1)
        for place, other in enumerate(two):
            if word == other:
                now[place + 1] = before[place] + 1
                longest = max(longest, now[place + 1])
        before = now
    return longest
