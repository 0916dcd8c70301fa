"""Wh-questions, questions of number, and such of yes or no, each from one clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from synthesis.engines.composer.asking.clauses import ReadClause, points_elsewhere
from synthesis.engines.composer.grammar.phrases import is_name, is_possessive, tokens_of
from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import (
    BE,
    MONTHS,
    POSSESSIVES,
    PREPOSITIONS,
    RELATIVES,
    SMALL_NUMBERS,
    core,
    is_ing,
    is_participle,
)
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import PERSON_NOUNS
from synthesis.text.words import split_words

_MONTH = "|".join(MONTHS)
YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_DAY = rf"(?:\d{{1,2}} (?:{_MONTH})|(?:{_MONTH})(?: \d{{1,2}},?)?)(?: \d{{4}})|(?:1\d|20)\d\d"
DATE = re.compile(rf"\b(?:in|on) (?P<date>{_DAY})(?=$|,? )")
_LIFE = re.compile(rf"\((?:[^()]{{0,60}};\s*)?(?:born |b\. )?(?P<date>{_DAY})(?: ?[–—-] ?(?:{_DAY})?)?\)")
_BOUNDED = frozenset(split_words("from between until till since after before by through over"))
_LEFT_OVER = frozenset(split_words("back early late mid only again later"))
_PLACE = re.compile(
    r"\b(?:in|at|near) (?P<place>(?:the )?[A-Z][\w'’.-]+(?:,? (?:of |the )?[A-Z][\w'’.-]+){0,5})$"
)
_SITED = frozenset(
    split_words(
        "born located situated based headquartered held buried raised educated died lived grew stands lies "
        "stood took opened lives founded established"
    )
)
_COUNT = re.compile(
    rf"^(?P<count>(?:about |over |nearly |around |more than |at least )?(?:\d[\d,.]*(?: (?:million|billion))?"
    rf"|{'|'.join(SMALL_NUMBERS)})) (?P<noun>[a-z]+(?: [a-z]+)?s)\b(?P<rest>.*)$"
)
_AGENT = re.compile(r" by (?P<agent>[A-Z][\w'’.-]+(?: (?:de |van |von )?[A-Z][\w'’.-]*){1,3})$")
_MOST_SAID = 14  # tokens of what something is said to be


class TextQuestion(NamedTuple):
    """A question with its answer, and the sentences that prove it; ``rank`` 0 reads best."""

    question: str
    answer: str
    quotes: tuple[str, ...]
    rank: int = 0


@dataclass(frozen=True)
class Known:
    """What the passages say of their subjects: what each is, and which are people.

    ``ambiguous`` are names that several things have.
    """

    classes: Mapping[str, str] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    ambiguous: frozenset[str] = frozenset()

    def who(self, subject: str) -> str:
        """The word that asks for a subject: Who, Which film, What."""
        if self.is_person(subject):
            return "Who"
        if known := self.classes.get(subject, ""):
            return f"Which {known}"
        if any(core(token) in PERSON_NOUNS for token in subject.split()):
            return "Who"
        return "What" if subject.startswith("The ") or " of " in subject else "Who or what"

    def is_person(self, name: str) -> bool:
        """Whether a name is a person's: by what it is said to be, what follows on it, or its first name."""
        if name in self.people:
            return True
        known = self.classes.get(name, "")
        if known:
            return core(known.split()[-1]) in PERSON_NOUNS
        first = tokens_of(name)[0]
        named = first in words("first_names_f") or first in words("first_names_m")
        return len(name.split()) > 1 and named


def known_of(read: Sequence[ReadClause]) -> Known:
    """What some clauses say of their subjects."""
    classes: dict[str, str] = {}
    several = set()
    for one in read:
        if one.is_copula:
            if one.subject in classes:  # said to be two things: two things of one name, most likely
                several.add(one.subject)
            classes.setdefault(one.subject, _noun_of(one))
    people = {one.subject for one in read if _lives(one) or (one.of_person and not classes.get(one.subject))}
    return Known(
        {name: noun for name, noun in classes.items() if noun}, frozenset(people), frozenset(several)
    )


def _lives(one: ReadClause) -> re.Match[str] | None:
    """The dates of a life, in brackets right behind the subject of a sentence on what somebody was."""
    life = _LIFE.match(one.sentence, len(one.subject) + 1)
    return life if one.is_copula and one.sentence.startswith(one.subject) else None


def _noun_of(one: ReadClause) -> str:
    """``Norwegian band`` of "a Norwegian band formed in Oslo"; empty where it is too much to ask with."""
    noun: list[str] = []
    for token in one.rest[1:]:
        word = core(token)
        describes = noun and (is_participle(word) or is_ing(word)) and token[:1].islower()
        if word in PREPOSITIONS | RELATIVES | {"and", "or", "to", "best"} or describes or not word.isalpha():
            break
        noun.append(token)
        if token.endswith(","):
            return ""
    plain = noun and noun[-1][:1].islower() and one.rest[0] != "the"
    return " ".join(noun) if plain and len(noun) <= 4 else ""


