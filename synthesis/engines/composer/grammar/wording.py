"""Small pieces of wording: articles, capitals, closing stops, forms of *be*, dates with prepositions.

Knows a string at a time, nothing of questions.
"""

from __future__ import annotations

import re
from functools import cache

from synthesis.engines.composer.grammar.words import (
    ARTICLES,
    DETERMINERS,
    MONTHS,
    PREPOSITIONS,
    PRONOUNS,
    SMALL_NUMBERS,
    VOWELS,
    WH,
    core,
    is_adjective,
    is_ing,
)
from synthesis.engines.composer.lexicon import word_class, words


def article(phrase: str) -> str:
    """``a`` or ``an``, by the sound that ``phrase`` most likely starts with."""
    first = phrase.lstrip("\"'“‘(").split(" ", 1)[0]
    low = first.casefold()
    if re.match(r"(8|11\b|18\b|1[18]th|1[18]00|1[18]\d\d\b)", low):
        return "an"
    if first.isupper() and 1 < len(first) < 5 and first.isalpha():
        return "an" if first[0] in "AEFHILMNORSX" else "a"
    if re.match(r"(hour|honest|honou?r|heir)", low):
        return "an"
    if re.match(r"(uni([^nm]|$)|u[ks]$|use|usu|eu|one\b|once|u\.s|ute|ura|uga|ukr|uru)", low):
        return "a"
    return "an" if low[:1] in VOWELS and low else "a"


_LOWERABLE = (
    DETERMINERS | PRONOUNS | (PREPOSITIONS - {"like"}) | WH
    | word_class("lowerable")
    | frozenset(SMALL_NUMBERS)
)  # fmt: skip


def lower_first(text: str) -> str:
    """Lower the first letter if the first word is a function word, so that it can stand mid-sentence."""
    first = text.split(" ", 1)[0]
    head = core(first).split("'")[0].split("’")[0]
    if head == "i" or (len(first) > 1 and first.isupper()):
        return text
    rest = [word for word in text.split()[1:6] if len(word) > 3]
    if head == "the" and _OFFICE.match(text[4:]):
        return text[:1].lower() + text[1:]
    # "The Witness", "A Bridge Too Far": titles keep their capital.
    if head in ARTICLES and rest and all(not word[0].islower() for word in rest):
        return text
    return text[:1].lower() + text[1:] if head in _LOWERABLE else text


def upper_first(text: str) -> str:
    """Raise the first letter, also behind an opening quote or bracket."""
    match = re.match(r"[\"'“‘(\[]*", text)
    at = match.end() if match else 0
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]


def squash(text: str) -> str:
    """All runs of white space (and control characters) as one blank."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


def finish(text: str) -> str:
    """Raise the first letter and end with a full stop unless a sentence end is there."""
    text = upper_first(text.strip())
    bare = text.rstrip("\"'”’)]")
    return text if bare.endswith((".", "!", "?", "…")) else text.rstrip(",;:") + "."


def is_plural(phrase: str) -> bool:
    """Whether a noun phrase most likely takes a plural verb."""
    head = re.split(r"\b(?:of|in|by|for|with|from|on|at|about|that|who|which|to)\b|,", phrase, maxsplit=1)[
        0
    ].strip()
    last = core(head.split(" ")[-1]) if head else ""
    if re.search(r"\w,? (and|&) \w", phrase) and not phrase.startswith(('"', "“")):
        return True
    head = lower_first(head)
    starts_lower = bool(re.match(r"(?:the |his |her |their )?[a-z]", head))
    return starts_lower and last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "ics", "news"))


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
    if first in PREPOSITIONS | _TIME_STARTS:
        return lower_first(answer)
    month = re.match(
        rf"(?:\d{{1,2}}(?:st|nd|rd|th)? )?(?:{'|'.join(MONTHS)})\b(?P<rest>.*)", answer, re.IGNORECASE
    )
    if month:
        day = answer[:1].isdigit() or re.match(r" \d{1,2}(?!\d)", month["rest"])
        return ("on " if day else "in ") + answer
    if re.match(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day", first):
        return "on " + answer
    if re.match(r"\d{3}0['’]?s\b", first):
        return f"in the {answer}"
    return "in " + lower_first(answer)


_TIME_STARTS = word_class("time_starts")


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
    r"(?:War|Wars|Ocean|Sea|River|Islands|Mountains|Desert|Empire|Republic|Revolution|Crusade|Senate|Congress"
    r"|Government|Army|Navy|Commission|Committee|Supreme Court|House of Representatives)$"
)
# An office is held by one at a time.
_OFFICE = re.compile(r"(?:President|King|Queen|Emperor|Prime Minister|Secretary|Mayor|Governor) of ")


def with_article(name: str) -> str:
    """``the Boer War``: the article that some names need inside a sentence."""
    bare = name[:1].isupper() and not re.match(r"(?:The|World|Queen) |.*['’]s\b", name)
    return (
        f"the {name}"
        if bare and len(name.split()) > 1 and (_DEFINITE.search(name) or _OFFICE.match(name))
        else name
    )
