"""What a fact is about: a person, a place, a date, a work or a number.

Knows the fact's string only, and treats evidence and decoys alike, so that nothing about
how a fact is led up to tells one from the other. A guess that fails costs a general
sentence instead of a fitting one, never a wrong text.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.words import is_english

#: What a fact can be about, in the order in which they are tried.
SUBJECTS = ("date", "number", "work", "place", "person")

#: A longer fact is a passage, and about more than one thing.
_LONGEST = 40

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_SIGNS = {
    "date": re.compile(rf"\b(?:1[0-9]|20)\d\d\b|\b\d{{1,2}} (?:{_MONTHS})\b|\b(?:{_MONTHS}) \d"),
    "number": re.compile(
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds?|thousand|million|billion)\b"
    ),
    "work": re.compile(
        r"[\"“][A-Z]|\b(?:film|movie|novel|song|album|book|series|play|opera|poem|magazine|newspaper|painting"
        r"|game|show|episode|comedy|drama|documentary|soundtrack|manga)\b"
    ),
    "place": re.compile(
        r"\b(?:located|situated|lies|town|city|village|country|county|river|province|region|district|island"
        r"|capital|street|based in|born in|headquartered|mountain|lake|stadium|held in|nationality)\b"
    ),
    "person": re.compile(
        r"\b(?:[Hh]e|[Ss]he|who|born|died|actor|actress|singer|writer|author|directors?|composer|player|king"
        r"|queen|president|minister|son|daughter|wife|husband|father|mother|married|directed by|written by"
        r"|founded by|played by|starring|coach|professor|artist|musician|politician)\b"
    ),
}


def about(fact: str) -> str:
    """One of ``SUBJECTS``, or ``""`` where the fact is long, not English, or about nothing of these."""
    if "\n" in fact or fact.count(" ") > _LONGEST or not is_english(fact):
        return ""
    return next((subject for subject in SUBJECTS if _SIGNS[subject].search(fact)), "")
