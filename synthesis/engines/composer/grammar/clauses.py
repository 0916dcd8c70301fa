"""Find the verb of a clause and where its subject ends, and undo the inversion of a question.

Works on tokens with closed word lists; returns None wherever no word, or only a doubtful one, can
be the verb, or two readings are open.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from synthesis.engines.composer.grammar.phrases import (
    is_adverb,
    is_name,
    is_name_word,
    is_possessive,
    noun_phrase_end,
    phrase_end,
    relative_at,
    reunited,
    tokens_of,
)
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    BE,
    DETERMINERS,
    DO,
    HAVE,
    MODALS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    base_of_third,
    core,
    inflect,
    is_adjective,
    is_base,
    is_ing,
    is_only_past,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class

_NEVER_FINITE = word_class("never_finite")
# Verbs that a second bare verb, or a noun that looks like one, may follow ("take place").
_LIGHT = word_class("light_verbs")
_COMMON_JOINTS = RELATIVES | PRONOUNS | frozenset(["and", "or", "to", "him", "her", "them", "me", "us"])
_QUANTITIES = word_class("quantities")
_OPINION = word_class("opinions")
_OBJECTS = word_class("objects")
# "the name of the ship he sailed in": such a phrase is always the thing asked for, never a subject.
_LABELS = word_class("labels")


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
    small = _in_small_letters(tokens, candidates)
    if small is not None:
        return small
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
    if (
        len(candidates) > 1
        and core(tokens[candidates[-1]]) == "like"
        and _SEEMS.fullmatch(core(tokens[candidates[-2]]))
    ):
        return candidates[-2]  # "what does the tooth look like"
    if len(candidates) > 1 and candidates[1] == first + 1 and core(tokens[first]) not in _LIGHT | _OPINION:
        return candidates[1]
    return first


_SEEMS = re.compile(r"look|sound|feel|smell|taste|seem")


def _in_small_letters(tokens: list[str], candidates: list[int]) -> int | None:
    """The verb of a question without capitals, where nouns of names look like verbs; None where it is plain.

    ``the song push it come out``, ``the golden state warriors win the finals``, ``hyderabad became a part``.
    """
    low = [*map(core, tokens), ""]
    later = [at for at in candidates if at > candidates[0]]
    for at in later:
        if low[at - 1] == "and":
            continue
        if (low[at], low[at + 1]) in _CLOSING or (low[at] in _LASTING and not low[at + 1]):
            return at
    bare = (
        candidates
        and low[candidates[0] + 1]
        and low[candidates[0] + 1] not in _GOES_ON | DETERMINERS | PREPOSITIONS | PRONOUNS
    )
    if later and bare and not is_ing(low[candidates[0] + 1]) and not is_adverb(low[candidates[0] + 1]):
        ahead = [at for at in later if low[at + 1] in DETERMINERS and at > candidates[0] + 1]
        if ahead:
            return ahead[0]
    if not candidates or candidates == [len(tokens) - 1]:
        for at in range(1, min(6, len(tokens) - 1)):
            behind = low[at + 1]
            if low[at] in AUXILIARIES:
                break
            follows = behind in DETERMINERS | PREPOSITIONS or is_adjective(behind) or is_participle(behind)
            finite = is_past(low[at]) and not is_base(low[at]) or base_of_third(low[at])
            if finite and follows and behind != "by" and low[at - 1] not in DETERMINERS | PREPOSITIONS:
                return at
    return None


_CLOSING = frozenset(
    [("come", "out"), ("come", "from"), ("come", "to"), ("come", "on"), ("take", "place"), ("go", "off")]
)
_LASTING = frozenset(["start", "begin", "end", "happen", "die", "air", "open", "close", "come"])
_GOES_ON = frozenset(
    ["to", "and", "or", "that", "not", "it", "out", "up", "off", "away", "back", "place", ""]
)


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


class Clause(NamedTuple):
    """A statement with a gap: ``subject`` and a finite ``predicate`` (its verb comes first)."""

    subject: str
    predicate: str
    past: bool


def _be_predicate(tokens: list[str]) -> int | None:
    """Where the predicate after ``be`` (or ``have``) starts; None when there is none to be sure of."""
    count = len(tokens)
    end = noun_phrase_end(tokens)
    if end >= count:
        return None
    plain = core(tokens[0]) in PRONOUNS or all(is_name_word(t) for t in tokens[:end])
    word = core(tokens[end])
    if plain and word not in RELATIVES:
        return end
    last = core(tokens[-1])
    if word == "to":
        # "a scheme to raise money | launched by": an infinitive may belong to the subject.
        passive = [
            i for i in range(end, count - 1) if core(tokens[i]).endswith("ed") and core(tokens[i + 1]) == "by"
        ]
        return passive[0] if passive else None
    if is_adverb(tokens[end]) or word == "when":
        return end
    if word in PREPOSITIONS or word in RELATIVES or tokens[end - 1].endswith(","):
        if end == count - 1 and word in PREPOSITIONS:
            return end  # "Leonard's tattoo | of"
        # The whole middle belongs to the subject when the clause closes on a participle.
        related = any(core(token) in RELATIVES for token in tokens)
        barred = DETERMINERS | AUXILIARIES | _OBJECTS | (frozenset() if related else PREPOSITIONS)
        compound = is_base(last) and core(tokens[-3]) in DETERMINERS  # "in the test set"
        closes = is_participle(last) and core(tokens[-2]) not in barred and not _owned(tokens, end)
        closes = closes and not compound
        if closes and core(tokens[1]) not in _LABELS:
            return count - 1
        if len(tokens) > 1 and core(tokens[1]) in _LABELS:
            return None
        return _after_phrases(tokens, end) or _after_relative(tokens)
    if is_participle(last) and end < count - 1 and last != word and core(tokens[-2]) not in DETERMINERS:
        if core(tokens[-2]) in ("to", "and", "been", "be"):
            return None
        return count - 1 if is_participle(word) or is_ing(word) else end
    if is_participle(word) and last in PREPOSITIONS and core(tokens[end + 1]) == "by":
        return count - 1  # "the lighthouse designed by Oda Pryce | on"
    if is_participle(word) or is_ing(word) or is_adjective(word):
        return end
    return None


def _owned(tokens: list[str], start: int) -> bool:
    """Whether the last word is the verb of a relative clause: ``the reason that the colony failed``."""
    opens = [at for at in range(start, len(tokens)) if core(tokens[at]) in RELATIVES]
    if not opens or not is_past(core(tokens[-1])):
        return False
    inner = [core(token) for token in tokens[opens[-1] + 1 : -1]]
    return not any(
        word in AUXILIARIES or is_past(word) or base_of_third(word) or is_base(word) for word in inner
    )


def _after_phrases(tokens: list[str], end: int) -> int | None:
    """Skip prepositional phrases; the predicate may start after them with a participle or an -ing form."""
    while end < len(tokens) and core(tokens[end]) in PREPOSITIONS:
        following = noun_phrase_end(tokens, end + 1)
        if following == end + 1:
            return None
        end = following
    if end >= len(tokens) or any(core(token) in RELATIVES for token in tokens[:end]):
        return None
    word = core(tokens[end])
    if end + 1 == len(tokens) and is_base(word) and core(tokens[end - 2]) in DETERMINERS:
        return None  # "in the test set"
    starts = is_participle(word) and not is_only_past(word) or is_ing(word) or is_adjective(word)
    return end if starts or word in ("best", "not", "also") else None


def _after_relative(tokens: list[str]) -> int | None:
    """Where a participle or adjective follows a subject with a relative clause of its own."""
    start = phrase_end(tokens)
    if start >= len(tokens) or not any(relative_at(tokens, at) for at in range(1, start)):
        return None
    word = core(tokens[start])
    closing = is_participle(word) and (start + 1 == len(tokens) or core(tokens[start + 1]) == "by")
    lone = is_adjective(word) and start + 1 == len(tokens)
    return start if closing or lone or is_adverb(tokens[start]) else None


def uninvert(auxiliary: str, tokens: list[str]) -> Clause | None:
    """Turn ``does`` + ``[Kell, execute, ...]`` into a clause; None when the split is unsure.

    Args:
        auxiliary: the auxiliary in front of the subject, lower case.
        tokens: everything after it, up to the end of the question.
    """
    if not tokens:
        return None
    if core(tokens[0]) == "not":
        if tokens[1:] and core(tokens[1]) == "not":
            return None
        clause = uninvert(auxiliary, tokens[1:])
        return _negated(clause, auxiliary, tokens[1:]) if clause else None
    moved = reunited(auxiliary, tokens)
    if moved:
        tokens = moved[0]
    if auxiliary in BE and _timed(tokens):
        return None
    if auxiliary in BE or auxiliary in HAVE:
        at = moved[1] if moved else _be_predicate(tokens)
        if at is None and auxiliary in HAVE:
            at = next((i for i in range(1, len(tokens)) if is_participle(core(tokens[i]))), None)
        if not at:
            return None
        predicate = " ".join([auxiliary, *tokens[at:]])
        return Clause(" ".join(tokens[:at]), predicate, auxiliary in ("was", "were", "had"))
    at = moved[1] if moved else main_verb(tokens)
    if at is None or at == 0:
        return None
    start = at
    while start > 1 and is_adverb(tokens[start - 1]):
        start -= 1
    subject, verb = " ".join(tokens[:start]), tokens[at]
    adverbs, rest = tokens[start:at], tokens[at + 1 :]
    if auxiliary in DO and [*map(core, rest[:1])] == ["and"] and len(rest) == 2 and is_base(core(rest[1])):
        rest = ["and", inflect(core(rest[1]), auxiliary)]  # "where does it start and end"
    if auxiliary in MODALS or "not" in adverbs:
        plain = [adverb for adverb in adverbs if core(adverb) != "not"]
        negation = ["not"] if len(plain) < len(adverbs) else []
        front = [*plain, auxiliary, *negation] if negation else [auxiliary, *plain]
        return Clause(subject, " ".join([*front, verb, *rest]), auxiliary in ("could", "would", "did"))
    word, ending = core(verb), verb[len(core(verb)) :]
    if auxiliary == "did" and not is_base(word) and not is_past(word):
        word = base_of_third(word) or word  # "when did Athens emerges"
    if auxiliary == "does" and re.search(r"\band\b", subject) and not re.search(r"\bof\b|\bwho\b", subject):
        auxiliary = "do"  # "What does A and B have in common?"
    finite = word if is_past(word) and not is_base(word) else inflect(word, auxiliary)
    return Clause(subject, " ".join([*adverbs, finite + ending, *rest]), auxiliary == "did")


def _timed(tokens: list[str]) -> bool:
    """Whether ``the last time the ducks won`` is all one phrase."""
    low = [core(token) for token in tokens[:4]]
    if len(tokens) < 5 or low[2] != "time" or low[1] not in ("first", "last", "next"):
        return False
    return low[3] not in PREPOSITIONS and not is_participle(low[3])


def _negated(clause: Clause, auxiliary: str, tokens: list[str]) -> Clause:
    """The clause with ``not`` behind its auxiliary, which a negative keeps (``did not ring``)."""
    after_subject = tokens[len(tokens_of(clause.subject)) :]
    rest = after_subject if auxiliary in DO else tokens_of(clause.predicate)[1:]
    return Clause(clause.subject, " ".join([auxiliary, "not", *rest]), clause.past)


def gapless(clause: Clause) -> bool:
    """Whether nothing is missing in the predicate: ``the girl wearing the hat`` only describes."""
    tokens = clause.predicate.split()
    if len(tokens) < 3 or core(tokens[-1]) in PREPOSITIONS:
        return False
    first, second = core(tokens[1]), core(tokens[2])
    described = core(clause.subject.split()[0]) in DETERMINERS
    if first in PREPOSITIONS:
        return described
    return described and is_ing(first) and (second in DETERMINERS or is_name(tokens[2]))
