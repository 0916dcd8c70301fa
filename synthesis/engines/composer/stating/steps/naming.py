"""Names for what a question only describes: of the right kind, and nobody else's in the pair.

Knows the heads of descriptions (``director``, ``stadium``) and the word lists; never the question's grammar.
"""

from __future__ import annotations

import random
import re

from synthesis.engines.composer.grammar.invent import draws
from synthesis.engines.composer.grammar.wording import upper_first
from synthesis.engines.composer.lexicon import word_class

FEMALE = frozenset(["mother", "wife", "daughter", "sister", "actress", "queen", "princess", "woman", "girl"])
MALE = frozenset(["father", "husband", "son", "brother", "king", "prince", "man", "boy"])

_KINDS = {
    "place": "country city town state province county region island district nation municipality"
    " neighborhood neighbourhood suburb borough village resort location capital",
    "org": "company band group team club label airline firm corporation agency publisher orchestra network",
    "thing": "university college school institute academy brewery hospital museum library",
    "work": "film movie song album book novel show play opera documentary comedy drama musical poem"
    " magazine newspaper sitcom soundtrack single thriller sequel painting series story",
    "person": "actor actress singer songwriter rapper musician author writer novelist poet player footballer"
    " director producer composer politician president king queen prince princess emperor man woman person"
    " artist painter architect scientist physicist comedian wrestler boxer driver coach manager captain"
    " cricketer golfer guitarist drummer pianist dancer designer businessman businesswoman officer general"
    " journalist host presenter filmmaker screenwriter star brother sister father mother son daughter"
    " husband wife lawyer explorer philosopher historian midfielder striker quarterback creator founder",
}
_KIND_OF = {head: kind for kind, heads in _KINDS.items() for head in heads.split()}
_SLOTS = {"place": "town", "org": "org", "work": "work"}
_LISTED = {
    **dict.fromkeys(word_class("banded"), "org"),
    **dict.fromkeys(word_class("place_nouns"), "place"),
    **dict.fromkeys(word_class("worked"), "work"),
    **dict.fromkeys(word_class("person_nouns"), "person"),
}
_AGENT = re.compile(r"[a-z]{3}(?:er|or|ist|ian|man|woman)$")
#: Nouns that only end as those of people do.
_NO_AGENTS = word_class("no_agents")


def kind_of(head: str, default: str = "thing") -> str:
    """``person``, ``place``, ``org``, ``work`` or ``thing`` for the last word of a description."""
    low = head.casefold()
    found = _KIND_OF.get(low) or _LISTED.get(low)
    agent = _AGENT.search(low) and low not in _NO_AGENTS
    return found or ("person" if default == "person" or agent else default)


class Namer:
    """Draws names, none with a word of the pair or of an earlier name; ``given`` are those drawn so far."""

    def __init__(self, taken: str, rng: random.Random) -> None:
        """``taken`` is all that no name may share a word with."""
        self._taken = taken.casefold()
        self._rng = rng
        self.given: list[str] = []
        self.kinds: dict[str, str] = {}

    def fresh(self, head: str, default: str = "thing") -> str:
        """A name for a thing of that head: ``stadium`` gives ``Horvath Stadium``."""
        low = head.casefold()
        kind = kind_of(low, default)
        slot = _SLOTS.get(kind, "person")
        if slot == "person":
            slot += "_f" if low in FEMALE else "_m" if low in MALE else ""
        name = ""
        for _ in range(50):
            name = draws()[slot](self._rng)
            if kind == "thing":
                name = f"{name.split()[-1]} {upper_first(head)}"
            if not any(word in self._taken for word in _telling(name, head)):
                break
        self._taken += f" {name.casefold()}"
        self.given.append(name)
        self.kinds[name] = kind
        return name

    def draw(self, slot: str, kind: str = "") -> str:
        """A value from the slots of ``grammar.invent``, with no word of the pair in it where that can be."""
        value = ""
        for _ in range(20):
            value = draws()[slot](self._rng)
            if value.casefold() not in self._taken:
                break
        if kind:
            self._taken += f" {value.casefold()}"
            self.given.append(value)
            self.kinds[value] = kind
        return value


def _telling(name: str, head: str) -> list[str]:
    return [word for word in re.findall(r"\w{4,}", name.casefold()) if word != head.casefold()]
