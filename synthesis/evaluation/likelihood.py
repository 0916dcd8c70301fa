"""How likely an engine finds the answer after each prompt; recorded, so that none is asked about twice.

The model reads plain text, not a chat: what the messages say, and ``Answer:`` unless they end with a colon,
a blank before the answer. Knows nothing of replies.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from synthesis.coherence.gain import can_score
from synthesis.data import content_hash
from synthesis.engines.base import BaseEngine, LogLikelihood
from synthesis.errors import EngineError
from synthesis.evaluation.asking import Case, Cases
from synthesis.evaluation.questions import Variant
from synthesis.evaluation.replies import ReplyLog
from synthesis.evaluation.store import QuestionStore


class CaseLikelihood(NamedTuple):
    """Of the question at ``place``, asked in one way: the log-probabilities of its first answer, summed.

    In nats; ``tokens`` is how many they are.
    """

    place: int
    variant: Variant
    total: float
    tokens: int


def likelihoods(
    engine: BaseEngine, questions: QuestionStore, cases: Cases, log: ReplyLog | None = None
) -> Iterator[CaseLikelihood]:
    """The likelihood of every case's answer, in the order of the cases.

    Raises:
        ConfigError: the engine offers none.
        EngineError: a text cannot be scored, or a number is not finite.
    """
    able = can_score(engine)
    known: dict[str, tuple[float, int] | None] = {}  # None: it was asked about
    waiting: deque[tuple[str, str]] = deque()  # what was asked about, and of which question
    told: deque[tuple[int, Variant, str]] = deque()

    def unknown() -> Iterator[tuple[str, str]]:
        for found in cases.of(range(len(questions))):
            for case in found:
                if not case.question.answer.strip():
                    continue
                prefix, answer = _text(case)
                name = content_hash(
                    "likelihood", prefix, answer, engine.name, engine.model, dict(engine.settings)
                )
                told.append((case.place, case.variant, name))
                if name in known:
                    continue
                known[name] = log.likelihood(name) if log is not None else None
                if known[name] is None:
                    waiting.append((name, case.question.id))
                    yield prefix, answer

    def ready() -> Iterator[CaseLikelihood]:
        while told and (found := known[told[0][2]]) is not None:
            place, variant, _ = told.popleft()
            yield CaseLikelihood(place, variant, *found)

    for scores in able.loglikelihood(unknown()):
        name, question = waiting.popleft()
        known[name] = total, tokens = _told(scores)
        if log is not None:
            log.keep_likelihood(name, question, total, tokens)
        yield from ready()
    yield from ready()


def _text(case: Case) -> tuple[str, str]:
    said = "\n\n".join(message.content for message in case.messages).rstrip()
    return said if said.endswith(":") else f"{said}\n\nAnswer:", f" {case.question.answer.strip()}"


def _told(found: LogLikelihood) -> tuple[float, int]:
    if not found.logprobs or not all(map(math.isfinite, found.logprobs)):
        raise EngineError(
            "the engine gave a log-likelihood that is not a finite number, or none at all; with transformers "
            "or vllm set the option dtype to bfloat16 or float32"
        )
    return math.fsum(found.logprobs), len(found.logprobs)
