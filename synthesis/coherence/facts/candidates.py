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
_FIGURE = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTH}),? \d{{3,4}}"
    rf"|(?:{_MONTH}) \d{{1,2}},? \d{{3,4}}|(?:{_MONTH}) \d{{4}}"
    r"|\d[\d,.]*\d(?:st|nd|rd|th|s)?|\d(?:st|nd|rd|th)?)(?!\w)"
)


class Candidate(NamedTuple):
    """Its folded terms with blanks around them, and where it stands: (sentence, start, end)."""

    words: str
    at: tuple[tuple[int, int, int], ...]


def candidates(passages: Passages, figures: bool) -> list[Candidate]:
    """The names (or the figures) of a text, each once, in order."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    pattern, text = _FIGURE if figures else _CAPITAL, passages.text
    for number, sentence in enumerate(passages.sentences):
        for match in pattern.finditer(text, sentence.start, sentence.end):
            found.setdefault(match[0], []).append((number, match.start(), match.end()))
    merged: dict[str, list[tuple[int, int, int]]] = {}
    for written, places in found.items():
        if len(words := spaced(written)) > 2:
            merged.setdefault(words, []).extend(places)
    return [Candidate(words, tuple(places)) for words, places in merged.items()]
