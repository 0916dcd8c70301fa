"""Put an answer into or beside the clause that surrounds the gap: objects, places, times, reasons, amounts.

Knows frames and answer shapes; None where no form is sure to be grammatical. A noun that an
amount already brings along is not said twice.
"""

from __future__ import annotations

import random
import re
from functools import cache

from synthesis.engines.composer.grammar.clauses import Clause
from synthesis.engines.composer.grammar.phrases import is_adverb, is_name, noun_phrase_end, tokens_of
from synthesis.engines.composer.grammar.wording import (
    article,
    be_form,
    dated,
    is_plural,
    lower_first,
    with_article,
)
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    BE,
    DETERMINERS,
    MODALS,
    MONTH_WORDS,
    PREPOSITIONS,
    base_of_third,
    core,
    is_base,
    is_ing,
    is_participle,
    is_past,
    verbs,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.answers import is_date, is_number
from synthesis.engines.composer.reading.frames import Frame

_SITED = word_class("sited")
_INVERTING = word_class("inverting")
_REPORTING = word_class("reporting")
_PARTICLES = word_class("particles")
_TIMES = word_class("times")
_CONJUNCTIONS = word_class("object_ends")


def _bare(predicate: str) -> bool:
    """Whether a predicate is nothing but a verb group and particles, so that an object can follow."""
    tokens = predicate.split()
    verbal = [
        core(t) in AUXILIARIES or core(t) in _PARTICLES or core(t) in ("be", "been", "to", "going", "have")
        or is_base(core(t)) or is_past(core(t)) or base_of_third(core(t)) is not None or is_ing(core(t))
        or is_participle(core(t)) or is_adverb(t)
        for t in tokens
    ]  # fmt: skip
    return all(verbal) or len(tokens) == 1


def _hanging(predicate: str) -> bool:
    """Whether a predicate ends in a preposition whose object is missing."""
    tokens = predicate.split()
    last = core(tokens[-1])
    return (
        len(tokens) > 1
        and (last in PREPOSITIONS or last == "be")
        and not subordinate(tokens)
        and last not in ("there", "up", "down", "out")
    )


def around_clause(frame: Frame, given: str, how: str, rng: random.Random) -> str | None:
    """The answer ``given``, of shape ``how``, with the clause that surrounds the gap."""
    clause = frame.clause
    assert clause is not None
    if how == "clause" and frame.wh not in ("why", "what"):
        return None
    if frame.wh == "why":
        return _with_reason(clause, given, how)
    if frame.wh in ("where", "when", "how"):
        return _with_circumstance(frame.wh, clause, given, how)
    if frame.wh.startswith("how "):
        return with_quantity(frame, clause, given, how)
    if frame.noun:
        return _with_noun(frame, clause, given, how)
    return _with_thing(frame, clause, given, how, rng)


def _with_reason(clause: Clause, given: str, how: str) -> str | None:
    statement = f"{clause.subject} {clause.predicate}"
    low = lower_first(given)
    if how == "clause":
        if re.search(r"\b(?:because|so that|in order)\b", given):
            return None
        return f"{statement} because {low}"
    if how in ("because", "infinitive", "by", "prepositional"):
        return f"{statement} {low}"
    if how == "verb":
        return None
    return f"the reason {clause.subject} {clause.predicate} {be_form(clause.past)} {low}"


def _with_circumstance(wh: str, clause: Clause, given: str, how: str) -> str | None:
    statement = f"{clause.subject} {clause.predicate}"
    low = lower_first(given)
    subject = clause.subject
    if wh == "when":
        if how not in ("noun", "prepositional") or (how == "noun" and not is_date(given)):
            return None
        if len(clause.predicate.split()) > 6 and is_date(given):
            return f"{dated(given)}, {subject} {clause.predicate}"
        return f"{statement} {dated(given)}"
    if wh == "how":
        return f"{statement} {low}" if how in ("by", "prepositional") else None
    if how == "prepositional" and " when " in clause.predicate:
        return None
    if how == "prepositional" or (how == "noun" and _hanging(clause.predicate)):
        return f"{statement} {low}"
    if how != "noun":
        return None
    tokens = clause.predicate.split()
    sited = core(tokens[-1]) in _SITED and not subordinate(tokens + [""])
    stands = sited or (len(tokens) == 1 and core(tokens[0]) in _INVERTING)
    if stands and is_name(given) and not given[:1].isdigit():
        return f"{statement} in {low}"
    return f"the place where {subject} {clause.predicate} {be_form(clause.past)} {low}"


def _link(clause: Clause) -> str:
    return f"that {clause.subject}"


