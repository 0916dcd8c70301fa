"""What every form gives: pieces of evidence, other entries of its kind, and sentences on the subject.

A piece is a lead in our words, which speaks of the subject, and words or lines of the answer exactly
as they are. Knows how answers are taken apart; no form in particular.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from synthesis.engines.composer.forms.wording import Pen
from synthesis.engines.composer.grammar.sentences import split
from synthesis.engines.composer.reading.kinds import Ordinary, listed_lines
from synthesis.text.words import count_words, terms

#: Terms of an answer that may stand in one block; more than this is told piece by piece.
BLOCK = 20
#: The most pieces an answer is told in; longer lists are told in runs of lines.
MOST_PIECES = 12
_LEAST = 5  # words that a sentence must have to stand alone


@dataclass(frozen=True, slots=True)
class ToldPiece:
    """One piece of evidence: ``text`` holds the lead and, from ``at`` on, what is the answer's own."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Told:
    """A pair in a form. ``others`` never ends; ``threads`` speak of the subject and say nothing of it.

    ``figures``: the others differ from the pair in their figures alone, and have its words.
    """

    form: str
    pieces: list[ToldPiece]
    others: Iterator[str]
    threads: list[str] = field(default_factory=list)
    subject: str = ""
    figures: bool = False


@dataclass(frozen=True, slots=True)
class OrdinaryCase:
    """What a form is asked to tell."""

    pair: Ordinary
    instruction: str
    answer: str
    subject: str
    rng: random.Random
    others: random.Random


def piece(lead: str, content: str, joint: str = "\n") -> ToldPiece:
    """A lead and a part of the answer behind it."""
    return ToldPiece(f"{lead}{joint}{content}", len(lead) + len(joint))


def in_pieces(
    pen: Pen, given: Mapping[str, str], parts: list[str], joint: str = "\n", single: str = "lead"
) -> list[ToldPiece]:
    """Parts of an answer, each behind a lead: ``single`` alone, else ``first``, ``next`` ..., ``last``."""
    if len(parts) == 1:
        return [piece(pen.write(single, given), parts[0], joint)]
    kinds = ["first", *["next"] * (len(parts) - 2), "last"]
    return [piece(pen.write(kind, given), part, joint) for kind, part in zip(kinds, parts, strict=True)]


def parts_of(answer: str) -> list[str]:
    """An answer taken apart without changing a line: items, stanzas, paragraphs, sentences."""
    text = answer.strip()
    if len(terms(text)) <= BLOCK:
        return [text]
    if listed_lines(text):
        return _gathered(_items(text))
    if verse(text):
        return _gathered(_couplets(text))
    return _sliced(text)


def verse(text: str) -> bool:
    """Whether a text is lines that end where they do for their own sake."""
    lines = [line for line in text.splitlines() if line.strip()]
    stanzas = len(re.split(r"\n\s*\n", text.strip()))
    return (
        len(lines) > 2
        and len(lines) >= 3 * stanzas
        and sum(len(line.split()) for line in lines) <= 11 * len(lines)
    )


def _items(text: str) -> list[str]:
    """Each item with the lines that belong to it; what introduces them stands with the first."""
    parts: list[str] = []
    items = set(listed_lines(text))
    for line in text.splitlines():
        if not line.strip():
            continue
        if line in items and not (
            len(parts) == 1 and parts[0].splitlines()[0] not in items and "\n" not in parts[0]
        ):
            parts.append(line)
        elif parts:
            parts[-1] += "\n" + line
        else:
            parts.append(line)
    return parts


def _couplets(text: str) -> list[str]:
    parts: list[str] = []
    for stanza in re.split(r"\n\s*\n", text):
        lines = stanza.strip("\n").splitlines()
        parts += ["\n".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
    return parts


def _sliced(text: str) -> list[str]:
    """Sentences, cut out of the text as they are; what is too short to stand alone stays with its next."""
    starts, at = [], 0
    for line in re.split(r"\n+", text):
        for sentence in split(line.strip()):
            at = text.index(sentence.split()[0], at)
            starts.append(at)
            at += len(sentence.split()[0])
    kept = [0]
    for start in starts[1:]:
        if count_words(text[kept[-1] : start]) >= _LEAST:
            kept.append(start)
    if len(kept) > 1 and count_words(text[kept[-1] :]) < _LEAST - 1:
        kept.pop()
    kept = kept[:: -(-len(kept) // MOST_PIECES)]
    return [text[a:b].rstrip() for a, b in zip(kept, [*kept[1:], len(text)], strict=True)]


def _gathered(parts: list[str]) -> list[str]:
    """At most ``MOST_PIECES`` parts, neighbours put together."""
    size = -(-len(parts) // MOST_PIECES)
    return ["\n".join(parts[at : at + size]) for at in range(0, len(parts), size)]


def endless(one: Callable[[], str]) -> Iterator[str]:
    """What ``one`` gives, again and again."""
    while True:
        yield one()


def threads(pen: Pen, given: Mapping[str, str]) -> list[str]:
    """What the form is, and each sentence on the subject once, in a chance order."""
    order = list(pen.templates("thread"))
    pen.shuffle(order)
    return [pen.write("intro", given), *(pen.fill(template, given) for template in order)]


def quote(text: str) -> str:
    """A text in quotation marks of ours, whatever marks it has inside."""
    return f"“{text.replace('“', '‘').replace('”', '’')}”"


def two(line: str) -> tuple[str, str]:
    """The two sides of a plain line ``a => b``."""
    left, _, right = line.partition(" => ")
    return left, right
