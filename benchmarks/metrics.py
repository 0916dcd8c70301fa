"""How good a score is at telling true triples from spoilt ones. Plain numbers in, plain numbers out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple


class Judged(NamedTuple):
    """One triple's verdict: ``row`` ties a spoilt triple to its true one."""

    row: int
    true: bool
    value: float


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Chance that a true triple scores above a spoilt one; ties count half.

    Raises:
        ValueError: If either side is empty.
    """
    if not positives or not negatives:
        raise ValueError(f"AUROC needs both sides, got {len(positives)} true and {len(negatives)} spoilt")
    ordered = sorted(negatives)
    wins = sum(bisect_left(ordered, p) + bisect_right(ordered, p) for p in positives)
    return wins / (2 * len(ordered) * len(positives))


def judged_auroc(judged: Sequence[Judged]) -> float:
    """``auroc`` of judged triples."""
    return auroc([j.value for j in judged if j.true], [j.value for j in judged if not j.true])


def _balanced(judged: Sequence[Judged]) -> list[tuple[float, float, bool]]:
    """(weight, value, true), so that true and spoilt triples weigh one half each."""
    true = sum(j.true for j in judged)
    return [(0.5 / (true if j.true else len(judged) - true), j.value, j.true) for j in judged]


def calibration_error(judged: Sequence[Judged], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins, true and spoilt weighing one half each."""
    gaps = [0.0] * bins
    for weight, value, true in _balanced(judged):
        gaps[min(bins - 1, int(value * bins))] += weight * (value - true)
    return sum(map(abs, gaps))


def balanced_accuracy(judged: Sequence[Judged], threshold: float = 0.5) -> float:
    """Mean of the shares of true and of spoilt triples on the right side of the threshold."""
    return sum(weight for weight, value, true in _balanced(judged) if (value >= threshold) == true)


def interval(
    judged: Sequence[Judged], figure: Callable[[Sequence[Judged]], float], rounds: int = 400
) -> tuple[float, float]:
    """95 % bootstrap interval of a figure, drawing whole rows (a true triple with its spoilt ones)."""
    by_row: dict[int, list[Judged]] = {}
    for j in judged:
        by_row.setdefault(j.row, []).append(j)
    rng, rows, values = Random(len(judged)), list(by_row.values()), []
    for _ in range(rounds):
        drawn = [j for group in rng.choices(rows, k=len(rows)) for j in group]
        values.append(figure(drawn))
    values.sort()
    return values[int(0.025 * rounds)], values[int(0.975 * rounds) - 1]