def _with_noun(frame: Frame, clause: Clause, given: str, how: str) -> str | None:
    noun, low = frame.noun, lower_first(given)
    if how in ("clause", "because", "by", "verb"):
        return None
    statement = f"{clause.subject} {clause.predicate}"
    timed = core(noun) in ("year", "month", "day", "date", "century", "decade")
    if timed and (is_date(given) or core(given) in MONTH_WORDS):
        return f"{statement} {dated(given)}"
    if how == "prepositional":
        return f"{statement} {low}" if frame.preposition else None
    many = is_plural("the " + noun)
    if re.match(r"[\w ]+['’]s ", noun):
        return None
    if frame.wh == "whose":
        head = core(noun.split()[0])
        if re.search(r"['’]s?$", given):
            return f"the {noun} {_link(clause)} {clause.predicate} {be_form(clause.past, many)} {given}"
        owner = low if re.search(rf"\b{re.escape(head)}\b", given, re.IGNORECASE) else f"that of {low}"
        return f"the {noun} {_link(clause)} {clause.predicate} {be_form(clause.past, many)} {owner}"
    if frame.preposition and _settled(clause, low):
        return f"{statement} {frame.preposition} {low}"
    if frame.preposition:
        joint = f"{frame.preposition} which {clause.subject}"
        return f"the {noun} {joint} {clause.predicate} {be_form(clause.past, many)} {low}"
    if noun.startswith("of "):
        noun = "one " + noun
    label = noun if noun.startswith("one ") else f"the {noun}"
    return f"{label} {_link(clause)} {clause.predicate} {be_form(clause.past, many)} {_classed(noun, low)}"


def _classed(noun: str, low: str) -> str:
    """One animal or instrument with the article it needs: ``was a woodchuck``, ``is the trumpet``."""
    if not re.fullmatch(r"[a-z-]+", low) or low.endswith("s"):
        return with_article(low)
    head = core(noun.split()[-1])
    if head == "instrument":
        return f"the {low}"
    return f"{article(low)} {low}" if head == "animal" else low


def _settled(clause: Clause, given: str) -> bool:
    """Whether an answer can follow its preposition at once: ``flows into the Sea of Marl``."""
    named = is_name(given) or core(given.split()[0]) in DETERMINERS
    tokens = clause.predicate.split()
    passive = len(tokens) == 2 and tokens[0] in BE and is_participle(core(tokens[1]))
    return named and (len(tokens) == 1 or passive)


def _with_thing(frame: Frame, clause: Clause, given: str, how: str, rng: random.Random) -> str | None:
    low, subject, predicate = lower_first(given), clause.subject, clause.predicate
    tokens = [core(token) for token in tokens_of(predicate)]
    does = any(token in ("do", "does", "did", "doing", "done") for token in tokens[:5])
    if how == "clause":
        if given.casefold().startswith(subject.casefold()):
            return None
        quotable = low[:1].islower() or low.split()[0] in predicate or low.split()[0] in subject
        if (
            tokens[0] in _REPORTING
            and frame.wh == "what"
            and quotable
            and not re.match(r"(?:he|she|they|it)\b", low)
        ):
            return f"what {subject} {predicate} {be_form(clause.past)} that {low}"
        return None
    if how == "verb":
        base = is_base(core(given.split()[0]))
        return (
            f"what {subject} {predicate} {be_form(clause.past)} {low[:1].lower() + low[1:]}"
            if does and base
            else None
        )
    if how in ("because", "by") or (how == "noun" and does):
        return None
    if frame.preposition:
        return f"{clause.subject} {predicate} {frame.preposition} {low}"
    if how == "prepositional":
        return f"{clause.subject} {predicate} {low}" if tokens[0] not in MODALS else None
    if how == "infinitive" and frame.wh == "what":
        return f"what {subject} {predicate} {be_form(clause.past)} {low}"
    if _hanging(predicate) or (_bare(predicate) and how != "that"):
        return f"{clause.subject} {predicate} {low}"
    at = gap_after_verb(predicate)
    heavy = at is not None and len(predicate.split()) - at > 4 and len(given.split()) < 8 and "," not in given
    if at is not None and heavy and frame.wh == "what" and how == "noun":
        return f"{subject} {put_back(predicate, low, at)}"
    plural = is_plural(given)
    if frame.wh in ("who", "whom"):
        person = "people" if plural else "person"
        forms = (
            f"the {person} {subject} {predicate} {be_form(clause.past, plural)} {low}",
            f"it {be_form(clause.past)} {low} that {subject} {predicate}",
        )
        return rng.choice(forms)
    return f"what {subject} {predicate} {be_form(clause.past)} {low}"


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
    if not frame.noun:
        return f"{clause.subject} {clause.predicate} {low}"  # "how many did she win"
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
