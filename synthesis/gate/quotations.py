"""Quotations in a model's reply: reading them, where they stand in a text, and a fault for those that do not.

What is found is what the text has: blanks, case, quotation marks and punctuation may differ in a reply, its
words may not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from synthesis.gate.faults import Fault
from synthesis.text.words import count_words

FEWEST: Final = 3
"""Words of a quotation: fewer stand anywhere."""

_OPENING, _CLOSING = '"“„«', '"”“»'
# Between two quotations on one line; the marks of a title inside one are another matter.
_BETWEEN = re.compile(r"[\"”“»][\s.,;]+(?:and\s+)?[\"“„«]")
_BULLET = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+", re.MULTILINE)
_ELLIPSIS = re.compile(r"\s*(?:\[?(?:\.{3,}|…)\]?)\s*")
_WORD = re.compile(r"\w+")
_SPACED = "\u2e80"  # scripts before it have blanks between their words
_ENDS = '.!?)"”’'
_SHOWN: Final = 80
_NAMED: Final = 4  # quotations, to the model


class Found(NamedTuple):
    """Where a quotation stands in the text, and in which of the windows."""

    start: int
    end: int
    window: int


def quotations(told: str) -> Iterator[str]:
    """The quotations behind one label: what stands in quotation marks, else its lines."""
    told = _BULLET.sub("", told.strip())
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    for line in lines:
        whole = line.rstrip(" .,;")
        if whole[:1] and whole[0] in _OPENING and whole[-1] in _CLOSING:
            parts = _BETWEEN.split(whole[1:-1])
        else:
            parts = [line.strip(_OPENING + _CLOSING + " ")]
        yield from (one.strip() for one in parts if one.strip())


def located(
    quotes: Sequence[str], text: str, windows: Sequence[tuple[int, int]]
) -> tuple[list[Found], list[str]]:
    """Where quotations stand in the ``windows`` of a text, and those that stand nowhere.

    One with dots for what it leaves out stands in several places.
    """
    places: list[Found] = []
    lost = []
    for quote in quotes:
        parts = [part for part in _ELLIPSIS.split(quote) if count_words(part) >= FEWEST or part == quote]
        found = [_locate(part, text, windows) for part in parts]
        if found and all(found):
            places += [place for place in found if place]
        else:
            lost.append(quote)
    return places, lost


def lost_faults(lost: Sequence[str]) -> Iterator[Fault]:
    """One fault that names the quotations that stand nowhere, if there are any."""
    if lost:
        say = "\n".join(
            f"- This does not stand in the text: “{short(quote)}”. Copy a sentence word for word."
            for quote in lost[:_NAMED]
        )
        yield Fault("quote", f"“{short(lost[0])}” does not stand in the text", say)


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    text = one_line(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def one_line(text: str) -> str:
    """A text with single blanks between its words."""
    return " ".join(text.split())


def _locate(quote: str, text: str, windows: Sequence[tuple[int, int]]) -> Found | None:
    words = _WORD.findall(quote)
    if not words:
        return None
    before = r"(?<!\w)" if words[0][0] < _SPACED else ""
    behind = r"(?!\w)" if words[-1][-1] < _SPACED else ""
    pattern = re.compile(
        before + r"\W{1,8}".join(map(re.escape, words)) + behind, re.IGNORECASE
    )  # no word may be part of another: "he was born" is not in "she was born"
    for number, (start, end) in enumerate(windows):
        if match := pattern.search(text, start, end):
            last = match.end()
            while last < end and text[last] in _ENDS:
                last += 1
            return Found(match.start(), last, number)
    return None
