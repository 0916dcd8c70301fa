"""An instruction and its answer, read once: what a context must speak of and must state."""

from __future__ import annotations

from dataclasses import dataclass

from synthesis.coherence.background import names_in, weights
from synthesis.text.answers import Answer, read_answer
from synthesis.text.words import terms

_NAME_BONUS = 1.5


@dataclass(frozen=True, slots=True)
class Question:
    """``asked`` and ``stated`` give each term of the instruction and of the answer its weight.

    Function words have no weight unless there is nothing else. ``names`` are the answer's
    names and figures (used for summaries).
    """

    instruction: tuple[str, ...]
    answer: Answer
    asked: dict[str, float]
    stated: dict[str, float]
    names: frozenset[str]


def read_question(instruction: str, answer: str) -> Question:
    """Any two texts are accepted, empty ones too."""
    taken = read_answer(answer)
    sequence = tuple(terms(instruction))
    proper = names_in(instruction)
    asked = {t: w * (_NAME_BONUS if t in proper else 1.0) for t, w in weights(sequence).items()}
    stated = weights(taken.terms)
    names = names_in(answer) & stated.keys() if taken.kind == "summary" else frozenset()
    return Question(sequence, taken, asked, stated, names)
