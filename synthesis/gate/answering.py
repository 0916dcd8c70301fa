"""Whether a reply gives the answer that was expected: it states it, or most of its words are the same."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from synthesis.gate.replies import without_thinking
from synthesis.text.numbers import canonical_terms
from synthesis.text.states import is_ordinary, states

_ALIKE: Final = 0.5
_LETTER = re.compile(r"\b[A-Z]\b(?!['\u2019])")


def gives(reply: str, answer: str) -> bool:
    """Whether a reply gives the answer.

    It states it, in whatever spelling of numbers, dates and accents, or their words agree (F1 of at least
    0.5). Of an answer such as yes, no or B, which any text holds, the first such word of the reply counts.
    """
    text = without_thinking(reply)
    if is_ordinary(answer):
        wanted = answer.strip().strip(".()").casefold()
        if len(wanted) == 1:
            return next((one for one in _LETTER.findall(text)), "").casefold() == wanted
        said = (term for term in canonical_terms(text) if len(term) > 1 and is_ordinary(term))
        return next(said, "") == wanted
    return states(text, answer) or word_f1(text, answer) >= _ALIKE


def word_f1(text: str, other: str) -> float:
    """The harmonic mean of the shares of each text's words that the other has, from 0 to 1."""
    one, two = Counter(canonical_terms(text)), Counter(canonical_terms(other))
    both = sum((one & two).values())
    return 2 * both / (sum(one.values()) + sum(two.values())) if both else 0.0
