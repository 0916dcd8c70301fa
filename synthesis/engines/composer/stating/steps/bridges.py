"""What a question only describes gets a name: "the director of X", "an actress who has won how many ...".

``named`` takes one description out of a question and gives the question that is left, about the
name. Knows questions as strings and tokens; leaves alone whatever it is not sure of.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from synthesis.engines.composer.grammar.phrases import is_adverb, is_name, tokens_of
from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    PREPOSITIONS,
    base_of_third,
    core,
    is_base,
    is_participle,
    is_past,
)
from synthesis.engines.composer.stating.steps.links import Link
from synthesis.engines.composer.stating.steps.naming import Namer, kind_of

# A title or name: words with capitals, digits or quotes, small words only between such, brackets whole.
_WORD = r"(?:\([^)]{1,40}\)|[\"“][^\"”]{1,80}[\"”]|[^\Wa-z_][^\s,;:]*)"
_SMALL = r"(?:&|of|the|and|in|on|a|an|to|for|de|la|le|du|di|van|von|with|by|at|from|is|me)"
NAME = rf"{_WORD}(?:(?:, (?!or\b)| )(?:{_SMALL} ){{0,3}}{_WORD}){{0,14}}"
# A name in which "and" joins nothing: the other one begins there.
ONE = NAME.replace("|and|", "|")
_SORT = (
    r"(?:(?:the )?(?P<sort>(?:\d{4} )?(?:[A-Z][a-z]+ )?(?:[a-z-]+ (?!of\b)){0,2}?"
    r"(?:film|movie|song|album|book|novel|series|show|play|opera|band|magazine|comedy|drama|musical|poem)) )?"
)

# Head of a description -> what its bearer did, active and passive.
MADE = {
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
KIN = {
    "father": ("{s} was the father of {v}", "{v} was a child of {s}, who never spoke of being a father"),
    "mother": ("{s} was the mother of {v}", "{v} was born to {s}"),
    "husband": ("{v} married {s}", "{s} was the man {v} married"),
    "wife": ("{v} married {s}", "{s} was the woman {v} married"),
    "spouse": ("{v} married {s}", "{s} and {v} were married"),
    "son": ("{s} was a son of {v}", "{v} had a son, {s}"),
    "daughter": ("{s} was a daughter of {v}", "{v} had a daughter, {s}"),
    "child": ("{s} was a child of {v}", "{v} was a parent of {s}"),
    "sibling": ("{s} was a sibling of {v}", "{v} and {s} grew up as children of one house"),
    "brother": ("{s} was a brother of {v}", "{v} had a brother, {s}"),
    "sister": ("{s} was a sister of {v}", "{v} had a sister, {s}"),
}
_MAKERS, _KINS = "|".join(MADE), "|".join(KIN)
_OF = re.compile(rf"(?<![-\w])(?:[tT]he )?(?P<head>{_MAKERS}|{_KINS}) of {_SORT}(?P<name>{NAME})")
_OWNED = re.compile(rf"(?P<name>{NAME})['’]s (?P<head>{_KINS})\b")
_CALLED = re.compile(r"\b(?:is|was|are|were|as|called|named)$")
_ASKED_FOR = re.compile(
    r"^(?:who|what|which)(?: is| was| are| were|['’]s) (?:the )?(?:name of )?(?:the )?$", re.I
)
_INSITU = re.compile(r"\b(?:what|which|whom|whose|who|where|how many|how much|how far)\b", re.I)
_ASKS_BEHIND = re.compile(r"\b(?:what|how many|how much|how far|whom)\b|\b(?:who|which(?: [a-z]+)?)$", re.I)
_RELATIVE = frozenset(["who", "that", "which", "whose", "where"])
_SPLIT_VERB = re.compile(
    r"^(?:(?P<ask>when|where|how old|what year|(?:in|at|on|from) (?:which|what) [a-z]+) (?P<aux>was|is"
    r"|did|does|were)"
    r"|(?P<noun>(?:which|what) [a-z]+) (?P<do>did|does))$",
    re.I,
)


class Taken(NamedTuple):
    """The question with a name for what it described, and the step that the description was."""

    question: str
    link: Link


def named(question: str, namer: Namer) -> Taken | None:
    """One description named, or None where there is none to be sure of."""
    if " or " in question:
        return None
    return _of_a_name(question, namer) or _described(question, namer)


def _of_a_name(question: str, namer: Namer) -> Taken | None:
    """``the director of film X``, ``X's father``."""
    for pattern in (_OF, _OWNED):
        for found in reversed(list(pattern.finditer(question))):
            before, after = question[: found.start()], question[found.end() :]
            if _ASKED_FOR.match(before) and re.match(r"$|,| and\b", after.rstrip()):
                continue  # it is what is asked for
            if before.endswith(", "):
                continue  # it is said of somebody who has a name
            head, name = found["head"].casefold(), found["name"].strip()
            if not re.search(r"\w", name) or (pattern is _OWNED and not before):
                continue
            if name.isdigit() and after.strip():
                continue  # "50 shades of ...": a title in small letters
            bridge = namer.fresh(head, "person")
            link = relation(head, bridge, name, found.groupdict().get("sort") or "")
            return Taken(f"{before}{bridge}{after}", link)
    return None


