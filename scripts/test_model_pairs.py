"""Pairs that the test model learns from, and pairs held out for measuring it.

Knows the composer's word lists and a random generator; nothing of chats, tokens or weights.
A quarter of the entries of each list is kept for held-out pairs, so that copying is measured
on names that no training pair holds. Half of the names in training are put together from
syllables: what cannot be remembered must be copied.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache

from synthesis.data import Pair, content_hash
from synthesis.engines.composer.grammar.words import MONTHS
from synthesis.engines.composer.lexicon import words

_SLOT = re.compile(r"\{(\w+)\}")
_ONSETS = re.findall(r"\w+", "b br c ch d dr f fl g gr h j k kl l m n p pr qu r s sh sk st t th tr v w y z")
_VOWELS = re.findall(r"\w+", "a e i o u ae ai ea io ou")
_CODAS = ["", "", "", *re.findall(r"\w+", "l n r s th rd nt lm ck mp v x")]
_OTHER_LISTS = ("things", "occupations", "organisations", "works", "animals", "items", "reasons", "deeds")
_TASKS = ("story_qa", "multihop_bridge", "generic", "meeting_query", "news_summary", "paper_qa")

#: Instruction and answer; what stands twice in a pattern is drawn once.
PATTERNS = (
    ("Who built the covered market in {place}?", "{person}"),
    ("Who kept the lighthouse at {place} after {year}?", "{person}"),
    ("Which of the guests took {things} along to {place}?", "{person}"),
    ("Who was {name}'s teacher in {place}?", "{person}"),
    ("Who directed “{works}”?", "{person}"),
    ("Name the founder of {organisations}.", "{person}, {occupations} from {place}"),
    ("What does {person} hide in the cellar at {place}?", "{things}"),
    ("What did {person} carry to {place} in {year}?", "{things} and {small} {items}"),
    ("Which company bought the mill that {person} had run?", "{organisations}"),
    ("What is the best-known book by {person}?", "“{works}”"),
    ("What was {person} by trade before moving to {place}?", "{occupations}"),
    ("Which animal stands on the coat of arms of {place}?", "{animals}"),
    ("Where was {person} born?", "{place}"),
    ("In which town did {person} meet {name}?", "in {place}, on {name} Street"),
    ("Where has {person} buried {things}?", "beneath the well at {place}"),
    ("From where to where does {organisations} run its ferry?", "from {place} to {name} Bay"),
    ("When did {organisations} open its house in {place}?", "{date}"),
    ("On what day did {person} reach {place}?", "{date}"),
    ("In what year was {name} bridge at {place} finished?", "{year}"),
    ("How many {items} did {person} own?", "{number}"),
    ("How many people lived in {place} in {year}?", "{big}"),
    ("How much did {person} pay for {things}?", "${big}"),
    ("How many {items} does {organisations} keep in {place}?", "{small} {items}"),
    ("How long did {name} wait on the roof at {place}?", "{small} days"),
    ("By what share did the rents in {place} rise after {year}?", "{small}.{small} percent"),
    ("Why did {person} leave {place}?", "because {reasons}"),
    ("Why does {person} refuse to sell {things}?", "Because {name} asked for it, and {reasons}."),
    ("What did {person} promise {name}?", "to {deeds}"),
    ("What was decided about {organisations}?", "{person} would {deeds} by {date}."),
    ("What does {organisations} want from {person}?", "{name} wants {small} {items} and {things}."),
    ("Summarise what is said of {person}.", "{person} left {place} on {date} with {things}."),
    ("Did {person} ever return to {place}?", "No"),
    ("Has {name} sold {things} to {organisations}?", "Yes"),
    ("Which word opens the door at {place}?", "{odd}"),
    ("What is written on {things} that {person} found?", "{odd} {odd} {small} {odd}"),
    ("What did {name} say in {place}?", "{loose}"),
    ("{loose}?", "{loose}"),
    ("{loose} {person} {loose}?", "{loose}"),
)


def invented(rng: random.Random) -> str:
    """A word of one to four syllables that is in no list."""
    count = rng.choice((1, 2, 2, 3, 3, 4))
    return "".join(rng.choice(part) for _ in range(count) for part in (_ONSETS, _VOWELS, _CODAS))


@cache
def _entries(name: str, held_out: bool) -> tuple[str, ...]:
    """The quarter of a word list that is held out, or the rest of it."""
    return tuple(w for w in words(name) if (content_hash(name, w)[0] in "0123") == held_out)


class _Slots:
    """What the slots of one pair are filled with; each name is drawn once."""

    def __init__(self, rng: random.Random, held_out: bool) -> None:
        self._rng, self._held_out = rng, held_out
        self._drawn: dict[str, str] = {}

    def fill(self, pattern: str) -> str:
        return _SLOT.sub(lambda match: self._value(match[1]), pattern)

    def _value(self, slot: str) -> str:
        if slot in ("odd", "small", "loose"):  # anew at each place
            return self._draw(slot)
        return self._drawn.setdefault(slot, self._draw(slot))

    def _draw(self, slot: str) -> str:
        rng = self._rng
        if slot == "person":
            first = rng.choice(("first_names_f", "first_names_m"))
            return f"{self._name(first)} {self._name('surnames')}"
        if slot == "date":
            return f"{rng.randint(1, 28)} {rng.choice(list(MONTHS))} {rng.randint(1850, 2020)}"
        if slot == "loose":
            return self._loose(rng.randint(1, 8))
        numbers = {"year": (1850, 2020), "number": (3, 999), "small": (2, 60), "big": (1000, 990_000)}
        if slot in numbers:
            return f"{rng.randint(*numbers[slot]):,}" if slot == "big" else str(rng.randint(*numbers[slot]))
        if slot == "odd":
            return invented(rng)
        lists = {"place": "towns", "name": "surnames"}
        return self._name(lists[slot]) if slot in lists else self._entry(slot)

    def _name(self, name: str) -> str:
        if self._held_out or self._rng.random() < 0.5:
            return self._entry(name)
        return invented(self._rng).capitalize()

    def _entry(self, name: str) -> str:
        return self._rng.choice(_entries(name, self._held_out))

    def _loose(self, count: int) -> str:
        """Words that do not belong together: nothing but copying helps."""
        rng = self._rng
        picked = " ".join(
            invented(rng) if rng.random() < 0.3 else self._entry(rng.choice(_OTHER_LISTS))
            for _ in range(count)
        ).split()
        return " ".join(picked[: max(count, 2)]).capitalize()


def pairs(seed: str, *, held_out: bool = False) -> Iterator[Pair]:
    """Pairs without end; the same for the same seed. No held-out pair shares an entry with training."""
    rng = random.Random(seed)
    patterns = PATTERNS[:-3] if held_out else PATTERNS
    while True:
        instruction, answer = rng.choice(patterns)
        slots = _Slots(rng, held_out)
        yield Pair(
            instruction=slots.fill(instruction),
            answer=slots.fill(answer),
            task=rng.choice(_TASKS),
        )


def held_out_pairs(count: int) -> list[Pair]:
    """The first ``count`` pairs that the test model is measured on; yes and no are left out.

    Those two words stand in any text, so that containing them would say nothing.
    """
    found: dict[str, Pair] = {}
    for pair in pairs("held out", held_out=True):
        if pair.answer not in ("Yes", "No"):
            found.setdefault(pair.id, pair)
        if len(found) == count:
            break
    return list(found.values())
