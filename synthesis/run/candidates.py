"""Several contexts for one pair, of which the best is kept.

Each is a work of its own, so that they are written side by side, and an outcome of its own in the
journal, so that more of them can be asked for later. The first is the one that a run without further
candidates would write. Which of them the dataset holds is decided when all are there: those with the
fewest faults, among them the one with the highest score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from synthesis.data import Context, Pair, Prompt, content_hash
from synthesis.gate.faults import inspect


class Mark(NamedTuple):
    """How good a candidate is: what is said against it, and its score (0..1)."""

    faults: int
    score: float

    @property
    def rank(self) -> tuple[int, float]:
        """Greater for the better of two."""
        return -self.faults, self.score


def candidate_names(fingerprint: str, count: int) -> Iterator[str]:
    """The fingerprints of ``count`` candidates for the pair whose prompt has this one."""
    yield fingerprint
    for number in range(1, count):
        yield content_hash(fingerprint, "candidate", number)


def candidate_prompts(prompt: Prompt, count: int) -> Iterator[Prompt]:
    """The prompt once for each candidate: of the same words, but drawn by other seeds."""
    for name in candidate_names(prompt.fingerprint, count):
        yield replace(prompt, id=name, fingerprint=name)


def marked(context: Context, pair: Pair, prompt: Prompt) -> Mark:
    """The mark of a context for a pair; ``prompt`` says how many words it was to have."""
    _, faults, score = inspect(context, pair, prompt)
    return Mark(sum(fault.say.count("\n") + 1 for fault in faults), round(score.overall, 6))
