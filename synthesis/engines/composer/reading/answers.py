"""What an answer is: its kind (name, date, number, sentence, ...) and its grammatical shape.

Knows only the pair's two strings and closed word lists; never looks anything up.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.wording import squash
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    DETERMINERS,
    MONTHS,
    ORDINALS,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    SMALL_NUMBERS,
    base_of_third,
    core,
    is_base,
    is_ing,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class

PERSON_NOUNS = word_class("person_nouns")
PLACE_NOUNS = word_class("place_nouns")
_DIRECTIONS = word_class("directions")
_OBJECTS = word_class("own_objects")
_NUMBER_WORDS = frozenset(SMALL_NUMBERS)
_MONTH = "|".join(MONTHS)
_DATE = re.compile(
    rf"\b(?:{_MONTH})\b.*\d|^(?:in |on |around |about |c\. ?)?\d{{4}}s?(?:\W|$)|\bcentury\b"
    r"|\b(?:19|20)\d0'?s\b"
    r"|\b\d{3,4} ?(?:–|-) ?\d{2,4} ?(?:BCE|BC|CE|AD)\b|\b\d+ (?:BCE|BC|AD|CE)\b"
    r"|^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day)$",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"^(?:about |around |approximately |nearly |over |more than |at least |almost )?[$€£¥]? ?\d[\d,.]*",
    re.IGNORECASE,
)
_POLAR = frozenset(["yes", "no", "yep", "nope", "true", "false"])


def is_polar(answer: str) -> bool:
    """Whether the answer is a bare yes or no."""
    return len(answer) < 12 and core(answer) in _POLAR


def affirms(answer: str) -> bool:
    """Whether a polar answer means yes."""
    return core(answer) in ("yes", "yep", "true")


def is_date(text: str) -> bool:
    """Whether a short text names a date, a year or an era."""
    return len(text) < 60 and bool(_DATE.search(text))


def is_number(text: str) -> bool:
    """Whether a short text is a quantity, in figures or words."""
    tokens = text.split()
    if not tokens or len(tokens) > 6:
        return False
    return bool(_NUMBER.match(text)) or core(tokens[0]).split("-")[0] in _NUMBER_WORDS


def is_ordinal(text: str) -> bool:
    """Whether the text is one ordinal, ``seventh`` or ``7th``."""
    return core(text) in ORDINALS or bool(re.fullmatch(r"\d+(?:st|nd|rd|th)", core(text)))


def names_person(noun: str) -> bool:
    """Whether the head of a noun phrase (its part before any preposition) is a person."""
    head = re.split(r"\b(?:of|in|for|with|from|on|at|that|who|born|named)\b|,", noun, maxsplit=1)[0].split()
    return bool(head) and core(head[-1]) in PERSON_NOUNS


def _finite_at(tokens: list[str], at: int) -> bool:
    """Whether ``tokens[at]`` looks like the finite verb of a clause that began before it."""
    word = core(tokens[at])
    if not tokens[at][:1].islower():
        return False
    if word in AUXILIARIES:
        return True
    before = core(tokens[at - 1])
    if (
        before in DETERMINERS
        or before in PREPOSITIONS
        or word in PREPOSITIONS
        or word in ("based", "named", "called")
        or before.endswith(("'s", "’s"))
        or re.match(r"un\w+ed$", word)
    ):
        return False
    after = core(tokens[at + 1]) if at + 1 < len(tokens) and not tokens[at].endswith(",") else ""
    if is_base(word) and not is_past(word):
        # A plural subject: "Bill and Trot enjoy the snow".
        return (
            bool(after)
            and tokens[at - 1][:1].isupper()
            and any(core(token) == "and" for token in tokens[:at])
        )
    if at == 1 and is_participle(word) and tokens[2:3] and not _object_starts(tokens[2]):
        return False  # "Custom made chairs"
    if base_of_third(word):
        # Nouns look like verbs here ("the last works"), so more is asked of them: something must follow,
        # and what stands before must be a name, a pronoun or a noun after a determiner.
        return bool(after) and after not in ("of",) and (at > 1 or tokens[0][:1].isupper())
    return is_past(word) and after not in ("by", "") and not is_ing(word)


def _object_starts(token: str) -> bool:
    word = core(token)
    return (
        not token[:1].islower()
        or word in DETERMINERS
        or word in PREPOSITIONS
        or word in PRONOUNS
        or word == "him"
    )


def is_clause(text: str) -> bool:
    """Whether a text is a full sentence (subject and finite verb) rather than a fragment."""
    tokens = text.split()[:40]
    if len(tokens) < 2:
        return False
    first = core(tokens[0])
    if re.match(r"(?:he|she|it|they|we|i|you|there|that)['’](?:s|re|ve|ll|d|m)\b", tokens[0], re.IGNORECASE):
        return True
    if first in ("he", "she", "it", "they", "we", "i", "you"):
        return True
    if first in PREPOSITIONS or first in ("because", "to", "that", "not", "who") or is_ing(first):
        return False
    if len(tokens) > 2 and is_base(first) and tokens[0][:1].islower():
        return False
    for at in range(1, min(len(tokens), 14)):
        if core(tokens[at]) in RELATIVES or core(tokens[at]) in ("including", "whether"):
            return False
        if core(tokens[at]) == "to" or (at > 1 and core(tokens[at]) in PREPOSITIONS and at > 6):
            return False
        if _finite_at(tokens, at):
            return True
    return False


def shape(answer: str) -> str:
    """The grammatical shape of a short answer.

    Returns:
        ``clause``, ``because``, ``infinitive``, ``that``, ``by``, ``prepositional``, ``gerund``,
        ``verb`` (a bare verb phrase) or ``noun``.
    """
    tokens = answer.split()
    first = core(tokens[0]) if tokens else ""
    second = core(tokens[1]) if len(tokens) > 1 else ""
    if first == "because":
        return "prepositional" if second == "of" else "because"
    if first == "to" and (is_base(second) or second == "be"):
        return "infinitive"
    if first == "by" and second.endswith("ing"):
        return "by"
    if is_clause(answer):
        return "clause"
    if first == "that" and len(tokens) > 3:
        return "that"
    if first in _DIRECTIONS:
        return "prepositional"
    if first in ("after", "before", "when", "while", "if", "since", "until", "once") and len(tokens) > 1:
        return "prepositional"
    if first in PREPOSITIONS and len(tokens) > 1 and first not in ("over", "about", "near", "around", "past"):
        return "prepositional"
    if is_ing(first):
        return "gerund"
    if len(tokens) > 1 and (is_base(first) or base_of_third(first)) and _verb_phrase(tokens):
        return "verb"
    return "noun"


def _verb_phrase(tokens: list[str]) -> bool:
    second = core(tokens[1])
    if second in DETERMINERS or second in POSSESSIVES or second in _OBJECTS:
        return True
    return second in PREPOSITIONS and second != "of" and tokens[0][:1].islower()


def kind(instruction: str, answer: str) -> str:
    """What sort of answer this is.

    Returns:
        ``yes_no``, ``numeric``, ``date``, ``person``, ``place``, ``span``, ``sentence`` or ``summary``.
    """
    if len(answer) > 600:
        return "summary"
    text = squash(answer)
    if is_polar(text):
        return "yes_no"
    if len(re.findall(r"[.!?](?:\s|$)", text)) >= 3 and len(text.split()) > 30:
        return "summary"
    question = " " + squash(instruction[:2000]).casefold() + " "
    # A count may look like a year: what was asked for decides.
    if re.search(r"\bhow (?:many|much|old|tall|far|often|big|large|high|deep)\b|\bpopulation\b", question):
        if is_number(text):
            return "numeric"
    elif is_date(text):
        return "date"
    if is_number(text) and len(text.split()) <= 4:
        return "numeric"
    if is_clause(text) or shape(text) in ("because", "infinitive", "that", "by", "gerund", "verb"):
        return "sentence"
    return _name_kind(question, text)


def asked_nouns(question: str) -> list[str]:
    """The casefolded words of the noun asked for: ``which Welsh actor`` gives ``welsh, actor``."""
    text = question.casefold()
    asked = re.search(r"\b(?:what|which)(?: (?:is|was) the (?:name|title) of (?:the|a|an))? ([^?,;:]+)", text)
    nouns = [core(token) for token in asked.group(1).split()[:8]] if asked else []
    ends = (
        at
        for at, noun in enumerate(nouns)
        if at and (noun in PREPOSITIONS or noun in AUXILIARIES or noun in RELATIVES)
    )
    return nouns[: next(ends, len(nouns))] if nouns and nouns[0] not in AUXILIARIES else []


def _name_kind(question: str, text: str) -> str:
    named = bool(re.match(r"[\"“'(]?(?:the |a |an )?[^\W\d_]", text, re.IGNORECASE)) and any(
        token[:1].isupper() for token in text.split()
    )
    heads = asked_nouns(question)
    if named and (re.search(r"\bwho(?:m|se)?\b", question) or any(noun in PERSON_NOUNS for noun in heads)):
        return "person"
    if re.search(r"\bwhere\b", question) or any(noun in PLACE_NOUNS for noun in heads):
        return "place" if named else "span"
    return "span"
