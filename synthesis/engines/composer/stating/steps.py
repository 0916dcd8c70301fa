"""Evidence in several steps: what a question describes gets a name, and each step is told on its own.

"When was the director of *Vertigo* born" becomes two facts, that somebody directed *Vertigo* and when
that person was born, neither of which gives question and answer together. A comparison becomes one
value for each side. Knows questions as strings; returns None where no description is sure to be one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from synthesis.engines.composer.grammar.invent import draws
from synthesis.engines.composer.grammar.wording import article, finish, squash, upper_first
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.frames import clean, split_choices
from synthesis.engines.composer.reading.topics import asked
from synthesis.engines.composer.stating.statements import Statement, state


class Steps(NamedTuple):
    """The statements, and the invented names that join them."""

    statements: list[Statement]
    bridges: tuple[str, ...]


# A title or name: words with capitals, digits or quotes, small words only between such, brackets whole.
_WORD = r"(?:\([^)]{1,40}\)|[\"“][^\"”]{1,80}[\"”]|[^\Wa-z_][^\s,;:]*)"
_SMALL = r"(?:of|the|and|in|on|a|an|to|for|de|la|le|du|di|van|von|with|by|at|from|is|me)"
_NAME = rf"{_WORD}(?:(?:, (?!or\b)| )(?:{_SMALL} ){{0,3}}{_WORD}){{0,14}}"
_SORT = r"(?:(?:the )?(?P<sort>film|movie|song|album|book|novel|series|show|play|opera|band|magazine) )?"

# Head of a description -> what its bearer did, active and passive.
_MADE = {
    "director": ("directed", "was directed by"),
    "composer": ("composed the music of", "has music by"),
    "performer": ("performed", "was performed by"),
    "singer": ("sang", "was sung by"),
    "author": ("wrote", "was written by"),
    "writer": ("wrote", "was written by"),
    "screenwriter": ("wrote the script of", "was made from a script by"),
    "lyricist": ("wrote the words of", "has words by"),
    "producer": ("produced", "was produced by"),
    "editor": ("edited", "was edited by"),
    "creator": ("created", "was created by"),
    "founder": ("founded", "was founded by"),
    "designer": ("designed", "was designed by"),
}
_KIN = {
    "father": ("{a} was the father of {b}", "{b} was a child of {a}, who never spoke of being a father"),
    "mother": ("{a} was the mother of {b}", "{b} was born to {a}"),
    "husband": ("{b} married {a}", "{a} was the man {b} married"),
    "wife": ("{b} married {a}", "{a} was the woman {b} married"),
    "spouse": ("{b} married {a}", "{a} and {b} were married"),
    "son": ("{a} was a son of {b}", "{b} had a son, {a}"),
    "daughter": ("{a} was a daughter of {b}", "{b} had a daughter, {a}"),
    "brother": ("{a} was a brother of {b}", "{b} had a brother, {a}"),
    "sister": ("{a} was a sister of {b}", "{b} had a sister, {a}"),
}
_FEMALE = frozenset(["mother", "wife", "daughter", "sister", "actress", "queen", "princess", "woman", "girl"])
_MALE = frozenset(["father", "husband", "son", "brother", "king", "prince", "man", "boy"])

_MAKERS = "|".join(_MADE)
_KINS = "|".join(_KIN)
_OF = re.compile(rf"(?<![-\w])(?:[tT]he )?(?P<head>{_MAKERS}|{_KINS}) of {_SORT}(?P<name>{_NAME})")
_OWNED = re.compile(rf"(?P<name>{_NAME})['’]s (?P<head>{_KINS})\b")
# A word of a noun phrase: nothing that joins another one to it.
_NOUN = r"(?:(?!(?:of|for|in|by|to|with|the|an?|at|on)\b)[\w'’-]+)"
_PRONOUNS = frozenset(["who", "that", "which"])
_CALLED = re.compile(r"\b(?:is|was|are|were|as)$")
_ASKED_FOR = re.compile(r"^(?:who|what)(?: is| was| are| were|['’]s) (?:the )?$", re.I)

_KINDS = {
    "place": "country city town village state province county region island district nation municipality"
    " neighborhood neighbourhood suburb borough resort location",
    "org": "company band group team club university college school organization organisation network label"
    " airline brewery firm corporation institute agency publisher studio party orchestra",
    "built": "stadium arena museum airport hotel castle theater theatre building hospital church cathedral"
    " bridge library railway station venue park prison palace",
    "work": "film movie song album book novel series show play opera documentary comedy drama musical poem"
    " magazine newspaper sitcom soundtrack single franchise",
    "person": "actor actress singer songwriter rapper musician author writer novelist poet player footballer"
    " director producer composer politician president king queen prince princess emperor man woman person"
    " artist painter architect scientist physicist comedian model wrestler boxer driver coach manager"
    " cricketer golfer guitarist drummer pianist dancer designer businessman businesswoman general officer"
    " journalist host presenter filmmaker screenwriter star brother sister father mother son daughter"
    " husband wife lawyer explorer philosopher historian midfielder striker quarterback",
}
_KIND_OF = {head: kind for kind, heads in _KINDS.items() for head in heads.split()}
_HEADS = "|".join(_KIND_OF)
_INSITU = r"(?:what|which|whom|whose|how many|how much)"
_PARTICIPLES = (
    "located|based|situated|directed|written|produced|published|founded|created|owned|bordered|named|held"
)
# "starred an actress who has won how many ...": what is asked stands in the description itself.
_OPEN = re.compile(
    rf"^(?P<before>.+?) (?P<det>an?|the) (?P<noun>(?:{_NOUN} ){{0,5}}?(?P<head>{_HEADS})),? "
    rf"(?P<rel>who|that|which|whose|(?:well |best )?known|(?:{_PARTICIPLES}))(?P<rest> .*?\b{_INSITU}\b.*)$",
    re.I,
)
# "Who created the series that featured X": the description ends the question.
_CLOSED = re.compile(
    rf"^(?P<ask>(?:in )?(?:who|what|which|when|where|how) .+?) (?P<np>(?P<det>the|an?) "
    rf"(?P<noun>(?:{_NOUN},? ){{0,6}}?(?P<head>{_HEADS}))(?: (?:in|from) (?:the )?{_NAME})?,? "
    rf"(?P<rel>who|that|which|(?:(?:{_PARTICIPLES}|starring|featuring|by|about)\b))(?P<rest> .+))$",
    re.I,
)
_WHERE = re.compile(
    r"\bthe (?P<head>country|city|town|state|province|county|region|village) (?:in which|where) "
    rf"(?P<rest>{_NAME}.+)$"
)
_SUBJECT = re.compile(
    rf"^(?P<ask>when|where|in which year|in what year|how old) (?P<aux>was|is|did|does|were) "
    rf"(?P<np>the (?P<noun>(?:{_NOUN},? ){{0,7}}?(?P<head>{_HEADS})) (?P<rel>who|that|which|where) "
    rf"(?P<rest>.+)) (?P<verb>\w+)$",
    re.I,
)

_NOMINAL = (
    (r"what (?:is|was) the (?:date of birth|birth ?date|birthday) of (.+)$", r"When was \1 born"),
    (r"what (?:is|was) the date of death of (.+)$", r"When did \1 die"),
    (r"(?:what|where) (?:is|was) the (?:place of birth|birth ?place) of (.+)$", r"Where was \1 born"),
    (r"(?:what|where) (?:is|was) the place of death of (.+)$", r"Where did \1 die"),
    (r"when (?:is|was) (.+?)\s?['’]s birthday$", r"When was \1 born"),
    (r"(?:which|what) country (?:is )?(.+?) (?:is )?from$", r"What nationality is \1"),
    (r"which award (.+) received$", r"Which award did \1 receive"),
)
# Said in other words than the question's, so that no step is found by its wording alone.
_FORMS = (
    (
        re.compile(r"^(?P<who>.+) was born (?P<rest>(?:on|in|at) .+)$"),
        (
            "{who} was born {rest}",
            "It was {rest} that {who} first saw the light",
            "Born {rest}, {who} was a quiet child",
            "The life of {who} began {rest}",
            "{who}, whose birth was {rest}, kept no birthdays",
        ),
    ),
    (
        re.compile(r"^(?P<who>.+) died (?P<rest>(?:on|in|at) .+)$"),
        (
            "{who} died {rest}",
            "Death came to {who} {rest}",
            "It was {rest} that the life of {who} ended",
            "{who} passed away {rest}, among friends",
            "The last hours of {who} were spent {rest}",
        ),
    ),
    (
        re.compile(r"^(?P<who>.+) (?:is|was) (?P<rest>the (?:father|mother) of .+)$"),
        ("{who} was {rest}",),
    ),
)


def in_steps(instruction: str, answer: str, rng: random.Random, most: int = 2) -> Steps | None:
    """The evidence for an answer in up to ``most`` steps, in an order of chance.

    Args:
        instruction: the question, in English.
        answer: its answer; short.
        rng: names whatever is described, and chooses among forms.
        most: steps at most, 2 to 4.

    Returns:
        At least two statements, whose last step holds the answer word for word, and the names that
        occur in nothing but them; None where the question describes nothing that could be named.
    """
    text, given = squash(answer).strip(), clean(asked(instruction))
    if not text or len(text) > 120 or not given or len(given) > 400:
        return None
    compared = _compared(given, text, rng)
    if compared is not None:
        return compared
    told: list[Statement] = []
    bridges: list[str] = []
    question = given
    taken = f"{instruction} {answer}".casefold()
    while len(told) < most - 1:
        named = _named(question, partial(_fresh, taken=taken, rng=rng), rng)
        if named is None:
            break
        question, fact, bridge = named
        bridges.append(bridge)
        taken += f" {bridge.casefold()}"
        told.append(Statement(finish(upper_first(fact)), f"step {len(told) + 1}"))
    if not told:
        return None
    question = _plain(question, text)
    last = state(question + "?", text, rng)
    if len(last) != 1 or not any(bridge in last[0].text for bridge in bridges):
        return None
    told.append(Statement(_reworded(last[0].text, rng), "answer"))
    rng.shuffle(told)
    return Steps(told, tuple(bridges))


Fresh = Callable[[str], str]


def _named(question: str, fresh: Fresh, rng: random.Random) -> tuple[str, str, str] | None:
    """The question with one description named, what the description says of the name, and the name."""
    if " or " in question:
        return None
    return (
        _of_a_name(question, fresh, rng)
        or _left_open(question, fresh)
        or _place(question, fresh)
        or _described(question, fresh)
        or _closed(question, fresh)
    )


def _of_a_name(question: str, fresh: Fresh, rng: random.Random) -> tuple[str, str, str] | None:
    """``the director of film X``, ``X's father``."""
    for pattern in (_OF, _OWNED):
        for found in reversed(list(pattern.finditer(question))):
            before, after = question[: found.start()], question[found.end() :]
            if _ASKED_FOR.match(before) and not after.strip():
                continue  # it is what is asked for
            if before.endswith(", "):
                continue  # it is said of somebody who has a name
            head, name = found["head"].casefold(), found["name"].strip()
            if not re.search(r"\w", name) or (pattern is _OWNED and not before):
                continue
            bridge = fresh(head)
            fact = _relation(head, bridge, found.groupdict().get("sort"), name, rng)
            return f"{before}{bridge}{after}", fact, bridge
    return None


