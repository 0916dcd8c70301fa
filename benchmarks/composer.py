"""Speed, variety and memory of the composer: ``python benchmarks/composer.py [genre ...]``."""

from __future__ import annotations

import itertools
import re
import resource
import statistics
import sys
import time

from synthesis.engines.composer import compose
from synthesis.engines.composer.prose.bank import genres, load_bank


def grams(text: str) -> set[tuple[str, ...]]:
    """The text's 8-word sequences."""
    words = text.split()
    return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}


#: A question of one step, and one that is told in two.
QUESTIONS = ("Where was crate {n} sent?", "Where was the director of the film Crate {n} born?")


def measure(genre: str, words: int, count: int, question: str) -> None:
    """Print one line for ``count`` contexts of one genre and length."""
    start = time.process_time()
    texts = [
        compose(question.format(n=n), f"To depot {n}", words=words, genre=genre, key=str(n)).text
        for n in range(count)
    ]
    seconds = time.process_time() - start
    found = [grams(text) for text in texts]
    shared = [len(a & b) / min(len(a), len(b)) for a, b in itertools.combinations(found, 2)]
    repeats = []
    for text in texts:
        sentences = re.split(r'(?<=[.?!:"])\s+', text)
        repeats.append(1 - len(set(sentences)) / len(sentences))
    off = max(abs(len(text.split()) - words) / words for text in texts)
    steps = "two steps" if question == QUESTIONS[1] else "one step"
    print(
        f"{genre:8} {words:6} words, {steps}: {count / seconds:7.1f} contexts per CPU second, "
        f"shared 8-grams {statistics.mean(shared):.2%} (most {max(shared):.2%}), "
        f"repeated sentences at most {max(repeats):.2%}, length off by at most {off:.2%}"
    )


def main(wanted: list[str]) -> None:
    """Measure the given genres, or all that have a bank."""
    for genre in wanted or genres():
        start = time.process_time()
        load_bank(genre)
        print(f"{genre:8} bank loaded in {time.process_time() - start:.3f} s")
        for words, count in ((300, 60), (2000, 40), (8000, 8), (20000, 4)):
            for question in QUESTIONS:
                measure(genre, words, count, question)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
