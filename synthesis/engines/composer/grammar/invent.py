"""Draw invented people, places, dates and figures, and fill patterns with them.

Knows the word lists and a random generator; nothing of the pair. Everything drawn is
plausible and, being invented, true of nobody.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import MONTHS, ORDINALS, SMALL_NUMBERS
from synthesis.engines.composer.lexicon import words

Draw = Callable[[random.Random], str]
_SORTED_ORDINALS = tuple(sorted(ORDINALS))


def _one_of(items: tuple[str, ...]) -> Draw:
    count = len(items)
    return lambda rng: items[int(rng.random() * count)]


def _between(low: int, high: int) -> Callable[[random.Random], int]:
    span = high - low + 1
    return lambda rng: low + int(rng.random() * span)


def figure(rng: random.Random, digits: int) -> str:
    """A number of that many digits, grouped by thousands from five digits on."""
    low = 10 ** (digits - 1) if digits > 1 else 1
    value = low + int(rng.random() * (10**digits - low))
    return f"{value:,}" if digits >= 5 else str(value)


def _joined(*parts: Draw) -> Draw:
    return lambda rng: " ".join(part(rng) for part in parts)


@cache
def draws() -> dict[str, Draw]:
    """What each slot of a pattern is filled with, by slot name."""
    female, male = _one_of(words("first_names_f")), _one_of(words("first_names_m"))
    first = _one_of((*words("first_names_f"), *words("first_names_m")))
    surname, town = _one_of(words("surnames")), _one_of(words("towns"))
    occupations, animals = words("occupations"), words("animals")
    year, day = _between(1852, 2013), _between(1, 28)
    month, number = _one_of(tuple(MONTHS)), _between(11, 97)
    small, money = _one_of(tuple(SMALL_NUMBERS[2:13])), _between(3, 960)
    unit = _one_of(("days", "weeks", "months", "years"))
    street = _one_of(words("streets"))
    programmes = words("programmes")
    return {
        "person": _joined(first, surname),
        "person_f": _joined(female, surname),
        "person_m": _joined(male, surname),
        "first": first,
        "first_f": female,
        "first_m": male,
        "surname": surname,
        "town": town,
        "country": _one_of(words("countries")),
        "org": _one_of(words("organisations")),
        "work": _one_of(words("works")),
        "occupation": _one_of(occupations),
        "a_occupation": _one_of(tuple(f"{article(name)} {name}" for name in occupations)),
        "animal": _one_of(animals),
        "a_animal": _one_of(tuple(f"{article(name)} {name}" for name in animals)),
        "thing": _one_of(words("things")),
        "subject": _one_of(words("subjects")),
        "language": _one_of(words("languages")),
        "nationality": _one_of(words("nationalities")),
        "a_nationality": _one_of(tuple(f"{article(name)} {name}" for name in words("nationalities"))),
        "reason": _one_of(words("reasons")),
        "deed": _one_of(words("deeds")),
        "agency": _one_of(words("agencies")),
        "programme": _one_of(programmes),
        "programme_c": _one_of(tuple(name[:1].upper() + name[1:] for name in programmes)),
        "things_p": _one_of(words("items")),
        "ordinal": _one_of(_SORTED_ORDINALS),
        "weekday": _one_of(words("weekdays")),
        "month": month,
        "street": _joined(surname, street),
        "year": lambda rng: str(year(rng)),
        "year2": lambda rng: str(2014 + int(rng.random() * 20)),
        "date": lambda rng: f"{day(rng)} {month(rng)} {year(rng)}",
        "date_us": lambda rng: f"{month(rng)} {day(rng)}, {year(rng)}",
        "month_year": lambda rng: f"{month(rng)} {year(rng)}",
        "number": lambda rng: str(number(rng)),
        "small": small,
        "age": lambda rng: str(19 + int(rng.random() * 70)),
        "big": lambda rng: f"{1100 + int(rng.random() * 89000):,}",
        "money": lambda rng: f"${money(rng) * 10:,}",
        "money_m": lambda rng: f"${money(rng) / 10:.1f} million",
        "percent": lambda rng: f"{2 + int(rng.random() * 89)} percent",
        "duration": lambda rng: f"{small(rng)} {unit(rng)}",
        # What is told of an age or of a machine needs a time that fits it.
        "old_age": lambda rng: str(61 + int(rng.random() * 36)),
        "old_year": lambda rng: str(1852 + int(rng.random() * 55)),
        "modern_year": lambda rng: str(1922 + int(rng.random() * 77)),
        "modern_date": lambda rng: f"{day(rng)} {month(rng)} {1922 + int(rng.random() * 77)}",
        "hours": lambda rng: f"{small(rng)} hours",
        "days": lambda rng: f"{small(rng)} days",
        "weeks": lambda rng: f"{small(rng)} weeks",
        "years": lambda rng: f"{small(rng)} years",
    }


Part: TypeAlias = "str | int | Draw | tuple[tuple[Part, ...], ...]"

_TOKEN = re.compile(r"\{(\w+(?::\d+)?)\}|([()|])|([^{}()|]+|[{}])")


class Pattern:
    """A sentence with slots, ready to be filled many times.

    A slot ``{person}`` is drawn anew at each place; ``{person:2}`` is one draw per filling,
    the same wherever ``:2`` stands. In ``grouped`` sentences, those of the lists, ``(a|b)`` is one of
    the two, and ``(a|)`` is there or not; in others brackets are brackets.
    """

    __slots__ = ("_fixed", "_parts", "gaps", "slots")

    def __init__(self, text: str, extra: dict[str, Draw] | None = None, grouped: bool = False) -> None:
        table = draws() if extra is None else {**draws(), **extra}
        names = re.findall(r"\{(\w+(?::\d+)?)\}", text)
        self.slots = frozenset(name.split(":")[0] for name in names)
        #: How many draws a filling takes, or may take where there are groups.
        self.gaps = len({f"{at}{name}" if ":" not in name else name for at, name in enumerate(names)})
        keys = list(dict.fromkeys(name for name in names if ":" in name))
        self._fixed = tuple(table[key.split(":")[0]] for key in keys)
        # Each open group holds its finished alternatives and the one being read.
        stack: list[tuple[list[tuple[Part, ...]], list[Part]]] = [([], [])]
        for slot, mark, said in _TOKEN.findall(text):
            if slot:
                stack[-1][1].append(keys.index(slot) if ":" in slot else table[slot])
            elif grouped and mark == "(":
                stack.append(([], []))
            elif grouped and mark == "|":
                stack[-1][0].append(tuple(stack[-1][1]))
                stack[-1][1].clear()
            elif grouped and mark == ")":
                done, last = stack.pop()
                stack[-1][1].append((*done, tuple(last)))
            else:
                stack[-1][1].append(mark or said)
        self._parts = tuple(stack[0][1])

    def fill(self, rng: random.Random) -> str:
        """One sentence, its first letter raised."""
        shared = [draw(rng) for draw in self._fixed]
        out: list[str] = []
        _pour(self._parts, shared, rng, out)
        text = "".join(out)
        return text[:1].upper() + text[1:] if text[:1].islower() else text


def _pour(parts: tuple[Part, ...], shared: list[str], rng: random.Random, out: list[str]) -> None:
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, int):
            out.append(shared[part])
        elif isinstance(part, tuple):
            _pour(part[int(rng.random() * len(part))], shared, rng, out)
        else:
            out.append(part(rng))


@cache
def facts(name: str) -> tuple[Pattern, ...]:
    """The patterns of ``lexicon/facts_<name>.txt``."""
    return tuple(Pattern(line, grouped=True) for line in words(f"facts_{name}"))


# What a sentence of a list with sorts holds is put in afterwards, in the place of these.
_HOLES = {"{a}": "<X>", "{b}": "<Y>", "{said}": "<S>", "{x}": "<X>", "{later}": "<Y>"}


@cache
def frames(name: str, sort: str) -> tuple[Pattern, ...]:
    """The patterns of a sort in ``lexicon/<name>.txt``, of which each line is ``sort | sentence``."""
    found = []
    for line in words(name):
        of, _, text = line.partition("|")
        if of.strip() == sort:
            for hole, mark in _HOLES.items():
                text = text.replace(hole, mark)
            found.append(Pattern(text.strip(), grouped=True))
    return tuple(found)


class Frames:
    """The same, drawn one after the other: none of a sort comes again before all of it have come."""

    def __init__(self, name: str, rng: random.Random) -> None:
        """Nothing of ``lexicon/<name>.txt`` has come yet."""
        self._name, self._rng = name, rng
        self._left: dict[str, list[Pattern]] = {}

    def draw(self, sort: str) -> Pattern:
        """The next of a sort."""
        left = self._left.setdefault(sort, [])
        if not left:
            every = frames(self._name, sort)
            left += self._rng.sample(every, len(every))
        return left.pop()
