"""Say how many, how much, how long: the amount put where its noun stood in the question.

Knows frames and answers. A noun that the answer already brings along is not said twice.
"""

from __future__ import annotations

from functools import cache

from synthesis.engines.composer.language.answers import is_number
from synthesis.engines.composer.language.clauses import Clause
from synthesis.engines.composer.language.english import (
    BE,
    PREPOSITIONS,
    core,
    is_participle,
    lower_first,
    verbs,
    word_class,
)
from synthesis.engines.composer.language.frames import Frame
from synthesis.engines.composer.language.phrases import is_adverb, noun_phrase_end
from synthesis.engines.composer.language.wording import be_form

_TIMES = frozenset(["times", "years", "days", "months", "weeks", "hours", "nights", "minutes", "seasons"])
# What "how large" and the like ask for.
SIZES = {"how large": "size", "how big": "size", "how heavy": "weight", "how fast": "speed"}
_PARTICLES = word_class("particles")
_CONJUNCTIONS = frozenset(["before", "after", "when", "while", "until", "as", "once", "because", "than"])


@cache
def _transitive() -> frozenset[str]:
    known = verbs()
    return frozenset(form for base in word_class("transitive") if base in known for form in known[base])


def gap_after_verb(predicate: str) -> int | None:
    """Where the object of a transitive verb is missing: the index of the token it stands before.

    None unless the verb is known to take an object and a preposition or conjunction with
    something behind it follows, so that no other object can be there.
    """
    tokens = predicate.split()
    at = 0
    while at < len(tokens) - 1 and (is_adverb(tokens[at]) or _helps(tokens, at)):
        at += 1
    if core(tokens[at]) not in _transitive():
        return None
    at += 1
    if (
        at < len(tokens) - 1
        and core(tokens[at]) in _PARTICLES
        and core(tokens[at + 1]) in PREPOSITIONS - {"of"}
    ):
        at += 1
    ended = core(tokens[-1]) in PREPOSITIONS and not subordinate(tokens)
    if at >= len(tokens) - 1 or ended:
        return None
    word = core(tokens[at])
    if word == "to" and core(tokens[at + 1]) in verbs():
        return None
    hanging = word in PREPOSITIONS and (
        noun_phrase_end(tokens, at + 1) == at + 1 or core(tokens[at + 1]) in PREPOSITIONS
    )
    outward = word == "out" and core(tokens[at + 1]) == "of"
    opens = outward or word in PREPOSITIONS | _CONJUNCTIONS or is_adverb(tokens[at])
    return at if opens and (outward or not hanging) else None


def subordinate(tokens: list[str]) -> bool:
    """Whether a clause of time ends the predicate, so that a last preposition is that clause's own."""
    return any(core(token) in ("before", "after", "when", "while", "until") for token in tokens[1:-2])


def _helps(tokens: list[str], at: int) -> bool:
    return core(tokens[at]) in ("has", "have", "had") and is_participle(core(tokens[at + 1]))


def put_back(predicate: str, thing: str, at: int) -> str:
    """The predicate with ``thing`` in its gap."""
    tokens = predicate.split()
    return " ".join([*tokens[:at], thing, *tokens[at:]])


def _stem(word: str) -> str:
    word = core(word)
    if word.endswith("ies"):
        return word[:-3] + "y"
    word = {"children": "child", "feet": "foot", "men": "man", "women": "woman"}.get(word, word)
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def brings(given: str, noun: str) -> bool:
    """Whether an amount names its own noun: ``184 children`` of ``children``."""
    head = _head(noun)
    return bool(head) and any(_stem(word) == head for word in given.split()[1:])


def _head(noun: str) -> str:
    words = noun.split()
    ends = (at for at, word in enumerate(words) if at and core(word) in PREPOSITIONS)
    return _stem(words[next(ends, len(words)) - 1]) if words else ""


def singular(noun: str) -> str:
    """``children`` or ``boats of oak`` as said of one: the first word loses its plural."""
    first, _, rest = noun.partition(" ")
    return f"{_stem(first) if first.islower() else first} {rest}".strip()


