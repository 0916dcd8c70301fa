"""Whether places are spread evenly over [0, 1]: the Kolmogorov-Smirnov test on counted cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

LEAST = 20  # with fewer rows hardly any unevenness could show
ALPHA = 0.05
_SMALLEST_LAMBDA = 0.2  # the series needs ever more terms below it, and its sum is 1 to twelve digits


class Uniformity(NamedTuple):
    """``distance`` is the largest gap between the share of ``rows`` up to a place and the place itself.

    ``p`` is how often ``rows`` independent, truly even places would show a gap at least as large.
    Places that were stratified, as ``depth = "uniform"`` does, come out near 1: more even than chance.
    """

    distance: float
    p: float
    rows: int

    @property
    def even(self) -> bool:
        """Whether evenness is not refuted at the 5 % level."""
        return self.p >= ALPHA

    @property
    def chance(self) -> str:
        """``p`` as it is written: two or three places, or less than a thousandth."""
        return "< 0.001" if self.p < 0.001 else f"{self.p:.3f}" if self.p < 0.1 else f"{self.p:.2f}"

    def __str__(self) -> str:
        return f"D = {self.distance:.3f}, p {'' if self.p < 0.001 else '= '}{self.chance}"


def uniformity(counts: Sequence[int]) -> Uniformity | None:
    """Test the places counted in equal cells of [0, 1] against the even distribution.

    The distance is taken at the cells' borders, so with m cells it is at most 1/m too small.
    ``p`` is Kolmogorov's limit 2 sum (-1)^(k-1) exp(-2 k^2 z^2) with the correction of
    Stephens (1970) for few rows, z = (sqrt n + 0.12 + 0.11 / sqrt n) D.

    Returns:
        None with fewer than ``LEAST`` rows.
    """
    rows = sum(counts)
    if rows < LEAST:
        return None
    distance = max(
        abs(below / rows - place / len(counts)) for place, below in enumerate(accumulate(counts), 1)
    )
    root = math.sqrt(rows)
    return Uniformity(distance, _beyond((root + 0.12 + 0.11 / root) * distance), rows)


def _beyond(z: float) -> float:
    """Chance that the limiting statistic exceeds ``z``."""
    if z < _SMALLEST_LAMBDA:
        return 1.0
    terms = (math.exp(-2 * (k * z) ** 2) * (1 if k % 2 else -1) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))
