"""How figures look: mid-tone inks without a background, so that one file reads on light and on dark.

Also how they become bytes: the same figure gives the same PNG, which carries a key that says
what it was drawn from. Knows nothing of what is drawn.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Each stands out from white and from a dark page (#0d1117) by a contrast of 3:1 or more, which
# leaves only luminances between 0.12 and 0.30.
ACCENT = "#c46f0a"  # what the figure is about
QUIET = "#767b83"  # everything that explains it

WIDTH = 7.4  # inches
DPI = 200
_COLOURS = 64
_LABEL = "Comment"
_MARK = "context-synthesis "
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside of this: the library's defaults and ours, whatever the user's settings are."""
    import matplotlib

    ours: Any = {
        "font.family": "DejaVu Sans",  # comes with the library, so it is there everywhere
        "font.size": 8.5,
        "text.color": QUIET,
        "text.parse_math": False,
        "axes.edgecolor": QUIET,
        "axes.linewidth": 0.6,
        "axes.labelcolor": QUIET,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.unicode_minus": False,
        "xtick.color": QUIET,
        "xtick.labelcolor": QUIET,
        "xtick.labelsize": 8,
        "xtick.major.size": 3,
        "xtick.major.width": 0.6,
        "xtick.minor.bottom": False,
        "lines.linewidth": 1,
        "lines.solid_capstyle": "butt",
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(ours)
        yield


def canvas(height: float) -> Figure:
    """An empty figure, ``height`` inches high."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="none")


def panel(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """A place to draw, in inches from the lower left; it has a baseline and nothing else."""
    total = figure.get_figheight()
    axes = figure.add_axes((left / WIDTH, bottom / total, width / WIDTH, height / total))
    axes.patch.set_alpha(0)
    axes.set_yticks([])
    return axes


def write(figure: Figure, x: float, y: float, text: str, **how: Any) -> None:
    """Text at a place in inches from the lower left."""
    figure.text(x / WIDTH, y / figure.get_figheight(), text, **how)


def fitted(label: str, most: int) -> str:
    """A label of at most so many characters."""
    return label if len(label) <= most else f"{label[: most - 1]}…"


def heading(figure: Figure, name: str, what: str) -> None:
    """What the figure is, at its upper left."""
    shown = name if len(name) <= 44 else f"{name[:43]}…"
    y = figure.get_figheight() - 0.2
    write(figure, 0.1, y, f"{shown}: {what}", fontsize=9.5, fontweight="bold", color=QUIET)


def note(figure: Figure, text: str) -> None:
    """How to read the figure, at its lower left."""
    write(figure, 0.1, 0.08, text, fontsize=7.5, linespacing=1.35)


def bars(
    axes: Axes,
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    colour: str = ACCENT,
    gap: float = 0.0,
    headroom: float = 1.0,
) -> None:
    """A histogram; ``gap`` is the share of a cell left empty. What is there at all is a line at least."""
    from matplotlib.collections import PolyCollection

    top = max(counts, default=0) or 1
    axes.set_ylim(0, top * headroom)
    boxes = []
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            inset = (high - low) * gap / 2
            low, high, height = low + inset, high - inset, max(count, top * 0.025)
            boxes.append([(low, 0), (low, height), (high, height), (high, 0)])
    # The outline gives a narrow bar its width; between bars with gaps it would fill them.
    outline = {"edgecolors": "none"} if gap else {"edgecolors": colour, "linewidths": 1.2}
    axes.add_collection(PolyCollection(boxes, facecolors=colour, joinstyle="miter", **outline), autolim=False)


def png(figure: Figure, key: str) -> bytes:
    """The figure as PNG bytes that carry ``key`` and neither a date nor a program's version."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image, PngImagePlugin

    drawn = FigureCanvasAgg(figure)
    drawn.draw()
    picture = Image.frombuffer("RGBA", drawn.get_width_height(physical=True), bytes(drawn.buffer_rgba()))
    # Two inks in some strengths: a palette makes the file a third of the size, and looks the same.
    few = picture.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    told = PngImagePlugin.PngInfo()
    told.add_text(_LABEL, _MARK + key)
    buffer = BytesIO()
    few.save(buffer, "PNG", pnginfo=told, dpi=(DPI, DPI), compress_level=6)
    return buffer.getvalue()


def key_of(path: Path) -> str | None:
    """The key that a PNG of ours carries; None for any other file, and for one that is damaged."""
    content, place, key, kind = path.read_bytes(), 8, None, b""
    if content[:8] != _SIGNATURE:
        return None
    while kind != b"IEND":
        head = content[place : place + 8]
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head)
        body, check = (
            content[place + 4 : place + 8 + length],
            content[place + 8 + length : place + 12 + length],
        )
        if check != crc32(body).to_bytes(4):
            return None
        if kind == b"tEXt" and length < 1_000:
            label, _, text = body[4:].decode("latin-1").partition("\0")
            if label == _LABEL and text.startswith(_MARK):
                key = text.removeprefix(_MARK)
        place += 12 + length
    return key if place == len(content) else None
