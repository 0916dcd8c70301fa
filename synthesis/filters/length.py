"""How long a text is in words, whatever its script, and what ``min_words`` and ``max_words`` mean."""

from __future__ import annotations

import re

from synthesis.ngrams import UNSPACED

_UNSPACED = re.compile(f"[{UNSPACED}]+")
_LETTERS_A_WORD = 2  # of a script without blanks, about


def word_count(text: str) -> int:
    """Words between blanks; where a script has none, two characters count as one word."""
    runs = _UNSPACED.findall(text)
    if not runs:
        return len(text.split())
    return len(_UNSPACED.sub(" ", text).split()) + sum(map(len, runs)) // _LETTERS_A_WORD


def words_meant(setting: str, asked: int) -> float:
    """``"300"`` is 300 words, ``"80%"`` is that share of the words ``asked``."""
    return asked * float(setting[:-1]) / 100 if setting.endswith("%") else float(setting)
