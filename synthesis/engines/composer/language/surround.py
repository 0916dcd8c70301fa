"""Put an answer into or beside the clause that surrounds the gap: objects, places, times, reasons, amounts.

Knows frames and answer shapes; None where no form is sure to be grammatical.
"""

from __future__ import annotations

import random
import re

from synthesis.engines.composer.language.amounts import gap_after_verb, put_back, subordinate, with_quantity
from synthesis.engines.composer.language.answers import (
    is_date,
)
from synthesis.engines.composer.language.clauses import Clause
from synthesis.engines.composer.language.english import (
    AUXILIARIES,
    BE,
    DETERMINERS,
    MODALS,
    MONTHS,
    PREPOSITIONS,
    article,
    base_of_third,
    core,
    is_base,
    is_ing,
    is_participle,
    is_past,
    is_plural,
    lower_first,
    word_class,
)
from synthesis.engines.composer.language.frames import Frame
from synthesis.engines.composer.language.phrases import is_adverb, is_name, tokens_of
from synthesis.engines.composer.language.wording import be_form, dated, with_article

_MONTHS = frozenset(month.casefold() for month in MONTHS)


_SITED = word_class("sited")


_INVERTING = word_class("inverting")


_REPORTING = word_class("reporting")


_PARTICLES = word_class("particles")


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
    if timed and (is_date(given) or core(given) in _MONTHS):
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
