"""An answer that is described ("which king of Denmark born in 1170 reserved ..."): a step for each property.

Also what two have in common, and what somebody did with both of two. Knows the question's frame; no step
holds all that is asked, and only the answer has it all.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.phrases import is_adverb, is_name, tokens_of
from synthesis.engines.composer.grammar.wording import article, is_plural, lower_first, trimmed
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    base_of_third,
    core,
    is_participle,
    is_past,
)
from synthesis.engines.composer.reading.answers import names_person, shape
from synthesis.engines.composer.reading.frames import Frame
from synthesis.engines.composer.reading.questions import read
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.steps.bridges import NAME, ONE
from synthesis.engines.composer.stating.steps.links import Derivation, Link
from synthesis.engines.composer.stating.steps.wording import worded

_UNIQUE = re.compile(r"\b(?:first|last|only|\w+est|most|second|third)\b", re.I)
_BARE = re.compile(
    r"^(?:of|one of|other|kind|type|sort|number|date|year|day|month|percentage|portion|part|amount|share)\b",
    re.I,
)
_SHARED = re.compile(
    rf"^(?P<a>{ONE}) and (?P<b>{ONE}) (?P<be>are|were) (?:both )?(?P<by>[a-z ]*?)\b(?P<wh>what"
    rf"|which) (?P<noun>.+)$"
)
_SHARED_BY = re.compile(
    rf"^(?:what|which) (?P<noun>[a-z ]+?) (?:is|was|are|were) (?:shared by|common to) (?:both "
    rf")?(?P<a>{ONE}) and (?P<b>{ONE})$"
)
_IN_COMMON = re.compile(
    rf"^what (?:do|does|did|have|has) (?:both )?(?P<a>{ONE}) and (?P<b>{ONE}) (?:both )?have in common$"
)
_TRADES = frozenset(["occupation", "profession", "job", "career", "trade"])


def described(question: str, answer: str) -> Derivation | None:
    """A step for each property that the question gives the answer, or None where it gives only one."""
    given = trimmed(answer)
    shared = _shared(question, given)
    if shared:
        return shared
    if shape(given) != "noun" or len(given.split()) > 9:
        return None
    frame = read(re.sub(r",? and who ", " and ", question) if question[:4].casefold() == "who " else question)
    if frame is None or frame.choices or not frame.wh:
        return None
    if frame.role == "subject":
        said = _of_the_subject(frame, given)
    elif frame.role == "place":
        said = _of_the_gap(frame, given)
    elif frame.role == "object" and frame.preposition and frame.clause and len(frame.noun.split()) > 1:
        clause = frame.clause
        said = [f"{clause.subject} {clause.predicate} {frame.preposition} {{s}}", _is_a(frame.noun, False)]
    elif frame.role == "copula" and frame.wh in ("who", "what", "which") and given[:1].isupper():
        said = _of_the_copula(frame)
    else:
        return None
    if len(said) < 2 or any(text.count("{s}") != 1 for text in said):
        return None
    links = [
        Link(given, text.casefold(), text, worded(text), "answer" if at == len(said) - 1 else "support")
        for at, text in enumerate(said)
    ]
    wanted = tuple(Triple("?answer", link.relation, link.value) for link in links)
    return Derivation(tuple(links), Query("find", wanted), "described")


def _of_the_subject(frame: Frame, given: str) -> list[str]:
    """Clauses with ``{s}`` for the answer: what it is called, then each predicate."""
    said = []
    noun = frame.noun.rstrip(",")
    if frame.wh in ("which", "what") and noun:
        if (
            _BARE.match(noun)
            or re.search(r"['’]s?\b|\(", noun)
            or is_plural(f"the {noun.partition(' and ')[0]}")
        ):
            return []
        if len(noun.split()) > 1 and not set(noun.casefold().split()) <= set(given.casefold().split()):
            said.append(_is_a(noun, frame.past))
    elif frame.wh not in ("who", "which", "what"):
        return []
    predicates = _predicates(frame.predicate)
    if frame.lead:
        predicates[-1] = f"{frame.lead}, {{s}} {predicates[-1]}"
    return said + [text if "{s}" in text else f"{{s}} {text}" for text in predicates]


def _is_a(noun: str, past: bool) -> str:
    be = "was" if past and names_person(noun) else "is"
    the = "the" if _UNIQUE.search(noun) else article(noun)
    return f"{{s}} {be} {the} {noun}"


def _predicates(predicate: str) -> list[str]:
    """The predicates that ``and`` joins, and one for each of two that ``both ... and`` names."""
    tokens = tokens_of(predicate.removeprefix("both "))
    verb = next((core(token) for token in tokens if not is_adverb(token)), "")
    past = is_past(verb) or verb in ("was", "were", "had", "did")
    parts: list[list[str]] = [[]]
    for at, token in enumerate(tokens):
        ahead = [
            one
            for one in tokens[at + 1 : at + 4]
            if core(one) not in ("also", "later", "then") and not is_adverb(one)
        ]
        follows = core(ahead[0]) if ahead and ahead[0][:1].islower() else ""
        fits = follows in AUXILIARIES or (is_past(follows) if past else base_of_third(follows) is not None)
        if core(token) == "and" and at > 1 and len(ahead) > 1 and fits and "both" not in map(core, parts[-1]):
            parts.append([])
        else:
            parts[-1].append(token)
    told = [re.sub(r"^(?:also|later|then) ", "", " ".join(part).rstrip(",")) for part in parts if part]
    return [one for text in told for one in _of_both(text)]


def _of_both(text: str) -> list[str]:
    both = re.match(rf"(?P<before>.+?) both (?P<a>{ONE}) and (?P<b>{ONE})$", text)
    if both:
        return [f"{both['before']} {both['a']}", f"{both['before']} {both['b']}"]
    tail = re.match(r"(?P<before>.{12,}?),? featuring (?P<rest>.+)$", text)
    return [tail["before"], f"featured {tail['rest']}"] if tail else [text]


def _of_the_gap(frame: Frame, given: str) -> list[str]:
    """``X is featured in what 2006 film directed by Y``: the answer's place, and what it is."""
    before, noun, after = frame.before, frame.noun.rstrip(","), frame.after.strip()
    if not noun or frame.wh not in ("which", "what") or not re.search(r"[A-Z0-9]", before):
        return []
    title = re.match(NAME, before)
    if "," in before[title.end() if title else 0 :] or before.endswith(" both") or given[:1].islower():
        return []
    if noun.startswith("of ") and not after:
        return [f"{before} {{s}}", f"{{s}} is one {noun}"]
    if _BARE.match(noun) or after and not _DESCRIBES.match(after):
        return []
    if len(f"{noun} {after}".split()) < 2:
        return []
    return [f"{before} {{s}}", _is_a(f"{noun} {after}".strip(), past=False)]


