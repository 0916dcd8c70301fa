"""Where a text names a value, word for word, and whether it states the value in any other way.

A value may be exchanged for another where every statement of it is such a mention: then the text is the
same with another name in it, and what follows from the one follows from the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from synthesis.coherence.facts.values import countries_in
from synthesis.engines.composer.grammar.wording import trimmed
from synthesis.text.finder import AnswerFinder
from synthesis.text.words import terms

_ARTICLE: Final = re.compile(r"^(?:the|a|an) (?=\S)", re.IGNORECASE)
_PROPER: Final = re.compile(r"[^\W\d_][\w'’-]+")
_STEM: Final = 5  # letters that a word must have for another to be made of it
_ENDING: Final = r"\w{0,5}"
_BLANK: Final = "\x00"


def core_of(answer: str) -> str:
    """What of an answer is exchanged: without the article before it and the stop behind it."""
    return _ARTICLE.sub("", trimmed(answer))


def mentions(text: str, value: str) -> list[int]:
    """Where the value begins, each time as a whole word."""
    return [match.start() for match in re.finditer(rf"(?<![\w-]){re.escape(value)}(?![\w-]|[.,]\d)", text)]


def all_told(text: str, value: str, answer: str) -> bool:
    """Whether the text states the answer nowhere but in mentions of the value."""
    rest = text
    for start in reversed(mentions(text, value)):
        rest = rest[:start] + _BLANK + rest[start + len(value) :]
    return not AnswerFinder(answer, bare=True)(rest) and not AnswerFinder(value, bare=True)(rest)


def named_in_part(text: str, value: str, known: str) -> bool:
    """Whether a proper word of a name stands outside its mentions, as a surname does; those ``known`` may."""
    rest = text
    for start in reversed(mentions(text, value)):
        rest = rest[:start] + _BLANK + rest[start + len(value) :]
    return any(pattern.search(rest) for pattern in partly(value, known)) or bool(
        set(countries_in(terms(value))).intersection(countries_in(terms(rest)))
    )


def partly(value: str, known: str) -> list[re.Pattern[str]]:
    """What finds a proper word of a name that is not ``known``, also with an ending (Chile, Chilean)."""
    return [
        re.compile(rf"(?<!\w){re.escape(word)}{'' if len(word) < _STEM else _ENDING}(?!\w)")
        for word in proper_words(value, known)
    ]


def proper_words(value: str, known: str = "") -> list[str]:
    """The words of a name that are its own: with a capital, and not in ``known``."""
    told = set(_PROPER.findall(known))
    return [
        word for word in _PROPER.findall(value) if word[:1].isupper() and len(word) > 2 and word not in told
    ]


def stated(texts: Iterable[str], answer: str) -> bool:
    """Whether one of the texts states the answer."""
    return any(map(AnswerFinder(answer), texts))
