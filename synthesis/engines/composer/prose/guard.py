"""What the text around the evidence must not say: the answer itself, by accident.

Knows the words of the pair. It does not know whether a sentence is any good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.engines.composer.lexicon import word_class
from synthesis.text.finder import AnswerFinder

#: Answers that are ordinary words of any text; avoiding them would leave nothing to say.
_ORDINARY = word_class("ordinary")

_WORD = re.compile(r"\w+")

#: An answer of more characters than this does not turn up by accident.
_LONG = 80

#: In an answer of so many words the figures alone would be taken for it: "7", "in 1931", "12 km".
_SHORT = 4


@dataclass(frozen=True, slots=True)
class Guard:
    """``names`` are casefolded words no name may contain; ``accident`` finds the answer in a text."""

    names: frozenset[str]
    accident: AnswerFinder | None = None

    def clean(self, text: str) -> bool:
        """Whether a sentence of ours is free of the answer."""
        return self.accident is None or not self.accident(text)


def guard(instruction: str, answer: str) -> Guard:
    """The guard for a pair. Costs one pass over both texts."""
    names = frozenset(_WORD.findall(f"{instruction}\n{answer}".casefold()))
    plain = answer.strip().strip(".,;:!?\"'").strip()
    if not plain or len(plain) > _LONG or plain.casefold() in _ORDINARY:
        return Guard(names)
    return Guard(names, AnswerFinder(plain, bare=len(plain.split()) <= _SHORT))
