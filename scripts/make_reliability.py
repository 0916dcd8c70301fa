"""Draw ``docs/reliability.png``: what coherence scores promise against what was true, by kind of answer.

    python -m scripts.make_reliability [--data FOLDER] [--out FILE]

On the second half of each data file (the first half fitted the calibration). In each of ten
cells of the score stands the share of true triples, true and spoilt ones weighing one half
each; on the diagonal, scores are the shares they promise. Known limits are left out, as in
``benchmarks/coherence.py``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.metrics import Judged, calibration_error
from benchmarks.probes import probes, read_rows
from builder.folder.figures.style import ACCENT, QUIET, WIDTH, canvas, note, panel, png, styled, write
from synthesis.coherence import score
from synthesis.data import content_hash

ROOT = Path(__file__).resolve().parents[1]
SETS = ("hotpotqa", "multinews")
CELLS = 10
LEAST = 8  # true triples of a kind; fewer say nothing
_Z = 1.96  # 95 %


class Cell(NamedTuple):
    """Triples whose scores lie close together.

    Their mean score, the share that is true with its 95 % interval, and their weight of all.
    """

    promised: float
    found: float
    low: float
    high: float
    weight: float


def judged_by_kind(data: Path) -> dict[str, list[Judged]]:
    """Verdicts on held-out triples, per kind of answer."""
    found: dict[str, list[Judged]] = {}
    for name in SETS:
        rows = read_rows(data, name)
        for probe in probes(rows[len(rows) // 2 :]):
            value = score(probe.context, probe.instruction, probe.answer).overall
            found.setdefault(probe.kind, []).append(Judged(probe.row, probe.what == "positive", value))
    return {
        kind: verdicts
        for kind, verdicts in found.items()
        if sum(j.true for j in verdicts) >= LEAST and not all(j.true for j in verdicts)
    }


def cells(verdicts: Sequence[Judged]) -> list[Cell]:
    """The cells that hold anything, by score; their weights sum to 1."""
    true = sum(j.true for j in verdicts)
    weights = {True: 0.5 / true, False: 0.5 / (len(verdicts) - true)}
    members: list[list[Judged]] = [[] for _ in range(CELLS)]
    for j in verdicts:
        members[min(CELLS - 1, int(j.value * CELLS))].append(j)
    return [_cell(inside, weights) for inside in members if inside]


def _cell(inside: Sequence[Judged], weights: dict[bool, float]) -> Cell:
    total = sum(weights[j.true] for j in inside)
    promised = sum(weights[j.true] * j.value for j in inside) / total
    hits = sum(j.true for j in inside)
    low, high = _wilson(hits, len(inside))
    shares = (hits / len(inside), low, high)
    # A share of triples as they are, as the share it is when both sides weigh the same.
    found, low, high = (
        share * weights[True] / (share * weights[True] + (1 - share) * weights[False]) for share in shares
    )
    return Cell(promised, found, low, high, total)


def _wilson(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share, z2 = hits / tries, _Z**2 / tries
    middle = (share + z2 / 2) / (1 + z2)
    spread = _Z / (1 + z2) * math.sqrt(share * (1 - share) / tries + z2 / (4 * tries))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def draw(by_kind: dict[str, list[Judged]]) -> bytes:
    """The diagram as PNG bytes."""
    gap, edge, foot = 0.3, 0.35, 0.8
    side = min(2.2, (WIDTH - 2 * edge - gap * (len(by_kind) - 1)) / len(by_kind))
    figure = canvas(foot + side + 0.45)
    for number, (kind, verdicts) in enumerate(sorted(by_kind.items())):
        left = edge + (side + gap) * number
        axes = panel(figure, left, foot, side, side)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        axes.spines["left"].set_visible(True)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"] if number == 0 else [""] * 3)
        axes.tick_params(axis="y", width=0.6, length=3, labelsize=8, color=QUIET, labelcolor=QUIET)
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, dashes=(4, 3))
        for cell in cells(verdicts):
            axes.plot([cell.promised] * 2, [cell.low, cell.high], color=ACCENT, linewidth=0.8)
            size = 5 + 130 * cell.weight
            axes.scatter(
                [cell.promised], [cell.found], s=size, color=ACCENT, linewidths=0, clip_on=False, zorder=3
            )
        true = sum(j.true for j in verdicts)
        write(figure, left, foot + side + 0.22, kind, fontweight="bold")
        told = f"{true} true, {len(verdicts) - true} spoilt; off by {calibration_error(verdicts):.3f}"
        write(figure, left, foot + side + 0.07, told, fontsize=7.5)
    note(
        figure,
        "Across: the score. Up: the share of true triples among those that have it (95 % interval), on data\n"
        "held out from calibration; true and spoilt ones weigh one half each, larger dots weigh more. Grey:\n"
        "scores that are the share they promise. Off by: mean distance from it (expected calibration error).",
    )
    return png(figure, content_hash("reliability"))


def main() -> None:
    """Measure, draw, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "reliability.png")
    options = parser.parse_args()
    by_kind = judged_by_kind(options.data)
    for kind, verdicts in sorted(by_kind.items()):
        print(f"{kind}: calibration error {calibration_error(verdicts):.3f} over {len(verdicts)} triples")
        for cell in cells(verdicts):
            print(f"  score {cell.promised:.2f}  true {cell.found:.2f}  weight {cell.weight:.3f}")
    with styled():
        options.out.write_bytes(draw(by_kind))


if __name__ == "__main__":
    main()
