"""How long contexts came out, against what was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_OFF = 0.2


@dataclass(frozen=True, slots=True)
class Realised:
    """How ``contexts`` came out: ``mean`` is their words by those asked for.

    ``off`` counts those over 20 % longer or shorter than asked.
    """

    contexts: int = 0
    mean: float = 0.0
    off: int = 0


def realised(words: Iterable[int], asked: int) -> Realised:
    """Compare the words of contexts with the words that each was asked for.

    Args:
        words: one count per context, such as ``Context.words``.
        asked: above 0.
    """
    count = total = off = 0
    for one in words:
        count += 1
        total += one
        off += abs(one - asked) > _OFF * asked
    return Realised(count, round(total / (count * asked), 4) if count else 0.0, off)