def relation(head: str, subject: str, thing: str, sort: str = "") -> Link:
    """The step that ``subject`` is the ``head`` of ``thing``."""
    if head in KIN:
        return Link(subject, head, thing, KIN[head], sort="person")
    active, passive = MADE[head]
    the = f"the {sort} " if sort else ""
    forms = (
        f"the {head} of {the}{{v}} was {{s}}",
        f"{{s}} {active} {the}{{v}}",
        f"{the}{{v}} {passive} {{s}}",
    )
    return Link(subject, head, thing, forms, sort="org" if sort.endswith("band") else "work")


# --- descriptions of any kind


class _Noun(NamedTuple):
    """A description: it begins at token ``start`` with a determiner, its clause at ``rel``."""

    start: int
    rel: int
    head: str


def _described(question: str, namer: Namer) -> Taken | None:
    tokens = tokens_of(question)
    for rel in range(len(tokens) - 2, 1, -1):
        noun = _noun_before(tokens, rel)
        if noun is None:
            continue
        taken = _open(tokens, noun, namer) or _closed(tokens, noun, namer) or _opening(tokens, noun, namer)
        if taken:
            return taken
    return None


def _noun_before(tokens: list[str], rel: int) -> _Noun | None:
    """The noun phrase with an article that the clause at ``rel`` describes."""
    word = core(tokens[rel])
    if word in AUXILIARIES or not _opens_clause(tokens, rel):
        return None
    if word == "which" and core(tokens[rel - 1]) in ("in", "on", "at", "from", "by"):
        rel -= 1
    relative = word in _RELATIVE | {"known", "best", "well"}
    if rel < 2 or core(tokens[rel - 1]) in AUXILIARIES | _JOINTS or is_adverb(tokens[rel - 1]):
        return None
    for start in range(rel - 2, max(-1, rel - 9), -1):
        if core(tokens[start]) not in ("a", "an", "the"):
            continue
        nouns = tokens[start + 1 : rel]
        if is_name(nouns[-1]) and start and core(tokens[start - 1]) in ("in", "from", "at", "near"):
            continue  # "the brewery in the Philippines that ..."
        inner = next((at for at, one in enumerate(nouns) if core(one) in PREPOSITIONS | {"of"}), len(nouns))
        behind = [] if core(nouns[min(inner, len(nouns) - 1)]) == "of" else nouns[inner + 1 :]
        if inner == 0 or any(not is_name(token) and core(token) != "the" for token in behind):
            return None
        head = nouns[inner - 1]
        some = core(tokens[start]) != "the"
        named_head = is_name(head) and (not (relative or some) or inner < len(nouns) or len(nouns) > 3)
        joined = any(core(token) in _JOINTS for token in nouns) and not relative
        listed = any("," in token for token in nouns[: inner - 1]) and not relative
        if named_head or joined or listed or core(head) in AUXILIARIES or not head[:1].isalpha():
            return None
        if word in ("who", "whose") and kind_of(core(head), "person") != "person":
            return None
        return _Noun(start, rel, core(head))
    return None


_JOINTS = frozenset(["and", "or", "as", "that", "which", "who", "well", "than", "not"])


def _opens_clause(tokens: list[str], rel: int) -> bool:
    """Whether a relative clause, or a participle that stands for one, begins there."""
    word, after = core(tokens[rel]), core(tokens[rel + 1])
    if word in _RELATIVE or word == "starring":
        return True
    if word == "known" or word in ("best", "well") and after == "known":
        return True
    if not (is_participle(word) and tokens[rel].islower()):
        return False
    both = after == "and" and rel + 3 < len(tokens) and is_participle(core(tokens[rel + 2]))
    return both or after in PREPOSITIONS | {"by"}


def _parts(tokens: list[str], noun: _Noun) -> tuple[str, str, str, str]:
    """What stands before the description, its noun, the word of its clause, and the clause's rest."""
    at = noun.rel
    word = core(tokens[at])
    rel = f"{word} which" if core(tokens[at + 1]) == "which" and word in PREPOSITIONS else word
    rest = tokens[at + len(rel.split()) :]
    before, what = " ".join(tokens[: noun.start]), " ".join(tokens[noun.start + 1 : at]).rstrip(",")
    return before, what, rel, " ".join(rest)


def _default(rel: str) -> str:
    return "person" if rel in ("who", "whose") else "thing"


def _open(tokens: list[str], noun: _Noun, namer: Namer) -> Taken | None:
    """``X starred an actress who has won how many medals``: X starred N; N has won how many medals."""
    before, what, rel, rest = _parts(tokens, noun)
    if not _INSITU.search(rest) or _INSITU.search(before) or _CALLED.search(before):
        return None
    if not re.search(r"[A-Z0-9]", before) or before.count(",") > 2:
        return None
    if core(before.split()[0]) in AUXILIARIES or re.search(r"\b(?:who|that|which|whose)\b", before):
        return None
    bridge = namer.fresh(noun.head, _default(rel))
    said = "" if bridge.casefold().endswith(what.casefold()) else f", {article(what)} {what}"
    clause = _of_it(bridge, rel, rest)
    if clause is None:
        return None
    link = Link(bridge, before.casefold(), before, (f"{{v}} {{s}}{said}",))
    return Taken(clause, link)