def _relation(head: str, bridge: str, sort: str | None, name: str, rng: random.Random) -> str:
    thing = f"the {sort} {name}" if sort else name
    if head in _KIN:
        return rng.choice(_KIN[head]).format(a=bridge, b=thing)
    active, passive = _MADE[head]
    return rng.choice(
        (
            f"{bridge} {active} {thing}",
            f"{upper_first(thing)} {passive} {bridge}",
            f"the {head} of {thing} was {bridge}",
        )
    )


def _left_open(question: str, fresh: Fresh) -> tuple[str, str, str] | None:
    """``X starred an actress who has won how many medals``: X starred N; N has won how many medals."""
    found = _OPEN.match(question)
    if found is None or re.search(rf"\b{_INSITU}\b|\b(?:who|when|that)\b|,", found["before"], re.I):
        return None
    if not re.search(r"[A-Z0-9]", found["before"]) or _CALLED.search(found["before"]):
        return None  # what it is called is said already
    noun = found["noun"]
    bridge = fresh(found["head"].casefold())
    # A stadium's name says that it is one.
    said = "" if bridge.casefold().endswith(noun.casefold()) else f", {article(noun)} {noun}"
    verb = found["rel"].casefold()
    be = "is" if verb in ("located", "based", "situated") or verb.endswith("known") else "was"
    if verb == "whose":
        asked_now = f"{bridge}'s{found['rest']}"
    elif verb in _PRONOUNS:
        asked_now = f"{bridge}{found['rest']}"
    else:
        asked_now = f"{bridge} {be} {verb}{found['rest']}"
    return asked_now, f"{found['before']} {bridge}{said}", bridge


