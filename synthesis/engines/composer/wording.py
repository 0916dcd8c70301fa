"""Small pieces of wording that all rewriting shares: forms of *be*, dates with prepositions, closing stops.

Knows an answer's string, nothing of questions.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.english import (
    MONTHS,
    PREPOSITIONS,
    core,
    lower_first,
)


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
