"""Figures of a comparison: for each line and side how its values spread, drawn as ranges on one scale.

A thin line from the 5th to the 95th percentile, a thick one over the middle half, a dot at the median.
Knows nothing of what the values are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from builder.folder.figures.style import ACCENT, QUIET, WIDTH, canvas, fitted, heading, note, panel, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All in inches.
_HEAD, _FOOT, _TICKS, _EDGE = 0.46, 0.34, 0.34, 0.1
_SIDE, _GAP = 0.2, 0.14  # the height of one side's range, and what stands between lines
_NAMES, _TOLD = 1.55, 0.95


class Range(NamedTuple):
    """One side's values in a line of a figure."""

    side: str
    values: Sequence[float]


class RangeLine(NamedTuple):
    """One line of a figure, a range for each side; ``marks`` are drawn in grey."""

    label: str
    ranges: Sequence[Range]
    marks: Sequence[float] = ()


class PointLine(NamedTuple):
    """One line of a figure of means: a value for each side, with its interval if there is one."""

    label: str
    points: Sequence[tuple[str, float, float, float]]


def draw_ranges(
    title: str, what: str, lines: Sequence[RangeLine], *, unit: bool = False, places: int = 0, foot: str = ""
) -> Figure:
    """The lines under one another on one scale.

    Args:
        title: what is compared.
        what: what the values are.
        lines: each with the same sides, in their order.
        unit: the scale is 0 to 1; otherwise it spans the ranges.
        places: decimals of the medians that stand at the right.
        foot: a further sentence below the figure.
    """
    sides = max(len(line.ranges) for line in lines)
    block = sides * _SIDE + _GAP
    figure, axes, bottom, high = _framed(title, what, block, len(lines))
    ends = [end for line in lines for one in line.ranges if one.values for end in _span(one.values)]
    ends += [mark for line in lines for mark in line.marks]
    low, top = (0.0, 1.0) if unit else (min(ends, default=0.0), max(ends, default=1.0))
    margin = 0.03 * ((top - low) or max(abs(top), 1.0))
    axes.set_xlim(low - margin, top + margin)
    if unit:
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    for number, line in enumerate(lines):
        base = high - block * (number + 1) + _GAP / 2
        axes.vlines(line.marks, base, base + block - _GAP, color=QUIET, linewidth=0.8, linestyles=(0, (3, 3)))
        write(figure, _EDGE, bottom + base + (block - _GAP) / 2 - 0.05, fitted(line.label, 22))
        for place, one in enumerate(line.ranges):
            y = base + (len(line.ranges) - place - 0.5) * _SIDE
            colour = ACCENT if place == 0 else QUIET
            if one.values:
                low5, low25, middle, top75, top95 = _quantiles(one.values)
                axes.hlines(y, low5, top95, color=colour, linewidth=1.0)
                axes.hlines(y, low25, top75, color=colour, linewidth=3.6)
                axes.plot(
                    [middle], [y], marker=_MARKERS[place % len(_MARKERS)], color=colour, markersize=5.5,
                    markeredgecolor="white", markeredgewidth=0.7,
                )  # fmt: skip
            told = f"{_quantiles(one.values)[2]:,.{places}f}" if one.values else "none"
            write(
                figure, WIDTH - _EDGE - _TOLD + 0.12, bottom + y - 0.045,
                f"{_LETTERS[place % 26]}  {told}", fontsize=7.5, color=colour,
            )  # fmt: skip
    names = [one.side for one in max(lines, key=lambda line: len(line.ranges)).ranges]
    legend = "   ".join(f"{_LETTERS[place % 26]} {fitted(name, 24)}" for place, name in enumerate(names))
    note(
        figure,
        f"{legend}\nThick: the middle half; thin: 5 to 95 %; dot and number: the median. {foot}".rstrip(),
    )
    return figure


def draw_points(title: str, what: str, lines: Sequence[PointLine], foot: str = "") -> Figure:
    """Means with their intervals, a line for each label and a point for each side."""
    names = list(dict.fromkeys(name for line in lines for name, *_ in line.points))
    block = len(names) * _SIDE + _GAP
    figure, axes, bottom, high = _framed(title, what, block, len(lines))
    ends = [end for line in lines for _, _, low, top in line.points for end in (low, top)]
    low, top = min(0.0, *ends), max(0.0, *ends)
    margin = 0.04 * ((top - low) or 1.0)
    axes.set_xlim(low - margin, top + margin)
    if low < 0:
        axes.axvline(0, color=QUIET, linewidth=0.8)
    for number, line in enumerate(lines):
        base = high - block * (number + 1) + _GAP / 2
        write(figure, _EDGE, bottom + base + (block - _GAP) / 2 - 0.05, fitted(line.label, 22))
        for name, mean, least, most in line.points:
            place = names.index(name)
            y = base + (len(names) - place - 0.5) * _SIDE
            colour = ACCENT if place == 0 else QUIET
            axes.hlines(y, least, most, color=colour, linewidth=1.4)
            axes.plot(
                [mean], [y], marker=_MARKERS[place % len(_MARKERS)], color=colour, markersize=5.5,
                markeredgecolor="white", markeredgewidth=0.7,
            )  # fmt: skip
            write(
                figure, WIDTH - _EDGE - _TOLD + 0.12, bottom + y - 0.045,
                f"{_LETTERS[place % 26]}  {mean:.3f}", fontsize=7.5, color=colour,
            )  # fmt: skip
    legend = "   ".join(f"{_LETTERS[place % 26]} {fitted(name, 24)}" for place, name in enumerate(names))
    note(figure, f"{legend}\n{foot}".rstrip())
    return figure


def _framed(title: str, what: str, block: float, lines: int) -> tuple[Figure, Axes, float, float]:
    """A figure with its heading and room for so many blocks: it, its axes, where they begin and how high."""
    figure = canvas(_HEAD + block * lines + _TICKS + _FOOT)
    heading(figure, title, what)
    bottom, high = _TICKS + _FOOT, block * lines
    axes = panel(figure, _EDGE + _NAMES, bottom, WIDTH - 2 * _EDGE - _NAMES - _TOLD, high)
    axes.set_ylim(0, high)
    return figure, axes, bottom, high


_MARKERS = "oDs^vP"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _quantiles(values: Sequence[float]) -> tuple[float, float, float, float, float]:
    ordered = sorted(values)
    last = len(ordered) - 1

    def at(share: float) -> float:
        place = share * last
        below = math.floor(place)
        above = min(below + 1, last)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

    return at(0.05), at(0.25), at(0.5), at(0.75), at(0.95)


def _span(values: Sequence[float]) -> tuple[float, float]:
    found = _quantiles(values)
    return found[0], found[-1]


def median(values: Sequence[float]) -> float | None:
    """The middle value; None of no values."""
    return _quantiles(values)[2] if values else None
