"""How well a model's gain tells true triples from spoilt ones, and log p(answer | context, instruction) does.

    python -m benchmarks.gain MODEL [--data FOLDER] [--set hotpotqa] [--rows 60] [--minutes 15]

The spoilt triples are those of ``benchmarks.coherence``. A row's are read one after the other, so that what
is about one context is read once; after so many minutes it ends with the rows that it has. Needs the extra
``local``.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from itertools import groupby
from pathlib import Path

from benchmarks.metrics import auroc
from benchmarks.probes import Probe, probes, read_rows
from builder.job.scoring import gain_engine
from synthesis.coherence.gain import Gain, can_score, gain_batch
from synthesis.errors import EngineError

ROOT = Path(__file__).resolve().parents[1]
WAYS = ("removed", "replaced", "swapped", "distract", "flip")


def judged(found: dict[str, dict[int, Gain]], way: str, value: str) -> tuple[float, int]:
    """The AUROC of a way of spoiling, among the rows that can be spoilt so, and how many those are."""
    rows = sorted(found[way].keys() & found["positive"].keys())
    true, spoilt = ([getattr(found[what][row], value) for row in rows] for what in ("positive", way))
    return (auroc(true, spoilt) if rows else float("nan")), len(rows)


def show(found: dict[str, dict[int, Gain]]) -> None:
    """A table of what was found."""
    print("| spoilt by | rows | gain | log p |\n|---|---|---|---|")
    for way in WAYS:
        gains, rows = judged(found, way, "answer")
        print(f"| {way} | {rows} | {gains:.2f} | {judged(found, way, 'logprob')[0]:.2f} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, default=ROOT / "shared" / "data")
    parser.add_argument("--set", default="hotpotqa")
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=15)
    given = parser.parse_args()
    ends = time.monotonic() + 60 * given.minutes
    rows = read_rows(given.data, given.set)[: given.rows]
    wanted = [one for one in probes(rows, limits=True) if one.what in ("positive", *WAYS)]
    engine = gain_engine("transformers", given.model, {})
    found: dict[str, dict[int, Gain]] = defaultdict(dict)
    for row, alike in groupby(sorted(wanted, key=lambda one: one.row), key=lambda one: one.row):
        if time.monotonic() > ends:
            break
        # What is about the row's own context first.
        ordered: list[Probe] = sorted(alike, key=lambda one: one.context != rows[row].context)
        triples = [(one.context, one.instruction, one.answer) for one in ordered]
        try:
            gains = list(gain_batch(triples, can_score(engine)))
        except EngineError as error:  # longer than the model's window
            print(f"row {row}: {error}", flush=True)
            continue
        for one, value in zip(ordered, gains, strict=True):
            found[one.what][row] = value
        print(f"row {row}: {len(ordered)} triples", flush=True)
    show(found)
    engine.close()


if __name__ == "__main__":
    main()
