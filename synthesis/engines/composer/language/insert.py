"""Put an answer where a mid-sentence question word stands.

Knows frames and answer shapes; None where no form is sure to be grammatical.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.language.answers import (
    PERSON_NOUNS,
    PLACE_NOUNS,
    is_date,
    is_number,
    is_ordinal,
    names_person,
)
from synthesis.engines.composer.language.english import (
    ADVERBS,
    PREPOSITIONS,
    article,
    core,
    is_adjective,
    is_base,
    is_plural,
    lower_first,
    word_class,
)
from synthesis.engines.composer.language.frames import Frame
from synthesis.engines.composer.lexicon import words as words_of

_TITLED = word_class("titled")
_LANGUAGE = frozenset(["language", "languages", "nationality", "tongue", "dialect"])


def fill_gap(frame: Frame, given: str, how: str) -> str | None:
    """The answer ``given``, of shape ``how``, in the place of a mid-sentence question word."""
    before, after, noun = frame.before, frame.after, frame.noun
    low = lower_first(given)
    if how in ("clause", "because"):
        return None
    if core(before.split()[-1]) in ("do", "does", "did", "doing"):
        doing = re.search(r"^(.*\bto) do$", before)
        if not doing or after or not is_base(core(given.split()[0])):
            return None
        return f"{doing[1]} {low[:1].lower() + low[1:]}"
    if how == "verb":
        return None
    tail = after if after.startswith(",") else f" {after}" if after else ""
    if frame.wh == "where" and how == "noun":
        low = f"in {low}"
    if not noun:
        return f"{before} {low}{tail}"
    return _fill_noun(before, noun, low, tail)


def _fill_noun(before: str, noun: str, low: str, tail: str) -> str | None:
    """``which N`` mid-sentence: drop, keep or turn into an apposition what follows the question word."""
    comma = "," if noun.endswith(",") else ""
    noun = noun.rstrip(",")
    words = noun.split()
    if is_ordinal(low):
        if words[0] == "number":
            return f"{before} {low} {' '.join(words[1:])}{comma}{tail}"
        return f"{before} the {low} {noun}{comma}{tail}"
    if is_number(low) and len(low.split()) == 1 and core(words[0]) not in ("year", "number", "date"):
        return None
    if is_date(low) and core(words[-1]) in ("year", "date", "century", "month", "decade"):
        return f"{before} {low}{comma}{tail}"
    kind = core(words[0]) in ("type", "kind", "sort")
    if kind and not tail.startswith(" of"):
        return f"{before} {low}{comma}{tail}"
    if kind and not re.search(r"\b(?:that|which|who)\b", tail):
        return _typed(before, low, tail)
    if (
        not tail
        and core(words[-1]) in ("occupation", "profession", "job", "nationality")
        and low[:1].islower()
    ):
        return f"{before} the {noun} of {low}"
    if words[0] == "of":
        return f"{before} {low}, one {noun}{comma}{tail}"
    if (
        low in words_of("nationalities") + words_of("languages")
        and len(words) == 1
        and words[0] not in _LANGUAGE
    ):
        return f"{before} {low} {noun}{comma}{tail}"
    if not tail and not comma and words[0] != "other":
        return _labelled(before, noun, low)
    plural = is_plural("the " + noun) and not words[-1][:1].isupper()
    if plural or (noun.casefold().split()[-1] in low.casefold().split() and not tail):
        return f"{before} {low}{comma}{tail}"
    if words[0] == "other":
        phrase = "another " + " ".join(words[1:]) if len(words) > 1 else "another"
    else:
        phrase = f"{article(noun)} {noun}"
    follows = core(tail.split()[0]) if tail else ""
    if tail.startswith(" of"):
        return f"{before} {low}, {phrase}{tail}"
    if follows == "and" or (comma and is_adjective(core(words[-1]))) or (comma and names_person(noun)):
        return f"{before} {low}, {phrase}{comma}{tail}"
    if follows in PREPOSITIONS or follows in ADVERBS or comma:
        if words[0] != "other" and not (names_person(noun) or core(words[-1]) in _TITLED):
            # A place or a thing takes what it is behind it: "in Franconia, a town in ...".
            sited = core(words[-1]) in PLACE_NOUNS and follows == "in"
            if len(words) == 1 and core(noun) in PLACE_NOUNS and not sited:
                return f"{before} {low}{comma}{tail}"
            return f"{before} {low}, {phrase}{comma if sited else ','}{tail}"
        label = "the other" + noun[5:] if words[0] == "other" else f"the {noun}"
        return f"{before} {label} {low}{comma}{tail}"
    return f"{before} {low}, {phrase}{tail}"


def _labelled(before: str, noun: str, low: str) -> str:
    """``in which town`` at the end: ``in the town of Norman``, ``by the company Baxter``, or bare."""
    head = core(noun.split()[-1])
    if head in ("town", "city", "village", "state", "province") and not low[:1].islower() and "," not in low:
        return f"{before} the {noun} of {low}"
    if (head in PERSON_NOUNS or head in _TITLED) and not low[:1].islower() and not low.startswith("The "):
        return f"{before} the {noun} {low}"
    if len(noun.split()) > 1 and not low[:1].islower() and " and " not in noun:
        return f"{before} {low}, {article(noun)} {noun}"
    return f"{before} {low}"


def _typed(before: str, low: str, tail: str) -> str:
    """``what type of game`` at the end: a bare common noun gets its article (``a board game``)."""
    noun = tail.split()[-1].casefold()
    if not low[:1].islower() or low.split()[-1].casefold() != noun or low.startswith(("a ", "an ", "the ")):
        return f"{before} {low}"
    if before.endswith(" both"):
        before = before[: -len("both")] + "each"
    return f"{before} {article(low)} {low}"
