"""Questions without a question word: a statement that breaks off, or a noun phrase.

``the road that connects the tombs is called`` breaks off where the answer goes; ``industrial city on the
Rhine`` describes it. Knows the question only.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.clauses import Clause
from synthesis.engines.composer.grammar.phrases import is_name, is_possessive, tokens_of
from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import (
    ARTICLES,
    AUXILIARIES,
    BE,
    DETERMINERS,
    MODALS,
    ORDINALS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    SMALL_NUMBERS,
    WH,
    base_of_third,
    core,
    is_adjective,
    is_base,
    is_ing,
    is_only_past,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.frames import Frame

#: Nouns that questions describe; what they describe is told by nothing else.
_HEADS = word_class("described_heads") | word_class("person_nouns") | word_class("place_nouns")
_OF_PEOPLE = re.compile(r"[A-Z]\w+(?:an|ic|ish|ese|ch|ek|sh)$")
_PARTICLES = word_class("particles") - {"in", "on"}
#: Characters; nobody describes one thing at such length.
_LONGEST = 400
_RANKS = word_class("ranks")
_ORDERS = word_class("orders")
#: What a phrase that only one thing can be opens or goes on with.
_ONE = re.compile(
    r"(?:the|only|most|least|first|last|latest|current|original|next|name|names|title|winner|\w+est)\b"
    r"|(?:[\w'-]+ ){0,2}(?:name|number|winner|release date|time period|collection|cast|capital|population)"
    r" (?:of|for)\b",
    re.IGNORECASE,
)
_BLANK = re.compile(r"_{2,}|(?<= the) blank(?= )")
_LISTED = re.compile(r"(?:a )?list of (?:the )?(?P<of>.+)$", re.IGNORECASE)
_HELPING = (AUXILIARIES | MODALS) - {"can", "will", "may", "might"}
_SPOKEN = re.compile(r"(?:he|she|it|they|we|you|i|there|that|who|what)['’](?:s|re|ll|ve|m|d)$")
_OF_ITS_KIND = re.compile(
    r"(?P<whose>.+?) (?P<what>(?:japanese |original |real |full )?(?:title|name|time period|release date|cast"
    r"|population|capital|nickname))$"
)


def read_fragment(question: str) -> Frame | None:
    """The frame of a question in which nothing asks; None where it is neither of the two, or in doubt."""
    if len(question) > _LONGEST:
        return None
    question = re.sub(r" crossword(?: clue)?$", "", question)
    tokens = tokens_of(question)
    low = [core(token) for token in tokens]
    if len(tokens) < 3 or any(word in WH and word not in RELATIVES | {"when"} for word in low):
        return None
    ordered = low[0] in AUXILIARIES | _ORDERS and low[:2] != ["list", "of"]
    if ordered or low[0] in PRONOUNS | {"i"} or _says(low):
        return None
    blank = _BLANK.search(question)
    if blank:
        return _around(question[: blank.start()], question[blank.end() :])
    if _breaks_off(tokens, low):
        return _around(question, "")
    return _described(question, tokens, low)


def _says(low: list[str]) -> bool:
    """Whether somebody speaks in it, or gives an order: ``she's going``, ``write a haiku``."""
    ordered = is_base(low[0]) and (
        low[1] in DETERMINERS | PRONOUNS or low[1].isdigit() or low[1] in ("up", "me")
    )
    return ordered or any(map(_SPOKEN.match, low))


def _around(before: str, after: str) -> Frame | None:
    before, after = before.strip(), after.strip()
    return Frame("", "place", before=before, after=after) if len(before.split()) > 2 else None


def _breaks_off(tokens: list[str], low: list[str]) -> bool:
    """Whether the sentence has its verb and lacks only what comes next."""
    last = low[-1]
    if last in ("include", "includes", "means", "called", "named", "termed") and len(tokens) > 3:
        return last in ("include", "includes", "means") or any(word in BE for word in low)
    if last in BE:
        return len(tokens) > 3
    # No phrase ends with an article or a preposition.
    owned = any(word in RELATIVES for word in low)
    return last in (ARTICLES | PREPOSITIONS | {"to", "experienced", "becomes"}) - _PARTICLES and not owned