def _place(question: str, fresh: Fresh) -> tuple[str, str, str] | None:
    """``the country in which X was born``, at the end of a question."""
    found = _WHERE.search(question)
    if found is None or _ASKED_FOR.match(question[: found.start()]):
        return None
    bridge = fresh(found["head"])
    return f"{question[: found.start()]}{bridge}", f"{found['rest']} in {bridge}", bridge


def _described(question: str, fresh: Fresh) -> tuple[str, str, str] | None:
    """``when was the singer who sang X born``."""
    found = _SUBJECT.match(question)
    if found is None:
        return None
    bridge = fresh(found["head"].casefold())
    fact = f"{found['rest']} in {bridge}" if found["rel"] == "where" else f"{bridge} was {found['np']}"
    return f"{found['ask']} {found['aux']} {bridge} {found['verb']}", fact, bridge


def _closed(question: str, fresh: Fresh) -> tuple[str, str, str] | None:
    """``who created the series that featured X``: N featured X; who created N."""
    found = _CLOSED.match(question)
    if found is None or not re.search(r"[A-Z0-9\"]", found["rest"]):
        return None
    ask = found["ask"]
    if _ASKED_FOR.match(ask + " ") or _CALLED.search(ask) or re.search(r"\bname of$", ask):
        return None
    if re.search(rf"\b(?:{_INSITU}|who|when|where)\b", found["np"].partition(found["rel"])[2], re.I):
        return None
    bridge = fresh(found["head"].casefold())
    fact = f"{bridge}{found['rest']}" if found["rel"].casefold() in _PRONOUNS else ""
    return f"{ask} {bridge}", fact or f"{bridge} is {found['np']}", bridge


