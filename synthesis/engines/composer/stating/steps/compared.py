"""A comparison: one value for each side, and no verdict.

Dates, ages, numbers and measures are invented so that the answer follows from them. Knows questions
as strings with two names in them.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

from synthesis.engines.composer.grammar.invent import draws
from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import MONTHS
from synthesis.engines.composer.reading.frames import split_choices
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.steps.bridges import ONE, relation
from synthesis.engines.composer.stating.steps.links import Derivation, Link
from synthesis.engines.composer.stating.steps.naming import Namer
from synthesis.engines.composer.stating.steps.wording import worded

_RANK = re.compile(
    r"^(?:which|who|what)(?P<noun>(?: [\w'’-]+){0,3}?) (?P<how>"
    r"(?:(?:has|have|had) (?:the|a)|whose) director (?:who )?(?:is |was )?(?P<age>[\w ]+?)"
    r"|(?:was |were |is |came |has been )?(?P<did>[a-z]+(?: out| up)?) "
    r"(?P<when>first|earlier|later|last|earliest|latest|more recently)"
    r"|(?:is|was) (?:the )?(?P<old>older|younger|newer|oldest|youngest|newest)(?: (?P<kind>[a-z]+))?"
    r")(?: out of| than the other| of the two)?$",
    re.I,
)
_TWO = re.compile(
    rf"^(?P<head>(?:[wW]ho|[wW]hich|[wW]hat) .+?),? (?:out of|between|of) (?P<a>{ONE}),? (?:and|or) "
    rf"(?P<b>{ONE})$"
)
_FRONTED = re.compile(
    rf"^(?:Of|Between|Out of) (?P<a>{ONE}),? (?:and|or) (?P<b>{ONE}), (?P<head>(?:which|who|what) .+)$"
)
_ASKED_WHETHER = re.compile(rf"^(?P<aux>Did|Was|Were|Is) (?P<a>{ONE}),? or (?P<b>{ONE}) (?P<rest>.+)$")
_BARE_TWO = re.compile(
    rf"^(?P<head>(?:[wW]ho|[wW]hich|[wW]hat) [^,]+? (?:first|earlier|later|last|older|younger)),? "
    rf"(?P<a>{ONE}) or (?P<b>{ONE})$"
)
_MONTH = "|".join(MONTHS)
DATE = rf"(?:\d{{1,2}} )?(?:(?:{_MONTH}) )?(?:\d{{1,2}}, )?\d{{4}}"
_LATE = frozenset(["later", "last", "latest", "younger", "youngest", "newer", "newest", "recently"])
# "has more X than": how many of them there are, and what may stand between.
_COUNTED = re.compile(
    r"^(?:which|who|what)(?P<noun>(?: [\w'’-]+){0,4}?) (?P<verb>has|have|had|has won|won|contains"
    r"|contained|includes|"
    r"sold|wrote|published|released|received|has received|has written|employs|holds|owns|made|played"
    r"|covers|scored) "
    r"(?:the )?(?P<rank>more|most|fewer|fewest|less|greater number of|larger number of) (?P<what>[\w' -]+?)$",
    re.I,
)
# What is not counted: whoever has little of it has less than who has much.
_LITTLE = ("next to no", "little", "hardly any")
_MUCH = ("a great deal of", "a good deal of", "plenty of", "more than enough")
# "is longer", "has a larger population": a measure in its unit.
_MEASURES = {
    "taller": ("stands {v} high", "metres", 12, 300), "tallest": ("stands {v} high", "metres", 12, 300),
    "higher": ("is {v} high", "metres", 40, 3900), "highest": ("is {v} high", "metres", 40, 3900),
    "longer": ("is {v} long", "kilometres", 14, 900), "longest": ("is {v} long", "kilometres", 14, 900),
    "larger": ("covers {v}", "hectares", 30, 9000), "bigger": ("covers {v}", "hectares", 30, 9000),
    "largest": ("covers {v}", "hectares", 30, 9000), "deeper": ("is {v} deep", "metres", 9, 400),
    "heavier": ("weighs {v}", "kilograms", 30, 900), "wider": ("is {v} wide", "metres", 4, 90),
    "faster": ("reaches {v} an hour", "kilometres", 40, 290),
}  # fmt: skip
_MEASURED = re.compile(
    rf"^(?:which|who|what)(?P<noun>(?: [\w'’-]+){{0,4}}?) (?:is|was) (?:the )?(?P<rank>{'|'.join(_MEASURES)})"
    r"(?: in (?:size|area|height|length))?(?: of the two)?$",
    re.I,
)
_PEOPLED = re.compile(
    r"^(?:which|what)(?P<noun>(?: [\w'’-]+){0,4}?) (?:has|had) (?:the|a) (?P<rank>larger|largest"
    r"|bigger|higher|highest|"
    r"smaller|smallest|lower) (?P<what>population|area|capacity|attendance|circulation|enrollment"
    r"|membership)$",
    re.I,
)
_LIVED = re.compile(r"^who (?:lived|has lived) (?P<rank>longer|longest)$", re.I)
_OFTEN = re.compile(
    r"^(?:which|what)(?P<noun>(?: [\w'’-]+){0,3}?) is (?:published|issued) (?P<rank>more|less) "
    r"(?:frequently|often)$",
    re.I,
)
_RHYTHMS = (
    ("daily", 365),
    ("twice a week", 104),
    ("weekly", 52),
    ("fortnightly", 26),
    ("monthly", 12),
    ("four times a year", 4),
)
_FEW = frozenset(["fewer", "fewest", "less", "smaller", "smallest", "lower"])


class Sides(NamedTuple):
    """What the comparison asks, its two sides, and whether the first is the answer."""

    head: str
    first: str
    second: str
    chosen_first: bool


def sides_of(question: str, answer: str) -> Sides | None:
    """The two things offered, where exactly one of them is the answer."""
    found = _FRONTED.match(question[:1].upper() + question[1:]) or _TWO.match(question)
    if found:
        head, choices = found["head"], (found["a"], found["b"])
    else:
        whether = _ASKED_WHETHER.match(question)
        if whether:
            verb = whether["aux"].casefold()
            rest = whether["rest"] if verb == "did" else f"{verb} {whether['rest']}"
            head, choices = f"Which {rest}", (whether["a"], whether["b"])
        else:
            bare = _BARE_TWO.match(question)
            head, offered = (bare["head"], (bare["a"], bare["b"])) if bare else split_choices(question)
            if offered is None:
                return None
            choices = offered
    first, second = (choice.strip(" ,") for choice in choices)
    low = answer.casefold()
    if (low in first.casefold()) == (low in second.casefold()):
        return None
    return Sides(head.strip(" ,"), first, second, low in first.casefold())


def compared(question: str, answer: str, namer: Namer, rng: random.Random, most: int) -> Derivation | None:
    """A value for each side, or None where no measure of what is asked is known."""
    among = _among(question, answer, rng)
    if among:
        return among
    sides = sides_of(question, answer)
    if sides is None:
        return None
    return _by_date(sides, namer, rng, most) or _by_number(sides, rng) or _by_property(sides)


_AMONG = re.compile(
    rf"^(?:[wW]hich|[wW]hich one|[wW]ho) of (?:the )?(?P<kind>[a-z]+s )?(?P<a>{ONE}) and (?P<b>{ONE}) "
    rf"(?P<does>[a-z][^,]*?) (?P<at>in|on) (?P<date>{DATE})$"
)
_KIN = {"brothers ": "brother", "sisters ": "sister", "cousins ": "cousin", "siblings ": "sibling"}


def _among(question: str, answer: str, rng: random.Random) -> Derivation | None:
    """``Which of the brothers A and B was born on ...``: a date for each, and what they are to each other."""
    found = _AMONG.match(question)
    if found is None:
        return None
    first, second = found["a"].strip(), found["b"].strip()
    kin = _KIN.get((found["kind"] or "").casefold())
    if kin and " " not in first and " " in second:
        first = f"{first} {second.split()[-1]}"
    low = answer.casefold().strip(" .")
    if (low in first.casefold()) == (low in second.casefold()):
        return None
    chosen, other = (first, second) if low in first.casefold() else (second, first)
    does = found["does"]
    year = re.search(r"\d{4}", found["date"])
    shifted = int(year[0]) + rng.choice((-1, 1)) * (1 + int(rng.random() * 7)) if year else 0
    dated = re.sub(r"\d{4}", str(shifted), found["date"])
    dated = re.sub(
        r"\b\d{1,2}\b", lambda day: str(1 + (int(day[0]) + 3 + int(rng.random() * 20)) % 28), dated
    )
    dated = re.sub(r"[A-Z][a-z]+", lambda month: draws()["month"](rng), dated)
    form = f"{{s}} {does} {found['at']} {{v}}"
    links = [
        Link(other, does, dated, worded(form), "value"),
        Link(chosen, does, found["date"], worded(form), "answer"),
    ]
    if kin:
        rng.shuffle(links)
        links.insert(
            0, Link(first, kin, second, (f"{{s}} and {{v}} were {found['kind'].strip()}",), "support")
        )
    return Derivation(tuple(links), Query("find", (Triple("?answer", does, found["date"]),)), "comparison")


_PROPERTY = re.compile(
    r"^(?:which|what) (?P<noun>[a-z][\w -]*?) (?P<does>(?:is|was|has|had|won|wrote|directed|played"
    r"|starred) .+)$",
    re.I,
)


def _by_property(sides: Sides) -> Derivation | None:
    """``Which director is known for ..., A or B``: what both are, and what one of them is beside."""
    found = _PROPERTY.match(sides.head)
    ranked = r"\b(?:more|most|less|first|last|both|same|\w+er|\w+est|earlier)\b"
    if found is None or re.search(ranked, found["does"]) or len(found["noun"].split()) > 2:
        return None
    noun, does = found["noun"], found["does"]
    what = f"{article(noun)} {noun}"
    chosen, other = (sides.first, sides.second) if sides.chosen_first else (sides.second, sides.first)
    be = "was" if does.startswith(("was", "had", "won", "wrote")) else "is"
    forms = (f"{{s}} {be} {{v}}",)
    links = (
        Link(other, "is", what, forms, "support"),
        Link(chosen, "is", what, forms, "support"),
        Link(chosen, does, does, worded(f"{{s}} {does}"), "answer"),
    )
    wanted = (Triple("?answer", "is", what), Triple("?answer", does, does))
    return Derivation(links, Query("find", wanted), "comparison")


def _by_date(sides: Sides, namer: Namer, rng: random.Random, most: int) -> Derivation | None:
    found = _RANK.match(sides.head)
    if found is None:
        return None
    age = (found["age"] or "").strip().casefold()
    rank = age or (found["when"] or found["old"] or "").casefold()
    late = any(word in _LATE for word in rank.split())
    event = _event(found, age)
    if event is None:
        return None
    early = 1880 + int(rng.random() * 90)
    years = [early, early + 1 + int(rng.random() * 19)]
    if late == sides.chosen_first:
        years.reverse()
    links: list[Link] = []
    wanted: list[Triple] = []
    for at, (side, year) in enumerate(zip((sides.first, sides.second), years, strict=True)):
        subject = side
        if age and most >= 4:
            subject = namer.fresh("director", "person")
            made = relation("director", subject, side)
            links.append(made)
            wanted.append(Triple(f"?{at}", made.relation, side))
        elif age:
            subject = f"the director of {side}"
        at_what, value = _date(year, rng)
        chosen = (side == sides.first) == sides.chosen_first
        form = f"{{s}} {event} {at_what} {{v}}"
        links.append(Link(subject, event, value, worded(form), "answer" if chosen else "value", value))
        wanted.append(Triple(f"?{at}" if age and most >= 4 else subject, event, "?value"))
    return Derivation(tuple(links), Query("most" if late else "least", tuple(wanted)), "comparison")


def _event(found: re.Match[str], age: str) -> str | None:
    if age:
        return "died" if "died" in age or "die " in age else "was born"
    if found["old"]:
        kind = (found["kind"] or found["noun"]).strip().casefold()
        if re.search(r"\b(?:film|movie|album|song|book|novel|show|game|single)$", kind):
            return "came out"
        return "was born" if not kind else "was founded"
    verb = (found["did"] or "").casefold()
    if verb in ("died", "opened", "closed", "debuted", "premiered", "began", "started", "ended"):
        return verb
    if verb in ("out", "come out", "came out", "come"):
        return "came out"
    return f"was {verb}" if verb.endswith(("ed", "t", "n")) else None


def _date(year: int, rng: random.Random) -> tuple[str, str]:
    """A preposition and the date behind it."""
    if rng.random() < 0.4:
        return "in", str(year)
    month = draws()["month"](rng)
    if rng.random() < 0.7:
        return "on", f"{1 + int(rng.random() * 28)} {month} {year}"
    return "in", f"{month} {year}"


def _by_number(sides: Sides, rng: random.Random) -> Derivation | None:
    head = sides.head
    few = False
    found = _COUNTED.match(head)
    low, high, unit = 3, 40, ""
    if often := _OFTEN.match(head):
        return _rhythms(sides, often["rank"].casefold() == "less", rng)
    if found and not re.search(
        r"(?:s|people|men|women|children)(?: (?:of|in|on|for|from) .+)?$", found["what"]
    ):
        return _degrees(sides, found, rng)
    if found:
        few = found["rank"].casefold() in _FEW
        what = found["what"].strip()
        verb = found["verb"].casefold()
        verb = {"have": "has", "had": "had"}.get(verb, verb)
        if what.casefold() in ("people", "inhabitants", "students", "employees", "copies", "viewers"):
            low, high = 1200, 90000
        elif re.match(r"(?:director|producer|writer|author|editor|composer|founder|child)", what):
            low, high = 2, 7
        form, relation_ = f"{{s}} {verb} {{v}} {what}", what.casefold()
    elif found := _PEOPLED.match(head):
        few = found["rank"].casefold() in _FEW
        what = found["what"].casefold()
        low, high, unit = (200, 9000, " hectares") if what == "area" else (1200, 90000, "")
        form, relation_ = f"{{s}} has {'an' if what[0] in 'aeiou' else 'a'} {what} of {{v}}", what
    elif found := _MEASURED.match(head):
        plan, unit, low, high = _MEASURES[found["rank"].casefold()]
        if re.search(r"\b(?:film|movie|album|song|show|episode)\b", found["noun"]):
            plan, unit, low, high = "runs for {v}", "minutes", 41, 190
        unit = " " + unit
        form, relation_ = f"{{s}} {plan}", plan
    elif _LIVED.match(head):
        form, relation_, low, high = "{s} died at the age of {v}", "age at death", 41, 96
    else:
        return None
    small = low + int(rng.random() * (high - low) * 0.6)
    large = small + max(1, int((high - small) * (0.05 + 0.9 * rng.random())))
    numbers = [large, small] if sides.chosen_first != few else [small, large]
    values = [(f"{number:,}{unit}", f"{number}") for number in numbers]
    return _told(sides, form, relation_, values, "least" if few else "most")


def _degrees(sides: Sides, found: re.Match[str], rng: random.Random) -> Derivation | None:
    """More of what is not counted: a great deal of it, and little."""
    what = found["what"].strip()
    if found["verb"].casefold() not in ("has", "have", "had") or what.endswith(
        ("ly", "ed", "ing", "ous", "ful")
    ):
        return None
    pair = [(rng.choice(_MUCH), "1"), (rng.choice(_LITTLE), "0")]
    few = found["rank"].casefold() in _FEW
    if sides.chosen_first == few:
        pair.reverse()
    values = [(f"{degree} {what}", rank) for degree, rank in pair]
    return _told(sides, "{s} has {v}", what.casefold(), values, "least" if few else "most")


def _rhythms(sides: Sides, less: bool, rng: random.Random) -> Derivation:
    at = int(rng.random() * (len(_RHYTHMS) - 1))
    often, seldom = _RHYTHMS[at], _RHYTHMS[at + 1 + int(rng.random() * (len(_RHYTHMS) - at - 1))]
    pair = [often, seldom] if sides.chosen_first != less else [seldom, often]
    values = [(text, str(number)) for text, number in pair]
    return _told(sides, "{s} appears {v}", "appears", values, "least" if less else "most")


def _told(sides: Sides, form: str, name: str, values: list[tuple[str, str]], how: str) -> Derivation:
    links = tuple(
        Link(side, name, value, worded(form), "answer" if (at == 0) == sides.chosen_first else "value", means)
        for at, (side, (value, means)) in enumerate(zip((sides.first, sides.second), values, strict=True))
    )
    wanted = tuple(Triple(side, name, "?value") for side in (sides.first, sides.second))
    return Derivation(links, Query(how, wanted), "comparison")
