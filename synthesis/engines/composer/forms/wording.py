"""The sentences of a form: read from ``texts/<form>.txt``, and filled with invented names and figures.

A file has sections, ``[kind]`` for sentences and ``[rule name]`` for phrases that a slot asks for, in
the notation of the banks. What comes from a pair is put in after everything else and never read as
notation. Knows no pair.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.prose import templates
from synthesis.engines.composer.prose.templates import SentenceTemplate, compile_line, parse
from synthesis.text.lists import sections

_TEXTS = Path(__file__).parent / "texts"
_MARK = "\x01{}\x01"
# What a form may ask for beside its own rules: lists that invent nothing about the pair.
_LISTS = {
    "surname": "surnames",
    "first": "first_names_f",
    "town": "towns",
    "month": "months",
    "weekday": "weekdays",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file: templates by kind, phrases by name, and sections of plain lines by title."""

    kinds: Mapping[str, tuple[SentenceTemplate, ...]]
    rules: Mapping[str, tuple[templates.Sequence, ...]]
    plain: Mapping[str, tuple[str, ...]]


@cache
def sheet(form: str) -> Sheet:
    """The sheet of a form.

    Raises:
        FileNotFoundError: there is no such form.
        UsageError: a line is not in the notation.
    """
    listed = sections(_TEXTS / f"{form}.txt")
    kinds, rules, plain = {}, {}, {}
    for name, lines in listed.items():
        if name.startswith("rule "):
            rules[name[5:]] = tuple(option for line in lines for option in parse(line))
        elif name.split()[0] in _PLAIN:
            plain[name] = tuple(lines)
        else:
            kinds[name] = tuple(map(compile_line, lines))
    return Sheet(kinds, rules, plain)


#: Sections whose lines are no templates.
_PLAIN = frozenset(["card", "phrase", "tongues", "slip", "piece", "line", "lore", "call"])


class Pen:
    """Writes sentences of one form. One ``rng``, the only source of variety.

    ``one_hand``: whoever wrote the first of them wrote them all, and has the same name throughout.
    """

    def __init__(self, form: str, rng: random.Random, one_hand: bool = False) -> None:
        self._writer: dict[str, str] | None = {} if one_hand else None
        self._sheet = sheet(form)
        self._rng = rng
        self.random = rng.random
        self._given: Mapping[str, str] = {}
        self._drawn: dict[str, str] = {}

    def value(self, name: str) -> str:
        """What stands in a slot: something of the pair, a phrase of the form, or something invented."""
        if name in self._given:
            return _MARK.format(name)
        known = self._drawn if self._writer is None or name not in _WRITER else self._writer
        if name not in known:
            known[name] = self._invent(name)
        return known[name]

    def _invent(self, name: str) -> str:
        if name in self._sheet.rules:
            return templates.expand_options(self._sheet.rules[name], self)
        if name in _LISTS:
            return self.pick(words(_LISTS[name]))
        if name == "page":
            return str(12 + int(self.random() * 480))
        if name == "hour":
            return f"{self.pick(_HOURS)} past {self.pick(words('numbers')[2:12])}"
        return self.pick(words("numbers")[3:13])  # small

    def pick(self, items: Sequence[str]) -> str:
        """One of several, all equally likely."""
        return items[int(self.random() * len(items))]

    def plain(self, section: str) -> tuple[str, ...]:
        """The lines of a section that are no templates."""
        return self._sheet.plain[section]

    def titled(self, word: str) -> list[tuple[str, tuple[SentenceTemplate, ...]]]:
        """The sections ``[word title]``, with their titles."""
        start = len(word) + 1
        return [
            (name[start:], lines) for name, lines in self._sheet.kinds.items() if name.startswith(word + " ")
        ]

    def templates(self, kind: str) -> tuple[SentenceTemplate, ...]:
        """The sentences of a kind."""
        return self._sheet.kinds[kind]

    def shuffle(self, items: list[Any]) -> None:
        """Put a list into a chance order."""
        for at in range(len(items) - 1, 0, -1):
            other = int(self.random() * (at + 1))
            items[at], items[other] = items[other], items[at]

    def write(self, kind: str, given: Mapping[str, str] | None = None) -> str:
        """A sentence of a kind, with what is ``given`` put into its slots word for word."""
        lines = self._sheet.kinds[kind]
        return self.fill(lines[int(self.random() * len(lines))], given)

    def fill(self, template: SentenceTemplate, given: Mapping[str, str] | None = None) -> str:
        """A template written out; see ``write``."""
        self._given, self._drawn = given or {}, {}
        text = templates.expand(template, self)
        opener = text.startswith("\x01")
        for name, what in self._given.items():
            if opener and text.startswith(_MARK.format(name)):
                text = what[:1].upper() + what[1:] + text[len(_MARK.format(name)) :]
            text = text.replace(_MARK.format(name), what)
        return text


_WRITER = ("first", "surname")
_HOURS = ("five", "ten", "a quarter", "twenty")
