"""The sentences of a language, and filling them. Reads the notation of the banks; knows no pair.

Nothing of English is done to them: no article is mended, and no blank is put where the language has none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from synthesis.engines.composer.prose.deck import Deck
from synthesis.engines.composer.prose.templates import (
    SentenceTemplate,
    Sequence,
    compile_line,
    expand_options,
    parse,
    pour,
)
from synthesis.text.lists import sections
from synthesis.text.words import count_words

_TEXTS = Path(__file__).parent / "texts"
#: What stays the same through a text: three people, and the town.
_FIXED = ("a", "b", "c", "ort", "ville", "ciudad", "town")
_BY_FIRST_NAME = ("a", "b")
_MARK = "\x01{}\x01"
_PLAIN = "call"


@dataclass(frozen=True, slots=True)
class LanguageSheet:
    """Templates by kind, phrases by name, and pairs of other questions with their answers."""

    kinds: Mapping[str, tuple[SentenceTemplate, ...]]
    rules: Mapping[str, tuple[Sequence, ...]]
    calls: tuple[tuple[str, str], ...]


@cache
def language_sheet(language: str) -> LanguageSheet:
    """The sheet of a language.

    Raises:
        FileNotFoundError: there is none.
        UsageError: a line is not in the notation.
    """
    listed = sections(_TEXTS / f"{language}.txt")
    calls = (line.partition(" => ") for line in listed.pop(_PLAIN))
    rules = {
        name[5:]: tuple(option for line in lines for option in parse(line))
        for name, lines in listed.items()
        if name.startswith("rule ")
    }
    plain = ((name, lines) for name, lines in listed.items() if not name.startswith("rule "))
    kinds = {name: tuple(map(compile_line, lines)) for name, lines in plain}
    return LanguageSheet(kinds, rules, tuple((left, right) for left, _, right in calls))


class Hand:
    """Writes sentences of one language, each template of a kind once before any comes again."""

    def __init__(self, language: str, rng: random.Random) -> None:
        self._sheet = language_sheet(language)
        self.random = rng.random
        self._decks = {kind: Deck(lines, rng) for kind, lines in self._sheet.kinds.items()}
        self._calls = Deck(self._sheet.calls, rng)
        self._given: Mapping[str, str] = {}
        self._mentioned: set[str] = set()
        self._fixed: dict[str, str] = {}
        self._fixed = {name: self.value(name) for name in _FIXED if name in self._sheet.rules}

    def value(self, name: str) -> str:
        """What stands in a slot: something of the pair, something fixed, or a phrase of the language."""
        if name in self._given:
            return _MARK.format(name)
        if name in self._fixed:
            return self._named(name)
        if name == "nr":
            return str(101 + int(self.random() * 880))
        return expand_options(self._sheet.rules[name], self)

    def _named(self, name: str) -> str:
        """A name in full; in the story, after its first mention there, the first name of it."""
        if name not in _BY_FIRST_NAME or self._given:
            return self._fixed[name]
        full = name not in self._mentioned
        self._mentioned.add(name)
        return self._fixed[name] if full else self._fixed[name].split()[0]

    def call(self) -> tuple[str, str]:
        """Another question and its answer."""
        return self._calls.draw()

    def write(self, kind: str, given: Mapping[str, str] | None = None) -> str:
        """The next sentence of a kind whose slots can be filled, with what is ``given`` word for word."""
        self._given = given or {}
        for _ in range(len(self._decks[kind])):
            template = self._decks[kind].draw()
            if "word" not in template.slots or self._given.get("word"):
                break
        out: list[str] = []
        pour(template.nodes, self, out)
        text = re.sub(r" {2,}", " ", "".join(out)).strip()
        first = re.search(r"[\w\x01]", text)
        if first:
            text = text[: first.start()] + text[first.start()].upper() + text[first.start() + 1 :]
        for name, what in self._given.items():
            text = text.replace(_MARK.format(name), what)
        return text


def words_in(text: str) -> float:
    """Words between blanks; of Chinese, two characters are one, and one is half a word."""
    return len(text.split()) if text.isascii() else count_words(f"{text} {text}") / 2
