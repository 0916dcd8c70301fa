"""Put an answer into the gap of a question's frame: as subject, after *be*, or mid-sentence.

Knows frames and answer shapes; returns None where no form is sure to be grammatical, so that
the caller can fall back to a plain one. The answer's words are never changed: at most the case
of its first letter and its final full stop.
"""

from __future__ import annotations

import random
import re

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
    ADVERBS,
    BE,
    DETERMINERS,
    PREPOSITIONS,
    base_of_third,
    compares,
    core,
    is_adjective,
    is_base,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.lexicon import words as words_of
from synthesis.engines.composer.reading.answers import (
    PERSON_NOUNS,
    PLACE_NOUNS,
    is_date,
    is_number,
    is_ordinal,
    names_person,
    shape,
)
from synthesis.engines.composer.reading.frames import SIZES, Frame
from synthesis.engines.composer.stating.choices import compared
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
    how = shape(given)
    if how in ("gerund", "verb") and (len(given.split()) > 3 or not re.search(r"\s[A-Z]\w*$", given)):
        given = given[:1].lower() + given[1:]
    if not _asks_name(frame) and not frame.choices and (frame.wh not in ("who", "whom") or "," not in given):
        given = common_case(given)
    if frame.choices and not any(_overlap(given, choice) for choice in frame.choices):
        return None
    text = compared(frame, given) if rng.random() < 0.8 else None
    if text:
        return _led(frame, text, given)
    if frame.role == "place":
        text = fill_gap(frame, given, how)
    elif frame.role == "subject":
        text = _as_subject(frame, given, how)
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
    if frame.noun:
        return _described_subject(frame, given, plural)
    if how != "noun" or (starts_low and frame.wh == "what"):
        return f"what {predicate} {be_form(frame.past)} {lower_first(given)}"
    if starts_low:
        link = "who" if any(names_person(core(word)) for word in given.split()) else "that"
        return f"it {be_form(frame.past)} {given} {link} {predicate}"
    if frame.wh == "which" and not frame.choices:
        return f"the one that {predicate} {be_form(frame.past)} {lower_first(given)}"
    return f"{_set_off(given)} {_agree(predicate, plural and frame.wh != 'which')}"


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
    owned = re.match(r"(?P<owner>.+?)(?:['’]s|s['’]) (?P<thing>.+)$", noun)
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
        or noun.casefold().startswith(("kind of", "type of", "sort of"))
    ):
        return f"the {noun} {link} {predicate} {be_form(past, many)} {lower_first(given)}"
    return f"{given} {be_form(past, many)} the {noun} {link} {predicate}"


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
    if how in ("by", "prepositional") and frame.wh in ("what", "who"):
        return f"{subject} {be} {lower_first(given)}" if how == "prepositional" else None
    if _OFFICE.match(subject) and how == "noun" and given[:1].islower():
        owner = given if core(given.split()[0]) in DETERMINERS else f"{article(given)} {given}"
        return f"{subject} {be} that of {owner}"
    long = len(subject.split()) > 12 or re.search(r", (?:who|which|and) ", subject)
    if long and how == "noun" and given[:1].isupper() and subject.split()[0] not in ("he", "she", "it"):
        return f"{given} {be} {subject}"
    return f"{subject} {be} {with_article(lower_first(given))}"


def fill_gap(frame: Frame, given: str, how: str) -> str | None:
    """The answer ``given``, of shape ``how``, in the place of a mid-sentence question word."""
    before, after, noun = frame.before, frame.after, frame.noun
    low = lower_first(given)
    if how in ("clause", "because"):
        return None
    if core(before.split()[-1]) in ("do", "does", "did", "doing"):
        doing = re.search(r"^(.*\bto) do$", before)
        if not doing or after or not is_base(core(given.split()[0])):
            return None
        return f"{doing[1]} {low[:1].lower() + low[1:]}"
    if how == "verb":
        return None
    tail = after if after.startswith(",") else f" {after}" if after else ""
    if frame.wh == "where" and how == "noun":
        low = f"in {low}"
    if not noun:
        return f"{before} {low}{tail}"
    return _fill_noun(before, noun, low, tail)