def _described(question: str, tokens: list[str], low: list[str]) -> Frame | None:
    """A noun phrase as what the answer is."""
    if tokens[0][:1].isupper() and is_base(low[0]) or ":" in question:
        return None
    if low[0] == "known" and low[1] == "as":
        return Frame("", "subject", predicate=f"is {question}")
    listed = _LISTED.match(question)
    if listed:
        return _copula(f"one of the {listed['of']}")
    counted = low[0] in SMALL_NUMBERS and low[0] != "one" and low[1].isalpha()
    if counted and not _verbal(tokens, low):
        return _copula(f"one of the {question}")
    kind = _OF_ITS_KIND.match(question)
    ends = [at for at, word in enumerate(low) if at and _hangs(word, tokens, at)]
    head = low[(ends or [len(low)])[0] - 1]
    known = head in _HEADS or head.removesuffix("s") in _HEADS
    if kind and not _ONE.match(question) and not known:
        whose = kind["whose"] if '"' in kind["whose"] else f'"{_titled(kind["whose"])}"'
        return _copula(f"the {kind['what']} of {whose}")
    if _verbal(tokens, low) or not _nominal(low) or is_possessive(tokens[0]):
        return None
    named = is_name(tokens[0]) and not is_adjective(low[0]) and not _OF_PEOPLE.match(tokens[0])
    if not known or named or PRONOUNS.intersection(low[: ends[0]] if ends else low):
        return None
    plural = head.endswith("s") and not head.endswith(("ss", "us", "is", "series", "news", "s's"))
    if low[0] in DETERMINERS or low[0] == "another":
        one_of = low[0] in ("a", "an", "another")
        return Frame("", "subject", predicate=f"is {question}") if one_of else _copula(question, plural)
    owner = bool(ends) and low[ends[0]] == "of" and not plural
    if _ONE.match(question) or low[0] in _RANKS or low[0] in ORDINALS or owner:
        alone = low[0] in ("only", "last", "winner", "first") and not plural
        phrase = f"the {question}"
        return Frame("", "subject", predicate=f"is {phrase}") if alone else _copula(phrase)
    if plural:
        return _copula(question, True)
    return Frame("", "subject", predicate=f"is {article(question)} {question}")


def _copula(subject: str, plural: bool = False) -> Frame:
    return Frame("", "copula", clause=Clause(subject, "are" if plural else "is", False))


def _titled(title: str) -> str:
    tokens = title.split()
    return " ".join(
        word[:1].upper() + word[1:] if len(word) > 3 or not at else word for at, word in enumerate(tokens)
    )


def _hangs(word: str, tokens: list[str], at: int) -> bool:
    """Whether a word opens what hangs on the noun before it."""
    made = is_participle(word) or is_ing(word) and at > 1
    return word in PREPOSITIONS | RELATIVES | {"to", "where", "when"} or made and tokens[at][:1].islower()


def _nominal(low: list[str]) -> bool:
    """Whether something hangs on the first noun, as on one that is described."""
    return any(word in PREPOSITIONS | RELATIVES | {"to", "where"} or is_participle(word) for word in low[1:])


def _verbal(tokens: list[str], low: list[str]) -> bool:
    """Whether there is a finite verb that no relative clause owns."""
    clauses = RELATIVES | {"where", "when"}
    head = low[: next((at for at, word in enumerate(low) if at and word in clauses), len(low))]
    for at, word in enumerate(head[1:], 1):
        acts = base_of_third(word) and low[at + 1 : at + 2] and low[at + 1] in DETERMINERS
        if word in _HELPING or is_only_past(word) or acts:
            return True
    return is_name(tokens[0]) and is_past(low[1]) and low[2:3] != ["by"] if len(low) > 2 else False
