"""Scores of the composer's contexts for everyday pairs (tests/data/everyday.jsonl), by set and form.

    python scripts/everyday.py --words 400

``issue`` and ``dev`` are pairs that the forms were made with, ``held`` those they were not. It downloads
and writes nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from synthesis.coherence import score_context
from synthesis.data import Context, Pair
from synthesis.engines.composer import compose

PAIRS = Path(__file__).parent.parent / "tests" / "data" / "everyday.jsonl"


def main() -> None:
    """Print a line for each pair, and each set's mean, least and number under .5."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--words", type=int, default=400)
    words = parser.parse_args().words
    found: dict[str, list[float]] = {}
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        pair = Pair(instruction=row["instruction"], answer=row["answer"])
        draft = compose(pair.instruction, pair.answer, words=words)
        context = Context(pair.id, draft.text, draft.evidence, evidence_source="exact")
        value = score_context(pair, context).coherence.overall
        found.setdefault(row["set"], []).append(value)
        print(f"{value:.2f}  {row['set']:6}{draft.form:12}{pair.instruction[:70]}")
    for name, values in found.items():
        low = sum(value < 0.5 for value in values)
        mean = sum(values) / len(values)
        print(f"{name}: {len(values)} pairs, mean {mean:.2f}, least {min(values):.2f}, {low} under .5")


if __name__ == "__main__":
    main()
