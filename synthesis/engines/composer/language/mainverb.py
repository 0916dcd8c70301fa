"""Find the verb of a clause whose subject comes first: the base form after *do*, or a finite verb.

Works on tokens with closed word lists; None where no word, or only a doubtful one, can be it.
"""

from __future__ import annotations

from synthesis.engines.composer.language.english import (
    AUXILIARIES,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    base_of_third,
    core,
    is_adjective,
    is_base,
    is_only_past,
    is_participle,
    is_past,
    word_class,
)
from synthesis.engines.composer.language.phrases import (
    is_adverb,
    is_name,
    is_name_word,
    is_possessive,
    noun_phrase_end,
)

_NEVER_FINITE = word_class("never_finite")


# Verbs that a second bare verb, or a noun that looks like one, may follow ("take place").
_LIGHT = word_class("light_verbs")
_COMMON_JOINTS = RELATIVES | PRONOUNS | frozenset(["and", "or", "to", "him", "her", "them", "me", "us"])
_QUANTITIES = frozenset(["more", "fewer", "less", "many", "most", "several", "few", "two", "three"])
_OPINION = frozenset(["believe", "think", "say", "know", "suspect", "realise", "realize"])


def _verb_candidates(tokens: list[str]) -> list[int]:
    found, described = [], []
    for at in range(1, len(tokens)):
        word, before = core(tokens[at]), core(tokens[at - 1])
        if not is_base(word) or not tokens[at][:1].islower():
            continue
        if before in DETERMINERS or before in PREPOSITIONS or before == "to" or is_possessive(tokens[at - 1]):
            continue
        if (
            is_adjective(before)
            and not is_name(tokens[at - 1])
            and at > 1
            and core(tokens[at - 2]) in DETERMINERS
        ):
            described.append(at)
            continue
        found.append(at)
    return found or described


def _without_described(tokens: list[str], candidates: list[int]) -> list[int]:
    """Drop a candidate that is more likely a noun: ``pulsed light lower``, ``the steady march end``."""
    first = candidates[0] if candidates else 0
    unlisted = tokens[first + 1 : first + 2] and core(tokens[first + 1])
    if len(candidates) == 1 and unlisted and core("".join(tokens[first + 2 : first + 3])) in DETERMINERS:
        # A verb that is in no list, where its object follows: "stored light unsettle the".
        open_class = tokens[first + 1][:1].islower() and unlisted not in PREPOSITIONS | DETERMINERS
        if open_class and not is_adverb(tokens[first + 1]) and unlisted not in _COMMON_JOINTS:
            candidates = [first, first + 1]
    if len(candidates) < 2 or not 0 < first <= 3 or is_name(tokens[first - 1]) and first > 1:
        return candidates
    word = core(tokens[first - 1])
    opened = first == 1 or core(tokens[first - 2]) in DETERMINERS
    describes = is_adjective(word) or is_participle(word) or word.endswith("ing")
    # An -ing form in front may also be the subject: "did adding light help".
    lasting = word.endswith("ing") and first == 1 and candidates[1] > first + 1
    return candidates[1:] if opened and describes and not lasting else candidates


def main_verb(tokens: list[str]) -> int | None:
    """The index of the base-form main verb after ``do`` or a modal."""
    end = noun_phrase_end(tokens)
    while end < len(tokens) and is_adverb(tokens[end]):
        end += 1
    if end >= len(tokens):
        end = 0
    lone_name = end > 0 and all(is_name_word(token) for token in tokens[:end])
    if lone_name and end > 1 and core(tokens[end]) in PREPOSITIONS and is_base(core(tokens[end - 1])):
        return end - 1
    if lone_name or core(tokens[0]) in PRONOUNS:
        word = core(tokens[end]) if end else ""
        # After a bare name even a verb that is not in the lists can only be the verb.
        if end and tokens[end][:1].islower() and word not in PREPOSITIONS and word not in RELATIVES:
            return end if word not in DETERMINERS and word != "and" else None
    candidates = _without_described(tokens, _verb_candidates(tokens))
    if not candidates:
        capital = [
            at for at in range(1, len(tokens)) if is_base(core(tokens[at])) and tokens[at][:1].isupper()
        ]
        return capital[-1] if len(capital) == 1 else None
    first = candidates[0]
    relative = next((at for at in range(1, first) if core(tokens[at]) in RELATIVES), None)
    if relative is not None and len(candidates) > 1:
        finite = any(base_of_third(core(t)) or is_past(core(t)) for t in tokens[relative + 1 : first])
        return first if finite else candidates[1]
    if len(candidates) > 1 and candidates[1] == first + 1 and core(tokens[first]) not in _LIGHT | _OPINION:
        return candidates[1]
    return first


def finite_verb(tokens: list[str], start: int = 1) -> int | None:
    """The index of the finite verb whose subject phrase begins before ``start``.

    A relative clause inside the subject uses up one finite verb of its own. None when
    no word, or only a doubtful one, can be that verb.
    """
    owed, doubtful = 0, None
    for at in range(start, len(tokens)):
        word, before = core(tokens[at]), core(tokens[at - 1])
        if word in RELATIVES and at + 1 < len(tokens):
            owed += 1
            continue
        sure = word in AUXILIARIES or (
            tokens[at][:1].islower() and (is_only_past(word) or _third(tokens, at))
        )
        following = core(tokens[at + 1]) if at + 1 < len(tokens) else ""
        noun_like = word not in AUXILIARIES and following in AUXILIARIES  # "which plays were"
        if sure and (before in AUXILIARIES or noun_like):
            continue
        if sure:
            if owed == 0:
                # "produced by X was": a past form before a preposition was only a participle.
                reduced = doubtful is not None and core(tokens[doubtful + 1]) in PREPOSITIONS
                return at if doubtful is None or reduced else doubtful
            owed -= 1
            continue
        if not tokens[at][:1].islower() or before in DETERMINERS or before in PREPOSITIONS:
            continue
        if is_past(word) and word not in _NEVER_FINITE and not is_base(word):
            if owed:
                owed -= 1
            elif doubtful is None:
                doubtful = at
    return doubtful


def _third(tokens: list[str], at: int) -> bool:
    if base_of_third(core(tokens[at])) is None:
        return False
    before = core(tokens[at - 1])
    if before in _QUANTITIES:
        return False  # "appeared in more films"
    return before not in DETERMINERS and before not in PREPOSITIONS and not is_adjective(before)


def plural_verb(rest: list[str]) -> int | None:
    """The verb of ``how many steps lead up``: a base form right behind a plural noun."""
    ends = (at for at in range(2, len(rest)) if is_base(core(rest[at])) and core(rest[at - 1]).endswith("s"))
    return next(ends, None)