def _of_the_copula(frame: Frame) -> list[str]:
    """``Who was the queen that married X``, ``What is the opera written by X``: what it is, what it did."""
    subject = frame.clause.subject if frame.clause else ""
    found = _WITH_CLAUSE.match(subject) or _WITH_PARTICIPLE.match(subject)
    if found is None or frame.preposition:
        return []
    first = core(found["rest"].split()[0])
    if "rel" in found.re.groupindex:
        finite = first in AUXILIARIES or is_past(first) or base_of_third(first) is not None
        says = found["rest"] if finite else ""
    else:
        says = f"was {found['rest']}" if is_participle(first) else ""
    if not says or re.search(r"\b(?:and|or)$", found["noun"]):
        return []
    return [_is_a(found["noun"], frame.past), *(f"{{s}} {one}" for one in _predicates(says))]


_WITH_CLAUSE = re.compile(
    r"(?:the (?:name|title) of )?(?:the|a|an) (?P<noun>[^,]+?),? (?P<rel>who|that|which) (?P<rest>.+)$"
)
_WITH_PARTICIPLE = re.compile(
    r"(?:the (?:name|title) of )?(?:the|a|an) (?P<noun>[^,]+?),? (?P<rest>[a-z]+ (?:by|in|on|for|at) .+)$"
)

# What may stand behind a noun and go with it.
_DESCRIBES = re.compile(r"(?:that|who|which|by|of|in|near|from|and [a-z]+$|[a-z]+(?:ed|ing|wn|en|ld|de)\b)")


def _shared(question: str, given: str) -> Derivation | None:
    """What two are both said to be, told of each."""
    found = _SHARED.match(question)
    if found:
        be = "is" if found["be"] == "are" else "was"
        noun, by = found["noun"].casefold(), found["by"]
        low = lower_first(given)
        kind = noun.startswith(("type of", "kind of", "sort of"))
        value = (
            f"{article(low)} {low}"
            if kind and low[:1].islower() and not re.match(r"an?\b|the\b", low)
            else low
        )
        form = f"{{s}} {be} {by}{{v}}" if kind or by else f"the {noun} of {{s}} {be} {{v}}"
        return _each(found["a"], found["b"], value, form)
    low_start = question[:1].lower() + question[1:]
    found = _SHARED_BY.match(low_start)
    if found:
        noun = found["noun"].split()[-1].casefold()
        low = lower_first(given)
        if noun in _TRADES and low[:1].islower():
            return _each(found["a"], found["b"], f"{article(low)} {low}", "{s} worked as {v}")
        return _each(found["a"], found["b"], low, f"the {noun} of {{s}} was {{v}}")
    found = _IN_COMMON.match(low_start)
    if found and is_name(given) and len(given.split()) < 6:
        return _each(found["a"], found["b"], given, "{s} owes much to {v}")
    return None


def _each(first: str, second: str, value: str, form: str) -> Derivation:
    links = (
        Link(first, form, value, worded(form), "support"),
        Link(second, form, value, tuple(reversed(worded(form))), "answer"),
    )
    wanted = (Triple(first, form, "?answer"), Triple(second, form, "?answer"))
    return Derivation(links, Query("find", wanted), "shared")
