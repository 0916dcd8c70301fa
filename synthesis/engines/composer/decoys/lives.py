"""When things happen to one: born before founded or announced, that before it came out, all before it ended.

Knows relations and sentences by their words, and years; not who tells them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

from synthesis.engines.composer.stating.proof import Triple

#: Nobody does anything before so many years after birth.
GROWN = 18

#: Years that may be told, and how far one is from what is known before or after it.
EARLIEST, LATEST, SPAN = 1600, 2013, 40

_STAGES = (
    (0, re.compile(r"\b(?:born|birth|christened|life of .* began)\b")),
    (4, re.compile(r"\b(?:died?|death|buried|passed away|ended|closed|ceased|demolished|last hours)\b")),
    (2, re.compile(r"\b(?:came out|released?|published|printed|appeared|opened|premiered)\b")),
    (
        1,
        re.compile(
            r"\b(?:founded|formed|created|established|built|began|begun|started|announced|first showing"
            r"|dates from)\b"
        ),
    ),
)
_YEAR = re.compile(r"(?<![\d,.])(?:1[5-9]\d\d|20[0-3]\d)(?![\d,.]?\d)")


def stage(said: str) -> int:
    """0 for a birth, 1 a beginning, 2 a first appearance, 4 an end; 3 for what comes between."""
    low = said.casefold()
    return next((at for at, pattern in _STAGES if pattern.search(low)), 3)


def year_of(text: str) -> int:
    """The last year that a text speaks of, or 0."""
    return max(map(int, _YEAR.findall(text)), default=0)


def lived(name: str, told: Iterable[Triple]) -> list[tuple[int, int]]:
    """What is known of one: stages and years."""
    found = [(2, year)] if (year := year_of(name)) else []
    for one in told:
        if one.subject == name and not one.denied and not one.revised:
            year = year_of(one.value) or year_of(one.relation)
            if year:
                found.append((stage(f"{one.relation} {one.value}"), year))
    return sorted(found)


def fits(one: tuple[int, int], known: Iterable[tuple[int, int]]) -> bool:
    """Whether something may be told of one of whom that is known."""
    low, high = bounds(one[0], known)
    return low <= one[1] <= high


def bounds(at: int, known: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The first and the last year in which something of a stage may happen."""
    low, high = EARLIEST, LATEST + 20
    for other, year in known:
        if other < at:
            low = max(low, year + (GROWN if other == 0 else 0))
        elif other > at:
            high = min(high, year - (GROWN if at == 0 else 0))
    return low, high


def year_for(relation: str, name: str, told: Iterable[Triple], rng: random.Random) -> str | None:
    """A year for a relation of one that fits what is told of it; empty where there is none, None for any."""
    known = lived(name, told)
    if not known:
        return None
    at = stage(relation)
    low, high = bounds(at, known)
    if low == EARLIEST:
        low = max(low, high - SPAN)
    high = min(high, low + SPAN, max(LATEST, low + 1))
    return str(low + int(rng.random() * (high - low + 1))) if low <= high else ""
