"""Several contexts for one pair, of which the best is kept.

Each is a work of its own, so that they are written side by side, and an outcome of its own in the
journal, so that more of them can be asked for later. The first of each model that writes for the pair is
the one that a run of that model without further candidates would write. Which of them the dataset holds is
decided when all are there: those with the fewest faults, among them the one with the highest score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from synthesis.coherence import SCORE_VERSION
from synthesis.data import Context, Pair, Prompt, Rejected, content_hash
from synthesis.engines.base import BaseEngine, Sampling
from synthesis.errors import ConfigError
from synthesis.gate.faults import inspect


class Mark(NamedTuple):
    """How good a candidate is: what is said against it, and its score (0..1) by which version of scoring."""

    faults: int
    score: float
    scoring: int = SCORE_VERSION

    @property
    def rank(self) -> tuple[int, float]:
        """Greater for the better of two."""
        return -self.faults, self.score


def check_candidates(
    count: int,
    engine: BaseEngine | type[BaseEngine],
    sampling: Sampling,
    keep: bool = False,
    models: int = 1,
) -> None:
    """Raise ConfigError where candidates would be the same, or there are none to keep.

    ``models`` is how many of them share the ``count`` candidates of a pair.
    """
    if keep and count == 1:
        raise ConfigError(
            "'generation.keep_candidates' (--keep-candidates) keeps several contexts for each pair, and "
            "one is asked for; give --candidates 2 or more"
        )
    if count > models and (engine.free or not sampling.temperature):
        why = (
            "this engine draws nothing; leave it out, or give another --engine"
            if engine.free
            else "give --temperature above 0"
        )
        of = "of one model " if models > 1 else ""
        raise ConfigError(
            f"'generation.candidates' (--candidates) is {count}, and all {of}would be the same: {why}"
        )


def candidate_names(first: Sequence[str], turns: Sequence[int]) -> Iterator[str]:
    """The fingerprints of the candidates for a pair.

    Args:
        first: those of its prompts, one for each model that writes for it.
        turns: the place of its model for each candidate.
    """
    if len(turns) == 1:
        yield first[turns[0]]
        return
    written: Counter[str] = Counter()  # by name: two servers of one model have the same
    for place in turns:
        name = first[place]
        yield content_hash(name, "candidate", written[name]) if written[name] else name
        written[name] += 1


def candidate_prompts(prompts: Sequence[Prompt], turns: Sequence[int]) -> Iterator[Prompt]:
    """The prompts of a pair once for each candidate: of the same words, but drawn by other seeds."""
    names = candidate_names([prompt.fingerprint for prompt in prompts], turns)
    for place, name in zip(turns, names, strict=True):
        yield replace(prompts[place], id=name, fingerprint=name)


def marked(context: Context, pair: Pair, prompt: Prompt) -> Mark:
    """The mark of a context for a pair; ``prompt`` says how many words it was to have."""
    _, faults, score = inspect(context, pair, prompt)
    return Mark(sum(fault.points for fault in faults), round(score.overall, 6))


class Together:
    """The outcomes of candidates, kept until those of a pair are all there.

    Args:
        count: how many there are for each pair.
        mark: how good one is; not asked for a rejection.
        keep: whether all contexts are wanted, the best first.
    """

    def __init__(self, count: int, mark: Callable[[Context, Pair], Mark], keep: bool = False) -> None:
        self._count, self._mark, self._keep = count, mark, keep
        self._there: dict[int, list[Context | Rejected]] = {}

    def add(self, pair: Pair, outcome: Context | Rejected) -> Sequence[Context | Rejected]:
        """The best for the pair, one object for all of them, if this was the last; else nothing."""
        there = self._there.setdefault(id(pair), [])
        there.append(outcome)
        if len(there) < self._count:
            return ()
        del self._there[id(pair)]
        contexts = [one for one in there if isinstance(one, Context)]
        if self._count == 1 or not contexts:
            return there[:1]
        contexts.sort(key=lambda context: self._mark(context, pair).rank, reverse=True)
        return contexts if self._keep else contexts[:1]
