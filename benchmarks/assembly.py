"""How fast contexts become samples, how full they are, and how much memory that takes.

Usage: python benchmarks/assembly.py [--contexts 800] [--words 2000] [--length 8k]
Contexts are invented and kept on disk, so that memory is the assembly's own.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from synthesis import Context, Pair, Sample, assemble
from synthesis.tokens import load_tokenizer

TASKS = ("story_qa", "paper_qa", "meeting_query", "report_summary")


class OnDisk(Sequence[tuple[Pair, Context]]):
    """Pairs and contexts in a JSONL file, read one at a time."""

    def __init__(self, path: Path) -> None:
        """Find where each line starts."""
        self._file = path.open("rb")
        self._starts = array("Q", [0])
        for line in self._file:
            self._starts.append(self._starts[-1] + len(line))

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> tuple[Pair, Context]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[tuple[Pair, Context]]: ...
    def __getitem__(self, place: int | slice) -> tuple[Pair, Context] | Sequence[tuple[Pair, Context]]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        self._file.seek(self._starts[place])
        row = json.loads(self._file.readline())
        pair = Pair(instruction=row["instruction"], answer=row["answer"], task=row["task"])
        return pair, Context(pair.id, row["text"])


def invent(path: Path, contexts: int, words: int) -> None:
    """Write that many contexts of about that many invented words."""
    draw = random.Random("benchmark")
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "in")]
    lexicon = ["".join(draw.choices(syllables, k=draw.randint(1, 3))) for _ in range(6000)]
    with path.open("w", encoding="utf-8") as file:
        for place in range(contexts):
            text, made = [], 0
            while made < words:
                sentence = draw.choices(lexicon, k=draw.randint(6, 28))
                text.append(" ".join(sentence).capitalize() + draw.choice((". ", ". ", ".\n\n")))
                made += len(sentence)
            row = {"instruction": f"What is number {place}?", "answer": f"answer {place}"}
            row |= {"task": TASKS[place % len(TASKS)], "text": "".join(text).strip()}
            file.write(json.dumps(row) + "\n")


def main() -> None:
    """Invent, assemble, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contexts", type=int, default=800)
    parser.add_argument("--words", type=int, default=2000)
    parser.add_argument("--length", default="8k")
    parser.add_argument("--tokenizer")
    arguments = parser.parse_args()
    tokenizer = load_tokenizer(arguments.tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contexts.jsonl"
        invent(path, arguments.contexts, arguments.words)
        began = time.perf_counter()
        fills: list[float] = []
        depths: list[float] = []
        uses: Counter[str] = Counter()
        for sample in assemble(OnDisk(path), arguments.length, tokenizer=tokenizer):
            if isinstance(sample, Sample):
                fills.append(sample.tokens / sample.budget)
                depths.append(sample.depth)
                uses.update(set(sample.documents) - {sample.pair_id})
        took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    print(f"{len(fills)} samples of {arguments.length} in {took:.1f} s, peak {peak:.0f} MiB")
    if fills:
        quantiles = [sorted(depths)[len(depths) * part // 4] for part in (1, 2, 3)]
        print(f"fill {min(fills):.4f} to {max(fills):.4f}; depth quartiles {quantiles}")
        print(f"a context distracts {min(uses.values())} to {max(uses.values())} times")


if __name__ == "__main__":
    main()
