"""Just enough English, a word at a time: classes, verb forms, and whether a text is English at all.

Knows nothing of questions or answers. There is no tagger: a word's possible classes come from
closed lists and from the verb lists in ``lexicon/``, so callers must treat a doubtful case as
unknown rather than guess.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from synthesis.engines.composer.lexicon import word_class, words
from synthesis.text.verbs import irregular_verbs

ARTICLES = frozenset(["a", "an", "the"])
POSSESSIVES = word_class("possessives")
DETERMINERS = ARTICLES | POSSESSIVES | word_class("determiners")
PRONOUNS = word_class("pronouns")
PREPOSITIONS = word_class("prepositions")
RELATIVES = word_class("relatives")
BE = frozenset(["is", "are", "was", "were", "am"])
DO = frozenset(["do", "does", "did"])
MODALS = word_class("modals")
HAVE = frozenset(["has", "have", "had"])
AUXILIARIES = BE | DO | MODALS | HAVE
WH = word_class("wh")
ADVERBS = word_class("adverbs")
SMALL_NUMBERS = words("numbers")
ORDINALS = word_class("ordinals")
MONTHS = words("months")
# Final consonant doubled although the verb has two syllables.
_DOUBLING = word_class("doubling")
_NOT_VERBS = word_class("not_verbs")
VOWELS = "aeiou"


class Verb(NamedTuple):
    """The forms of one verb."""

    base: str
    third: str
    past: str
    participle: str
    ing: str


def third_person(base: str) -> str:
    """``carry`` -> ``carries``."""
    irregular = {
        "be": "is",
        "have": "has",
        "do": "does",
        "go": "goes",
        "undergo": "undergoes",
        "undo": "undoes",
    }
    if base in irregular:
        return irregular[base]
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    if base.endswith("y") and base[-2:-1] not in VOWELS:
        return base[:-1] + "ies"
    return base + "s"


def _doubles(base: str) -> bool:
    if base in _DOUBLING:
        return True
    single = sum(1 for a, b in zip(" " + base, base, strict=False) if b in VOWELS and a not in VOWELS) == 1
    return (
        single
        and len(base) > 2
        and base[-1] not in "aeiouwxy"
        and base[-2] in VOWELS
        and base[-3] not in VOWELS
    )


def regular_past(base: str) -> str:
    """``stop`` -> ``stopped``; for regular verbs only."""
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2:-1] not in VOWELS:
        return base[:-1] + "ied"
    return base + (base[-1] if _doubles(base) else "") + "ed"


def ing_form(base: str) -> str:
    """``lie`` -> ``lying``, ``make`` -> ``making``."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "ye", "oe")) and base != "be":
        return base[:-1] + "ing"
    return base + (base[-1] if _doubles(base) else "") + "ing"


@cache
def verbs() -> dict[str, Verb]:
    """Every verb known, by base form."""
    known = {}
    for base, past, participle in irregular_verbs():
        known[base] = Verb(base, third_person(base), past, participle, ing_form(base))
    for base in words("regular_verbs"):
        past = regular_past(base)
        known[base] = Verb(base, third_person(base), past, past, ing_form(base))
    return known


@cache
def _forms(which: str) -> dict[str, str]:
    return {getattr(verb, which): verb.base for verb in verbs().values()}


def is_base(word: str) -> bool:
    """Whether ``word`` can be the base form of a verb."""
    return word in verbs()


def base_of_third(word: str) -> str | None:
    """``carries`` -> ``carry``; None when the word is no third person singular known here."""
    return _forms("third").get(word)


def is_past(word: str) -> bool:
    """Whether ``word`` can be a simple past."""
    return word in _forms("past") or _regular_ed(word)


def base_of_past(word: str) -> str | None:
    """``wrote`` -> ``write``; None when the word is no simple past of a verb known here."""
    return _forms("past").get(word)


def _regular_ed(word: str) -> bool:
    """Whether an unlisted word is most likely the past form of a regular verb."""
    return len(word) > 4 and word.endswith("ed") and not word.endswith("eed") and word not in _NOT_VERBS


def is_only_past(word: str) -> bool:
    """Whether ``word`` is a simple past that cannot be a participle (``wrote``, not ``built``)."""
    return word in _forms("past") and word not in _forms("participle") and not is_base(word)


def is_participle(word: str) -> bool:
    """Whether ``word`` can be a past participle."""
    return word in _forms("participle") or word == "born" or _regular_ed(word)


def is_ing(word: str) -> bool:
    """Whether ``word`` is an -ing form of a known verb."""
    return word in _forms("ing")


@cache
def _adjectives() -> frozenset[str]:
    return frozenset(words("adjectives"))


def is_adjective(word: str) -> bool:
    """Whether ``word`` is a known predicative adjective."""
    known = _adjectives()
    if word in known or not word.endswith("er") or len(word) < 5:
        return word in known
    stem = word[:-2]
    return (
        stem in known
        or stem + "e" in known
        or stem[:-1] + "y" in known
        or (stem[-1] == stem[-2] and stem[:-1] in known)
    )


def inflect(base: str, auxiliary: str) -> str:
    """The finite form a main verb takes when its ``do``, ``does`` or ``did`` is dropped."""
    if auxiliary == "do":
        return base
    known = verbs().get(base)
    if auxiliary == "does":
        return known.third if known else third_person(base)
    return known.past if known else regular_past(base)


def core(token: str) -> str:
    """A token without the punctuation around it, casefolded."""
    return token.strip(".,;:!?()[]\"'“”‘’").casefold()


_ENGLISH = word_class("english")
_FOREIGN = word_class("foreign")


def is_english(text: str) -> bool:
    """A cheap guess: Latin script, and more English function words than foreign ones."""
    sample = text[:2000]
    letters = [char for char in sample if char.isalpha()]
    if not letters or sum(1 for char in letters if char < "ɐ") < 0.6 * len(letters):
        return False
    tokens = re.findall(r"[^\W\d_]+", sample.casefold())
    english = sum(1 for token in tokens if token in _ENGLISH)
    foreign = sum(1 for token in tokens if token in _FOREIGN)
    if len(tokens) < 4:
        return foreign == 0
    return english > foreign


MONTH_WORDS = frozenset(month.casefold() for month in MONTHS)
COMPARATIVES = word_class("comparatives")


def compares(token: str) -> bool:
    """Whether a word is a comparative that ``than`` can follow."""
    word = core(token)
    return word in COMPARATIVES or word.split("-")[0] in COMPARATIVES and "-" in word
