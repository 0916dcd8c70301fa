"""What the text around the evidence must not say: the answer itself, by accident.

Knows the words of the pair. It does not know whether a sentence is any good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.engines.composer.lexicon import word_class, words

#: Answers that are ordinary words of any text; avoiding them would leave nothing to say.
_ORDINARY = word_class("ordinary")

_NUMBERS = words("numbers")
_UNITS, _TENS = _NUMBERS[:20], _NUMBERS[20:28]
_WORD = re.compile(r"\w+")

#: An answer of more characters than this does not turn up by accident.
_LONG = 80


@dataclass(frozen=True, slots=True)
class Guard:
    """``names`` are casefolded words no name may contain; ``accident`` finds the answer in a text."""

    names: frozenset[str]
    accident: re.Pattern[str] | None

    def clean(self, text: str) -> bool:
        """Whether a sentence of ours is free of the answer."""
        return self.accident is None or self.accident.search(text) is None


def guard(instruction: str, answer: str) -> Guard:
    """The guard for a pair. Costs one pass over both texts."""
    names = frozenset(_WORD.findall(f"{instruction}\n{answer}".casefold()))
    phrases = sorted(_phrases(answer))
    if not phrases:
        return Guard(names, None)
    joined = "|".join(re.escape(phrase) for phrase in phrases)
    return Guard(names, re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE))


def _phrases(answer: str) -> set[str]:
    """The forms in which a short answer could appear: as it is, and a number in figures or words."""
    plain = answer.strip().strip(".,;:!?\"'").strip()
    if not plain or len(plain) > _LONG:
        return set()
    found = set() if plain.casefold() in _ORDINARY else {plain}
    without_article = re.sub(r"^(?:the|an?)\s+", "", plain, flags=re.IGNORECASE)
    if without_article and without_article.casefold() not in _ORDINARY:
        found.add(without_article)
    # "7", "in 1931", "12 km": the figures alone would be taken for the answer.
    if len(plain.split()) <= 4:
        for digits in re.findall(r"\d+", plain):
            found.add(digits)
            found.update(_spelled(int(digits)) if len(digits) < 3 else ())
        for word in plain.casefold().split():
            if word in _UNITS[2:] or word in _TENS:
                found.add(word)
    return found


def _spelled(number: int) -> tuple[str, ...]:
    if number < 20:
        # "one" is too ordinary a word to be avoided.
        return () if number == 1 else (_UNITS[number],)
    tens, unit = divmod(number, 10)
    return (_TENS[tens - 2],) if unit == 0 else (f"{_TENS[tens - 2]}-{_UNITS[unit]}",)