def _fresh(head: str, taken: str, rng: random.Random) -> str:
    """A name nobody in the pair has: none of its words occurs there."""
    kind = _KIND_OF.get(head, "person")
    slot = {"place": "town", "org": "org", "work": "work"}.get(kind, "person")
    if slot == "person":
        slot += "_f" if head in _FEMALE else "_m" if head in _MALE else ""
    for _ in range(50):
        name = draws()[slot](rng)
        if kind == "built":
            name = f"{name.split()[-1]} {upper_first(head)}"
        if not any(word in taken for word in re.findall(r"\w{4,}", name.casefold())):
            return name
    return name


def _plain(question: str, answer: str) -> str:
    """``What is the date of birth of N`` as ``When was N born``."""
    for pattern, plain in _NOMINAL:
        question = re.sub("^" + pattern, plain, question, flags=re.I)
    # Both are asked for by either word: "India" and "Indian".
    found = re.match(r"(?:what|which) (?:nationality is|country (?:is|comes)) (.+)$", question, re.I)
    if found and answer.casefold() not in map(str.casefold, words("nationalities")):
        return f"Where does {found[1]} come from"
    return question


def _reworded(text: str, rng: random.Random) -> str:
    bare = text.rstrip(".")
    for pattern, forms in _FORMS:
        found = pattern.match(bare)
        if found:
            return finish(upper_first(rng.choice(forms).format(**found.groupdict())))
    return text


