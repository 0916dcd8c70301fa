"""Another answer in the place of one: which texts stand for it, and why it can be known to be right.

Exchanging a value everywhere for one that stands nowhere, or two values for one another, gives the same text
with other names: what followed of the one now follows of the other. This holds where the question names
neither, and no other way of naming them is left; of texts that people or models wrote it can be known for
names alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synthesis.assembly.twins.editing import Edit
from synthesis.assembly.twins.mentions import all_told, core_of, mentions, named_in_part
from synthesis.assembly.twins.removing import unanswerable
from synthesis.assembly.twins.values import alike, figures_like, sort_of
from synthesis.data import Context, Pair
from synthesis.engines.composer.grammar.wording import trimmed
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import affirms, is_polar
from synthesis.engines.composer.reading.frames import clean
from synthesis.engines.composer.stating.statements import state
from synthesis.engines.composer.stating.steps.compared import sides_of
from synthesis.text.sentences import sentence_spans
from synthesis.text.states import is_ordinary, states


@dataclass(frozen=True, slots=True)
class Exchangeable:
    """What of an answer is exchanged, its ``value``, and its kind as ``sort_of`` has it."""

    value: str
    sort: str

    def answer(self, old: str, value: str) -> str:
        """The answer with another value."""
        return old.replace(self.value, value)


def exchange_of(text: str, pair: Pair, context: Context) -> Exchangeable | str:
    """What may be exchanged in the context ``text`` of a pair, or why nothing may."""
    if reason := unanswerable(pair, context):
        return reason
    value = core_of(pair.answer)
    sort = sort_of(value, pair.instruction)
    exact = context.evidence_source == "exact"
    if sort.startswith("person") and value != trimmed(pair.answer):
        sort = ""  # "the Archies" are no one person
    if is_ordinary(pair.answer) or not sort:
        return "no other answer of its kind is known"
    if not exact and sort in ("figure", "worded"):
        return "figures may follow from others in a text that is not the composer's"
    if states(pair.instruction, value) or not mentions(text, value):
        return "the question names the answer, or the context says it in other words"
    if _ends_a_sentence(text, value):
        return "the stop of an abbreviation ends a sentence of the context"
    if not all_told(text, value, pair.answer) or (not exact and named_in_part(text, value, pair.instruction)):
        return "the context states the answer in more than one way"
    return Exchangeable(value, sort)


def exchanged(text: str, value: str, other: str, what: str) -> list[Edit]:
    """The other value in every place of the one."""
    return [Edit(start, start + len(value), other, what) for start in mentions(text, value)]


def swapped(text: str, value: str, other: str) -> list[Edit]:
    """Two values in one another's place."""
    return sorted(
        (*exchanged(text, value, other, "answer"), *exchanged(text, other, value, "decoy")),
    )


def opposite(
    evidence: Sequence[tuple[int, int]], pair: Pair, context: Context, rng: random.Random
) -> tuple[str, list[Edit]] | None:
    """The other of yes and no, and its one piece of evidence, as the composer states it."""
    if not is_polar(pair.answer) or context.evidence_source != "exact" or context.hops > 1:
        return None
    other = _like(pair.answer, "no" if affirms(pair.answer) else "yes")
    told = state(pair.instruction, other, rng)
    if len(evidence) != 1 or len(told) != 1 or told[0].form or unanswerable(pair, context):
        return None
    start, end = evidence[0]
    return other, [Edit(start, end, told[0].text, "answer")]


def _like(model: str, word: str) -> str:
    stop = "." if model.rstrip().endswith(".") else ""
    return (word.capitalize() if model[:1].isupper() else word) + stop


def other_side(text: str, pair: Pair, context: Context) -> tuple[str, list[Edit]] | None:
    """The other of two that a question offers, and the two in one another's place in the composer's text.

    The question asks the same of both, so that what made the one the answer now makes the other.
    """
    found = sides_of(clean(pair.instruction), pair.answer)
    if found is None or context.evidence_source != "exact" or unanswerable(pair, context):
        return None
    value, other = (
        trimmed(side) for side in (found.first, found.second)
    )  # "The Long Ferry" keeps its article
    if not found.chosen_first:
        value, other = other, value
    if core_of(value) != core_of(pair.answer) or states(value, other) or states(other, value):
        return None
    for one in (value, other):
        named = named_in_part(text, core_of(one), "") or not all_told(text, one, one)
        if named or len(mentions(pair.instruction, one)) != 1 or _ends_a_sentence(text, one):
            return None
    return pair.answer.replace(trimmed(pair.answer), other), swapped(text, value, other)


def _ends_a_sentence(text: str, value: str) -> bool:
    """Whether the stop of an abbreviation ("Inc.") is a sentence's as well somewhere."""
    if not value.endswith("."):
        return False
    ends = {start + len(value) for start in mentions(text, value)}
    return any(end in ends for _, end in sentence_spans(text))


def decoys(text: str, pair: Pair, exchange: Exchangeable) -> Iterator[str]:
    """Values of the answer's kind in a context, first those with most of the question's words around them."""
    asked = {word.casefold() for word in pair.instruction.split() if len(word) > 3}
    spans = list(sentence_spans(text))

    def nearness(place: int) -> int:
        start, end = next((span for span in spans if span[0] <= place < span[1]), (0, 0))
        return sum(word.strip(".,;").casefold() in asked for word in text[start:end].split())

    found = dict(reversed(list(_of_kind(text, exchange))))
    ranked = sorted((-nearness(place), place, value) for value, place in found.items())
    yield from (value for _, _, value in ranked if value != exchange.value)


def _of_kind(text: str, exchange: Exchangeable) -> Iterator[tuple[str, int]]:
    if exchange.sort == "figure":
        yield from figures_like(exchange.value, text)
        return
    names = _LISTED.get(exchange.sort, ())
    if exchange.sort.startswith("person"):
        yield from _people(text)
    for name in names:
        for value in words(name):
            if value in text:
                yield from ((value, place) for place in mentions(text, value)[:1])


_LISTED = {
    "country": ("countries",),
    "nationality": ("nationalities",),
    "language": ("languages",),
    "weekday": ("weekdays",),
    "town": ("towns",),
    "org": ("organisations",),
    "work": ("works",),
}


def _people(text: str) -> Iterator[tuple[str, int]]:
    first = {*words("first_names_f"), *words("first_names_m")}
    tokens = text.split()
    at = 0
    for given, name in zip(tokens, tokens[1:], strict=False):
        at = text.index(given, at)
        surname = name.strip(".,;:!?")
        if given in first and surname in words("surnames"):
            yield f"{given} {surname}", at


def same_kind(value: str, other: str, question: str, exchange: Exchangeable) -> bool:
    """Whether an answer to another question is a value of the same kind."""
    if exchange.sort == "figure":
        return alike(value, other)
    sort = sort_of(other, question)
    return bool(sort) and sort.split("_")[0] == exchange.sort.split("_")[0]
