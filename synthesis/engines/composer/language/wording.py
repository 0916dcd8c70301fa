"""Small pieces of wording that all rewriting shares: forms of *be*, dates with prepositions, closing stops.

Knows an answer's string, nothing of questions.
"""

from __future__ import annotations

import re
from functools import cache

from synthesis.engines.composer.language.english import (
    MONTHS,
    PREPOSITIONS,
    core,
    is_adjective,
    is_ing,
    lower_first,
    word_class,
)
from synthesis.engines.composer.lexicon import words


def be_form(past: bool, plural: bool = False) -> str:
    """The form of *be* for a tense and a number."""
    if past:
        return "were" if plural else "was"
    return "are" if plural else "is"


def trimmed(answer: str) -> str:
    """The answer without one closing full stop (abbreviations such as ``U.S.`` keep theirs)."""
    if (
        answer.endswith(".")
        and not answer.endswith("..")
        and not re.search(r"(?:\b\w\.\w|\b(?:Jr|Sr|Inc|Ltd|Co|etc))\.$", answer)
    ):
        return answer[:-1].rstrip()
    return answer.rstrip()


def dated(answer: str) -> str:
    """An answer to *when* with the preposition it needs."""
    first = core(answer.split()[0])
    if first in PREPOSITIONS or first in (
        "after",
        "before",
        "when",
        "while",
        "once",
        "as",
        "every",
        "last",
        "next",
    ):
        return lower_first(answer)
    month = re.match(
        rf"(?:\d{{1,2}}(?:st|nd|rd|th)? )?(?:{'|'.join(MONTHS)})\b(?P<rest>.*)", answer, re.IGNORECASE
    )
    if month:
        day = answer[:1].isdigit() or re.match(r" \d{1,2}(?!\d)", month["rest"])
        return ("on " if day else "in ") + answer
    if re.match(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day", first):
        return "on " + answer
    return "in " + lower_first(answer)


@cache
def _common() -> frozenset[str]:
    """Words that are no names, though an answer may open with them in capitals."""
    listed = {word for name in ("animals", "occupations") for word in words(name)}
    return frozenset(word.split()[-1] for word in listed) | word_class("common_nouns")


def common_case(answer: str) -> str:
    """The answer with its first letter lowered where its first word is a common one (``Water``).

    Names and titles keep their capital; so does whatever is not known to be common.
    """
    tokens = answer.split()
    first = core(tokens[0]) if tokens else ""
    if not re.fullmatch(r"[A-Z][a-z-]+[,.]?", tokens[0] if tokens else ""):
        return answer
    plain = all(token[:1].islower() for token in tokens[1:])
    describes = (is_adjective(first) or is_ing(first)) and plain and tokens[1:2] != ["of"]
    known = first in _common() or describes
    follows_low = len(tokens) == 1 or tokens[1][:1].islower()
    return answer[:1].lower() + answer[1:] if known and follows_low else answer


_DEFINITE = re.compile(
    r"(?:War|Wars|Ocean|Sea|River|Islands|Mountains|Desert|Empire|Republic|Revolution|Crusade)$"
)


def with_article(name: str) -> str:
    """``the Boer War``: the article that some names need inside a sentence."""
    bare = name[:1].isupper() and not re.match(r"(?:The|World|Queen) |.*['’]s\b", name)
    return f"the {name}" if bare and len(name.split()) > 1 and _DEFINITE.search(name) else name