def wh_questions(said: ReadClause, known: Known) -> Iterator[TextQuestion]:
    """What a clause answers: who or what, when, where, by whom."""
    quotes, told = (said.sentence,), said.told
    if said.is_copula:
        yield from _what_it_is(said, known)
    elif told_enough(said.rest):
        yield TextQuestion(f"{known.who(said.subject)} {said.verb} {told}?", said.subject, quotes, 1)
    yield from _when(said, "When")
    place = _PLACE.search(told) if _is_sited(said) else None
    left = _without(told, place) if place else ""
    if place and not re.search(_DAY, left) and (asked := said.asked(left)):
        yield TextQuestion(f"Where {asked}?", place["place"], quotes)
    agent = _AGENT.search(told) if said.verb in BE else None
    plain = told.count(" by ") == 1 and is_participle(core(said.rest[0]))
    if agent and plain and (asked := said.asked(_without(told, agent))):
        yield TextQuestion(f"By whom {asked}?", agent["agent"], quotes)


def _what_it_is(said: ReadClause, known: Known) -> Iterator[TextQuestion]:
    if len(said.rest) > _MOST_SAID or len(said.rest) < 3:
        return
    person = known.is_person(said.subject)
    subject, told = said.within, said.told
    if core(said.rest[0]) == "the" and told_enough(said.rest):
        asks = f"Who {said.verb}" if person else "What is the name of"
        yield TextQuestion(f"{asks} {told}?", said.subject, (said.sentence,), 1)
    elif core(said.rest[0]) in ("a", "an") and not is_ing(core(said.rest[-1])):
        yield TextQuestion(f"{'Who' if person else 'What'} {said.verb} {subject}?", told, (said.sentence,), 2)


def _when(said: ReadClause, wh: str) -> Iterator[TextQuestion]:
    """When it was, where the date can only be that of what the clause tells."""
    dates = list(DATE.finditer(said.told))
    if len(dates) != 1 or said.is_copula:
        return
    (date,) = dates
    before = tokens_of(said.told[: date.start()])
    owned = len(before) > 1 and (core(before[-2]) in POSSESSIVES or is_possessive(before[-2]))
    odd = bool(before) and core(before[-1]) in _LEFT_OVER
    if owned or odd or any(core(token) in _BOUNDED for token in before) or (not before and said.verb in BE):
        return
    if asked := said.asked(_without(said.told, date)):
        yield TextQuestion(f"{wh} {asked}?", date["date"], (said.sentence,))


def number_questions(said: ReadClause, known: Known) -> Iterator[TextQuestion]:
    """How many, in which year, and when somebody was born."""
    if (count := _COUNT.match(said.told)) and (asked := said.asked(count["rest"].strip())):
        yield TextQuestion(f"How many {count['noun']} {asked}?", count["count"], (said.sentence,))
    for asked_when in _when(said, "When"):
        if asked_when.answer.isdigit():
            yield asked_when._replace(question="In which year" + asked_when.question.removeprefix("When"))
        else:
            yield asked_when
    if birth := born(said, known):
        wh = "In which year" if birth.isdigit() else "When"
        yield TextQuestion(f"{wh} was {said.subject} born?", birth, (said.sentence,))


def born(said: ReadClause, known: Known) -> str:
    """When a subject was born, as its sentence has it in brackets; empty where it does not say."""
    life = _lives(said)
    return life["date"] if life and known.is_person(said.subject) else ""


def polar_questions(said: ReadClause, polarity: str, years: Sequence[str]) -> Iterator[TextQuestion]:
    """Whether what a clause says is so; for ``no``, with another of the ``years``, or another nationality."""
    told = " ".join(token for token in said.rest if core(token) != "also")
    denied = any(core(token) in ("not", "never", "no", "nor") for token in said.rest)
    if denied or not told_enough(said.rest) or points_elsewhere(said.rest):
        return
    if polarity == "no":
        told = _falsified(said, told, years)
    if told and (asked := said.asked(told)):
        yield TextQuestion(f"{asked[:1].upper()}{asked[1:]}?", polarity, (said.sentence,))


def _falsified(said: ReadClause, told: str, years: Sequence[str]) -> str:
    """What is told with something in it that is not so; empty where nothing can be put in."""
    if found := YEAR.search(told):
        other = next((year for year in years if year not in said.sentence), "")
        return f"{told[: found.start()]}{other}{told[found.end() :]}" if other else ""
    nations = words("nationalities")
    own = next((token for token in said.rest[:3] if token in nations), "")
    if not own or not said.is_copula:
        return ""
    other = nations[(nations.index(own) + len(said.subject)) % len(nations)]
    other = nations[nations.index(own) - 1] if other == own else other
    told = told.replace(own, other, 1)
    return re.sub(r"^an? ", lambda match: f"{article(told[match.end() :])} ", told)


def told_enough(rest: Sequence[str]) -> bool:
    """Whether a rest says something that hardly another subject fits: a name or a figure, and some words."""
    return len(rest) >= 4 and any(is_name(token) for token in rest)


def _is_sited(said: ReadClause) -> bool:
    return any(core(token) in _SITED for token in (said.verb, *said.rest[:2]))


def _without(told: str, match: re.Match[str]) -> str:
    """What is told without a match, and without the commas around it."""
    before, after = told[: match.start()].rstrip(" ,"), told[match.end() :].lstrip(" ,")
    return f"{before} {after}".strip()
