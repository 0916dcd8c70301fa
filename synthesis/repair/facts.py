"""What an answer consists of that a text must hold: its names, its figures, its sentences.

A fact is the unit that is checked in a reply, named to the model when it is missing, and
assigned to a section of a long context. Found by words alone, in whatever form: knows
nothing of synonyms, of what is true, or of models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from synthesis.coherence.answers import Answer
from synthesis.coherence.quantities import Quantity, agreement, quantities
from synthesis.coherence.question import Question
from synthesis.coherence.terms import sentences, terms, terms_with_spans
from synthesis.coherence.view import View

_LISTED = 3  # of so many parts on, a list's parts may be told in different places


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the answer says, as the answer writes it.

    A ``phrase`` is found in one of its ``forms`` (sequences of terms), an ``amount`` as a
    number or date of any form, a ``sentence`` by the share of its ``weights`` that one passage
    holds.
    """

    text: str
    kind: str
    forms: tuple[tuple[str, ...], ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    amount: Quantity | None = None

    def support(self, view: View, amounts: Iterable[Quantity]) -> float:
        """How far a text carries the fact, 0..1, given its view and its numbers and dates."""
        if self.amount is not None:
            return max((agreement(self.amount, found) for found in amounts), default=0.0)
        if any(view.occurrences(form) for form in self.forms):
            return 1.0
        return view.best(self.weights)


def facts_of(question: Question) -> tuple[Fact, ...]:
    """The facts of an answer, in its order; none for yes and no, which no word of a text states."""
    answer = question.answer
    if answer.kind == "yes/no" or not answer.terms:
        return ()
    if answer.kind == "numeric":
        if len(answer.amounts) == 1:
            return (Fact(answer.text.strip(), "amount", amount=answer.amounts[0]),)
        return tuple(Fact(answer.text[a.start : a.end], "amount", amount=a) for a in answer.amounts)
    if answer.kind == "summary":
        return tuple(_sentences(answer.text, question.stated))
    whole, *listed = answer.parts
    if len(listed) < _LISTED:
        return (_phrase(answer.text.strip(), whole, question.stated),)
    return tuple(_phrase(_spelled(answer, forms[0]), forms, question.stated) for forms in listed)


def wanted_terms(facts: Iterable[Fact]) -> set[str]:
    """What a view must keep the places of, for ``Fact.support``."""
    return {term for fact in facts for terms_ in (fact.weights, *fact.forms) for term in terms_}


def supports(text: str, facts: Iterable[Fact]) -> list[float]:
    """How far a text carries each fact, 0..1."""
    facts = tuple(facts)
    if not facts:
        return []
    view = View(text, wanted_terms(facts))
    amounts = list(quantities(text)) if any(fact.amount for fact in facts) else []
    return [fact.support(view, amounts) for fact in facts]


def _phrase(text: str, forms: tuple[tuple[str, ...], ...], stated: Mapping[str, float]) -> Fact:
    return Fact(text, "phrase", forms, {t: stated[t] for t in forms[0] if t in stated})


def _sentences(text: str, stated: Mapping[str, float]) -> Iterable[Fact]:
    for start, end in sentences(text):
        weights = {t: stated[t] for t in terms(text[start:end]) if t in stated}
        if len(weights) > 1:  # "Not at all." says nothing that could be looked for
            yield Fact(text[start:end], "sentence", weights=weights)


def _spelled(answer: Answer, form: tuple[str, ...]) -> str:
    """A part of an answer as the answer writes it."""
    places = list(terms_with_spans(answer.text))
    starts = range(len(places) - len(form) + 1)
    found = next((i for i in starts if tuple(t for t, _, _ in places[i : i + len(form)]) == form), None)
    if found is None:  # its terms are not those of the whole; the forms still find it
        return " ".join(form)
    return answer.text[places[found][1] : places[found + len(form) - 1][2]]
