"""How hard a context is made: the composer's settings, what they may be, and which are as usual.

Knows nothing of texts; ``draft`` and the modules under it do what a dial says.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from synthesis.errors import UsageError

#: How many steps evidence takes if nobody says: what the question describes.
DEFAULT_HOPS: int | str = "auto"

OVERLAPS = ("copied", "mixed", "paraphrased")
ORDERS = ("told", "shuffled", "reversed")
#: As a story with facts in it; in entries, as some book of reference has them; by chance one or the other
#: where the question has a short answer; or as one of these books has them.
TELLINGS = (
    *("narrative", "entries", "mixed"),
    *("encyclopedia", "dictionary", "handbook", "gazetteer", "catalogue", "register", "chronicle", "news"),
)
#: The most steps, decoys of one hop, and pieces of a kind.
MOST_HOPS, MOST = 4, 8
#: The most near misses in a hundred words, and in one text.
MOST_MISSES, MOST_IN_ALL = 4, 96


@dataclass(frozen=True, slots=True)
class Dials:
    """Settings of one context's difficulty.

    Attributes:
        hops: steps of the evidence: ``auto`` for what the question describes, or 1 to 4.
        distance: from the first piece of evidence to the last, as a share of the text, 0 to 1; ``any``
            spreads them by
            chance.
        overlap: how many of the question's words the evidence keeps: ``copied``, ``mixed`` or
            ``paraphrased``.
        decoys: false leads of each step, 0 to 8: another relation of the same, the same relation of another.
        order: the pieces as they lead to the answer (``told``), ``shuffled`` or ``reversed``.
        negated: statements that something false of a step is not so, 0 to 8.
        corrections: steps that are told wrong first and put right later, 0 to 8.
        telling: ``narrative``; ``entries`` where the question has a short answer and there is room, or
            a kind of them, such as ``catalogue``; ``mixed`` mostly entries where the genre leaves it open.
        misses: near misses in a hundred words of a narrative, 0 to 4: what is nearly asked, of others, in the
            question's own words; as many as the question allows.
    """

    hops: int | str = DEFAULT_HOPS
    distance: float | str = "any"
    overlap: str = "mixed"
    decoys: int = 2
    order: str = "shuffled"
    negated: int = 0
    corrections: int = 0
    telling: str = "narrative"
    misses: float = 2.0

    def check(self) -> None:
        """Raise ``UsageError`` for a setting that is none."""
        if self.hops != "auto" and (isinstance(self.hops, str) or not 1 <= self.hops <= MOST_HOPS):
            raise UsageError(f"hops is {self.hops!r}; it must be auto or 1 to {MOST_HOPS}")
        if self.distance != "any" and (isinstance(self.distance, str) or not 0 <= self.distance <= 1):
            raise UsageError(
                f"distance is {self.distance!r}; it must be any, or a share of the text from 0 to 1"
            )
        for name, allowed in (("overlap", OVERLAPS), ("order", ORDERS), ("telling", TELLINGS)):
            if getattr(self, name) not in allowed:
                raise UsageError(
                    f"{name} is {getattr(self, name)!r}; it must be one of: {', '.join(allowed)}"
                )
        if isinstance(self.misses, str) or not 0 <= self.misses <= MOST_MISSES:
            raise UsageError(f"misses is {self.misses!r}; it must be 0 to {MOST_MISSES}, in a hundred words")
        for name in ("decoys", "negated", "corrections"):
            if not 0 <= getattr(self, name) <= MOST:
                raise UsageError(f"{name} is {getattr(self, name)!r}; it must be 0 to {MOST}")

    def unusual(self) -> dict[str, Any]:
        """What is not as usual, by name."""
        return {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if getattr(self, one.name) != one.default
        }
