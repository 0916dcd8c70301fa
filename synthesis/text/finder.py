"""One answer looked for in many short texts: the same as ``states``, at a fraction of its cost.

Knows what a text must hold at the least to state an answer, and leaves the rest to
``synthesis.text.states``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from synthesis.text.numbers import NAMES, canonical_terms
from synthesis.text.states import AnswerForms, answer_forms, haystack, stated_in
from synthesis.text.words import ORDINALS, TENS, TENTHS, UNITS_0_19, terms

# One, first and second are mostly no numbers, and stand in every other sentence.
_COMMON = frozenset(("1", "1st", "2nd"))
_SCALES = "hundred|thousand|illion"
_WHOLE = re.compile(r"\d+(?P<ordinal>st|nd|rd|th)?")


class AnswerFinder:
    """Tells of a text whether it states the answer; linear in the text."""

    __slots__ = ("_forms", "_least")

    def __init__(self, answer: str, *, bare: bool = False) -> None:
        """``bare``: a number of the answer counts also without what it counts, and in part."""
        forms = answer_forms(answer)
        if bare:
            numbers = (haystack((number,)) for number in sorted(_numbers(answer)))
            forms = AnswerForms((*forms.wholes, *numbers), forms.parts, forms.counted)
        self._forms = forms
        self._least = _least((*forms.wholes, *(forms.parts[0] if forms.parts else ())))

    def __call__(self, text: str) -> bool:
        """Whether the text states the answer."""
        if not self._forms:
            return False
        if self._least and text.isascii() and not self._least.search(text.lower()):
            return False
        return stated_in(haystack(canonical_terms(text)), self._forms)


def _numbers(answer: str) -> Iterator[str]:
    """The numbers of an answer and those they are written with, as ``canonical_terms`` has them."""
    words = (one[0] for word in answer.split() if len(one := terms(word)) == 1)
    found = {*re.findall(r"\d+", answer), *canonical_terms(answer), *words}
    return (term for term in found - _COMMON if term[0].isdigit())


def _least(forms: Iterable[bytes]) -> re.Pattern[str] | None:
    """What is in the lower case of every ASCII text that holds one of the forms, if that can be told."""
    found = set()
    for form in forms:
        told = form.decode("utf-8", "surrogatepass").split()
        numbers = [term for term in told if any(map(str.isdigit, term))]
        # Any other term is the beginning of its word, but for a final y and an O' before it.
        words = [term for term in told if term.isascii() and term[0] != "o" and term not in NAMES]
        if numbers:
            found.add(_end(numbers[0]))
        elif words:
            found.add(re.escape(max(words, key=len).removesuffix("y")))
        else:
            return None
    return re.compile("|".join(sorted(found)))


def _end(number: str) -> str:
    """What a number ends with in figures and in words, as a pattern; given as one of its canonical terms."""
    whole = _WHOLE.fullmatch(number)
    if whole is None:  # a date, whose day is an ordinal, or something with a point or letter in it
        return "|".join((r"\d", *ORDINALS[1:], *TENTHS))
    units, tens = (ORDINALS, TENTHS) if whole["ordinal"] else (UNITS_0_19, TENS)
    figures = number.removesuffix(whole["ordinal"] or "")
    last = int(figures[-2:])
    word = units[last if last < len(units) else last % 10] if last % 10 or last < 20 else tens[last // 10 - 2]
    # No comma parts the last three figures; before a scale there may be any.
    return f"{figures[-3:]}|{word}|{_SCALES}"
