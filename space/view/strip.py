"""The evidence strip: the text from start to end as a row of cells, each a jump to its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int]

MOST_CELLS = 64
"""More would be thinner than a finger; longer texts have several windows in a cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of the text: the best support of its windows, and the evidence in it.

    ``evidence`` holds parts of the cell, as shares of its length.
    """

    start: int
    end: int
    value: float
    evidence: tuple[tuple[float, float], ...]


def make_cells(windows: Sequence[tuple[int, int, float]], marks: Sequence[Span]) -> list[Cell]:
    """At most ``MOST_CELLS`` cells from scored windows."""
    count = min(MOST_CELLS, len(windows))
    cells = []
    for number in range(count):
        group = windows[number * len(windows) // count : (number + 1) * len(windows) // count]
        start, end = group[0][0], group[-1][1]
        size = max(1, end - start)
        held = tuple(
            ((max(begin, start) - start) / size, (min(stop, end) - start) / size)
            for begin, stop in marks
            if begin < end and stop > start
        )
        cells.append(Cell(start, end, max(value for *_, value in group), held))
    return cells


def strip(area: str, cells: Sequence[Cell], size: int, own: Span | None = None) -> str:
    """The strip as a toolbar: one tab stop, arrow keys move, Enter jumps."""
    if not cells:
        return f'<div class="cs-strip" aria-hidden="true">{waiting(0.0)}</div>'
    buttons = "".join(_button(area, number, cell, len(cells), size) for number, cell in enumerate(cells))
    held = sum(bool(cell.evidence) for cell in cells)
    label = f"Evidence strip: {len(cells)} parts of the text, {held} with evidence. Arrow keys move."
    return (
        f'<div class="cs-strip"><div class="cs-cells" role="toolbar" aria-label="{label}">{buttons}</div>'
        f"{_bracket(own, size)}"
        '<div class="cs-axis"><span>start</span><span class="cs-legend"><i class="cs-key"></i>evidence'
        '<i class="cs-key cs-key-support"></i>support in the words</span><span>end</span></div></div>'
    )


def waiting(share: float) -> str:
    """The strip of a text that is still being written: how much of it is there."""
    filled = round(min(1.0, share) * MOST_CELLS)
    cells = "".join(f'<i class="{"cs-done" if n < filled else ""}"></i>' for n in range(MOST_CELLS))
    return f'<div class="cs-cells cs-waiting">{cells}</div>'


def growing(share: float, size: int = 0, marks: Sequence[Span] = ()) -> str:
    """``waiting`` as a whole strip, for the moments of a run.

    ``size`` characters are there, which is ``share`` of all; ``marks`` is the evidence among them.
    """
    whole = size / share if share else 1.0
    ticks = "".join(
        f'<b style="left:{start / whole:.1%};width:{(end - start) / whole:.1%}"></b>' for start, end in marks
    )
    return (
        f'<div class="cs-strip" aria-hidden="true">{waiting(share)}<div class="cs-ticks">{ticks}</div>'
        '<div class="cs-axis"><span>start</span><span>end</span></div></div>'
    )


def _button(area: str, number: int, cell: Cell, count: int, size: int) -> str:
    share = cell.start / max(1, size)
    ticks = "".join(
        f'<i style="left:{begin:.1%};width:{stop - begin:.1%}"></i>' for begin, stop in cell.evidence
    )
    says = "holds evidence" if cell.evidence else f"support {cell.value:.2f}"
    return (
        f'<button type="button" class="cs-cell{" cs-held" if cell.evidence else ""}" '
        f'style="--v:{cell.value:.2f}" data-jump="{area}-{number}" tabindex="{0 if number == 0 else -1}" '
        f'aria-label="Part {number + 1} of {count}, at {share:.0%}: {says}">{ticks}</button>'
    )


def _bracket(own: Span | None, size: int) -> str:
    """Where the pair's own context stands among the other documents."""
    if own is None:
        return ""
    left, width = own[0] / max(1, size), (own[1] - own[0]) / max(1, size)
    return (
        '<div class="cs-bracket" aria-hidden="true">'
        f'<i style="margin-left:{left:.2%};width:{width:.2%}"></i></div>'
    )
