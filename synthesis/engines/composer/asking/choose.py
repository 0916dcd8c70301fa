"""Which question is asked of the passages: all that can be, in seeded order, and of them the one in turn."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from synthesis.engines.composer.asking.clauses import ReadClause, points_elsewhere, said_in
from synthesis.engines.composer.asking.cloze import clozes
from synthesis.engines.composer.asking.hops import bridged, compared
from synthesis.engines.composer.asking.wh import (
    YEAR,
    Known,
    TextQuestion,
    known_of,
    number_questions,
    polar_questions,
    wh_questions,
)
from synthesis.engines.composer.grammar.words import is_english
from synthesis.errors import ContextSynthesisError

_SUMMED: Final = 6  # sentences at most
_FEWEST_SUMMED: Final = 3
_LONGEST: Final = 60  # words of a question


class NothingToAsk(ContextSynthesisError):
    """The passages state nothing that a question could be made of."""


class ChosenQuestion(NamedTuple):
    """A question, and its kind."""

    kind: str
    asked: TextQuestion


def ask(
    passages: Sequence[str], kinds: Sequence[str], *, place: int, polarity: str = "", seed: int = 0
) -> ChosenQuestion:
    """A question of the first of the kinds that the passages have any of.

    ``place`` counts the questions about the same passages, so that they differ.

    Raises:
        NothingToAsk: there is none (left), or they are not English.
    """
    if not all(is_english(passage) for passage in passages):
        raise NothingToAsk("without a model only English texts are asked about; choose another --engine")
    read = [list(said_in(passage)) for passage in passages]
    known = known_of([one for part in read for one in part])
    found = {kind: _ordered(passages, read, known, kind, polarity, seed) for kind in kinds}
    own, others = found[kinds[0]], kinds[1:]
    if place // len(kinds) < len(own):
        return ChosenQuestion(kinds[0], own[place // len(kinds)])
    # What the other kinds ask in turns of their own comes last.
    rest = [ChosenQuestion(kind, one) for kind in others for one in found[kind][1:]]
    rest.sort(key=lambda one: one.asked.rank)
    rest += [ChosenQuestion(kind, found[kind][0]) for kind in others if found[kind]]
    if place < len(rest):
        return rest[place]
    raise NothingToAsk(f"no sentence of the text makes a question ({', '.join(kinds)}) without a model")


def _ordered(
    passages: Sequence[str],
    read: Sequence[Sequence[ReadClause]],
    known: Known,
    kind: str,
    polarity: str,
    seed: int,
) -> list[TextQuestion]:
    """All questions of a kind, in seeded order, those first that read best."""
    made = list(_askable(read, [one for part in read for one in part], known, kind, polarity))
    if kind in ("span", "number"):
        made += [cloze for passage in passages for cloze in clozes(passage, kind)]
    found = sorted({one for one in made if _fits(one, kind)})
    random.Random(f"asking {seed} {kind} {passages[0][:200]}").shuffle(found)
    return sorted(found, key=lambda one: one.rank)


def _fits(one: TextQuestion, kind: str) -> bool:
    """Whether a question is not too long and keeps its answer to itself."""
    if len(one.question.split()) > _LONGEST:
        return False
    offers = f" {one.answer}?" in one.question or f", {one.answer} or " in one.question
    return offers or kind == "yes-no" or one.answer.casefold() not in one.question.casefold()


def _askable(
    read: Sequence[Sequence[ReadClause]], every: Sequence[ReadClause], known: Known, kind: str, polarity: str
) -> Iterable[TextQuestion]:
    plain = [one for one in every if one.subject not in known.ambiguous]
    if kind == "span":
        return [asked for one in plain for asked in wh_questions(one, known)]
    if kind == "number":
        return [asked for one in plain for asked in number_questions(one, known)]
    if kind == "yes-no":
        years = list(dict.fromkeys(year for one in every for year in YEAR.findall(one.sentence)))
        made = [asked for one in plain for asked in polar_questions(one, polarity, years)]
        return made or [asked for one in plain for asked in polar_questions(one, "yes", years)]
    if kind == "multi-hop":
        return [*bridged(read, known), *compared(read, known)]
    return summed(plain)


def summed(said: Sequence[ReadClause]) -> list[TextQuestion]:
    """What is said of one subject, sentence by sentence, where there is enough of it."""
    by_subject: dict[str, list[str]] = {}
    for one in said:
        if not points_elsewhere(one.rest):
            by_subject.setdefault(one.subject, []).append(one.sentence)
    return [
        TextQuestion(f"Sum up what is told about {subject}.", " ".join(quotes), quotes)
        for subject, told in by_subject.items()
        if len(told) >= _FEWEST_SUMMED
        for quotes in [tuple(" ".join(one.split()) for one in told[:_SUMMED])]
    ]
