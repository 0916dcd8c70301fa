"""Which form a pair gets: one of the ordinary ones, or none where the usual statements say it well.

The one door of this folder. Knows every form's file; nothing of lengths.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from synthesis.engines.composer.forms import (
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
from synthesis.engines.composer.forms.base import OrdinaryCase, Told
from synthesis.engines.composer.grammar.words import core
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.frames import clean
from synthesis.engines.composer.reading.kinds import Ordinary, read_ordinary
from synthesis.engines.composer.reading.questions import read
from synthesis.engines.composer.reading.subjects import subject, turned
from synthesis.engines.composer.stating.statements import Statement, indirect

#: Forms whose subject is a thing that people may speak of; the others have words or figures for it.
_SPOKEN_OF = frozenset(["manual", "repository", "lesson", "anthology", "letters"])

_FORMS: dict[str, Callable[[OrdinaryCase], Told | None]] = {
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
    """The pair in the form of its kind, or quoted where that cannot hold it; None for a question.

    Args:
        instruction: the task, in English.
        answer: what is to be supported; its words and lines are not changed.
        rng: chooses among leads.
        others: chooses among the entries around; not shared.
    """
    if not answer.strip() or not instruction.strip():
        return None
    pair = read_ordinary(instruction, answer)
    if pair.kind == "question":
        return None
    case = OrdinaryCase(pair, instruction, answer, about(pair), rng, others)
    told = _FORMS[pair.kind](case)
    if told is None:
        return cards.quoted(case)
    return replace(told, subject=case.subject) if told.form in _SPOKEN_OF else told


def evidence(told: Told) -> list[Statement]:
    """The pieces as statements, labelled as those of any answer are."""
    count = len(told.pieces)
    labels = ["answer"] if count == 1 else [f"answer {at}/{count}" for at in range(1, count + 1)]
    return [Statement(one.text, label) for one, label in zip(told.pieces, labels, strict=True)]


def about(pair: Ordinary) -> str:
    """The subject as a phrase, for a question also as an indirect clause: ``why the sky is blue``."""
    found = subject(pair.task, pair.verb)
    if found and core(found.split()[0]) not in word_class("wh"):
        return found
    asked = found or pair.task
    frame = read(clean(asked)) if not pair.verb else None
    return (indirect(frame) if frame else None) or turned(asked) or found
