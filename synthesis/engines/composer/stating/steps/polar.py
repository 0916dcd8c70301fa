"""Yes or no about two things: what each of them is, from which the answer follows, and no verdict.

"Are A and B in the same country" takes a country for each side, "are both A and B poets" a trade for each.
Knows
the question as a string; returns None where no values are sure to decide it.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import core, inflect, is_base
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import affirms
from synthesis.engines.composer.stating.choices import state_polar, undescribed
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.steps.bridges import ONE, relation
from synthesis.engines.composer.stating.steps.links import Derivation, Link
from synthesis.engines.composer.stating.steps.naming import Namer
from synthesis.engines.composer.stating.steps.wording import worded

# What "the same N" may be, and the slot of grammar.invent that gives one.
_SAME = {
    "country": "country", "nation": "country", "nationality": "nationality", "city": "town", "town": "town",
    "state": "town", "county": "town", "province": "town", "region": "town", "district": "town",
    "village": "town",
    "neighborhood": "town", "neighbourhood": "town", "suburb": "town", "municipality": "town",
    "area": "town", "place": "town", "year": "year", "decade": "year", "profession": "a_occupation",
    "occupation": "a_occupation", "job": "a_occupation", "career": "a_occupation", "language": "language",
    "company": "org", "label": "org", "university": "org", "college": "org", "school": "org", "band": "org",
    "team": "org", "club": "org", "network": "org", "publisher": "org", "person": "person",
    "director": "person",
    "writer": "person", "author": "person", "composer": "person", "producer": "person", "architect": "person",
    "founder": "person", "continent": "continent", "genre": "genre", "gender": "gender", "borough": "town",
}  # fmt: skip
_OWN = {
    "continent": ("Africa", "Asia", "Europe", "North America", "South America", "Australia"),
    "genre": (
        "a comedy",
        "a melodrama",
        "a western",
        "a mystery",
        "a musical",
        "a thriller",
        "a documentary",
    ),
    "gender": ("a man", "a woman"),
}
_SAME_N = re.compile(
    r"^(?P<before>.*?)(?P<link>\b(?:in|from|of|on|at|to|by|for|with) )?the (?P<same>same) "
    r"(?P<noun>[a-z]+)s?(?P<after>(?: .*)?)$"
)
_VERBS = re.compile(r"^(?:share|have|hold|possess|come|hail|originate)s?\b ?")
_DIRECTORS = (
    re.compile(
        r"^(?:[dD]o|[aA]re|[dD]id|[wW]ere) (?:both )?(?:the )?directors? of (?:both )?"
        r"(?:(?:films?|movies?) )?"
        rf"(?P<a>{ONE}),? and "
        rf"(?:the )?(?:director of (?:film |movie )?)?(?P<b>{ONE}) "
        r"(?P<rest>(?:share|have|from|both from|come from|born in|originate from) .*\bsame "
        r"(?P<noun>[a-z]+).*)$"
    ),
    re.compile(
        rf"^(?:[dD]o|[dD]id) (?:both )?(?:the )?(?:films?|movies?),? (?P<a>{ONE}),? and "
        rf"(?P<b>{ONE}),? have "
        r"(?:the )?directors? (?P<rest>.*\bsame (?P<noun>[a-z]+).*)$"
    ),
)
_KINDS = (
    "film documentary play novel poem song album opera series magazine musical newspaper sitcom",
    "city town village river lake mountain island county province",
    "skyscraper bridge museum stadium church castle hotel theatre hospital station",
    "university college school hospital museum bank brewery airline",
    "dog cat horse bird fish insect reptile",
    "plant tree shrub grass fern moss",
    "band company club magazine team",
)
_TRADE = re.compile(r"\b(?:[a-z]{3,}(?:er|or|ist|ian)|poet|artist|composer|actress|politician|chef|model)$")
_DATED = re.compile(
    r"^(?P<verb>\w+(?:ed|t|n|ng)) (?P<at>in|during) the (?P<decade>1[0-9]\d0|20[012]0)['’]?s$"
)
_YEARS = re.compile(
    r"^(?P<verb>\w+(?:ed|t|n)) (?P<at>before|after|since|prior to) (?P<year>1[0-9]\d\d|20[012]\d)$"
)


class _Asked(NamedTuple):
    """A polar question about two: auxiliary, the two, and what is asked of them."""

    auxiliary: str
    first: str
    second: str
    rest: str


_ASKED = re.compile(
    rf"^(?P<aux>[A-Z]?[a-z]+) (?P<both>both )?(?P<sort>(?:the )?(?:[a-z][\w-]* "
    rf"){{0,5}})(?P<a>{ONE}),? and (?:the (?:[a-z]+ )?|(?:[a-z]+ )?)"
    rf"(?P<b>{ONE}),? (?P<rest>.+)$"
)


def _asked(question: str) -> _Asked | None:
    found = _ASKED.match(re.sub(r"^(\w+) both,? (\w+),", r"\1 both \2", question))
    if found is None or found["aux"].casefold() not in (
        "are",
        "were",
        "is",
        "was",
        "do",
        "did",
        "have",
        "does",
        "had",
    ):
        return None
    # The pattern for names is greedy: "A and B both" ends where a small word begins.
    first, second, rest = found["a"], found["b"], found["rest"]
    if " and " in f"{first} {second}" or not rest:
        return None
    rest = re.sub(r"^(?:both|each|all) ", "", rest)
    return _Asked(found["aux"].casefold(), first.strip(" ,"), second.strip(" ,"), rest)


def polar(question: str, answer: str, namer: Namer, rng: random.Random, most: int) -> Derivation | None:
    """What decides a yes-or-no question about two, or None."""
    yes = affirms(answer)
    for pattern in _DIRECTORS:
        found = pattern.match(question)
        if found:
            return _directors(found["a"], found["b"], found["noun"], yes, namer, rng, most)
    asked = _asked(question)
    if asked is None:
        return None
    return (
        _same(asked, yes, namer, rng)
        or _dated(asked, yes, rng)
        or _kinds(asked, question, yes, rng)
        or _doing(asked, yes, rng)
    )


def _doing(asked: _Asked, yes: bool, rng: random.Random) -> Derivation | None:
    """``do A and B both contain gin``: what each of them does."""
    verb, _, rest = asked.rest.partition(" ")
    if asked.auxiliary not in ("do", "did", "does") or not is_base(verb) or not rest:
        return None
    if re.search(r"\b(?:same|different|each other|together|share|common|not)\b", asked.rest):
        return None
    auxiliary = "did" if asked.auxiliary == "did" else "does"
    does, lacks = f"{inflect(verb, auxiliary)} {rest}", f"{auxiliary} not {verb} {rest}"
    values = [does, does]
    if not yes:
        values[int(rng.random() * 2)] = lacks
    names = undescribed((asked.first, asked.second))
    links = tuple(
        Link(side, "does", value, ("{s} {v}",), "answer" if at else "value")
        for at, (side, value) in enumerate(zip(names, values, strict=True))
    )
    return Derivation(links, Query("all", tuple(Triple(side, "does", does) for side in names)), "yes or no")


def _draw(noun: str, namer: Namer, rng: random.Random) -> str:
    slot = _SAME[noun]
    if slot in _OWN:
        return rng.choice(_OWN[slot])
    value = namer.draw(slot)
    return f"{value[:3]}{int(rng.random() * 10)}" if noun == "decade" else value


def _values(noun: str, agree: bool, namer: Namer, rng: random.Random) -> tuple[str, str]:
    first = second = _draw(noun, namer, rng)
    while not agree and second == first:
        second = _draw(noun, namer, rng)
    return first, second


_HAVING = {
    "nationality": ("{s} is {v}", "{s} held {v} papers", "the papers of {s} were {v}"),
    "country": ("{s} is from {v}", "{v} is where {s} comes from", "{s} comes from {v}"),
    "profession": ("{s} was {v}", "{s} earned a living as {v}", "by trade {s} was {v}"),
    "genre": ("{s} is {v}", "those who know {s} call it {v}"),
    "gender": ("{s} is {v}",),
    "year": ("{s} is of the year {v}", "{s} dates from {v}"),
    "language": ("the language of {s} is {v}", "{s} is in {v}"),
}
_HAVING |= {
    "occupation": _HAVING["profession"],
    "job": _HAVING["profession"],
    "career": _HAVING["profession"],
}


def _same(asked: _Asked, yes: bool, namer: Namer, rng: random.Random) -> Derivation | None:
    found = _SAME_N.match(asked.rest)
    noun = found["noun"].removesuffix("s") if found else ""
    noun = {"countrie": "country", "nationalitie": "nationality", "citie": "city", "countie": "county"}.get(
        noun, noun
    )
    if found is None or noun not in _SAME or found["after"].strip():
        return None
    if "not " in asked.rest or "different" in asked.rest:
        return None
    link = (found["link"] or "").strip()
    before = found["before"].strip()
    be = {"are": "is", "were": "was", "is": "is", "was": "was"}.get(asked.auxiliary, "")
    first, second = _values(noun, yes, namer, rng)
    if link == "of" and not before and noun in _HAVING:
        forms = _HAVING[noun]
    elif before and _VERBS.match(before) is None and be and link:
        forms = worded(f"{{s}} {be} {before} {link} {{v}}")
    elif be and link:
        forms = _HAVING["country"] if link == "from" else worded(f"{{s}} {be} {link} {{v}}")
    elif be and before:
        forms = worded(f"{{s}} {be} {before} in {{v}}") if _SAME[noun] in ("year", "town", "country") else ()
    elif not link and noun in _HAVING:
        forms = _HAVING[noun]
    elif link and before and not be:
        verb = core(before.split()[0])
        tail = before.split()[1:]
        forms = worded(
            " ".join(
                [
                    "{s}",
                    inflect(
                        verb, asked.auxiliary.replace("do", "does") if asked.auxiliary == "do" else "did"
                    ),
                    *tail,
                    link,
                    "{v}",
                ]
            )
        )
    elif not link:
        forms = (f"the {noun} of {{s}} is {{v}}", f"{{v}} is the {noun} of {{s}}")
    else:
        return None
    return _both(asked, noun, (first, second), forms) if forms else None


def _both(asked: _Asked, name: str, values: tuple[str, str], forms: tuple[str, ...]) -> Derivation:
    names = undescribed((asked.first, asked.second))
    links = (
        Link(names[0], name, values[0], forms, "value"),
        Link(names[1], name, values[1], (forms[-1], *reversed(forms[:-1])), "answer"),
    )
    wanted = tuple(Triple(side, name, "?value") for side in names)
    return Derivation(links, Query("same", wanted), "yes or no")


def _directors(
    first: str, second: str, noun: str, yes: bool, namer: Namer, rng: random.Random, most: int
) -> Derivation | None:
    """``Do the directors of A and B share the same nationality``."""
    noun = noun if noun in _SAME else noun.removesuffix("s")
    if noun not in _SAME:
        return None
    values = _values(noun, yes, namer, rng)
    forms = _HAVING.get(noun) or (f"the {noun} of {{s}} is {{v}}", f"{{v}} is the {noun} of {{s}}")
    links: list[Link] = []
    wanted: list[Triple] = []
    for at, (side, value) in enumerate(zip((first, second), values, strict=True)):
        subject = f"the director of {side}"
        if most >= 4:
            subject = namer.fresh("director", "person")
            made = relation("director", subject, side)
            links.append(made)
            wanted.append(Triple(f"?{at}", made.relation, side))
        links.append(Link(subject, noun, value, forms, "answer" if at else "value"))
        wanted.append(Triple(f"?{at}" if most >= 4 else subject, noun, "?value"))
    return Derivation(tuple(links), Query("same", tuple(wanted)), "yes or no")


def _dated(asked: _Asked, yes: bool, rng: random.Random) -> Derivation | None:
    """``formed in the 1990s``, ``founded before 1900``: a year for each side."""
    decade, limit = _DATED.match(asked.rest), _YEARS.match(asked.rest)
    found = decade or limit
    if found is None or asked.auxiliary not in ("are", "were", "is", "was"):
        return None
    if decade:
        start = int(decade["decade"])
        inside = [start + int(rng.random() * 10) for _ in range(2)]
        outside = start - 1 - int(rng.random() * 25)
        span = (start, start + 9)
    else:
        assert limit is not None
        year, before = int(limit["year"]), limit["at"] in ("before", "prior to")
        inside = [year + (-1 if before else 1) * (1 + int(rng.random() * 30)) for _ in range(2)]
        outside = year + (1 if before else -1) * (1 + int(rng.random() * 20))
        span = (0, year - 1) if before else (year + 1, 9999)
    if not yes:
        inside[int(rng.random() * 2)] = outside
    forms = worded(f"{{s}} was {found['verb']} in {{v}}")
    names = undescribed((asked.first, asked.second))
    links = tuple(
        Link(side, found["verb"], str(year), forms, "answer" if at else "value")
        for at, (side, year) in enumerate(zip(names, inside, strict=True))
    )
    wanted = tuple(Triple(link.subject, link.relation, "?value") for link in links)
    return Derivation(links, Query("within", wanted, span), "yes or no")


def _kinds(asked: _Asked, question: str, yes: bool, rng: random.Random) -> Derivation | None:
    """``are both A and B poets``: what each of them is."""
    if asked.auxiliary not in ("are", "were", "is", "was"):
        return None
    affirmed = state_polar(question, True)
    if affirmed is None or [what for _, what in affirmed][:2] != ["support", "support"]:
        return None
    names = undescribed((asked.first, asked.second))
    said = re.match(r".+? (?P<be>is|was) (?P<what>.+)$", affirmed[0][0][len(names[0]) - 1 :])
    if said is None or not affirmed[0][0].startswith(names[0]):
        return None
    be, what = said["be"], said["what"]
    form = f"{{s}} {be} {{v}}"
    other = what if yes else _other(what, rng)
    values = [what, what]
    if other is None:
        other = f"not {what}"
    if not yes:
        values[int(rng.random() * 2)] = other
    forms = (form, *_called(be, what))
    links = tuple(
        Link(side, "is", value, forms, "answer" if at else "value")
        for at, (side, value) in enumerate(zip(names, values, strict=True))
    )
    wanted = tuple(Triple(side, "is", what) for side in names)
    return Derivation(links, Query("all", wanted), "yes or no")


def _called(be: str, what: str) -> tuple[str, ...]:
    if not re.match(r"an? ", what):
        return ()
    return ("every list has {s} down as {v}", "{s}, as the books have it, " + be + " {v}")


def _other(what: str, rng: random.Random) -> str | None:
    """Another kind of the same family than ``a flowering plant``; None where none is known."""
    listed = re.match(r"(?P<det>an? )?(?P<mods>(?:[\w-]+ )*?)(?P<head>[\w-]+)(?P<tail> .+)?$", what)
    if listed is None or not listed["det"]:
        return _elsewhere(what, rng)
    mods = listed["mods"]
    nationality = next((word for word in mods.split() if word in words("nationalities")), None)
    if nationality:
        others = [one for one in words("nationalities") if one != nationality]
        changed = mods.replace(nationality, rng.choice(others), 1)
        phrase = f"{changed}{listed['head']}{listed['tail'] or ''}"
        return f"{article(phrase)} {phrase}"
    head = listed["head"].casefold()
    for group in _KINDS:
        if head in group.split():
            kind = rng.choice([one for one in group.split() if one != head])
            return f"{article(kind)} {kind}{listed['tail'] or ''}"
    if _TRADE.search(head):
        kind = rng.choice([one for one in words("occupations") if one not in what])
        return f"{article(kind)} {kind}"
    return None


def _elsewhere(what: str, rng: random.Random) -> str | None:
    """``in the Netherlands`` as in another country, where a country ends the phrase."""
    known = next((one for one in words("countries") if what.endswith(one)), None)
    if known is None:
        return None
    return what[: -len(known)] + rng.choice([one for one in words("countries") if one != known])
