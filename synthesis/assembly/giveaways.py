"""Whether a document would give an answer away.

Both are compared in their canonical words, so number words and digits, dates in any order,
accents, articles and punctuation make no difference. Answers that any text contains by chance
(yes, no, a choice letter) tell nothing and are not looked for. A paraphrase is not recognised.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from synthesis.text.spelling import canonical_words, date_keys

_CLOSED: Final = frozenset(("yes", "no", "true", "false", "none", "unknown", "unanswerable"))
_WORD = re.compile(r"\w+")


def haystack(words: list[str]) -> bytes:
    """A document's canonical words as needles are looked for in them."""
    return f" {' '.join(words)} ".encode("utf-8", "surrogatepass")


@lru_cache(maxsize=256)
def needles(answer: str) -> tuple[bytes, ...]:
    """What to look for in a haystack, any of it; none for an answer too common to recognise."""
    plain = _WORD.findall(unicodedata.normalize("NFKC", answer).casefold())
    if len(plain) == 1 and (plain[0] in _CLOSED or (len(plain[0]) == 1 and "a" <= plain[0] <= "z")):
        return ()
    words = canonical_words(answer)
    return tuple(_needle(found) for found in date_keys(words) or ([" ".join(words)] if words else []))


def _needle(found: str) -> bytes:
    # Only Latin words and numbers are bounded by their neighbours; elsewhere words may touch.
    opening = " " if found[0].isascii() else ""
    closing = " " if found[-1].isascii() else ""
    return f"{opening}{found}{closing}".encode("utf-8", "surrogatepass")


def answer_key(answer: str) -> str:
    """One string for all spellings of an answer; empty for an answer too common to recognise."""
    return b"|".join(sorted(needles(answer))).decode("utf-8", "surrogatepass")


def finder(answer: str) -> Callable[[str], bool]:
    """A test whether a text contains ``answer``."""
    wanted = needles(answer)
    return lambda text: bool(wanted) and states(haystack(canonical_words(text)), wanted)


def states(words: bytes, wanted: tuple[bytes, ...]) -> bool:
    """Whether a haystack holds any of the needles."""
    return any(one in words for one in wanted)
