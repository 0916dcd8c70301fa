"""Tokens and noun phrases of a question: names, possessors, determiner and nouns.

Knows where a noun phrase can end; nothing of verbs' roles or of questions as a whole.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.language.english import (
    ADVERBS,
    AUXILIARIES,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    base_of_third,
    core,
    is_adjective,
    is_base,
    is_ing,
    is_only_past,
    is_participle,
    is_past,
    word_class,
)

_TOKEN = re.compile(r"[(\[]?\"[^\"]*\"[^\s\"]*|“[^”]*”\S*|\S+")


_NAME_LINKS = word_class("name_links")


_OPENERS = word_class("openers")


def tokens_of(text: str) -> list[str]:
    """Blank-separated tokens; a quoted title stays in one piece."""
    return _TOKEN.findall(text)


def is_name(token: str) -> bool:
    """Whether a token belongs to a name: capitalised, quoted, or a figure."""
    bare = token.lstrip("\"“'‘(#")
    linked = re.match(r"[dlDL]['’][A-ZÀ-Ý]", token) is not None
    return token[:1] in "\"“'‘" or bare[:1].isupper() or bare[:1].isdigit() or token == "&" or linked


def is_adverb(token: str) -> bool:
    """Whether a token is a known adverb or ends like one."""
    word = core(token)
    return word in ADVERBS or (word.endswith("ly") and len(word) > 4 and token[:1].islower())


def is_possessive(token: str) -> bool:
    """``Grace's`` or ``marshes'``."""
    return bool(re.search(r"(?:['’]s|s['’])[,]?$", token)) and not token.startswith(("'", "‘"))


def _name_end(tokens: list[str], at: int) -> int:
    """The index after a run of names that starts at ``at``; ``at`` itself when there is none."""
    end = at
    while end < len(tokens):
        word = core(tokens[end])
        if is_name(tokens[end]):
            end += 1
        elif word in _NAME_LINKS and end > at and end + 1 < len(tokens) and is_name(tokens[end + 1]):
            end += 2
        elif (
            word in ("of", "and")
            and end > at
            and end + 2 < len(tokens)
            and core(tokens[end + 1]) in DETERMINERS
            and is_name(tokens[end + 2])
        ):
            end += 3
        else:
            break
        if is_possessive(tokens[end - 1]) or tokens[end - 1].endswith(","):
            break
    return end


def _noun_end(tokens: list[str], at: int) -> int:
    """The index after the words that can still belong to the noun phrase begun before ``at``."""
    end = at
    while end < len(tokens):
        word = core(tokens[end])
        last = core(tokens[end - 1])
        opens = end == at or last in DETERMINERS or last in _OPENERS or is_adjective(last)
        if word in PREPOSITIONS or word in RELATIVES or word in AUXILIARIES or word in ("to", "and", "or"):
            break
        if word in DETERMINERS and end > at:
            break
        predicative = is_participle(word) or is_ing(word) or is_adjective(word) or is_adverb(tokens[end])
        if not opens and (predicative or is_only_past(word)) and not is_name(tokens[end]):
            break
        named = end > at and is_name(tokens[end - 1]) and tokens[end][:1].islower()
        if named and (base_of_third(word) or is_past(word)):
            break  # "the poet Ida Holm | writes"
        end += 1
        if tokens[end - 1].endswith((",", ";")):
            break
    return end


def noun_phrase_end(tokens: list[str], at: int = 0) -> int:
    """The index after the simple noun phrase at ``at``: a pronoun, a name, or determiner and nouns.

    Possessors and apposed names are taken in (``Harding's daughter, Susan,``), prepositional
    phrases and relative clauses are not.
    """
    if at >= len(tokens):
        return at
    first = core(tokens[at])
    if first in PRONOUNS and not is_possessive(tokens[at]) and not _determines(tokens, at):
        return at + 1
    end = at
    counted = first.isdigit() and at + 1 < len(tokens) and tokens[at + 1][:1].islower()
    if first in DETERMINERS or counted:
        end = at + 1
        named = _name_end(tokens, end)
        end = named if named > end and _ends_phrase(tokens, named) else _noun_end(tokens, end)
    else:
        named = _name_end(tokens, at)
        end = named if named > at else _noun_end(tokens, at)
    while end < len(tokens) and is_possessive(tokens[end - 1]):
        end = max(_noun_end(tokens, end), end + 1)
    if tokens[end - 1].endswith(",") and end < len(tokens) and is_name(tokens[end]):
        apposed = _name_end(tokens, end)
        if tokens[apposed - 1].endswith(","):
            end = apposed
    if end + 1 < len(tokens) and core(tokens[end]) == "and":
        following = noun_phrase_end(tokens, end + 1)
        if following > end + 1:
            end = following
    return end


def _determines(tokens: list[str], at: int) -> bool:
    return (
        core(tokens[at]) in ("this", "that", "one")
        and at + 1 < len(tokens)
        and is_base(core(tokens[at + 1])) is False
    )


def _ends_phrase(tokens: list[str], at: int) -> bool:
    """Whether a name run that stops at ``at`` is a whole noun phrase (no common noun follows)."""
    if at >= len(tokens):
        return True
    word = core(tokens[at])
    known = word in PREPOSITIONS or word in RELATIVES or word in AUXILIARIES or word in DETERMINERS
    return (
        known
        or is_adverb(tokens[at])
        or is_participle(word)
        or is_ing(word)
        or is_adjective(word)
        or is_base(word)
    )


def is_name_word(token: str) -> bool:
    """Whether a token can stand inside a name: a name itself, or ``of``, ``de`` and the like."""
    return is_name(token) or core(token) in _NAME_LINKS
