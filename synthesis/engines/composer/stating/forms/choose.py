"""Which form a pair gets: one of the ordinary ones, or none where the usual statements say it well.

The one door of this folder. Knows every form's file; nothing of lengths.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from synthesis.engines.composer.grammar.words import core
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.frames import clean
from synthesis.engines.composer.reading.kinds import Ordinary, read_ordinary
from synthesis.engines.composer.reading.languages import language_of
from synthesis.engines.composer.reading.questions import read
from synthesis.engines.composer.reading.subjects import subject
from synthesis.engines.composer.stating.forms import (
    anthology,
    cards,
    desk,
    exchange,
    ledger,
    lesson,
    manual,
    phrases,
    repository,
)
from synthesis.engines.composer.stating.forms.base import Case, Told
from synthesis.engines.composer.stating.statements import indirect

_FORMS: dict[str, Callable[[Case], Told | None]] = {
    "code": repository.tell,
    "arithmetic": ledger.tell,
    "conversion": ledger.tell,
    "list": manual.tell,
    "classify": cards.tell,
    "translate": phrases.tell,
    "rewrite": desk.tell,
    "writing": anthology.tell,
    "explain": lesson.tell,
    "talk": exchange.tell,
}


def tell(instruction: str, answer: str, rng: random.Random, others: random.Random) -> Told | None:
    """The pair in the form of its kind; None for a question, and where the form cannot hold it.

    Args:
        instruction: the task, in English.
        answer: what is to be supported; its words and lines are not changed.
        rng: chooses among leads; ``others`` among the entries around. Not shared.
    """
    if not answer.strip() or not instruction.strip():
        return None
    pair = read_ordinary(instruction, answer)
    if pair.kind == "question":
        return None
    case = Case(pair, instruction, answer, about(pair), rng, others)
    return _FORMS[pair.kind](case)


def about(pair: Ordinary) -> str:
    """The subject as a phrase, for a question also as an indirect clause: ``why the sky is blue``."""
    found = subject(pair.task, pair.verb)
    if found and core(found.split()[0]) not in word_class("wh"):
        return found
    frame = read(clean(found or pair.task))
    return (indirect(frame) or found) if frame and not pair.verb else found
