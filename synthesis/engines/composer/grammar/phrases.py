"""Tokens and noun phrases: names, possessors, determiner and nouns, and the relative clauses behind them.

Knows where a phrase or a clause can end, from word classes and from what a clause still owes (a
verb, an object); where nothing is left over for the rest of the sentence it says so instead of
guessing. Knows nothing of questions as a whole.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.words import (
    ADVERBS,
    AUXILIARIES,
    BE,
    DETERMINERS,
    DO,
    HAVE,
    POSSESSIVES,
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
)
from synthesis.engines.composer.lexicon import word_class

# The mark that closes a “ is not looked for without end: it may not be there, as often as the “ is.
_TOKEN = re.compile(r"[(\[]?\"[^\"]*\"[^\s\"]*|“[^”]{0,300}”\S*|\S+")
_NAME_LINKS = word_class("name_links")
_OPENERS = word_class("openers")
_REPORTING = word_class("reporting") | word_class("reporting_more")
_PARTICLES = word_class("particles")


# Relative clauses inside one another: more are no sentence, and each costs a few calls.
_DEEPEST = 12


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
    end, joints = _one_phrase_end(tokens, at), []
    while end + 1 < len(tokens) and core(tokens[end]) == "and" and not _is_pronoun(tokens, at):
        joints.append(end)
        at = end + 1
        end = _one_phrase_end(tokens, at)
    for joint in reversed(joints):
        if end == joint + 1:  # nothing is joined on
            end = joint
    return end


def _is_pronoun(tokens: list[str], at: int) -> bool:
    """Whether a pronoun stands at ``at`` for a whole phrase."""
    pronoun = core(tokens[at]) in PRONOUNS and not is_possessive(tokens[at])
    return pronoun and not _determines(tokens, at)


def _one_phrase_end(tokens: list[str], at: int) -> int:
    """The index after one noun phrase, without what ``and`` adds to it."""
    if at >= len(tokens):
        return at
    if _is_pronoun(tokens, at):
        return at + 1
    first, end = core(tokens[at]), at
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


def relative_at(tokens: list[str], at: int) -> bool:
    """Whether a relative clause opens at ``at``: ``who``, ``that``, ``on which`` ..."""
    if at >= len(tokens) - 1:
        return False
    word = core(tokens[at])
    return word in RELATIVES or (word in PREPOSITIONS and core(tokens[at + 1]) in ("which", "whom", "whose"))


def _opens_phrase(tokens: list[str], at: int) -> bool:
    if at >= len(tokens):
        return False
    word = core(tokens[at])
    return word in DETERMINERS or word in PRONOUNS or word in POSSESSIVES or is_name(tokens[at])


def phrase_end(tokens: list[str], at: int = 0, depth: int = 0) -> int:
    """The index after the noun phrase at ``at`` with its ``of`` phrases and relative clauses."""
    end = noun_phrase_end(tokens, at)
    while at < end < len(tokens):
        if relative_at(tokens, end):
            return relative_end(tokens, end, depth + 1) if depth < _DEEPEST else end
        word = core(tokens[end])
        if word not in PREPOSITIONS or tokens[end - 1].endswith(","):
            break
        following = noun_phrase_end(tokens, end + 1)
        # Only "of" surely belongs to the noun; another preposition does when a clause hangs on it.
        if following == end + 1 or not (word == "of" or relative_at(tokens, following)):
            break
        end = following
    return end


def relative_end(tokens: list[str], at: int, depth: int = 0) -> int:
    """The index after the relative clause that opens at ``at``; its own objects and places are taken in.

    ``depth`` is how many relative clauses this one stands in; no sentence has many.
    """
    at += core(tokens[at]) in PREPOSITIONS and core(tokens[at]) not in RELATIVES
    owner = core(tokens[at]) == "whose"
    at += 1
    if owner:
        at += 1
        while at < len(tokens) and not _finite(tokens, at) and not _opens_phrase(tokens, at):
            at += 1
    at = _past_adverbs(tokens, at)
    if not _finite(tokens, at):
        at = _past_adverbs(tokens, _own_subject_end(tokens, at, depth))
    return _complements_end(tokens, _group_end(tokens, at), depth)


def _own_subject_end(tokens: list[str], at: int, depth: int) -> int:
    """The end of a clause's own subject; a base form behind a plural is its verb (``authors describe``)."""
    end = phrase_end(tokens, at, depth)
    verbal = end - at > 2 and is_base(core(tokens[end - 1])) and tokens[end - 1][:1].islower()
    return end - 1 if verbal and core(tokens[end - 2]).endswith("s") else end


def _past_adverbs(tokens: list[str], at: int) -> int:
    while at < len(tokens) and is_adverb(tokens[at]):
        at += 1
    return at


