"""Relatives of relatives: "the paternal grandfather of X" is the father of X's father.

Knows what such a word is made of; nothing of the rest of a question.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.stating.steps.bridges import NAME, relation
from synthesis.engines.composer.stating.steps.links import Link
from synthesis.engines.composer.stating.steps.naming import Namer

# Whose what: the first is a relative of the one who is asked about, the second a relative of that one.
_MADE_OF = {
    "paternal grandfather": ("father", "father"),
    "paternal grandmother": ("father", "mother"),
    "maternal grandfather": ("mother", "father"),
    "maternal grandmother": ("mother", "mother"),
    "grandfather": ("father", "father"),
    "grandmother": ("mother", "mother"),
    "father-in-law": ("spouse", "father"),
    "mother-in-law": ("spouse", "mother"),
    "brother-in-law": ("spouse", "brother"),
    "sister-in-law": ("spouse", "sister"),
    "sibling-in-law": ("spouse", "sibling"),
    "son-in-law": ("daughter", "husband"),
    "daughter-in-law": ("son", "wife"),
    "child-in-law": ("child", "spouse"),
    "stepfather": ("mother", "husband"),
    "stepmother": ("father", "wife"),
    "uncle": ("father", "brother"),
    "aunt": ("mother", "sister"),
    "nephew": ("brother", "son"),
    "niece": ("sister", "daughter"),
    "grandson": ("child", "son"),
    "granddaughter": ("child", "daughter"),
    "grandchild": ("child", "child"),
}
_WORDS = "|".join(_MADE_OF)
_OF = re.compile(rf"^[wW]ho (?:is|was) (?:the )?(?P<word>{_WORDS}) of (?P<name>{NAME})$")
_OWN = re.compile(rf"^[wW]ho (?:is|was) (?P<name>{NAME})['’]s (?P<word>{_WORDS})$")


def relatives(question: str, answer: str, namer: Namer) -> tuple[Link, Link] | None:
    """The two steps from somebody to a relative's relative; None for any other question."""
    found = _OF.match(question) or _OWN.match(question)
    if found is None:
        return None
    first, second = _MADE_OF[found["word"]]
    between = namer.fresh(first, "person")
    last = relation(second, answer, between)
    # Who it is stands first in its forms, as an answer would.
    return relation(first, between, found["name"]), Link(answer, second, between, last.forms, "answer")
