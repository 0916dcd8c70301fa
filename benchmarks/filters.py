"""What the filters and the check against benchmarks cost: rows and n-grams a second, memory.

Run: python benchmarks/filters.py [--rows 2000]
Texts are made up from a Zipf-like vocabulary, so figures need no data and no network.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from synthesis.data import Coherence, Context, Pair
from synthesis.gate.contamination import parse_benchmark, read_benchmarks
from synthesis.gate.filtering import Rules, Sketches
from synthesis.options import FiltersConfig

WORDS = 900
GOOD = Coherence(1, 1, 1, 1, "span", True)
_SOUNDS = ("bdfgklmnprst", "aeiou", "bdfgklmnprstvz", "aeio")
_VOCABULARY = ["".join(sounds) for sounds in itertools.product(*_SOUNDS)]
_WEIGHTS = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(_VOCABULARY))))


def made_up(seed: int, words: int = WORDS) -> str:
    """A text without meaning; every fifth one nearly repeats the one before."""
    chance = random.Random(seed - seed % 5 // 4)
    text = chance.choices(_VOCABULARY, cum_weights=_WEIGHTS, k=words)
    if seed % 5 == 4:
        text[seed % words] = "changed"
    return " ".join(text)


def timed(work: Callable[[], object]) -> float:
    """CPU-seconds of a piece of work."""
    started = time.process_time()
    work()
    return time.process_time() - started


def traced(work: Callable[[], object]) -> tuple[int, int]:
    """Bytes that a piece of work keeps, and the most it held meanwhile."""
    tracemalloc.start()
    kept = work()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return held, peak


def filters(texts: list[str]) -> None:
    """Rows a second for each filter that reads the text, and near-duplicates' memory."""
    rows = [
        (Pair(instruction="Who was it?", answer=str(n)), Context("", text)) for n, text in enumerate(texts)
    ]
    for name, settings in {
        "length": FiltersConfig(min_words="80%"),
        "language": FiltersConfig(language="en,de"),
    }.items():
        rules = Rules(settings, WORDS)
        seconds = timed(lambda rules=rules: [rules.reason(*row, GOOD, []) for row in rows])
        print(f"{name:>16}: {len(rows) / seconds:8,.0f} contexts of {WORDS} words per CPU-second")

    def sketched() -> Sketches:
        sketches = Sketches(0.8)
        for text in texts:
            sketches.add(text)
        return sketches

    print(f"{'near-duplicates':>16}: {len(rows) / timed(sketched):8,.0f} contexts per CPU-second")
    sketches, order = sketched(), range(len(texts))
    seconds = timed(lambda: sketches.duplicates(order))
    print(f"{'comparing them':>16}: {len(rows) / seconds:8,.0f} contexts per CPU-second")
    print(f"{'found':>16}: {len(sketches.duplicates(order))} of {len(texts) // 5} planted")
    held, _ = traced(sketched)
    _, peak = traced(lambda: sketches.duplicates(order))
    print(f"{'memory':>16}: {held / len(texts):.0f} bytes a context, {peak / len(texts):.0f} more to compare")


def contamination(texts: list[str], folder: Path) -> None:
    """N-grams a second, in and out, and bytes for each in the index."""
    path = folder / "benchmark.jsonl"
    path.write_text("".join(json.dumps({"context": text}) + "\n" for text in texts), "utf-8")
    named = [parse_benchmark("made-up", str(path))]
    total = len(texts) * (WORDS - 12)
    seconds = timed(lambda: read_benchmarks(named, 13))
    print(f"{'indexing':>16}: {total / seconds / 1e6:8.2f} million 13-grams per CPU-second")
    held, peak = traced(lambda: read_benchmarks(named, 13))
    found = read_benchmarks(named, 13)
    distinct = len(found.indexes[0].hashes)
    print(
        f"{'memory':>16}: {held / distinct:.1f} MB a million distinct 13-grams, {peak / distinct:.1f} at most"
    )
    seconds = timed(lambda: [found.check("Who?", "Nobody", text) for text in texts])
    print(f"{'checking':>16}: {total / seconds / 1e6:8.2f} million 13-grams per CPU-second")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    texts = [made_up(seed) for seed in range(parser.parse_args().rows)]
    filters(texts)
    with tempfile.TemporaryDirectory() as folder:
        contamination(texts, Path(folder))


if __name__ == "__main__":
    main()