def _finite(tokens: list[str], at: int) -> bool:
    if at >= len(tokens) or is_name(tokens[at]):
        return False
    word = core(tokens[at])
    return word in AUXILIARIES or is_past(word) or base_of_third(word) is not None or is_base(word)


def _group_end(tokens: list[str], at: int) -> int:
    """After the verb group at ``at``: auxiliaries, adverbs between them, one full verb."""
    helped = False
    while at < len(tokens) and core(tokens[at]) in AUXILIARIES | {"been", "being", "be"}:
        helped = True
        at += 1
        ahead = _past_adverbs(tokens, at)
        if ahead < len(tokens) and _verbal(core(tokens[ahead])):
            at = ahead
    if at < len(tokens) and (not helped or _verbal(core(tokens[at]))) and tokens[at][:1].islower():
        at += 1
    while at < len(tokens) and core(tokens[at]) in _PARTICLES and not _opens_phrase(tokens, at + 1):
        at += 1
    return at


def _verbal(word: str) -> bool:
    return is_participle(word) or is_ing(word) or is_base(word)


def _complements_end(tokens: list[str], at: int, depth: int) -> int:
    """After the object and the prepositional phrases that follow a verb group."""
    objects, last = 0, at
    while at < len(tokens) and not tokens[at - 1].endswith(","):
        word = core(tokens[at])
        if relative_at(tokens, at):
            return relative_end(tokens, at, depth + 1) if depth < _DEEPEST else at
        if word in PREPOSITIONS:
            last = at
            at = phrase_end(tokens, at + 1, depth) if at + 1 < len(tokens) else at + 1
        elif word == "to" and at + 1 < len(tokens) and is_base(core(tokens[at + 1])):
            at += 2
        elif _opens_phrase(tokens, at) and objects == 0:
            objects, last = 1, at
            at = phrase_end(tokens, at, depth)
        elif word == "and" and _finite(tokens, at + 1) and is_past(core(tokens[at + 1])):
            at = _group_end(tokens, at + 1)
            objects = 0
        elif objects == 0 and _plain_object(tokens, at):
            objects, last = 1, at
            at = max(noun_phrase_end(tokens, at), at + 1)
        else:
            break
    # Nothing left to say of the noun: the last piece taken in must be what is said.
    return last if at >= len(tokens) else at


def _plain_object(tokens: list[str], at: int) -> bool:
    """``learned music``: a bare noun right behind the verb."""
    word = core(tokens[at])
    other = is_adjective(word) or is_participle(word) or is_adverb(tokens[at]) or is_ing(word)
    return not other and word not in AUXILIARIES | {"and", "or", "to", "not"} and at + 1 < len(tokens)


def reunited(auxiliary: str, tokens: list[str]) -> tuple[list[str], int] | None:
    """Put a relative clause behind its noun: ``the mayor married who built X``.

    Args:
        auxiliary: the auxiliary in front of the subject.
        tokens: everything behind it.

    Returns:
        The tokens in the order of a statement and the index of the predicate's first word;
        None where no clause stands apart from its noun.
    """
    if core(tokens[0]) not in DETERMINERS | POSSESSIVES or not tokens[1:2]:
        return None
    opens = next((at for at in range(2, len(tokens) - 1) if relative_at(tokens, at)), None)
    if opens is None or opens < 3 or core(tokens[opens]) in ("where", "when"):
        return None
    start = _predicate_before(auxiliary, tokens, opens)
    if start is None:
        return None
    verb = next((core(t) for t in tokens[start:opens] if not is_adverb(t)), "")
    named = core(tokens[opens - 1]) == "as"  # "known as that was used in"
    if core(tokens[opens]) == "that" and verb in _REPORTING and not named:
        return None
    clause = tokens[opens:]
    return [*tokens[:start], *clause, *tokens[start:opens]], start + len(clause)


def _predicate_before(auxiliary: str, tokens: list[str], opens: int) -> int | None:
    """Where the predicate that stands between a noun and its clause begins."""
    start = opens - 1
    while start > 2 and (core(tokens[start]) in _PARTICLES | {"as"} or is_adverb(tokens[start])):
        start -= 1
    word = core(tokens[start])
    fits = is_base(word) if auxiliary in DO else is_participle(word) and auxiliary in BE | HAVE
    before = tokens[start - 1]
    barred = DETERMINERS | PREPOSITIONS | AUXILIARIES | {"to", "and"}
    if (
        not fits
        or start < 2
        or core(before) in barred
        or is_possessive(before)
        or tokens[start].endswith(",")
    ):
        return None
    if auxiliary in BE | HAVE and any(is_participle(core(token)) for token in tokens[1:start]):
        return None
    while start > 2 and is_adverb(tokens[start - 1]):
        start -= 1
    return start
