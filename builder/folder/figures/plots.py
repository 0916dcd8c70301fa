"""The drawings: numbers in, a matplotlib figure out. Knows nothing of files or folders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from builder.folder.figures.style import (
    ACCENT,
    QUIET,
    WIDTH,
    bars,
    canvas,
    fitted,
    heading,
    note,
    panel,
    write,
)
from builder.folder.statistics import FULL, PARTS, ChatNumbers, RawNumbers, Spread
from builder.folder.uniformity import LEAST, uniformity
from synthesis.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Chats = Sequence[tuple[str, ChatNumbers]]

# All in inches.
_HEAD, _FOOT = 0.42, 0.3
_ROW, _BAR = 0.5, 0.33
_TICKS = 0.32
_EDGE = 0.1
_NAMES, _TOLD = 1.1, 2.1  # the columns left and right of a row
_WIDE = WIDTH - 2 * _EDGE - _NAMES - _TOLD
_RIGHT = WIDTH - _EDGE - _TOLD + 0.15


class _Row(NamedTuple):
    label: str
    spread: Spread
    marks: Sequence[float]  # grey lines
    told: str


def draw_lengths(name: str, raw: RawNumbers | None, chats: Chats) -> Figure:
    """Tokens per row, a line for each config, on a scale of powers of two; marks at the budgets."""
    rows = [_Row("contexts", raw.tokens, (), _span(raw.tokens.least, raw.tokens.most))] if raw else []
    for label, numbers in chats:
        used, budgets = numbers.tokens, list(numbers.budgets)
        aim = f" of {budgets[0]:,}" if len(budgets) == 1 else ""
        rows.append(_Row(label, used, budgets, _span(used.least, used.most) + aim))
    ends = [end for row in rows for end in (row.spread.least, row.spread.most, *row.marks)]
    ticks = _powers(min(ends), max(ends))
    figure = canvas(_HEAD + _ROW * len(rows) + _TICKS + _FOOT)
    heading(figure, name, "tokens per row")
    scaled = [row._replace(spread=_logs(row.spread), marks=[math.log2(m) for m in row.marks]) for row in rows]
    places = [math.log2(tick) for tick in ticks]
    _stack(figure, _TICKS + _FOOT, scaled, (places[0] - 0.08, places[-1] + 0.08))
    figure.axes[-1].set_xticks(places, [_short(tick) for tick in ticks])
    note(figure, "Log scale. Grey: the budget." if chats else "Log scale.")
    return figure


def draw_asked(name: str, asked: int | None, raw: RawNumbers | None, chats: Chats) -> Figure:
    """Words against the words asked for, and how much of its token budget each sample fills."""
    words = raw.words if raw and asked else None
    block = _ROW + _TICKS
    high = block * bool(words) + (_ROW * len(chats) + _TICKS) * bool(chats)
    figure = canvas(_HEAD + high + _FOOT)
    heading(figure, name, "what was asked for, and what came of it")
    if words and asked:
        told = f"{_span(words.least, words.most)}, mean {words.mean:,.0f}"
        row = _Row("words", words, (asked,), told)
        # At least from 80 to 120 %: a small deviation should look small.
        limits = (min(0.8 * asked, words.least) - 1, max(1.2 * asked, words.most) + 1)
        _stack(figure, figure.get_figheight() - _HEAD - _ROW, [row], limits)
        figure.axes[-1].set_xticks([0.8 * asked, asked, 1.2 * asked])
        figure.axes[-1].xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if chats:
        floor = min(0.95, math.floor(min(numbers.fill.least for _, numbers in chats) * 10) / 10)
        rows = [_Row(label, _coarse(numbers.fill, floor), (1,), _filled(numbers)) for label, numbers in chats]
        _stack(figure, _TICKS + _FOOT, rows, (floor, 1 + 0.01 * (1 - floor)))
        figure.axes[-1].set_xticks([floor, (1 + floor) / 2, 1])
        figure.axes[-1].xaxis.set_major_formatter(lambda value, _: _percent(value))
    shown = [text for text, there in (("words asked for", words), ("the whole token budget", chats)) if there]
    note(figure, f"Grey: {' and '.join(shown)}.")
    return figure


def draw_depth(name: str, chats: Chats) -> Figure:
    """Where the evidence stands in each chat config, and whether it stands everywhere alike."""
    columns, gap, high = min(3, len(chats)), 0.35, 1.46
    lines = math.ceil(len(chats) / columns)
    foot = 0.62
    figure = canvas(_HEAD + high * lines + foot)
    heading(figure, name, "depth of the evidence")
    width = (WIDTH - 2 * _EDGE - gap * (columns - 1)) / columns
    for number, (label, numbers) in enumerate(chats):
        left = _EDGE + (width + gap) * (number % columns)
        bottom = foot + _TICKS + high * (lines - 1 - number // columns)
        axes = panel(figure, left, bottom, width, 0.62)
        _depth(axes, numbers.depth)
        found = uniformity(numbers.depth.counts)
        told = f"{found}: {'even' if found.even else 'not even'}" if found else f"no test under {LEAST} rows"
        write(figure, left, bottom + 0.86, fitted(label, 28))
        write(figure, left, bottom + 0.71, told, fontsize=8)
    note(
        figure,
        "0: own context first, 1: last. Grey: all depths alike. D: the largest gap between the share of\n"
        "rows up to a depth and that depth. p (Kolmogorov-Smirnov): how often depths drawn evenly by chance\n"
        "would show such a gap or a larger one; under 0.05 they are not even.",
    )
    return figure


def draw_coherence(name: str, raw: RawNumbers) -> Figure:
    """The overall score, and its three parts beside it."""
    figure = canvas(_HEAD + 1.38 + _TICKS + _FOOT)
    heading(figure, name, "coherence of contexts")
    overall, bottom, wide, gap = raw.parts["coherence"], _TICKS + _FOOT, 3.0, 0.3
    narrow = (WIDTH - 2 * _EDGE - wide - 3 * gap) / 3
    told = f"overall: mean {overall.mean:.2f}; {raw.verified:,} of {overall.count:,} verified"
    left = _EDGE
    for part in PARTS:
        spread, main = raw.parts[part], part == "coherence"
        axes = panel(figure, left, bottom, wide if main else narrow, 1.05)
        axes.set_xlim(0, 1)
        bars(axes, spread.edges, spread.counts, colour=ACCENT if main else QUIET, gap=0.12)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        write(figure, left, bottom + 1.17, told if main else f"{part}: {spread.mean:.2f}")
        left += (wide if main else narrow) + gap
    note(figure, "Rows by score. The overall score is calibrated; means of its parts as they are.")
    return figure


def _depth(axes: Axes, depth: Spread) -> None:
    coarse = depth.merged(20 if depth.count >= 200 else 10)
    axes.set_xlim(0, 1)
    bars(axes, coarse.edges, coarse.counts, gap=0.12)
    even = depth.count / len(coarse.counts)
    axes.axhline(even, color=QUIET, linewidth=0.9, dashes=(4, 3))
    axes.set_ylim(0, max(*coarse.counts, even * 1.25, 1))
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])


def _stack(figure: Figure, bottom: float, rows: Sequence[_Row], limits: tuple[float, float]) -> None:
    """Rows above one another on one scale, the last one with the ticks."""
    for number, row in enumerate(rows):
        last = number == len(rows) - 1
        base = bottom + _ROW * (len(rows) - 1 - number)
        axes = panel(figure, _EDGE + _NAMES, base, _WIDE, _BAR)
        axes.set_xlim(limits)
        for mark in row.marks:
            axes.axvline(mark, color=QUIET, linewidth=1, zorder=0)
        bars(axes, row.spread.edges, row.spread.counts, headroom=1.25)
        if not last:
            axes.set_xticks([])
            axes.spines["bottom"].set_visible(False)
        write(figure, _EDGE, base, fitted(row.label, 16))
        write(figure, _RIGHT, base + 0.15, row.told)
        write(figure, _RIGHT, base, counted(row.spread.count, "row"))


def _logs(spread: Spread) -> Spread:
    edges = tuple(math.log2(max(edge, 1)) for edge in spread.edges)
    return Spread(edges, spread.counts, spread.total, spread.least, spread.most)


def _coarse(fill: Spread, floor: float) -> Spread:
    """The part of a fill from ``floor`` on, in at most 60 cells."""
    first = round(floor * len(fill.counts))
    part = Spread(fill.edges[first:], fill.counts[first:], fill.total, fill.least, fill.most)
    return part.merged(next(n for n in range(60, 0, -1) if len(part.counts) % n == 0))


def _filled(numbers: ChatNumbers) -> str:
    return f"{numbers.full:,} of {numbers.tokens.count:,} are {_percent(FULL)} full"


def _powers(low: float, high: float) -> list[int]:
    """Powers of two around and between, few enough to be read."""
    first, last = math.floor(math.log2(max(low, 1))), math.ceil(math.log2(max(high, 2)))
    step = max(1, math.ceil((last - first) / 7))
    return [2**power for power in range(first, last + step, step)]


def _short(tokens: int) -> str:
    return f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)


def _span(low: float, high: float) -> str:
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def _percent(share: float) -> str:
    # Rounded down: what is not all of it is never called 100 %.
    return f"{math.floor(share * 1000 + 1e-9) / 10:g} %"