def counted(given: str, noun: str) -> str | None:
    """The amount with its noun (``eleven nights``), or None where it is neither bare nor has the noun."""
    if not noun or brings(given, noun):
        return given
    bare = len(given.split()) == 1 or (is_number(given) and not _worded(given))
    if not bare or given.endswith("%"):
        return None
    if noun.startswith("of "):
        return f"{given} {noun}"
    return f"{given} {singular(noun) if core(given) in ('one', '1', 'a') else noun}"


def _worded(given: str) -> bool:
    """Whether a number is followed by a noun of its own (``40 head of cattle``)."""
    numbers = word_class("counting")
    return any(
        core(word).isalpha() and not set(core(word).split("-")) <= numbers for word in given.split()[1:]
    )


def as_subject(frame: Frame, given: str) -> str | None:
    """``184 children took part ...``: the amount in the subject's place."""
    if not is_number(given):
        return None
    if frame.wh == "how many":
        whole = counted(given, frame.noun)
        if whole:
            return f"{lower_first(whole)} {frame.predicate}"
    label = "number" if frame.wh == "how many" else "amount"
    of = f" of {frame.noun}" if frame.noun else ""
    return f"the {label}{of} that {frame.predicate} {be_form(frame.past)} {lower_first(given)}"


def with_quantity(frame: Frame, clause: Clause, given: str, how: str) -> str | None:
    """The amount in or beside the clause that surrounds its gap."""
    if how not in ("noun", "prepositional"):
        return None
    statement, low = f"{clause.subject} {clause.predicate}", lower_first(given)
    rest = f"that {clause.subject} {clause.predicate} {be_form(clause.past)} {low}"
    if frame.wh == "how many":
        return _many(frame, clause, low, rest)
    if frame.wh == "how much":
        if frame.preposition:
            return f"{statement} {frame.preposition} {low}"
        return f"the amount of {frame.noun} {rest}" if frame.noun else f"the amount {rest}"
    if frame.wh == "how long":
        if how == "noun" and core(clause.predicate.split()[0]) in ("spend", "spends", "spent"):
            return f"{clause.subject} {put_back(clause.predicate, low, 1)}"
        if how == "noun":
            low = low if core(low.split()[0]) in ("until", "forever", "all", "since") else "for " + low
        return f"{statement} {low}"
    if frame.wh == "how often":
        return f"{statement} {low}"
    first, _, tail = clause.predicate.partition(" ")
    if frame.wh in ("how old", "how tall", "how far", "how high", "how deep") and first in BE:
        return f"{clause.subject} {first} {low} {tail}".strip()
    if frame.wh in ("how far", "how fast", "how deep", "how high"):
        return f"{statement} {low}"
    return None


def _many(frame: Frame, clause: Clause, low: str, rest: str) -> str | None:
    whole = counted(low, frame.noun)
    if whole is None:
        return f"the number of {frame.noun} {rest}"
    statement = f"{clause.subject} {clause.predicate}"
    tokens = clause.predicate.split()
    if core(clause.subject) == "there" and tokens[0] in BE:
        return f"there {put_back(clause.predicate, whole, 1)}"
    if frame.preposition:
        return f"{statement} {frame.preposition} {whole}"
    if core(frame.noun.split()[0]) in _TIMES:
        at = 1 if len(tokens) > 7 and core(tokens[1]) in PREPOSITIONS and tokens[0] not in BE else None
        return f"{clause.subject} {put_back(clause.predicate, whole, at)}" if at else f"{statement} {whole}"
    at = gap_after_verb(clause.predicate)
    if at is not None:
        return f"{clause.subject} {put_back(clause.predicate, whole, at)}"
    if len(tokens) == 1 or core(tokens[-1]) in PREPOSITIONS or all(map(_verb_part, tokens)):
        return f"{statement} {whole}"
    return f"the number of {frame.noun} {rest}" if not brings(low, frame.noun) else None


def _verb_part(token: str) -> bool:
    """Whether a token belongs to a verb group or is a particle, so that an object can follow the last."""
    word = core(token)
    forms = {form for verb in (verbs().get(word),) if verb for form in verb}
    return (
        bool(forms)
        or is_adverb(token)
        or word in BE | _PARTICLES | {"has", "have", "had", "been", "to"}
        or (word.endswith(("ed", "ing")))
    )
