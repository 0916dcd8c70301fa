"""Whether a document would give an answer away.

Comparison ignores case, punctuation, width variants, leading articles and thousands
separators. Answers that any text contains by chance (yes, no, a choice letter) tell nothing
and are not looked for. Only the answer's words count here, not a paraphrase of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

_WORD = re.compile(r"\w+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ARTICLES: Final = frozenset(("a", "an", "the"))
_CLOSED: Final = frozenset(("yes", "no", "true", "false", "none", "unknown", "unanswerable"))


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _THOUSANDS.sub("", plain) if "," in plain else plain


def answer_words(answer: str) -> tuple[str, ...]:
    """The words by which an answer is recognised; none for an answer too common to recognise."""
    words = tuple(_WORD.findall(_plain(answer)))
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    closed = len(words) == 1 and (words[0] in _CLOSED or (len(words[0]) == 1 and "a" <= words[0] <= "z"))
    return () if closed else words


def answer_key(answer: str) -> str:
    """One string for all spellings of an answer; empty for an answer too common to recognise."""
    return " ".join(answer_words(answer))


@lru_cache(maxsize=256)
def finder(answer: str) -> Callable[[str], bool]:
    """A test whether a text contains ``answer``."""
    words = answer_words(answer)
    if not words:
        return _never
    rarest = max(words, key=len)
    # Only Latin words and numbers are bounded by their neighbours; elsewhere words may touch.
    opening = r"(?<![0-9a-z])" if words[0][0].isascii() else ""
    closing = r"(?![0-9a-z])" if words[-1][-1].isascii() else ""
    pattern = re.compile(opening + r"[\W_]+".join(map(re.escape, words)) + closing)

    def contains(text: str) -> bool:
        plain = _plain(text)
        return rarest in plain and pattern.search(plain) is not None

    return contains


def _never(_: str) -> bool:
    return False
