"""Numbers that can be worked out: sums, differences, ages, spans and counts, by numbers chosen to give them.

Knows the question as a string and the answer as a whole number; returns None for anything else.
"""

from __future__ import annotations

import random
import re

from synthesis.engines.composer.grammar.words import SMALL_NUMBERS
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.steps.bridges import ONE
from synthesis.engines.composer.stating.steps.links import Derivation, Link
from synthesis.engines.composer.stating.steps.naming import Namer
from synthesis.engines.composer.stating.steps.wording import worded

_ANSWER = re.compile(r"^(?P<number>\d{1,3}(?:,\d{3})+|\d{1,7})(?: (?P<unit>[a-z]+))?\.?$")
_VERB = (
    r"(?:have|has|had|own|owns|owned|win|won|write|wrote|written|hold|make|made|sell|sold|score|scored|"
    r"publish|published|contain|release|released)"
)
_TOGETHER = re.compile(
    rf"^how many (?P<what>[a-z][\w' -]*?) (?:do|did|does|have|has|were) (?P<a>{ONE}) and "
    rf"(?P<b>{ONE}) (?P<verb>{_VERB}) ?"
    r"(?:together|combined|in total|altogether|in all|between them)$"
)
_MORE = re.compile(
    rf"^how many (?P<rank>more|fewer) (?P<what>[a-z][\w' -]*?) (?:do|did|does|has|have|had) "
    rf"(?P<a>{ONE}) (?P<verb>{_VERB}) ?than (?P<b>{ONE})$"
)
_MORE_OF = re.compile(
    rf"^how many (?P<rank>more|fewer) (?P<what>[a-z][\w' -]*?) (?:are|were) (?:there )?in "
    rf"(?P<a>{ONE}) than (?:in )?(?P<b>{ONE})$"
)
_LIVED = re.compile(
    rf"^(?:how many years did (?P<a>{ONE}) live|(?:how old|at what age) (?:was (?P<b>{ONE}) when "
    rf"(?:he|she|they) died|did (?P<c>{ONE}) die))$"
)
_APART = re.compile(
    rf"^how (?:many years|long) (?P<order>before|after) (?P<b>.*?{ONE}.*?) was (?P<a>{ONE}) "
    rf"(?P<did>founded|published|released|built|opened|born|formed|established)$"
)
_LASTED = re.compile(rf"^how (?:many years|long) did (?P<a>(?:the )?{ONE}) last$")
_REIGNED = re.compile(
    rf"^(?:for )?how (?:many years|long) did (?P<a>{ONE}) (?P<verb>reign|rule|serve|play|work|teach"
    rf"|live)(?P<rest>(?: [a-z]+){{0,3}}(?: {ONE})?)$"
)
_COUNT = re.compile(
    rf"^how many (?P<what>children|sons|daughters|brothers|sisters|siblings|members|districts|parishes"
    rf"|villages) "
    rf"(?:does|did|do|has|have|had) (?P<a>{ONE})(?: have| had)?$"
)
_PAST = {
    "reign": "reigning",
    "rule": "ruling",
    "serve": "serving",
    "play": "playing",
    "work": "working",
    "teach": "teaching",
    "live": "living",
}


def derived(question: str, answer: str, namer: Namer, rng: random.Random) -> Derivation | None:
    """Numbers from which the answer follows, or None where it is not asked for so."""
    question = question[:1].lower() + question[1:]
    found = _ANSWER.match(answer.strip())
    small = answer.strip().rstrip(".").casefold()
    if found:
        value = int(found["number"].replace(",", ""))
    elif small in SMALL_NUMBERS:
        value = SMALL_NUMBERS.index(small)
    else:
        return None
    return (
        _summed(question, value, rng)
        or _differing(question, value, rng)
        or _spanned(question, value, rng)
        or _counted(question, value, namer)
    )


