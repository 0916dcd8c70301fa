"""Whether a reply gives the answer that was expected: it states it, or most of its words are the same."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from synthesis.gate.choices import chooses, offer_of
from synthesis.gate.replies import without_thinking
from synthesis.text.numbers import canonical_terms
from synthesis.text.states import is_ordinary, states

_ALIKE: Final = 0.5
# The article and the pronoun are no letters to choose from.
_LETTER = re.compile(r"\b[A-Z]\b(?!['\u2019])(?!(?<=[AI])\s+(?!(?:is|was|as|because|since|not|but)\b)[a-z])")
_EITHER = re.compile(r"\b(\w+)\W{1,3}(?:or|and|nor)\W{1,3}(\w+)\b")
_NOT = re.compile(r"\bnot\s+\(?\w+\b", re.IGNORECASE)


def gives(reply: str, answer: str, question: str = "") -> bool:
    """Whether a reply gives the answer.

    It states it, in whatever spelling of numbers, dates and accents, or their words agree (F1 of at least
    0.5). Where the ``question`` offers several to choose from, the reply must choose the one: naming all of
    them gives none. Of an answer such as yes, no or B, which any text holds, the first such word of the
    reply counts.
    """
    text = without_thinking(reply)
    offer = offer_of(question, answer) if question else None
    chosen = chooses(text, offer, question) if offer else None
    if offer and chosen is not None:
        return chosen or (offer.right < 0 and states(text, answer))
    if is_ordinary(answer):
        return _gives_ordinary(_EITHER.sub(_decided, text), answer.strip().strip(".()").casefold())
    return states(text, answer) or word_f1(text, answer) >= _ALIKE


def _gives_ordinary(text: str, wanted: str) -> bool:
    if len(wanted) == 1:
        return next(iter(_LETTER.findall(_NOT.sub("", text))), "").casefold() == wanted
    said = (term for term in canonical_terms(text) if len(term) > 1 and is_ordinary(term))
    return next(said, "") == wanted


def _decided(found: re.Match[str]) -> str:
    """Nothing in the place of "yes or no" and "A or B"."""
    one, other = found[1], found[2]
    letters = len(one) == len(other) == 1 and one.isupper() and other.isupper()
    words = len(one) > 1 and len(other) > 1 and is_ordinary(one) and is_ordinary(other)
    return "" if letters or words else found[0]


def word_f1(text: str, other: str) -> float:
    """The harmonic mean of the shares of each text's words that the other has, from 0 to 1."""
    one, two = Counter(canonical_terms(text)), Counter(canonical_terms(other))
    both = sum((one & two).values())
    return 2 * both / (sum(one.values()) + sum(two.values())) if both else 0.0
