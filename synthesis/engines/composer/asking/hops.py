"""Questions that take two sentences: of what is described by what another says it is, or of two compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from synthesis.engines.composer.asking.clauses import WORKS, ReadClause
from synthesis.engines.composer.asking.wh import (
    YEAR,
    Known,
    TextQuestion,
    born,
    number_questions,
    told_enough,
    wh_questions,
)
from synthesis.engines.composer.grammar.words import core

_MOST_DESCRIBED = 16  # tokens


class Dated(NamedTuple):
    """A subject with the year in which it was born or came out."""

    subject: str
    sort: str
    year: int
    sentence: str


def bridged(parts: Sequence[Sequence[ReadClause]], known: Known) -> Iterator[TextQuestion]:
    """Questions about something that is not named but described by what another part says it is."""
    first, second = parts[0], parts[-1]
    for told, asking in ((first, second), (second, first)):
        described = {
            one.subject: one
            for one in told
            if one.is_copula and told_enough(one.rest) and len(one.rest) <= _MOST_DESCRIBED
            if one.subject not in known.ambiguous
        }
        for one in asking:
            yield from _by_subject(one, described, known)
            yield from _by_mention(one, described, known)


def _by_subject(one: ReadClause, described: dict[str, ReadClause], known: Known) -> Iterator[TextQuestion]:
    what = described.get(one.subject)
    if what is None or what.sentence == one.sentence or one.is_copula:
        return
    other = replace(one, subject=_description(what))
    for asked in (*wh_questions(other, known), *number_questions(other, known)):
        if asked.answer != other.subject:
            yield asked._replace(quotes=(what.sentence, one.sentence), rank=0)


def _by_mention(one: ReadClause, described: dict[str, ReadClause], known: Known) -> Iterator[TextQuestion]:
    """Where what is described stands behind the verb, the subject is asked for."""
    for name, what in described.items():
        same = name == one.subject or one.sentence == what.sentence
        if same or len(name) < 4 or one.subject in what.sentence:
            continue
        mention = re.search(rf"(?<!\w)(?:[Tt]he )?{re.escape(name)}(?![\w'’-]|,? [A-Z\d])", one.told)
        before = one.told[: mention.start()] if mention else ""
        # A name inside a longer one is another, and in a title it is none.
        if mention is None or re.search(r"[A-Z][\w'’.-]* $", before) or before.count('"') % 2:
            continue
        rest = f"{one.told[: mention.start()]}{_description(what)}{one.told[mention.end() :]}"
        asks = f"{known.who(one.subject)} {one.verb}"
        if one.is_copula:
            asks = f"Who {one.verb}" if known.is_person(one.subject) else "What is the name of"
            rest = "the " + rest.partition(" ")[2]
        yield TextQuestion(f"{asks} {rest}?", one.subject, (what.sentence, one.sentence))


def _description(what: ReadClause) -> str:
    """``the band formed in Oslo``, of something that is said to be a band formed in Oslo."""
    return " ".join(("the", *what.rest[1:]))


def compared(parts: Sequence[Sequence[ReadClause]], known: Known) -> Iterator[TextQuestion]:
    """Which of two was there first: people by their births, works of a kind by the years they are of."""
    first, second = ([one for said in part for one in _dated(said, known)] for part in (parts[0], parts[-1]))
    for one, other in product(first, second):
        if one.sort != other.sort or one.year == other.year or one.subject == other.subject:
            continue
        earlier, later = sorted((one, other), key=lambda dated: dated.year)
        for asks, right in (("first", earlier), ("later", later)):
            what = f"Who was born {asks}" if one.sort == "person" else f"Which {one.sort} came {asks}"
            question = f"{what}, {one.subject} or {other.subject}?"
            yield TextQuestion(question, right.subject, (one.sentence, other.sentence), 1)


def _dated(said: ReadClause, known: Known) -> Iterator[Dated]:
    if said.subject in known.ambiguous:
        return
    if (birth := born(said, known)) and (year := YEAR.search(birth)):
        yield Dated(said.subject, "person", int(year[0]), said.sentence)
    made = next((core(token) for token in said.rest[:8] if core(token) in WORKS), "")
    if said.is_copula and made and len(said.rest) > 1 and YEAR.fullmatch(said.rest[1]):
        yield Dated(said.subject, made, int(said.rest[1]), said.sentence)
