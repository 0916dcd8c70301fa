"""Histograms as small drawings: how many rows have which length, depth or score."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from space.view import html
from synthesis.wording import counted

BINS = 20
_WIDTH, _HEIGHT = 300, 84


def histogram(
    title: str,
    values: Sequence[float | None],
    chosen: Sequence[float | None],
    shown: Callable[[float], str],
    *,
    bounds: tuple[float, float] | None = None,
    without: str = "",
) -> str:
    """A figure of ``BINS`` bars; pale for all rows, darker for the part of them that is chosen.

    Args:
        title: what is counted.
        values: of all rows; None where a row has none.
        chosen: of the rows that pass the filter.
        shown: a value as text, for the axis.
        bounds: least and greatest value of the axis; by default those that occur.
        without: said in place of bars where no row has a value.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return f'<figure class="cs-histogram"><figcaption>{title}</figcaption><p>{without}</p></figure>'
    low, high = bounds or _rounded(min(known), max(known))
    every, passed = _counts(known, low, high), _counts(chosen, low, high)
    most = max(every)
    bars = "".join(
        _bar(place, count / most, "cs-all") + _bar(place, part / most, "cs-part-of")
        for place, (count, part) in enumerate(zip(every, passed, strict=True))
        if count
    )
    centre = f"median {shown(_median(known))}"
    return (
        f'<figure class="cs-histogram"><figcaption>{title}<span>{html.text(centre)}</span></figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img">'
        f"<title>{title} of {counted(len(known), 'row')}</title>"
        f"<desc>{html.text(_told(every, low, high, shown))}</desc>{bars}"
        f'<line class="cs-base" x1="0" x2="{_WIDTH}" y1="{_HEIGHT - 0.5}" y2="{_HEIGHT - 0.5}"/></svg>'
        f'<div class="cs-axis" aria-hidden="true"><span>{html.text(shown(low))}</span>'
        f"<span>{html.text(shown(high))}</span></div></figure>"
    )


def _counts(values: Sequence[float | None], low: float, high: float) -> list[int]:
    counts = [0] * BINS
    width = (high - low) / BINS or 1.0
    for value in values:
        if value is not None and math.isfinite(value):
            counts[min(BINS - 1, max(0, int((value - low) / width)))] += 1
    return counts


def _bar(place: int, share: float, kind: str) -> str:
    if not share:
        return ""
    step = _WIDTH / BINS
    height = max(1.5, share * (_HEIGHT - 4))  # the smallest count can still be seen
    return (
        f'<rect class="{kind}" x="{place * step + 1:.1f}" y="{_HEIGHT - height:.1f}" '
        f'width="{step - 2:.1f}" height="{height:.1f}" rx="1"/>'
    )


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Bounds at round numbers around the values."""
    step = 10 ** math.floor(math.log10(max(high - low, abs(high) / 10, 1.0)))
    first, last = math.floor(low / step) * step, math.ceil(high / step) * step
    return (first, last) if last > first else (first, first + step)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _told(counts: Sequence[int], low: float, high: float, shown: Callable[[float], str]) -> str:
    """The same in words: where most rows are."""
    width = (high - low) / BINS
    place = max(range(BINS), key=lambda one: counts[one])
    start, end = low + place * width, low + (place + 1) * width
    most = f"most rows, {counts[place]:,}, from {shown(start)} to {shown(end)}"
    return f"From {shown(low)} to {shown(high)}; {most}."