def _of_it(bridge: str, rel: str, rest: str) -> str | None:
    """The description's own clause, said of the name."""
    if rel == "whose":
        return f"{bridge}'s {rest}"
    if rel in ("who", "that", "which"):
        first = core(rest.split()[0])
        finite = first in AUXILIARIES or is_past(first) or base_of_third(first)
        return f"{bridge} {rest}" if finite else None
    if rel in ("where", "in which"):
        return None
    be = "is" if rel in ("located", "based", "situated", "known", "best", "well") else "was"
    return f"{bridge} {be} {rel} {rest}"


def _closed(tokens: list[str], noun: _Noun, namer: Namer) -> Taken | None:
    """``who created the series that featured X``: N featured X; who created N."""
    before, what, rel, rest = _parts(tokens, noun)
    opener = core(tokens[0])
    asks = opener in ("who", "what", "which", "when", "where", "how", "whose") or (
        opener in ("in", "at", "on", "for", "by", "with") and core(tokens[1]) in ("what", "which", "whom")
    )
    if not asks or not before or _ASKS_BEHIND.search(rest) or not re.search(r"[A-Z0-9\"]", rest):
        return None
    if _ASKED_FOR.match(before + " ") or _CALLED.search(before) and not _SPLIT_VERB.match(before):
        return None
    if re.search(r"\bname of$", before) or re.search(r",$", before):
        return None
    tail = ""
    if _SPLIT_VERB.match(before):
        rest, _, tail = rest.rpartition(" ")
        doing = re.search(r"\b(?:did|does)$", before, re.I)
        if not rest or not (is_base(tail) if doing else is_participle(tail)):
            return None
    bridge = namer.fresh(noun.head, _default(rel))
    if rel in ("where", "in which"):
        value = re.sub(r" (?:in|at)$", "", rest)
    else:
        value = rest if rel in ("who", "that", "which") and _finite(rest) else f"{rel} {rest}"
    link = Link(bridge, f"{what} {rel}".casefold(), value, _describing(what, rel, value))
    return Taken(f"{before} {bridge} {tail}".rstrip(), link)


def _opening(tokens: list[str], noun: _Noun, namer: Namer) -> Taken | None:
    """``The arena where X played can seat how many people``: X played in N; N can seat how many people."""
    wh = next((at for at, token in enumerate(tokens) if at > noun.rel + 2 and _ASKING.match(token)), None)
    if noun.start or wh is None:
        return None
    verbs = [at for at in range(noun.rel + 1, wh) if tokens[at].islower() and _is_finite(core(tokens[at]))]
    if len(verbs) < 2 or _is_finite(core(tokens[verbs[-1] - 1])) and len(verbs) < 3:
        return None
    main = verbs[-1]
    while main > noun.rel + 2 and (is_adverb(tokens[main - 1]) or _is_finite(core(tokens[main - 1]))):
        main -= 1
    if core(tokens[main - 1]) in _JOINTS | {"to", "first"}:
        main -= core(tokens[main - 1]) == "first"
        if core(tokens[main - 1]) in _JOINTS | {"to"}:
            return None
    _, what, rel, _ = _parts(tokens, noun)
    rest = " ".join(tokens[noun.rel + len(rel.split()) : main])
    bridge = namer.fresh(noun.head, _default(rel))
    value = rest if rel in ("where", "in which", "who", "that", "which") else f"{rel} {rest}"
    if rel in ("who", "that", "which") and not _finite(rest):
        value = f"{rel} {rest}"
    link = Link(bridge, f"{what} {rel}".casefold(), value, _describing(what, rel, value))
    return Taken(f"{bridge} {' '.join(tokens[main:])}", link)


_ASKING = re.compile(r"(?:what|which|who|whom|how)$")


def _is_finite(word: str) -> bool:
    return bool(word in AUXILIARIES or is_past(word) or base_of_third(word))


def _finite(rest: str) -> bool:
    words = rest.split()
    first = core(words[0])
    if first == "also" and len(words) > 1:
        first = core(words[1])
    return words[0].islower() and _is_finite(first)


def _describing(what: str, rel: str, value: str) -> tuple[str, ...]:
    """Forms that say of a name what the description says."""
    if rel in ("where", "in which"):
        return ("{v} in {s}", f"{{v}} in {{s}}, {article(what)} {what}")
    if rel in ("who", "that", "which") and _finite(value):
        plain = len(what.split()) == 1 and kind_of(what) != "person"
        said = f"{{s}}, {article(what)} {what}, {{v}}"
        return ("{s} {v}", said) if plain else (said, f"{{s}} is the {what} {rel} {{v}}")
    be = "was" if kind_of(what.split()[-1]) == "person" else "is"
    return (f"{{s}} {be} the {what} {{v}}",)
