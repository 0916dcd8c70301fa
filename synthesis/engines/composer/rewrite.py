"""Put an answer into the gap of a question's frame.

Knows frames and answer shapes; returns None where no form is sure to be grammatical, so that
the caller can fall back to a plain one. The answer's words are never changed: at most the case
of its first letter and its final full stop.
"""

from __future__ import annotations

import random
import re

from synthesis.engines.composer.answers import (
    is_number,
    names_person,
    shape,
)
from synthesis.engines.composer.english import (
    BE,
    base_of_third,
    core,
    is_past,
    is_plural,
    lower_first,
    upper_first,
)
from synthesis.engines.composer.frames import Frame
from synthesis.engines.composer.insert import fill_gap
from synthesis.engines.composer.phrases import is_name
from synthesis.engines.composer.surround import around_clause
from synthesis.engines.composer.wording import be_form, dated, trimmed


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
    how = shape(given)
    if how in ("gerund", "verb") and (len(given.split()) > 3 or not re.search(r"\s[A-Z]\w*$", given)):
        given = given[:1].lower() + given[1:]
    if frame.choices and not any(_overlap(given, choice) for choice in frame.choices):
        return None
    text: str | None
    if frame.role == "place":
        text = fill_gap(frame, given, how)
    elif frame.role == "subject":
        text = _as_subject(frame, given, how, rng)
    elif frame.role == "copula":
        text = _as_complement(frame, given, how)
    else:
        text = around_clause(frame, given, how, rng)
    if text is None:
        return None
    if frame.choices and frame.role != "place":
        first, second = frame.choices
        text = f"{rng.choice(('Of', 'Between'))} {first} and {second}, {_continued(text, given)}"
    return f"{frame.lead}, {_continued(text, given)}" if frame.lead else upper_first(text)


def _continued(text: str, given: str) -> str:
    """A statement as it goes on behind a comma; an answer in front of it keeps its capital."""
    return text if text.startswith(given) else lower_first(text)


def _overlap(given: str, choice: str) -> bool:
    return bool(
        {core(word) for word in given.split()} & {core(word) for word in choice.split()} - {"the", "a", "of"}
    )


def _as_subject(frame: Frame, given: str, how: str, rng: random.Random) -> str | None:
    if how in ("clause", "because", "verb", "by", "prepositional"):
        return None
    plural = is_plural(given)
    predicate = frame.predicate
    if frame.wh.startswith("how"):
        return _counted_subject(frame, given)
    starts_low = given[:1].islower()
    if frame.choices and not frame.noun:
        return f"{given} {predicate}"
    if frame.wh == "whose":
        return f"{_possessive(given)} {frame.noun} {predicate}" if frame.noun and not starts_low else None
    if frame.noun:
        return _described_subject(frame, given, plural)
    if how != "noun" or (starts_low and frame.wh == "what"):
        return f"what {predicate} {be_form(frame.past)} {lower_first(given)}"
    if starts_low:
        return f"it {be_form(frame.past)} {given} who {predicate}"
    if frame.wh == "which" and not frame.choices:
        return f"the one that {predicate} {be_form(frame.past)} {lower_first(given)}"
    return f"{given} {_agree(predicate, plural and frame.wh != 'which')}"


def _possessive(name: str) -> str:
    return name + ("'" if name.endswith("s") else "'s")


def _described_subject(frame: Frame, given: str, plural: bool) -> str | None:
    """``Which Welsh actor starred ...``: the noun becomes a description of the answer."""
    noun, predicate = frame.noun, frame.predicate
    past = frame.past or is_past(core(predicate.split()[0]))
    owned = re.match(r"(?P<owner>.+?)(?:['’]s|s['’]) (?P<thing>.+)$", noun)
    if noun.startswith(("of ", "one of ")):
        return f"{given} {predicate}"
    if owned and not is_name(owned["owner"].split()[0]) or owned and names_person(owned["owner"]):
        return f"{given} {be_form(past)} the {owned['owner']} whose {owned['thing']} {predicate}"
    link = "who" if names_person(noun) else "that"
    if re.search(r"\b(?:that|who|which)\b", noun):
        link = "and " + link
    many = is_plural("the " + noun) if plural else False
    if plural and not many and core(predicate.split()[0]) in ("is", "was", "has"):
        return f"the {noun} {link} {predicate} {be_form(past)} {lower_first(given)}"
    if (
        given[:1].islower()
        or given[:1].isdigit()
        or noun.casefold().startswith(("kind of", "type of", "sort of"))
    ):
        return f"the {noun} {link} {predicate} {be_form(past, many)} {lower_first(given)}"
    return f"{given} {be_form(past, many)} the {noun} {link} {predicate}"


def _counted_subject(frame: Frame, given: str) -> str | None:
    if not is_number(given):
        return None
    if frame.wh == "how many" and not re.search(r"[a-z]{3,} [a-z]{3,}", given) and not given[:1].islower():
        return f"{given} {frame.noun} {frame.predicate}"
    label = "number" if frame.wh == "how many" else "amount"
    return f"the {label} of {frame.noun} that {frame.predicate} {be_form(frame.past)} {lower_first(given)}"


def _as_complement(frame: Frame, given: str, how: str) -> str | None:
    clause = frame.clause
    assert clause is not None
    subject, be = clause.subject, clause.predicate
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
            return f"{subject} {be} in {lower_first(given)}" if is_name(given) else None
        return f"{subject} {be} {lower_first(given)}" if how == "prepositional" else None
    if frame.wh == "when":
        return f"{subject} {be} {dated(given)}"
    if frame.wh in (
        "how old",
        "how tall",
        "how long",
        "how far",
        "how high",
        "how deep",
        "how wide",
        "how big",
    ):
        unit = {"how old": "years old"}.get(frame.wh, "") if re.fullmatch(r"[\d.]+|\w+", given) else ""
        if frame.wh == "how long" and is_number(given) and clause.predicate in BE:
            unit = "long"
        if frame.wh in ("how tall", "how high", "how deep", "how wide") and is_number(given):
            unit = frame.wh[4:]
        return f"{subject} {be} {lower_first(given)} {unit}".strip()
    if frame.wh.startswith("how "):
        return f"{subject} {be} {lower_first(given)}" if frame.wh == "how much" else None
    if how in ("by", "prepositional") and frame.wh in ("what", "who"):
        return f"{subject} {be} {lower_first(given)}" if how == "prepositional" else None
    return f"{subject} {be} {lower_first(given)}"
