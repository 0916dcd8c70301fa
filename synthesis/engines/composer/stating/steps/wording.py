"""Other words for what a step says, so that no step is found by the question's wording alone.

Knows clauses with gaps (see ``links``) and a short list of turns of phrase.
"""

from __future__ import annotations

import re
from functools import cache

from synthesis.engines.composer.lexicon import words

_BORN = (
    "{s} was born %s{v}",
    "{s} came into the world %s{v}",
    "the life of {s} began %s{v}",
    "the birth of {s} was entered %s{v}",
    "it was %s{v} that {s} was christened",
)
_DIED = (
    "{s} died %s{v}",
    "death came to {s} %s{v}",
    "the life of {s} ended %s{v}",
    "{s} passed away %s{v}, among friends",
    "the last hours of {s} were spent %s{v}",
)
_WHOLE = (
    (re.compile(r"\{s\} was born (?P<at>(?:on |in |at )?(?:the )?)\{v\}$"), _BORN),
    (re.compile(r"\{s\} died (?P<at>(?:on |in |at |of )?(?:the )?)\{v\}$"), _DIED),
)


def worded(form: str) -> tuple[str, ...]:
    """The form itself and others that say the same, first the one that keeps its words."""
    for pattern, forms in _WHOLE:
        found = pattern.match(form)
        if found and (found["at"] or forms is _BORN):
            return tuple(
                one.replace("%s", found["at"]) for one in forms if found["at"] != "of " or one == forms[0]
            )
    return tuple(dict.fromkeys((form, *_turned(form))))


def _turned(form: str) -> list[str]:
    """What one turn of phrase after the other makes of a form."""
    made = [
        f"{before}{other}{after}"
        for own, other in _turns()
        for before, found, after in (form.partition(own),)
        if found and not _HELPED.search(before) and (" " in own.strip() or not _OWN_PARTICLE.match(after))
    ]
    gaps = form.count("{s}"), form.count("{v}")
    return [one for one in made if (one.count("{s}"), one.count("{v}")) == gaps]


_OWN_PARTICLE = re.compile(r"(?:by|in|as|for|at|on|with|to|from|out|up|off) ")
_HELPED = re.compile(r"\b(?:is|was|are|were|be|been|being|has|had|have|did|also|not|who|that|which|to)$")


@cache
def _turns() -> tuple[tuple[str, str], ...]:
    sides = (line.partition("=") for line in words("turns"))
    return tuple((f" {own.strip()} ", f" {other.strip()} ") for own, _, other in sides)


def other_words(text: str) -> str:
    """Plain words replaced by others for them, never in quotes, names or gaps."""
    return _WORDS.sub(lambda word: word[0] if word[1] or word[2] else _synonyms().get(word[0], word[0]), text)


# Quoted, or in a gap or a name: such words stay; all others are small letters alone.
_WORDS = re.compile(r"(\"[^\"]*\"|“[^”]*”|\{\w\})|(\w*[A-Z0-9'’-]\w*)|\b[a-z]+\b")


@cache
def _synonyms() -> dict[str, str]:
    sides = (line.partition("=") for line in words("synonyms"))
    return {own.strip(): other.strip() for own, _, other in sides}
