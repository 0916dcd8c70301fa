"""Put an answer into the gap of a question's frame: as subject, after *be*, or mid-sentence.

Knows frames and answer shapes; returns None where no form is sure to be grammatical, so that
the caller can fall back to a plain one. The answer's words are never changed: at most the case
of its first letter and its final full stop.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace

from synthesis.engines.composer.grammar.clauses import Clause
from synthesis.engines.composer.grammar.phrases import is_name
from synthesis.engines.composer.grammar.wording import (
    article,
    be_form,
    common_case,
    dated,
    is_plural,
    lower_first,
    trimmed,
    upper_first,
    with_article,
)
from synthesis.engines.composer.grammar.words import (
    BE,
    DETERMINERS,
    PREPOSITIONS,
    base_of_third,
    compares,
    core,
    is_base,
    is_participle,
    is_past,
    verbs,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.answers import (
    is_date,
    is_number,
    names_person,
    shape,
)
from synthesis.engines.composer.reading.frames import SIZES, Frame
from synthesis.engines.composer.stating.choices import compared
from synthesis.engines.composer.stating.gaps import fill_gap
from synthesis.engines.composer.stating.objects import around_clause, as_subject

_NAMED = word_class("titled") | word_class("worked")
_OFFICES = word_class("titled")
_LANGUAGES = frozenset(["language", "languages", "nationality", "tongue", "dialect"])


def _agree(predicate: str, plural: bool) -> str:
    """Put the verb in front of ``predicate`` into the plural where the subject turned out to be one."""
    first, _, rest = predicate.partition(" ")
    if not plural:
        return predicate
    swap = {"is": "are", "was": "were", "has": "have", "does": "do"}
    base = swap.get(first) or base_of_third(first)
    return f"{base} {rest}".strip() if base else predicate


def render(frame: Frame, answer: str, rng: random.Random) -> str | None:
    """The statement that answers the framed question, without a final full stop.

    Args:
        frame: the question as read.
        answer: one short answer on one line, not a full sentence of its own.
        rng: chooses among equivalent forms.

    Returns:
        The statement, or None where no form is safe.
    """
    given = trimmed(answer)
    if not given:
        return None
    how = shape(given)
    if how in ("gerund", "verb") and (len(given.split()) > 3 or not re.search(r"\s[A-Z]\w*$", given)):
        given = given[:1].lower() + given[1:]
    if not _asks_name(frame) and not frame.choices and (frame.wh not in ("who", "whom") or "," not in given):
        given = common_case(given)
    if frame.choices and not any(_overlap(given, choice) for choice in frame.choices):
        return None
    if frame.wh == "where" and is_date(given) and how == "noun":
        frame = replace(frame, wh="when")  # as some ask who want to know the year
    if not frame.wh and len(given.split()) > _MOST_DESCRIBED:
        return None
    text = compared(frame, given) if rng.random() < 0.8 else None
    if text:
        return _led(frame, text, given)
    if frame.role == "place":
        text = fill_gap(frame, given, how, rng)
    elif frame.role == "subject":
        text = _as_subject(frame, given, how)
    elif frame.role == "happened":
        text = _as_event(frame, given, how)
    elif frame.role == "copula":
        text = _as_complement(frame, given, how)
    else:
        text = around_clause(frame, given, how, rng)
    if text is None:
        return None
    if frame.choices and frame.role != "place":
        first, second = frame.choices
        text = f"{rng.choice(('Of', 'Between'))} {first} and {second}, {_continued(text, given)}"
    return _led(frame, text, given)


def _led(frame: Frame, text: str, given: str) -> str:
    """The statement behind the adjunct or clause that the question opened with."""
    if not frame.lead:
        return upper_first(text)
    return f"{frame.lead}{'' if frame.lead.endswith(';') else ','} {_continued(text, given)}"


#: A longer answer is no thing that a question describes.
_MOST_DESCRIBED = 12

_NAMING = re.compile(r"\b(?:name|title|nickname|called|named|known|titled|say|word|words)\b")


def _asks_name(frame: Frame) -> bool:
    """Whether a name or a title is asked for, whose capital letter must stay."""
    clause = f"{frame.clause.subject} {frame.clause.predicate}" if frame.clause else ""
    around = f"{frame.noun} {clause} {frame.predicate} {frame.before} {frame.after}"
    return bool(_NAMING.search(around)) or core((frame.noun.split() or [""])[-1]) in _NAMED


def _continued(text: str, given: str) -> str:
    """A statement as it goes on behind a comma; an answer in front of it keeps its capital."""
    return text if text.startswith(given) else lower_first(text)


def _overlap(given: str, choice: str) -> bool:
    return bool(
        {core(word) for word in given.split()} & {core(word) for word in choice.split()} - {"the", "a", "of"}
    )


def _as_subject(frame: Frame, given: str, how: str) -> str | None:
    if how in ("clause", "because", "verb", "by", "prepositional"):
        return None
    plural = is_plural(given)
    predicate = frame.predicate
    if frame.wh.startswith("how"):
        return as_subject(frame, given)
    starts_low = given[:1].islower()
    if frame.choices and not frame.noun:
        return f"{given} {predicate}"
    if frame.wh == "whose":
        return f"{_possessive(given)} {frame.noun} {predicate}" if frame.noun and not starts_low else None
    if not frame.wh and how == "noun":
        return f"{given} {_agree(predicate, plural)}" if not plural or " a" not in predicate[:5] else None
    if frame.noun:
        return _described_subject(frame, given, plural)
    whole = (
        core(given.split()[0]) in DETERMINERS and how == "noun" and core(predicate.split()[0]) != "happens"
    )
    if whole and frame.wh == "what":
        return f"{given} {_agree(predicate, plural)}"
    sited = predicate.split()[1:2] and core(predicate.split()[1]) in PREPOSITIONS - {"of"}
    goes = frame.wh == "what" and sited and base_of_third(core(predicate.split()[0])) is not None
    if how != "noun" or (starts_low and frame.wh == "what" and not goes):
        return f"what {predicate} {be_form(frame.past)} {lower_first(given)}"
    if starts_low:
        personal = any(names_person(core(word)) for word in given.split() if core(word) != "general")
        link = "who" if personal else "that"
        return f"it {be_form(frame.past)} {given} {link} {predicate}"
    if frame.wh == "which" and not frame.choices:
        return f"the one that {predicate} {be_form(frame.past)} {lower_first(given)}"
    named = with_article(_set_off(given))
    return f"{named} {_agree(predicate, plural and frame.wh != 'which')}"


def _set_off(given: str) -> str:
    """A name with something beside it gets its second comma: ``Gil, the watchman,``."""
    name, comma, beside = given.partition(", ")
    closed = not comma or "," in beside or re.match(r"(?:and|or|&) ", beside)
    return given if closed else given + ","


def _measured(frame: Frame, clause: Clause, low: str) -> str | None:
    """``How far is A from B``, ``How much larger is A than B``: the measure goes between the two."""
    joint = {"how far": " from "}.get(frame.wh, " than " if compares(frame.noun) else "")
    first, found, second = clause.subject.rpartition(joint) if joint else ("", "", "")
    if not found:
        return None
    return f"{first} {clause.predicate} {low} {frame.noun}".rstrip() + f"{joint}{second}"


_OFFICE = re.compile(r"(?:the |.*['’]s )(?:profession|occupation|job|trade|position|role)\b", re.IGNORECASE)
_GROUPS = word_class("groups")


def _possessive(name: str) -> str:
    if name.endswith(("'s", "’s", "s'", "s’")):
        return name
    return name + ("'" if name.endswith("s") else "'s")


def _described_subject(frame: Frame, given: str, plural: bool) -> str | None:
    """``Which Welsh actor starred ...``: the noun becomes a description of the answer."""
    noun, predicate = frame.noun, frame.predicate
    past = frame.past or is_past(core(predicate.split()[0]))
    owned = re.match(r"(?!percentage|proportion|share)(?P<owner>.+?)(?:['’]s|s['’]) (?P<thing>.+)$", noun)
    if noun.startswith(("of ", "one of ")):
        return f"{given} {predicate}"
    if owned and not is_name(owned["owner"].split()[0]) or owned and names_person(owned["owner"]):
        return f"{given} {be_form(past)} the {owned['owner']} whose {owned['thing']} {predicate}"
    link = "who" if names_person(noun) else "that"
    if re.search(r"\b(?:that|who|which)\b", noun):
        link = "and " + link
    if plural and given.startswith("the ") and is_name(given.split()[1]) and core(noun) in _GROUPS:
        return f"{given} {be_form(past, True)} the {noun} {link} {predicate}"
    many = is_plural("the " + noun) if plural else False
    if plural and not many and core(predicate.split()[0]) in ("is", "was", "has"):
        return f"the {noun} {link} {predicate} {be_form(past)} {lower_first(given)}"
    if (
        given[:1].islower()
        or given[:1].isdigit()
        or noun.casefold().startswith(
            ("kind of", "type of", "sort of", "percentage of", "proportion of", "share of")
        )
    ):
        return f"the {noun} {link} {predicate} {be_form(past, many)} {lower_first(given)}"
    return f"{_set_off(given)} {be_form(past, many)} the {noun} {link} {predicate}"


def _as_event(frame: Frame, given: str, how: str) -> str | None:
    """``What happened to N``: what N did or what was done to it, or the event by its name."""
    assert frame.clause is not None
    subject, first = frame.clause.subject, core(given.split()[0])
    if is_past(first) and not given[:1].isupper() and how != "clause" and len(given.split()) > 1:
        passive = is_participle(first) and core(given.split()[1]) in PREPOSITIONS
        return f"{subject} {'was ' if passive else ''}{given}"
    if how != "noun":
        return None
    return f"what happened to {subject} was {with_article(_one_of(lower_first(given)))}"


_KIND = re.compile(r"(?:kind|type|sort) of ")
_UNCOUNTED = re.compile(r"(?:tion|ing|ness|ity|ism|ics|music|software|data|water|food|rock|steel|weather)$")


def _one_of(given: str) -> str:
    """A bare common noun with the article it needs: ``an electrical fire``."""
    tokens = given.split()
    bare = given == given.casefold() and core(tokens[0]) not in DETERMINERS and not is_plural(f"the {given}")
    bare = bare and not _UNCOUNTED.search(given)
    return f"{article(given)} {given}" if bare and len(tokens) < 4 and given.isascii() else given


_PURPOSE = re.compile(
    r"(?:the )?(?:\w+ )?(?:roles?|purposes?|aims?|functions?|jobs?|dut(?:y|ies)|goals?|tasks?)\b"
)


def _as_complement(frame: Frame, given: str, how: str) -> str | None:
    clause = frame.clause
    assert clause is not None
    subject, be = clause.subject, clause.predicate
    if core((given.split() or [""])[0]) in verbs() and given[:1].islower() and _PURPOSE.match(subject):
        return f"{subject} {be} to {given}"
    if frame.preposition:
        if how != "noun" or not is_name(given):
            return None
        the = (
            "the "
            if re.search(r"\b(?:Ocean|Sea|River|Islands|Mountains|Desert|States|Kingdom)$", given)
            else ""
        )
        return f"{subject} {be} {frame.preposition} {the}{given}"
    if how in ("clause", "because"):
        return None
    if frame.choices:
        return f"{given} {be} {subject}"
    if frame.wh == "where":
        if how == "noun":
            sited = "" if re.match(r"the (?:place|site|location)\b", subject) else "in "
            return f"{subject} {be} {sited}{lower_first(given)}" if is_name(given) else None
        return f"{subject} {be} {lower_first(given)}" if how == "prepositional" else None
    if frame.wh == "when":
        return f"{subject} {be} {dated(given)}"
    measured = _measured(frame, clause, lower_first(given))
    if measured:
        return measured
    if frame.wh in (
        "how old",
        "how tall",
        "how long",
        "how far",
        "how high",
        "how deep",
        "how wide",
    ):
        unit = {"how old": "years old"}.get(frame.wh, "") if re.fullmatch(r"[\d.]+|\w+", given) else ""
        if frame.wh == "how long" and is_number(given) and clause.predicate in BE:
            unit = "long"
        if frame.wh in ("how tall", "how high", "how deep", "how wide") and is_number(given):
            unit = frame.wh[4:]
        return f"{subject} {be} {lower_first(given)} {unit}".strip()
    if frame.wh in SIZES:
        return f"the {SIZES[frame.wh]} of {subject} {be} {lower_first(given)}"
    if frame.wh.startswith("how "):
        return f"{subject} {be} {lower_first(given)}" if frame.wh == "how much" else None
    if not frame.wh and how == "noun" and (be == "is" or is_plural(given)):
        return f"{with_article(lower_first(given))} {be} {subject}"
    if how == "verb" and is_base(core(given.split()[0])) and given[:1].isupper():
        return f"{subject} {be} {'these' if be in ('are', 'were') else 'this'}: {given}"
    if _KIND.match(frame.noun):
        given = given[:1].lower() + given[1:] if given[1:] == given[1:].casefold() else given
        told = f"{subject} {be} {_one_of(given)}"
        said = {core(word) for word in given.split()} & {core(word) for word in frame.noun.split()}
        return told if said or "," in given else f"{told}, {article(frame.noun)} {frame.noun}"
    if how in ("by", "prepositional") and frame.wh in ("what", "who"):
        return f"{subject} {be} {lower_first(given)}" if how == "prepositional" else None
    if _OFFICE.match(subject) and how == "noun" and given[:1].islower():
        owner = given if core(given.split()[0]) in DETERMINERS else f"{article(given)} {given}"
        return f"{subject} {be} that of {owner}"
    long = len(subject.split()) > 12 or re.search(r", (?:who|which|and) ", subject)
    if long and how == "noun" and given[:1].isupper() and subject.split()[0] not in ("he", "she", "it"):
        return f"{given} {be} {subject}"
    return f"{subject} {be} {with_article(lower_first(given))}"
