"""The names and figures of a context: each once, with its places. Knows nothing of questions."""

from __future__ import annotations

import re
from typing import NamedTuple

from synthesis.coherence.facts.passages import Passages, spaced

_INNER = r"(?:of|the|de|da|di|del|von|van|der|den|la|le|and|for|in|al|bin|ibn|&)"
_LETTER = "[A-Z\u00c0-\u00d6\u00d8-\u00dd\u0100-\u0178]"
# Loose accents belong to their letters.
_WORD = rf"{_LETTER}[\w'’.&\u0300-\u036f-]*"
# That it begins a word is looked at behind its first letter: capitals are found faster than bounds.
_CAPITAL = re.compile(rf"{_LETTER}(?<!\w.)[\w'’.&\u0300-\u036f-]*(?: (?:{_INNER} ){{0,2}}{_WORD})*")
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTHS_REST = "|".join(month[1:] for month in _MONTH.split("|"))
_FIGURE = re.compile(  # the same here
    rf"[\dJFMASOND](?<!\w.)(?:(?<=\d)(?:\d?(?:st|nd|rd|th)? (?:{_MONTH}),? \d{{3,4}}"
    r"|[\d,.]*\d(?:st|nd|rd|th|s)?|(?:st|nd|rd|th)?)"
    rf"|(?:{_MONTHS_REST}) (?:\d{{1,2}},? \d{{3,4}}|\d{{4}}))(?!\w)"
)


class Candidate(NamedTuple):
    """Its folded terms with blanks around them, and where it stands: (sentence, start, end).

    ``found``: these terms are what stands there; else it may be told there in another form.
    """

    words: str
    at: tuple[tuple[int, int, int], ...]
    found: bool = True


def candidates(passages: Passages, figures: bool) -> list[Candidate]:
    """The names (or the figures) of a text, each once, in order."""
    found = _figures(passages) if figures else _names(passages)
    merged: dict[str, list[tuple[int, int, int]]] = {}
    for written, places in found.items():
        if len(words := spaced(written)) > 2:
            merged.setdefault(words, []).extend(places)
    return [Candidate(words, tuple(places)) for words, places in merged.items()]


def _names(passages: Passages) -> dict[str, list[tuple[int, int, int]]]:
    """Their places as they are written; a name may hold a stop, and so is looked for in each sentence."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for number, sentence in enumerate(passages.sentences):
        for match in _CAPITAL.finditer(passages.text, sentence.start, sentence.end):
            found.setdefault(match[0], []).append((number, match.start(), match.end()))
    return found


def _figures(passages: Passages) -> dict[str, list[tuple[int, int, int]]]:
    """The same of figures, which reach over no sentence's end: the text is gone through once."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    sentences, number = passages.sentences, 0
    for match in _FIGURE.finditer(passages.text):
        start, end = match.span()
        while number < len(sentences) and sentences[number].end < end:
            number += 1
        if number < len(sentences) and sentences[number].start <= start:
            found.setdefault(match[0], []).append((number, start, end))
    return found
