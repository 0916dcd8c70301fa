"""What a question compares: its form, its two sides, and what of them. English.

Knows the titles of the context's passages (they help to tell where a side's name ends), not what the
passages say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from synthesis.coherence.facts.amounts import Amount, measured
from synthesis.coherence.facts.passages import bare, spaced
from synthesis.text.words import split_words, terms

_POLAR = re.compile(r"\W*(?:are|is|was|were|do|does|did|has|have|had|can|could|will|would)\b", re.IGNORECASE)
_SAME = re.compile(
    r"\b(?:same|share[sd]?(?: the)?(?: same| a)?|common|also)\s+((?:[a-z-]+\s?){1,4})", re.IGNORECASE
)
_NEITHER = re.compile(r"\b(?:different|differ)\b", re.IGNORECASE)
_COUNTRY = re.compile(r"\bcountr(?:y|ies)\b|\bnationalit|\bnation(?:s|al)?\b", re.IGNORECASE)
_CONTINENT = re.compile(r"\bcontinents?\b", re.IGNORECASE)
_MAKER = r"(director|performer|singer|composer|writer|author|producer|founder|creator)s?\b"
# Somebody made the sides, and that somebody is asked about: "the directors of", "whose director".
_ROLE = re.compile(
    rf"\b(?:whose|(?:has|have|had|with|by)(?: the| a)?)\s+{_MAKER}|\b{_MAKER}\s+(?:of|for|behind)\b",
    re.IGNORECASE,
)
_ITSELF = re.compile(rf"\b{_MAKER}", re.IGNORECASE)
_ROLES = {"singer": "performer", "author": "writer"}
_EARLY = re.compile(r"\b(?:first|earlier|earliest|older|oldest|before|elder)\b", re.IGNORECASE)
_LATE = re.compile(
    r"\b(?:later|latest|last|recent(?:ly)?|newer|newest|younger|youngest|after|second)\b", re.IGNORECASE
)
_CUES = (
    ("life", r"\bliv(?:ed|es) (?:longer|shorter)|\blonger (?:life|lived)"),
    ("death", r"\bdied\b|\bdeath\b|\bdie\b|\bpassed away\b"),
    ("birth", r"\bborn\b|\bbirth|\b(?:older|younger|oldest|youngest|elder)\b"),
    ("release", r"\breleas|\bc[oa]me out\b|\bpremier|\bfilms?\b|\bmovies?\b|\baired\b"),
    ("publish", r"\bpublish|\b(?:magazine|newspaper|journal|book|novel)s?\b"),
    ("found", r"\b(?:found|establish|form|creat|open|start|launch)|\b(?:built|began|begin)\b"),
)
_WHAT = tuple((name, re.compile(cue, re.IGNORECASE)) for name, cue in _CUES)
_OF_TWO = re.compile(r"\b(?:which|who) of\b|\bbetween\b|\bof the two\b", re.IGNORECASE)
_BETWEEN, _AND_BETWEEN = 4, 7  # words that may stand between the sides
_NOT = re.compile(r"\bnot\b|n['’]t\b|\bnever\b", re.IGNORECASE)
_SHORTER = re.compile(r"\bshorter\b", re.IGNORECASE)
_CONNECT = r"(?:of|the|in|for|de|la|le|von|van|der|den|del|di|da|al|bin|ibn|on|at|to|a|an|with|from|by)"
_TOKEN = r"(?:[A-Z0-9][^\s,?;:()]*|\"[^\"]{1,80}\"|“[^”]{1,80}”)"
_RUN = re.compile(rf"{_TOKEN}(?:\s+(?:{_CONNECT}\s+){{0,2}}{_TOKEN})*(?:\s+\([^()]{{1,40}}\))?")
_NO_NAME = frozenset(
    split_words(
        "are is was were do does did has have had which who what when where whose both between in of the can "
        "could will would if from on"
    )
)
_SMALL = frozenset(
    terms(
        "are is was were do does did has have had be been being both and or the a an of in on at to for by "
        "from with as it they their its which who what that this two same located different other either one "
        "more any film films movie movies song songs director directors people person also kind type not s"
    )
)


class Asked(NamedTuple):
    """What is compared of two sides.

    ``form``: ``same`` (have they one value?), ``both`` (does something hold of each side?), ``order``
    (which comes first or last?), ``which`` (of which side does something hold, or which has more?),
    ``one`` (is it so?, of no sides).

    ``sides`` are terms with blanks around them. ``what`` is ``country``, ``continent``, a role, ``life``, a
    key of the table of beginnings, or "". ``role``: the sides' maker is meant, not they. ``most``: the later,
    the longer, the greater. ``held`` are the terms of what is said of the sides. ``negated``: "different" for
    "same". ``amount``: what is counted or measured of them.
    """

    form: str
    sides: tuple[str, str]
    what: str = ""
    role: str = ""
    most: bool = False
    held: tuple[str, ...] = ()
    negated: bool = False
    amount: Amount | None = None


def read(question: str, polar: bool, titles: Sequence[str]) -> Asked | None:
    """What is compared, if two sides are, or what a yes or no is about. ``polar``: the answer is one."""
    if polar and not _POLAR.match(question):
        return None
    if not polar and "or" not in question.casefold() and not _OF_TWO.search(question):
        return None  # nothing is offered
    sides = _sides(question, titles)
    if sides is None:
        return _one(question) if polar else None
    role = _role(question)
    if polar:
        return _polar(question, sides, role)
    if not _offered(question, sides):
        return None
    early, late = _EARLY.search(question), _LATE.search(question)
    what = next((name for name, cue in _WHAT if cue.search(_outside(question, sides))), "")
    if what == "life":
        return Asked("order", sides, "life", role, not _SHORTER.search(question))
    if (early or late) and what:
        return Asked("order", sides, what, role, bool(late and not early))
    return Asked("which", sides, held=held(question, sides), amount=measured(_outside(question, sides)))


def _offered(question: str, sides: tuple[str, str]) -> bool:
    """Whether the sides are what may be chosen from: "X or Y", "which of X and Y"."""
    between = _between(question, sides)
    return len(between) <= _BETWEEN and ("or" in between or bool(_OF_TWO.search(question)))


def _between(question: str, sides: tuple[str, str]) -> list[str]:
    """The words (not terms: "and" is none) between the two sides, as far as these stand there in full."""
    found = re.findall(r"[^\W_]+", question.casefold())
    whole = spaced(question)
    first, second = sorted(sides, key=whole.find)
    last, opening = first.split()[-1], second.split()[0]
    folded = [" ".join(terms(word)) for word in found]
    ends = [n for n, word in enumerate(folded) if word == last]
    starts = [n for n, word in enumerate(folded) if word == opening]
    gaps = [(b - a, a, b) for a in ends for b in starts if b > a]
    if not gaps:
        return []
    _, a, b = min(gaps)
    return found[a + 1 : b]


def _polar(question: str, sides: tuple[str, str], role: str) -> Asked:
    outside = _outside(question, sides)
    same, other = _SAME.search(outside), _NEITHER.search(outside)
    if same or other:
        told = same[1] if same else outside
        # "have the same director" asks for the role itself.
        asked = _role(told, _ITSELF)
        if _COUNTRY.search(outside):
            return Asked("same", sides, "country", role, negated=bool(other and not same))
        if _CONTINENT.search(outside):
            return Asked("same", sides, "continent", role, negated=bool(other and not same))
        if asked:
            return Asked("same", sides, asked, negated=bool(other and not same))
        if re.search(r"\byear\b|\bdecade\b|\bcentury\b", told):
            what = next((name for name, cue in _WHAT if cue.search(outside)), "found")
            return Asked("same", sides, what, role)
        return Asked("same", sides, "", role, negated=bool(other and not same))
    if "and" not in (joining := _between(question, sides)) or len(joining) > _AND_BETWEEN:
        return _one(question)
    return Asked("both", sides, "", role, held=held(question, sides))


def _one(question: str) -> Asked:
    return Asked("one", (" ", " "), held=held(question), negated=bool(_NOT.search(question)))


def _role(text: str, cue: re.Pattern[str] = _ROLE) -> str:
    match = cue.search(text)
    if match is None:
        return ""
    word = str(match[match.lastindex or 0]).lower()
    return _ROLES.get(word, word)


def _outside(question: str, sides: tuple[str, str]) -> str:
    """The question without the words of its sides, roughly: by their terms."""
    known = set("".join(sides).split())
    kept = (word for word in question.split() if not (held := terms(word)) or not known.issuperset(held))
    return " ".join(kept)


def held(question: str, sides: tuple[str, str] = ("", "")) -> tuple[str, ...]:
    """The terms of what is said of the sides: those of the question that are neither theirs nor small."""
    known = set("".join(sides).split()) | _SMALL
    return tuple(dict.fromkeys(term for term in spaced(question).split() if term not in known))


def _sides(question: str, titles: Sequence[str]) -> tuple[str, str] | None:
    """The two subjects of a question: passages that it names, or else the names around its conjunction."""
    whole = spaced(question)
    named = sorted({t for t in titles if len(t) > 3 and t in whole}, key=lambda t: (-len(t), t))
    kept: list[tuple[int, str]] = []
    left = whole
    for title in named:
        # A longer title takes its words from a shorter one; every term keeps its place.
        if (at := left.find(title)) >= 0:
            kept.append((at, title))
            left = left[: at + 1] + "." * (len(title) - 2) + left[at + len(title) - 1 :]
    kept.sort()
    if len(kept) >= 2:
        return _last_two(whole, [title for _, title in kept])
    found = [name for name in _names(question) if name.strip()]
    if len(kept) == 1:
        title = kept[0][1]
        others = [n for n in found if n not in title and title not in n]
        if others:
            pair = sorted((title, others[-1]), key=whole.find)
            return pair[0], pair[1]
        return None
    return _last_two(whole, found) if len(found) >= 2 else None


def _last_two(whole: str, found: list[str]) -> tuple[str, str] | None:
    distinct = list(dict.fromkeys(found))
    if len(distinct) < 2:
        return None
    # The sides stand around "and" or "or" as near as can be.
    pairs = list(zip(distinct, distinct[1:], strict=False))

    def gap(pair: tuple[str, str]) -> int:
        first, second = whole.find(pair[0]), whole.find(pair[1])
        between = whole[first + len(pair[0]) - 1 : second + 1]
        return len(between.split()) + (0 if between.split() != [] and " or " in between else 1)

    return min(pairs, key=gap)


def _names(question: str) -> list[str]:
    found = []
    for match in _RUN.finditer(question):
        words = bare(match[0]).strip().split()
        while words and words[0].lower().strip('"“') in _NO_NAME:
            words = words[1:]
        if words:
            found.append(spaced(" ".join(words)))
    return found
