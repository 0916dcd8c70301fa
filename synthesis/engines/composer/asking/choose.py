"""Which question is asked of the passages: all that can be, in seeded order, and of them the one in turn."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from synthesis.engines.composer.asking.clauses import ReadClause, points_elsewhere, said_in
from synthesis.engines.composer.asking.wh import (
    TextQuestion,
    classes_of,
    number_questions,
    polar_question,
    wh_questions,
)
from synthesis.engines.composer.grammar.words import is_english
from synthesis.errors import ContextSynthesisError

_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_SUMMED: int = 6  # sentences at most
_FEWEST_SUMMED: int = 3


class NothingToAsk(ContextSynthesisError):
    """The passages state nothing that a question of the kind could be made of."""


def ask(passages: Sequence[str], kind: str, *, place: int, polarity: str = "", seed: int = 0) -> TextQuestion:
    """A question of a kind about passages; the ``place``-th, so that several about the same passages differ.

    Raises:
        NothingToAsk: there is none, or they are not English.
    """
    if not all(is_english(passage) for passage in passages):
        raise NothingToAsk("without a model only English texts are asked about; choose another --engine")
    said = [list(said_in(passage)) for passage in passages]
    found = sorted(_askable(said, kind, polarity), key=lambda one: one.question)
    random.Random(f"asking {seed} {kind} {passages[0][:200]}").shuffle(found)
    found = sorted(dict.fromkeys(found), key=lambda one: one.rank)
    found = [one for one in found if one.answer.casefold() not in one.question.casefold()]
    if not found:
        raise NothingToAsk(f"no sentence of the text makes a question of the kind '{kind}' without a model")
    return found[place % len(found)]


def _askable(said: Sequence[Sequence[ReadClause]], kind: str, polarity: str) -> list[TextQuestion]:
    every = [one for part in said for one in part]
    classes = classes_of(every)
    if kind == "span":
        return [asked for one in every for asked in wh_questions(one, classes)]
    if kind == "number":
        return [asked for one in every for asked in number_questions(one)]
    if kind == "yes-no":
        years = list(dict.fromkeys(year for one in every for year in _YEAR.findall(one.sentence)))
        made = (polar_question(one, polarity, years) for one in every)
        return [asked for asked in made if asked is not None]
    if kind == "multi-hop":
        return bridged(said)
    return summed(every)


def bridged(said: Sequence[Sequence[ReadClause]]) -> list[TextQuestion]:
    """Questions about something that is not named but described by what another passage says it is."""
    found = []
    parts = list(said) if len(said) > 1 else [said[0], said[0]]
    for first, second in ((parts[0], parts[1]), (parts[1], parts[0])):
        described = {one.subject: one for one in first if one.is_copula and len(one.rest) >= 4}
        for one in second:
            known = described.get(one.subject)
            if known is None or known.sentence == one.sentence:
                continue
            name = "the " + known.told.split(" ", 1)[1]
            for asked in (*wh_questions(one, {}), *number_questions(one)):
                if one.subject in asked.question and one.subject != asked.answer and asked.rank == 0:
                    question = asked.question.replace(one.subject, name, 1)
                    found.append(TextQuestion(question, asked.answer, (known.sentence, one.sentence)))
    return found


def summed(said: Sequence[ReadClause]) -> list[TextQuestion]:
    """What is said of one subject, sentence by sentence, where there is enough of it."""
    by_subject: dict[str, list[ReadClause]] = {}
    for one in said:
        if not points_elsewhere(one.rest):
            by_subject.setdefault(one.subject, []).append(one)
    return [
        TextQuestion(f"Sum up what is told about {subject}.", " ".join(quotes), quotes)
        for subject, ones in by_subject.items()
        if len(ones) >= _FEWEST_SUMMED
        for quotes in [tuple(one.sentence for one in ones[:_SUMMED])]
    ]