def _two(sides: tuple[str, str], values: tuple[int, int], name: str, form: str, how: str) -> Derivation:
    links = tuple(
        Link(side, name, f"{value:,}", worded(form), "answer" if at else "value", str(value))
        for at, (side, value) in enumerate(zip(sides, values, strict=True))
    )
    return Derivation(links, Query(how, tuple(Triple(side, name, "?value") for side in sides)), "number")


def _has(verb: str, what: str) -> str:
    low = verb.casefold()
    past = {
        "win": "won",
        "write": "wrote",
        "written": "wrote",
        "hold": "held",
        "make": "made",
        "sell": "sold",
        "publish": "published",
        "score": "scored",
        "release": "released",
        "own": "owned",
        "owns": "owned",
        "have": "has",
        "contain": "contains",
    }
    return f"{{s}} {past.get(low, low)} {{v}} {what}"


def _summed(question: str, value: int, rng: random.Random) -> Derivation | None:
    found = _TOGETHER.match(question)
    if found is None or value < 5:
        return None
    first = 2 + int(rng.random() * (value - 4))
    return _two(
        (found["a"], found["b"]),
        (first, value - first),
        found["what"],
        _has(found["verb"], found["what"]),
        "sum",
    )


def _differing(question: str, value: int, rng: random.Random) -> Derivation | None:
    found = _MORE.match(question) or _MORE_OF.match(question)
    if found is None or value < 1:
        return None
    less = 2 + int(rng.random() * max(9, 2 * value))
    pair = (less + value, less) if found["rank"].casefold() == "more" else (less, less + value)
    form = (
        _has(found["verb"], found["what"])
        if "verb" in found.re.groupindex
        else f"there are {{v}} {found['what']} in {{s}}"
    )
    return _two((found["a"], found["b"]), pair, found["what"], form, "difference")


def _span(subject: str, events: tuple[str, str], value: int, rng: random.Random) -> Derivation:
    """Two years that far apart; both are told of the subject, and only the difference is asked."""
    start = 1790 + int(rng.random() * 120)
    links = tuple(
        Link(subject, event, str(year), worded(f"{{s}} {event} in {{v}}"), "answer" if at else "value")
        for at, (event, year) in enumerate(zip(events, (start, start + value), strict=True))
    )
    wanted = tuple(Triple(subject, link.relation, "?value") for link in links)
    return Derivation(links, Query("span", wanted), "number")


def _spanned(question: str, value: int, rng: random.Random) -> Derivation | None:
    if not 1 <= value <= 130:
        return None
    if found := _LIVED.match(question):
        # No birthday is told, so that the years alone decide.
        return _span(found["a"] or found["b"] or found["c"], ("was born", "died"), value, rng)
    if found := _LASTED.match(question):
        return _span(found["a"], ("began", "ended"), value, rng)
    if found := _REIGNED.match(question):
        doing = _PAST[found["verb"].casefold()] + found["rest"]
        return _span(found["a"], (f"began {doing}", f"ended {doing}"), value, rng)
    return None


def _counted(question: str, value: int, namer: Namer) -> Derivation | None:
    found = _COUNT.match(question)
    if found is None or not 2 <= value <= 7:
        return None
    what = found["what"].casefold()
    head = {"children": "child", "siblings": "sibling"}.get(what, what.removesuffix("s"))
    slot = "village" if what in ("districts", "parishes", "villages") else head
    names = [namer.fresh(slot, "person" if slot != "village" else "place") for _ in range(value)]
    half = max(1, value // 2)
    links = []
    for at, part in enumerate((names[:half], names[half:])):
        one = " and ".join([", ".join(part[:-1]), part[-1]] if len(part) > 1 else part)
        form = (
            f"{{v}} {'was' if len(part) == 1 else 'were'} {'a ' + head if len(part) == 1 else what} of {{s}}"
        )
        links.append(Link(found["a"], head, one, (form,), "answer" if at else "value", each=tuple(part)))
    wanted = (Triple(found["a"], head, "?value"),)
    return Derivation(tuple(links), Query("count", wanted), "number")
