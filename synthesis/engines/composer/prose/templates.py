"""Templates: text with ``{slots}`` and ``(one|other)`` alternatives, compiled once.

Knows the notation and how to expand it. It does not know what any slot means (the
``Ink`` that is passed in does), nor where templates come from, and it only ever sees
our own templates: text from a pair is put in place after expansion, never through it.

Notation: ``{name}`` asks for a value, ``{Name}`` for the same with a capital;
``(a|b|c)`` picks one; ``(a)`` is there or not. Groups nest. There is no escape: our
templates need neither braces nor parentheses of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from synthesis.errors import UsageError

Node: TypeAlias = "str | Slot | Alternatives"
Sequence: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A value to be asked for; ``name`` is in lower case, ``capital`` raises its first letter."""

    name: str
    capital: bool


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Alternatives of which one is taken, all equally likely."""

    options: tuple[Sequence, ...]


class Ink(Protocol):
    """What fills templates: a source of chance and a value for every slot."""

    random: Callable[[], float]

    def value(self, name: str) -> str:
        """The text of a slot."""
        ...


@dataclass(frozen=True, slots=True)
class SentenceTemplate:
    """A compiled line. ``low`` is the fewest words it can give; ``slots`` every name in it.

    ``company`` says that it speaks of a second person.
    """

    nodes: Sequence
    low: int
    slots: frozenset[str]
    company: bool
    source: str


_TOKEN = re.compile(r"\{(?P<slot>[A-Za-z_]+)\}|(?P<mark>[()|{}])|(?P<text>[^(){}|]+)")


def parse(source: str) -> tuple[Sequence, ...]:
    """The alternatives of a line, split at its top-level bars; most lines have one.

    Raises:
        UsageError: brackets do not match, or a brace is not a slot.
    """
    # Each open group holds its finished alternatives and the one being written.
    stack: list[tuple[list[Sequence], list[Node]]] = [([], [])]
    for match in _TOKEN.finditer(source):
        slot, mark, text = match.group("slot", "mark", "text")
        done, current = stack[-1]
        if text is not None:
            current.append(text)
        elif slot is not None:
            current.append(Slot(slot[0].lower() + slot[1:], slot[0].isupper()))
        elif mark == "(":
            stack.append(([], []))
        elif mark == "|":
            done.append(tuple(current))
            current.clear()
        elif mark == ")" and len(stack) > 1:
            stack.pop()
            options = (*done, tuple(current))
            # A group without a bar is optional: itself or nothing.
            stack[-1][1].append(Alternatives(options if len(options) > 1 else (*options, ())))
        else:
            raise UsageError(f"Template has a stray '{mark}': {source!r}. Close or remove it.")
    if len(stack) > 1:
        raise UsageError(f"Template has an unclosed '(': {source!r}. Close it.")
    done, current = stack[0]
    return (*done, tuple(current))


def compile_line(source: str) -> SentenceTemplate:
    """One sentence or beat. Top-level bars are refused, so that a lost bracket is noticed."""
    options = parse(source)
    if len(options) > 1:
        raise UsageError(f"Template has a '|' outside parentheses: {source!r}. Wrap the alternatives.")
    slots = frozenset(_slot_names(options[0]))
    company = any(name in ("q", "tie") or name.startswith("q_") for name in slots)
    return SentenceTemplate(options[0], _fewest_words(source), slots, company, source)


def _slot_names(nodes: Sequence) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Slot):
            yield node.name
        elif isinstance(node, Alternatives):
            for option in node.options:
                yield from _slot_names(option)


def _fewest_words(source: str) -> int:
    """Words of the line with every group replaced by its shortest alternative."""
    inner = re.compile(r"\(([^()]*)\)")
    while match := inner.search(source):
        options = match.group(1).split("|")
        shortest = min(options, key=lambda o: len(o.split())) if len(options) > 1 else ""
        source = source[: match.start()] + shortest + source[match.end() :]
    return len(source.split())


def pour(nodes: Sequence, ink: Ink, out: list[str]) -> None:
    """Append the expansion of ``nodes`` to ``out``, in pieces and not yet tidied."""
    for node in nodes:
        kind = type(node)
        if kind is str:
            out.append(node)  # type: ignore[arg-type]
        elif kind is Alternatives:
            options = node.options  # type: ignore[union-attr]
            pour(options[int(ink.random() * len(options))], ink, out)
        else:
            value = ink.value(node.name)  # type: ignore[union-attr]
            out.append(value[:1].upper() + value[1:] if node.capital else value)  # type: ignore[union-attr]


def expand(template: SentenceTemplate, ink: Ink) -> str:
    """The tidied text of a template: single spaces, right articles, a capital first letter."""
    out: list[str] = []
    pour(template.nodes, ink, out)
    return tidy("".join(out))


def expand_options(options: tuple[Sequence, ...], ink: Ink) -> str:
    """The text of one of several alternatives, as a phrase: no capital, not tidied."""
    out: list[str] = []
    pour(options[int(ink.random() * len(options))], ink, out)
    return "".join(out)


_GAPS = re.compile(r" {2,}")
_LOOSE = re.compile(r" +(?=[,.;:?!])")
_ARTICLE = re.compile(r"\b([Aa]) (?=([aeiouAEIOU]\w*|hour\w*|honest\w*|heir\w*|honour\w*))")
_SOUNDS_LIKE_YOU_OR_WON = re.compile(r"(?:uni(?!n)|us[eau]|eu|ewe|once|one\b|one-|ut[ei]|ubi)", re.IGNORECASE)


def _article(match: re.Match[str]) -> str:
    return f"{match[1]} " if _SOUNDS_LIKE_YOU_OR_WON.match(match[2]) else f"{match[1]}n "


def tidy(text: str) -> str:
    """Mend what alternatives leave behind. Templates always write ``a``; ``an`` is made here."""
    if "  " in text:
        text = _GAPS.sub(" ", text)
    if " ," in text or " ." in text or " ;" in text or " :" in text or " ?" in text:
        text = _LOOSE.sub("", text)
    text = _ARTICLE.sub(_article, text.strip())
    # An opening quotation mark may stand before the first letter.
    first = 1 if text[:1] == '"' else 0
    return text[:first] + text[first : first + 1].upper() + text[first + 1 :]
