"""Whether twins of generated samples are what they say, and how fast preference pairs are written.

Usage: python benchmarks/twins.py check [--pairs FILE] [--samples 2000] [--words 300] [--length 2k]
       python benchmarks/twins.py speed [--samples 400] [--length 8k]

``check`` writes contexts for the pairs with as many seeds as it takes, and counts their twins: how many are
made and why the others are not; budget and fill; whether all that differs is told; whether the answer is the
only one. Where evidence is in several steps that is shown by the triples that the composer's statements
say (``stating.proof``), as far as the twin has them; elsewhere by looking for the old and the new answer.
``speed`` exports one config as ``messages`` and as ``preference``, and compares the rates of samples.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from builder.export.write import export
from builder.job.execute import execute
from synthesis import Pair, Rejected, Sample, assemble
from synthesis.engines.composer.draft import Written
from synthesis.options import TWINS, RunConfig, override
from synthesis.text.states import is_ordinary, states
from tests.jobs import Quiet
from tests.twins import Item, drafted, proven, rest, with_twins

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "pairs.jsonl"
BATCH = 200


def pairs_of(path: Path) -> list[Pair]:
    """The pairs of a JSONL file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Pair(instruction=row["instruction"], answer=row["answer"], task=row.get("task") or "generic")
        for row in rows
    ]


def drafts(pairs: list[Pair], words: int) -> Iterator[tuple[Item, Written]]:
    """Contexts of the pairs, with one seed after the other."""
    for seed in count():
        for pair in pairs:
            yield drafted(pair, words, seed)


def check(args: argparse.Namespace) -> None:
    """The table of rates."""
    made: Counter[str] = Counter()
    why: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    pairs = list({pair.id: pair for pair in pairs_of(args.pairs)}.values())
    stream = islice(drafts(pairs, args.words), args.samples)
    done = 0
    # No pair twice in a batch: else which of its contexts a sample shows would be open.
    while batch := list(islice(stream, min(BATCH, len(pairs)))):
        by_pair = {pair.id: (pair, written) for (pair, _), written in batch}
        if len(by_pair) < len(batch):
            batch = [one for one in batch if by_pair.get(one[0][0].id, ((), None))[1] is one[1]]
        outcomes = list(assemble([item for item, _ in batch], args.length, twins=TWINS, distractors="random"))
        why.update(one.reason for one in outcomes if isinstance(one, Rejected) and one.stage == "twin")
        for base, twins in with_twins(outcomes):
            done += 1
            pair, written = by_pair[base.pair_id]
            for kind, twin in twins.items():
                made[kind] += 1
                for what in faults(pair, written, base, twin):
                    found[kind, what] += 1
    print(f"{done:,} samples of {args.length}, contexts of {args.words} words, pairs of {args.pairs.name}")
    for kind in TWINS:
        print(f"{kind}: {made[kind]:,} made ({made[kind] / done:.0%})")
        for (of, what), number in sorted(found.items()):
            if of == kind:
                print(f"    {what}: {number:,} ({number / made[kind]:.2%})")
    for reason, number in why.most_common():
        print(f"    not made, {reason}: {number:,}")


def faults(pair: Pair, written: Written, base: Sample, twin: Sample) -> Iterator[str]:
    """What is found of a twin: how its answer was checked, and every fault."""
    old, new = rest(base, twin)
    if old != new:
        yield "FAULT: differs in more than it tells"
    if twin.tokens > twin.budget:
        yield "FAULT: over the budget"
    full = math.ceil(0.995 * twin.budget)
    if base.tokens >= full > twin.tokens:
        yield "FAULT: less full than its sample"
    verdict = proven(pair, written, base, twin)
    if verdict is not None:
        yield "shown by triples"
        if not verdict:
            yield "FAULT: triples do not give the answer alone"
    text = twin.messages[0].content
    if is_ordinary(pair.answer) or states(pair.instruction, pair.answer):
        yield "yes or no, or a side that the question names"
    elif twin.twin == "removed" and states(text, pair.answer):
        yield "FAULT: the old answer is stated"
    elif twin.twin == "changed" and (states(text, pair.answer) or not states(text, twin.answer)):
        yield "FAULT: the old answer is stated, or the new one is not"
    elif twin.twin == "decoy" and not states(text, twin.answer):
        yield "FAULT: the new answer is not stated"
    else:
        yield "answers looked for"


def speed(args: argparse.Namespace) -> None:
    """The rates of two exports of the same samples."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        changes = {
            "out": str(run),
            "generation.words": 400,
            "pairs.source": str(args.pairs),
            "pairs.limit": args.samples,
            "samples.lengths": (args.length,),
            "samples.twins": TWINS,
            "samples.distractors": "random",
        }
        execute(override(RunConfig(), changes), Quiet())
        for suffix in ("jsonl", "parquet"):
            rates = {}
            for format in ("messages", "preference", "messages", "preference"):
                target = Path(folder) / f"{format}.{suffix}"
                begin = time.perf_counter()
                result = export(run, target, format=format, overwrite=True)
                took = time.perf_counter() - begin
                rates[format] = max(
                    rates.get(format, (0.0, 0.0)), (result.samples / took, result.rows / took)
                )
            (plain, _), (pairs, rows) = rates["messages"], rates["preference"]
            print(
                f"{suffix}: messages {plain:,.0f} samples/s; preference {pairs:,.0f} ({pairs / plain:.2f}), "
                f"{rows:,.0f} rows/s ({rows / plain:.2f})"
            )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("check", "speed"))
    parser.add_argument("--pairs", type=Path, default=EXAMPLES)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--length", default="2k")
    args = parser.parse_args()
    check(args) if args.part == "check" else speed(args)


if __name__ == "__main__":
    main()
