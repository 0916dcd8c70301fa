"""Texts as plain words, and runs of words as 64-bit numbers that can be compared in bulk.

Case, width, accents and punctuation go; where a script puts no blanks between words, each
character is a word. A number means the same words on every machine and in every process.
Knows nothing of what the runs are compared for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from synthesis.text.words import UNSPACED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_SPACED_WORD = re.compile(r"[^\W_]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_FEW = 8
# Odd, so that multiplying loses nothing modulo 2**64.
_BASE = 0x9E3779B97F4A7C15


def plain_words(text: str) -> list[str]:
    """The words of ``text`` without case, accents and punctuation, in order."""
    if text.isascii():
        return _SPACED_WORD.findall(text.lower())
    folded = _folded(text)
    return (_WORD if _UNSPACED.search(folded) else _SPACED_WORD).findall(folded)


def _folded(text: str) -> str:
    split = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    marks = [one for one in set("".join(_NOT_ASCII.findall(split))) if unicodedata.category(one) == "Mn"]
    if len(marks) <= _FEW:  # most texts have few different ones, and taking each out is quicker
        for mark in marks:
            split = split.replace(mark, "")
        return split
    return split.translate(dict.fromkeys(map(ord, marks)))


@lru_cache(maxsize=1 << 16)  # about 15 MB when full; most words of most texts are few
def _code(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def ngram_hashes(words: Sequence[str], n: int) -> Hashes:
    """One number for every run of ``n`` words, in order; none for fewer words than that."""
    import numpy as np

    return run_hashes(np.fromiter(map(_code, words), np.uint64, len(words)), n)


def run_hashes(codes: Hashes, n: int) -> Hashes:
    """One number for every run of ``n`` numbers, in order; none for fewer than that.

    A polynomial over the numbers modulo 2**64 (Karp and Rabin, 1987, "Efficient randomized
    pattern-matching algorithms").
    """
    import numpy as np

    if n < 1 or len(codes) < n:
        return np.empty(0, np.uint64)
    runs = len(codes) - n + 1
    sums = np.zeros(runs, np.uint64)
    for place in range(n):
        sums *= np.uint64(_BASE)
        sums += codes[place : place + runs]
    return sums
