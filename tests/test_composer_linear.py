"""Twice the text takes about twice the time: no question and no answer can hold the composer up."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from functools import partial

import pytest

from synthesis.engines.composer import compose
from synthesis.engines.composer.decoys.distract import distract, normalised
from synthesis.engines.composer.decoys.patterns import names_in, swapped
from synthesis.engines.composer.grammar import sentences
from synthesis.engines.composer.grammar.clauses import uninvert
from synthesis.engines.composer.grammar.phrases import noun_phrase_end, phrase_end, tokens_of
from synthesis.engines.composer.prose.guard import guard
from synthesis.engines.composer.reading.answers import kind, shape
from synthesis.engines.composer.reading.frames import clean, offered, split_choices
from synthesis.engines.composer.reading.questions import read
from synthesis.engines.composer.reading.topics import asked, topics
from synthesis.engines.composer.stating import plain
from synthesis.engines.composer.stating.choices import state_choice, state_polar
from synthesis.engines.composer.stating.rewrite import render
from synthesis.engines.composer.stating.statements import state
from tests.growth import ratio

MOST = 3.0

UNITS = {
    "dots": ".",
    "blanks": " ",
    "newlines": "\n",
    "quotes": '"',
    "open quotes": "“ ",
    "digits": "1",
    "counted": "1. ",
    "brackets": "(",
    "braces": "{a}",
    "combining": "e\u0301\u0301",
    "titles": "Mr. Mr. ",
    "invisible": "\u200b",
    "commas": ", ",
    "choices": "a or ",
    "joined": "and ",
    "clauses": "that the man who ",
    "names": "Ab ",
    "sentences": "A b. ",
    "unspaced": "猫。",
}
EDGES = (("", ""), ("which x: a or b, ", "; x"))


def rng() -> random.Random:
    return random.Random(1)


FRAME = read("What did Ada see in Rome")
PUBLIC: dict[str, Callable[[str], object]] = {
    "clean": clean,
    "split_choices": split_choices,
    "split_choices of which": lambda text: split_choices("which " + text),
    "offered": lambda text: offered("which " + text),
    "read": lambda text: read(text or "x"),
    "read of who": lambda text: read("Who built " + text),
    "read of where": lambda text: read("Where is " + text),
    "read of which": lambda text: read("The man lives in which " + text),
    "asked": asked,
    "topics": lambda text: topics("What is " + text),
    "kind of a question": lambda text: kind(text, "Rome"),
    "kind of an answer": lambda text: kind("Who?", text),
    "shape": shape,
    "state a question": lambda text: state(text, "Rome", rng()),
    "state an answer": lambda text: state("Who built Rome?", text, rng()),
    "state_polar": lambda text: state_polar("Is the man " + text + " old", True),
    "state_choice": lambda text: state_choice("Did Ada or " + text, "Ada"),
    "render": lambda text: render(FRAME, text + "x", rng()) if FRAME else None,
    "quoted": lambda text: plain.quoted(text, text, rng()),
    "on_topic": lambda text: plain.on_topic("What " + text, text, True, rng()),
    "distract by a question": lambda text: [*itertools.islice(distract(text, "Rome", rng()), 2)],
    "distract by an answer": lambda text: [*itertools.islice(distract("Who?", text, rng()), 2)],
    "normalised": normalised,
    "names_in": names_in,
    "swapped": lambda text: swapped("Ada Voss is old.", text, "person", text),
    "guard": lambda text: guard(text, text),
    "clean of a guard": lambda text: guard("x", "five per cent").clean(text),
    "sentences": sentences.split,
    "tokens": tokens_of,
    "noun phrase": lambda text: noun_phrase_end(text.split()),
    "phrase": lambda text: phrase_end(text.split()),
    "uninvert": lambda text: uninvert("is", ["the", *text.split()]),
}


def filled(unit: str, size: int, edge: tuple[str, str]) -> str:
    return edge[0] + (unit * (size // len(unit) + 1))[:size] + edge[1]


def check(work: Callable[[str], object], unit: str, size: int) -> None:
    for edge in EDGES:
        once, twice = filled(unit, size, edge), filled(unit, 2 * size, edge)
        grown = ratio(partial(work, once), partial(work, twice), MOST)
        assert grown < MOST, (edge, grown)


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_a_context_for_a_hostile_pair(unit: str) -> None:
    check(lambda text: compose(text, "Rome", words=60), unit, 20_000)
    check(lambda text: compose("Who built Rome?", text, words=60), unit, 20_000)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_functions_on_hostile_text(name: str) -> None:
    for unit in UNITS.values():
        check(PUBLIC[name], unit, 100_000)
