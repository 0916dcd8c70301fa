"""An evaluation as tables and figures: conditions with their intervals, accuracy over depth and length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from builder.folder.figures.style import (
    ACCENT,
    QUIET,
    WIDTH,
    canvas,
    heading,
    note,
    panel,
    png,
    styled,
    write,
)
from synthesis.data import content_hash
from synthesis.evaluation.conditions import FULL
from synthesis.evaluation.questions import Variant
from synthesis.evaluation.results import DEPTHS, DepthCell, Mean, Share, Tally
from synthesis.storage import replace_file
from synthesis.tokens import format_length

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_TASKS = 24
_HEAD, _FOOT, _ROW, _TICKS, _NAMES, _TOLD = 0.42, 0.3, 0.27, 0.3, 1.9, 1.7  # inches
_CELL = 0.42


def tables(tally: Tally) -> str:
    """What an evaluation came to, as Markdown that also reads on a terminal."""
    parts = [_conditions(tally)]
    if shares := tally.shares():
        parts.append(_shares(shares, "of what the evidence gives"))
    if likely := tally.shares(lambda mark: None if mark.nll is None else -mark.nll):
        parts.append(_shares(likely, "of what the evidence gives, by log-likelihood"))
    tasks = {task for variant in tally.marks for task in tally.by_task(variant)}
    if len(tasks) > 1:
        parts.append(_tasks(tally, sorted(tasks)))
    return "\n\n".join(parts) + "\n"


def write_figures(tally: Tally, folder: Path, model: str) -> list[Path]:
    """Draw what there is to draw; one PNG each that reads on light and on dark.

    Returns:
        The files: ``conditions.png`` and, where contexts had lengths, ``depth-by-length.png``.

    Raises:
        FolderError, StorageError: a file cannot be written.
    """
    key = content_hash(tables(tally), [tuple(cell) for cell in tally.cells()], model)
    drawn: dict[str, bytes] = {}
    with styled():
        if means := [(variant, mean) for variant in tally.variants() if (mean := tally.mean(variant))]:
            drawn["conditions.png"] = png(_draw_conditions(model, means), key)
        if cells := tally.cells():
            drawn["depth-by-length.png"] = png(_draw_depths(model, cells), key)
    for name, content in drawn.items():
        replace_file(folder / name, content)
    return [folder / name for name in drawn]


def _conditions(tally: Tally) -> str:
    names = [name for name in ("f1", "exact-match", "contains", "rouge-l") if _has(tally, name)]
    likely = any(tally.nll(variant) for variant in tally.marks)
    heads = ["condition", "length", "depth", "questions", "failed", "score", "95 %", *names]
    rows = []
    for variant in tally.variants():
        mean, metrics, nll = tally.mean(variant), tally.by_metric(variant), tally.nll(variant)
        row = [
            variant.condition,
            _length(variant.length),
            "" if variant.depth is None else f"{variant.depth:g}",
            f"{len(tally.marks[variant]):,}",
            f"{tally.failed(variant):,}" if tally.failed(variant) else "",
            f"{mean.value:.3f}" if mean else "",
            _interval(mean.low, mean.high) if mean else "",
            *(f"{metrics[name]:.3f}" if name in metrics else "" for name in names),
        ]
        rows.append([*row, *([f"{nll.value:.3f}" if nll else ""] if likely else [])])
    return _table([*heads, *(["nll per token"] if likely else [])], rows)


def _shares(shares: Sequence[Share], what: str) -> str:
    rows = [
        [
            one.condition,
            _length(one.length),
            "" if one.depth is None else f"{one.depth:g}",
            f"{one.questions:,}",
            "undefined: the evidence gives nothing" if one.value is None else f"{one.value:.3f}",
            "" if one.value is None else _interval(one.low, one.high),
        ]
        for one in shares
    ]
    return _table(["got in", "length", "depth", "questions", f"share {what}", "95 %"], rows)


def _tasks(tally: Tally, tasks: Sequence[str]) -> str:
    variants = tally.variants()
    found = {variant: tally.by_task(variant) for variant in variants}
    rows = [
        [task, *(f"{found[each][task].value:.3f}" if task in found[each] else "" for each in variants)]
        for task in tasks[:_MOST_TASKS]
    ]
    means = []
    for variant in variants:
        values = [mean.value for mean in found[variant].values()]
        means.append(f"{sum(values) / len(values):.3f}" if values else "")
    left = f" ({len(tasks) - _MOST_TASKS:,} more in scores.json)" if len(tasks) > _MOST_TASKS else ""
    return _table(["task", *map(_name, variants)], [*rows, [f"mean of tasks{left}", *means]])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns stand below one another."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    return "\n".join([padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *padded[1:]])


def _has(tally: Tally, metric: str) -> bool:
    return any(metric in tally.by_metric(variant) for variant in tally.marks)


def _length(tokens: int) -> str:
    return format_length(tokens) if tokens else "own"


def _name(variant: Variant) -> str:
    depth = "" if variant.depth is None else f" at {variant.depth:g}"
    return (
        f"{variant.condition}, {format_length(variant.length)}{depth}"
        if variant.length
        else variant.condition
    )


def _interval(low: float | None, high: float | None) -> str:
    return f"{_end(low)} to {_end(high)}"


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:.3f}"


def _draw_conditions(model: str, means: Sequence[tuple[Variant, Mean]]) -> Figure:
    """A bar for each way of asking, with its interval."""
    figure = canvas(_HEAD + _ROW * len(means) + _TICKS + _FOOT)
    heading(figure, model, "score by what is shown")
    bottom, width = _TICKS + _FOOT, WIDTH - _NAMES - _TOLD
    axes = panel(figure, _NAMES, bottom, width, _ROW * len(means))
    axes.set_xlim(0, 1)
    axes.set_ylim(len(means) - 0.5, -0.5)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    for row, (variant, mean) in enumerate(means):
        colour, alpha = (ACCENT, 0.75) if variant.condition == FULL else (QUIET, 0.4)
        axes.barh(row, mean.value, 0.56, color=colour, alpha=alpha)
        axes.plot([mean.low, mean.high], [row, row], color=QUIET, linewidth=1.2)
        y = bottom + _ROW * (len(means) - row - 0.5) - 0.04
        write(figure, _NAMES - 0.1, y, _name(variant), ha="right")
        write(figure, WIDTH - _TOLD + 0.1, y, f"{mean.value:.2f} ({mean.low:.2f} to {mean.high:.2f})")
    note(figure, "Lines: 95 % of a bootstrap over questions.")
    return figure


def _draw_depths(model: str, cells: Sequence[DepthCell]) -> Figure:
    """A bar for each length and part of the depth; as full as the score is high."""
    from matplotlib.patches import Rectangle

    lengths = sorted({cell.length for cell in cells})
    figure = canvas(_HEAD + _CELL * len(lengths) + _TICKS + _FOOT)
    heading(figure, model, "score by depth of the own document and length")
    bottom, width = _TICKS + _FOOT, WIDTH - _NAMES - 0.3
    axes = panel(figure, _NAMES, bottom, width, _CELL * len(lengths))
    axes.set_xlim(0, 1)
    axes.set_ylim(len(lengths), 0)
    axes.set_xticks([part / DEPTHS for part in range(DEPTHS + 1)])
    for cell in cells:
        row = lengths.index(cell.length)
        wide = cell.high - cell.low
        left = cell.low + 0.04 * wide
        for full, colour, alpha in ((1.0, QUIET, 0.2), (cell.mean, ACCENT, 0.9)):
            size = (0.92 * wide * full, 0.2)
            axes.add_patch(
                Rectangle((left, row + 0.62), *size, facecolor=colour, alpha=alpha, edgecolor="none")
            )
        y = bottom + _CELL * (len(lengths) - row - 0.5) + 0.02
        x = _NAMES + width * (cell.low + wide / 2)
        write(figure, x, y, f"{cell.mean:.2f}  ({cell.questions:,})", ha="center", color=QUIET)
    for row, length in enumerate(lengths):
        y = bottom + _CELL * (len(lengths) - row - 0.5) - 0.04
        write(figure, _NAMES - 0.1, y, _length(length), ha="right")
    note(figure, "0: own document first, 1: last among others. In brackets: questions.")
    return figure