def _fill_noun(before: str, noun: str, low: str, tail: str) -> str | None:
    """``which N`` mid-sentence: drop, keep or turn into an apposition what follows the question word."""
    comma = "," if noun.endswith(",") else ""
    noun = noun.rstrip(",")
    words = noun.split()
    if is_ordinal(low):
        if words[0] == "number":
            return f"{before} {low} {' '.join(words[1:])}{comma}{tail}"
        return f"{before} the {low} {noun}{comma}{tail}"
    if is_number(low) and len(low.split()) == 1 and core(words[0]) not in ("year", "number", "date"):
        return None
    if is_date(low) and core(words[-1]) in ("year", "date", "century", "month", "decade"):
        return f"{before} {low}{comma}{tail}"
    kind = core(words[0]) in ("type", "kind", "sort")
    if kind and not tail.startswith(" of"):
        return f"{before} {low}{comma}{tail}"
    if kind and not re.search(r"\b(?:that|which|who)\b", tail):
        return _typed(before, low, tail)
    if (
        not tail
        and core(words[-1]) in ("occupation", "profession", "job", "nationality")
        and low[:1].islower()
    ):
        return f"{before} the {noun} of {low}"
    if words[0] == "of":
        return f"{before} {low}, one {noun}{comma}{tail}"
    if (
        low in words_of("nationalities") + words_of("languages")
        and len(words) == 1
        and words[0] not in _LANGUAGES
    ):
        return f"{before} {low} {noun}{comma}{tail}"
    if not tail and not comma and words[0] != "other":
        return _labelled(before, noun, low)
    plural = is_plural("the " + noun) and not words[-1][:1].isupper()
    if plural or (noun.casefold().split()[-1] in low.casefold().split() and not tail):
        return f"{before} {low}{comma}{tail}"
    if words[0] == "other":
        phrase = "another " + " ".join(words[1:]) if len(words) > 1 else "another"
    else:
        phrase = f"{article(noun)} {noun}"
    follows = core(tail.split()[0]) if tail else ""
    if tail.startswith(" of"):
        return f"{before} {low}, {phrase}{tail}"
    if follows == "and" or (comma and is_adjective(core(words[-1]))) or (comma and names_person(noun)):
        return f"{before} {low}, {phrase}{comma}{tail}"
    if follows in PREPOSITIONS or follows in ADVERBS or comma:
        if words[0] != "other" and not (names_person(noun) or core(words[-1]) in _OFFICES):
            # A place or a thing takes what it is behind it: "in Franconia, a town in ...".
            sited = core(words[-1]) in PLACE_NOUNS and follows == "in"
            if len(words) == 1 and core(noun) in PLACE_NOUNS and not sited:
                return f"{before} {low}{comma}{tail}"
            return f"{before} {low}, {phrase}{comma if sited else ','}{tail}"
        label = "the other" + noun[5:] if words[0] == "other" else f"the {noun}"
        return f"{before} {label} {low}{comma}{tail}"
    return f"{before} {low}, {phrase}{tail}"


def _labelled(before: str, noun: str, low: str) -> str:
    """``in which town`` at the end: ``in the town of Norman``, ``by the company Baxter``, or bare."""
    head = core(noun.split()[-1])
    if head in ("town", "city", "village", "state", "province") and not low[:1].islower() and "," not in low:
        return f"{before} the {noun} of {low}"
    if (head in PERSON_NOUNS or head in _OFFICES) and not low[:1].islower() and not low.startswith("The "):
        return f"{before} the {noun} {low}"
    if len(noun.split()) > 1 and not low[:1].islower() and " and " not in noun:
        return f"{before} {low}, {article(noun)} {noun}"
    return f"{before} {low}"


def _typed(before: str, low: str, tail: str) -> str:
    """``what type of game`` at the end: a bare common noun gets its article (``a board game``)."""
    noun = tail.split()[-1].casefold()
    if not low[:1].islower() or low.split()[-1].casefold() != noun or low.startswith(("a ", "an ", "the ")):
        return f"{before} {low}"
    if before.endswith(" both"):
        before = before[: -len("both")] + "each"
    return f"{before} {article(low)} {low}"
