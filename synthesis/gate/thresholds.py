"""The lowest scores at which a context is taken, and what to say to a model that stays below them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from synthesis.data import Coherence, Rejected
from synthesis.gate.faults import Fault
from synthesis.options import BY_ENGINE, MODEL_LEAST, FiltersConfig

STAGE = "filter"
_BELOW = re.compile(r"(\w+): (\d\.\d+) under \d\.\d+")
_SAY = {
    "support": "- It does not carry the response: nobody could tell from it alone what the response says. "
    "Tell what the response rests on, plainly and in detail.",
    "relevance": "- It is not about what the request asks about. Tell of the very subjects that the request "
    "names, and of how they are connected.",
    "uniqueness": "- It might stand before any request. Tell what holds for the subjects of this one alone.",
    "overall": "- The response does not follow from it well enough. Tell plainly, of the subjects that the "
    "request names, what the response rests on.",
}


class Thresholds(NamedTuple):
    """The lowest score of each part, 0..1; 0 lets any pass.

    The order is that in which they are told: parts say more than the overall score, which falls
    with any of them.
    """

    support: float = 0.0
    relevance: float = 0.0
    uniqueness: float = 0.0
    overall: float = 0.0

    @classmethod
    def of(cls, filters: FiltersConfig, *, model: bool = False) -> Thresholds:
        """Those of a run's filters; what is left to the engine is something for a ``model`` alone."""
        least = (getattr(filters, f"min_{part}") for part in cls._fields)
        by_engine = MODEL_LEAST if model else 0.0
        return cls(*(by_engine if one == BY_ENGINE else one for one in least))

    def missed(self, coherence: Coherence) -> Iterator[str]:
        """Every part below its threshold, as ``support: 0.12 under 0.30``."""
        for part, least in zip(self._fields, self, strict=True):
            value = getattr(coherence, part)
            if value < least:
                # 0.2996 is not "0.30 under 0.30".
                shown = f"{value:.2f}" if f"{value:.2f}" != f"{least:.2f}" else f"{value:.4f}"
                yield f"{part}: {shown} under {least:.2f}"

    def fault(self, coherence: Coherence) -> Fault | None:
        """The first part below its threshold as a fault of the reply.

        What misses the subject is asked for anew: there is nothing in it to mend.
        """
        reason = next(self.missed(coherence), None)
        if reason is None:
            return None
        part, _, what = reason.partition(": ")
        return Fault(part, what, _SAY[part], stage=STAGE, anew=part == "relevance")

    def lets_pass(self, dropped: Rejected) -> bool:
        """Whether a rejection for a low score is one no more."""
        found = _BELOW.match(dropped.reason) if dropped.stage == STAGE else None
        return found is not None and float(found[2]) >= getattr(self, found[1])


NO_THRESHOLDS = Thresholds()