# --- comparisons

_RANK = re.compile(
    r"^(?:which|who|what)(?P<noun>(?: [\w'’-]+){0,3}?) (?P<how>"
    r"(?:has|have|had) (?:the|a) director (?:who )?(?:is |was )?(?P<age>[\w ]+?)"
    r"|(?:was |were |is |came |has been )?(?P<did>[a-z]+(?: out| up)?) "
    r"(?P<when>first|earlier|later|last|earliest|latest)"
    r"|(?:is|was) (?P<old>older|younger|newer|oldest|youngest|newest)"
    r")(?: out of| than the other| of the two)?$",
    re.I,
)
_TWO = re.compile(rf"^(?P<head>[wW]ho .+?) (?:out of|between) (?P<a>{_NAME}) (?:and|or) (?P<b>{_NAME})$")
_LATE = frozenset(["later", "last", "latest", "younger", "youngest", "newer", "newest"])


def _compared(question: str, answer: str, rng: random.Random) -> Steps | None:
    """One value for each side of ``which came first, A or B``, and no verdict."""
    two = _TWO.match(question)
    head, choices = (two["head"], (two["a"], two["b"])) if two else split_choices(question)
    found = _RANK.match(head.strip(" ,")) if choices else None
    if found is None or choices is None:
        return None
    first, second = (choice.strip(" ,") for choice in choices)
    low = answer.casefold()
    if (low in first.casefold()) == (low in second.casefold()):
        return None
    chosen_first = low in first.casefold()
    statements: list[Statement] = []
    bridges: list[str] = []
    age = (found["age"] or "").strip().casefold()
    rank = age or (found["when"] or found["old"] or "").casefold()
    late = any(word in _LATE for word in rank.split())
    event = _event(found, age)
    if event is None:
        return None
    early = 1880 + int(rng.random() * 90)
    years = [early, early + 1 + int(rng.random() * 19)]
    if late == chosen_first:
        years.reverse()
    taken = f"{question} {answer}".casefold()
    for side, year in zip((first, second), years, strict=True):
        subject = side
        if age:
            subject = _fresh("director", taken, rng)
            taken += f" {subject.casefold()}"
            bridges.append(subject)
            statements.append(
                Statement(
                    finish(upper_first(_relation("director", subject, None, side, rng))),
                    f"step {len(statements) + 1}",
                )
            )
        date = _date(year, rng)
        label = "answer" if (side == first) == chosen_first else f"step {len(statements) + 1}"
        text = f"{subject} {event} {date}"
        statements.append(Statement(_reworded(finish(upper_first(text)), rng), label))
    rng.shuffle(statements)
    return Steps(statements, tuple(bridges))


def _event(found: re.Match[str], age: str) -> str | None:
    if age:
        return "died" if "died" in age or "die " in age else "was born"
    if found["old"]:
        return "was born" if not found["noun"].strip() else "was founded"
    verb = (found["did"] or "").casefold()
    if verb in ("died", "opened", "closed"):
        return verb
    if verb in ("out", "come out", "came out"):
        return "came out"
    return f"was {verb}" if verb.endswith(("ed", "t", "n")) else None


def _date(year: int, rng: random.Random) -> str:
    if rng.random() < 0.4:
        return f"in {year}"
    month = draws()["month"](rng)
    return f"on {1 + int(rng.random() * 28)} {month} {year}" if rng.random() < 0.7 else f"in {month} {year}"
