"""Wh-questions, questions of number, and such of yes or no, each from one clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from synthesis.engines.composer.asking.clauses import ReadClause, points_elsewhere
from synthesis.engines.composer.grammar.phrases import is_name, tokens_of
from synthesis.engines.composer.grammar.words import BE, MONTHS, SMALL_NUMBERS, core
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import PERSON_NOUNS
from synthesis.text.words import split_words

_MONTH = "|".join(MONTHS)
DATE = re.compile(
    rf"\b(?:in|on) (?P<date>(?:\d{{1,2}} )?(?:{_MONTH})(?: \d{{1,2}},)?(?: \d{{4}})?|(?:1\d|20)\d\d)(?=$|,? )"
)
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
_CLASS = re.compile(
    r"^(?:an?|the) (?P<noun>[a-z][\w -]*?)(?= (?:of|in|by|for|from|that|which|who|based|located|written|with"
    r"|on|at|to|directed|released|formed|founded|born)\b|,|$)"
)


class TextQuestion(NamedTuple):
    """A question with its answer, and the sentences that prove it; ``rank`` 0 reads best."""

    question: str
    answer: str
    quotes: tuple[str, ...]
    rank: int = 0


def classes_of(said: Sequence[ReadClause]) -> dict[str, str]:
    """What each subject is said to be: name -> ``Norwegian band``."""
    found: dict[str, str] = {}
    for one in said:
        if one.is_copula and (match := _CLASS.match(_unnamed(one.told))):
            found.setdefault(one.subject, match["noun"])
    return found


def _unnamed(told: str) -> str:
    """Lower case for what may stand before a noun in capitals: "an American film"."""
    return re.sub(r"^(an?|the) ([A-Z][\w-]+ )", lambda match: f"{match[1]} {match[2].lower()}", told)


def is_person(name: str, classes: Mapping[str, str]) -> bool:
    """Whether a name is a person's, by what it is said to be or by its first name."""
    known = classes.get(name, "")
    if known:
        return core(known.split()[-1]) in PERSON_NOUNS
    first = tokens_of(name)[0]
    return len(name.split()) > 1 and (first in words("first_names_f") or first in words("first_names_m"))


def wh_questions(said: ReadClause, classes: Mapping[str, str]) -> Iterator[TextQuestion]:
    """What a clause answers: who or what, when, where, by whom."""
    quotes = (said.sentence,)
    told = said.told
    if told_enough(said.rest):
        yield TextQuestion(f"{_who(said.subject, classes)} {said.verb} {told}?", said.subject, quotes, 1)
    date = None if said.is_copula else _last(DATE, told)
    if date and (asked := said.asked(_without(told, date))):
        yield TextQuestion(f"When {asked}?", date["date"], quotes)
    if (place := _PLACE.search(told)) and _is_sited(said) and (asked := said.asked(_without(told, place))):
        yield TextQuestion(f"Where {asked}?", place["place"], quotes)
    if said.verb in BE and (agent := _AGENT.search(told)) and (asked := said.asked(_without(told, agent))):
        yield TextQuestion(f"By whom {asked}?", agent["agent"], quotes)


def number_questions(said: ReadClause) -> Iterator[TextQuestion]:
    """How many, and when by year."""
    quotes = (said.sentence,)
    if (count := _COUNT.match(said.told)) and (asked := said.asked(count["rest"].strip())):
        yield TextQuestion(f"How many {count['noun']} {asked}?", f"{count['count']} {count['noun']}", quotes)
    date = None if said.is_copula else _last(DATE, said.told)
    figured = date and re.search(r"\d", date["date"])
    if date and figured and (asked := said.asked(_without(said.told, date))):
        wh = "In which year" if date["date"].isdigit() else "When"
        yield TextQuestion(f"{wh} {asked}?", date["date"], quotes)


def polar_question(said: ReadClause, polarity: str, others: Sequence[str]) -> TextQuestion | None:
    """Whether what a clause says is so; for ``no``, with one of the ``others`` in place of its year."""
    told = said.told
    if not told_enough(said.rest) or points_elsewhere(said.rest):
        return None
    if polarity == "no":
        found = re.search(r"\b(?:1\d|20)\d\d\b", told)
        swapped = next(
            (one for one in others if found and one != found[0] and one not in said.sentence), None
        )
        if not found or swapped is None:
            return None
        told = f"{told[: found.start()]}{swapped}{told[found.end() :]}"
    asked = said.asked(told)
    return TextQuestion(f"{asked[:1].upper()}{asked[1:]}?", polarity, (said.sentence,)) if asked else None


def _who(subject: str, classes: Mapping[str, str]) -> str:
    if is_person(subject, classes):
        return "Who"
    known = classes.get(subject, "")
    return f"Which {known}" if known else "What"


def told_enough(rest: Sequence[str]) -> bool:
    """Whether a rest says something that hardly another subject fits: a name or a figure, and some words."""
    return len(rest) >= 4 and any(is_name(token) for token in rest)


def _is_sited(said: ReadClause) -> bool:
    return any(core(token) in _SITED for token in (said.verb, *said.rest[:2]))


def _last(pattern: re.Pattern[str], told: str) -> re.Match[str] | None:
    """The only match of a pattern; None where there are several, so that nobody knows which is meant."""
    found = list(pattern.finditer(told))
    return found[0] if len(found) == 1 else None


def _without(told: str, match: re.Match[str]) -> str:
    """What is told without a match, and without the commas around it."""
    before, after = told[: match.start()].rstrip(" ,"), told[match.end() :].lstrip(" ,")
    return f"{before} {after}".strip()
