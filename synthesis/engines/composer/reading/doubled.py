"""Two questions in one: the one of them that an answer is for.

``who invented the printing press and what year`` with a year asks when it was invented, ``which is the
fastest train and what is its speed`` with a name which it is. Knows the two strings.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.phrases import noun_phrase_end, tokens_of
from synthesis.engines.composer.grammar.words import AUXILIARIES, base_of_past, core, is_past, verbs
from synthesis.engines.composer.reading.answers import is_date, is_number

_SECOND = re.compile(
    r"(?P<first>(?:who|what|which|where|when|how) .{8,}?),?(?P<and> and(?: also)?)? "
    r"(?P<second>(?:who|what|which|where|when|why|how|in what|by what|at what)(?: .+)?)$",
    re.IGNORECASE,
)
_REFERS = re.compile(r"\b(?:it|its|they|their|them|he|his|she|her)\b", re.IGNORECASE)
_OWNED = frozenset(["its", "their", "his", "her"])
_ASKS = re.compile(
    r"^(?:in |by |at )?(?P<wh>who|what|which|where|when|why|how)(?: (?P<noun>\w+))?", re.IGNORECASE
)
_DATED = frozenset(["year", "date", "day", "century", "time", "decade", "month"])
#: What a question that ends in one of these goes on with is no second one: "know who", "of which".
_GOES_ON = frozenset(["know", "say", "said", "see", "of", "in", "about", "by", "for"])


def single(question: str, answer: str) -> str:
    """The question that is answered; the whole where it is one, or where the two cannot be told apart."""
    found = _SECOND.match(question)
    if found is None:
        return question
    first, second = found["first"], found["second"]
    asks = second.split()
    whole = found["and"] or len(asks) > 2 and core(asks[1]) in AUXILIARIES
    if not whole or core(first.split()[-1]) in _GOES_ON:
        return question
    if not found["and"] and core(asks[0]) in ("who", "which", "when", "where", "what") and len(asks) < 4:
        return question
    fits = _fits(second, answer) - _fits(first, answer)
    if fits <= 0:
        return first
    return _completed(first, second) or question


def _fits(question: str, answer: str) -> int:
    """How well an answer of that look fits what is asked: 2 surely, 1 perhaps, 0 not."""
    found = _ASKS.match(question)
    wh, noun = (found["wh"].casefold(), core(found["noun"] or "")) if found else ("", "")
    dated, number = is_date(answer), is_number(answer)
    dated = dated or bool(re.match(r"(?:circa|c\.|about|winter|summer|spring) .*\d", answer))
    if (
        wh == "when"
        or noun in _DATED
        or re.search(r"\b(?:what|which) (?:is|are|was|were) the dates?\b", question)
    ):
        return 2 if dated else 0
    if wh == "how":
        return 2 if number and not dated else 1 if noun not in ("many", "much", "old", "long", "far") else 0
    if dated or number and not re.search(r"\b(?:speed|number|age|price|population|height)\b", question):
        return 0
    if wh == "where" and "," in answer:
        return 2
    return 1


def _completed(first: str, second: str) -> str:
    """The second question with what it says "it" of, or takes for granted."""
    subject = _subject(first)
    asks = second.split()
    if len(asks) < 3:
        return _when_done(first, second)
    if not _REFERS.search(second):
        return second
    if not subject:
        return ""
    owned = f"{subject}'" if subject.endswith("s") else f"{subject}'s"
    return _REFERS.sub(lambda word: owned if word[0].casefold() in _OWNED else subject, second)


def _subject(question: str) -> str:
    """What the first question is about: the noun phrase behind its auxiliary, or behind its verb."""
    tokens = tokens_of(question)
    for at in range(1, min(4, len(tokens) - 1)):
        if core(tokens[at]) in AUXILIARIES or is_past(core(tokens[at])):
            end = noun_phrase_end(tokens, at + 1)
            return " ".join(tokens[at + 1 : end]) if end > at + 1 else ""
    return ""


def _when_done(first: str, second: str) -> str:
    """``who invented the press`` and ``what year`` as ``what year was the press invented``."""
    tokens = tokens_of(first)
    verb = base_of_past(core(tokens[1])) if len(tokens) > 2 else None
    if core(tokens[0]) != "who" or not verb:
        return ""
    done = verbs()[verb].participle
    return f"{second} was {' '.join(tokens[2:])} {done}"
