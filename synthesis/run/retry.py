"""Rejected pairs alone asked again, by another seed, model or engine; everything else stays as it is.

A context that comes of it stands in for what it was asked again for: the journal notes the two names,
and whoever looks for the outcome of the pair under the run's own settings finds the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from synthesis.coherence import score_context
from synthesis.data import Context, Pair
from synthesis.gate.thresholds import NO_THRESHOLDS, Thresholds
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import Row


def rows_to_retry(job: Job, journal: Journal, least: Thresholds = NO_THRESHOLDS) -> Iterator[Row]:
    """What is current in a journal, in order; what was rejected is ``stale`` unless ``job`` was at it before.

    It is ``stale``, too, if a context came of that and a crash before it was noted: then it only is noted.

    Args:
        job: how it is asked again.
        journal: of a run that has ended, or was stopped by itself.
        least: contexts that score lower count as rejected, too.

    Raises:
        FolderError: no run has ended in the journal's folder.
    """
    for listed, _ in journal.current():
        name = journal.stand_in(listed)  # where asking again was interrupted, the list is of before it
        pair, context = journal.outcome_of(name)
        if pair is None or (context is not None and not _is_below(least, pair, context)):
            yield Row("bad" if pair is None else "settled", pair, (), name)
            continue
        prompts = job.prompts(pair := job.again(pair, context.text if context else None))
        first = [prompt.fingerprint for prompt in prompts]
        done = name in first or (
            job.is_settled(first, journal) and not _is_unnoted(job, journal, first, name)
        )
        yield Row("settled" if done else "stale", pair, prompts, name)


def _is_unnoted(job: Job, journal: Journal, first: Sequence[str], name: str) -> bool:
    """Whether contexts came of asking again, and none of them ever stood in for the outcome."""
    made = job.contexts(first, journal)
    return bool(made) and all(journal.stand_in(one) != name for one in made)


def _is_below(least: Thresholds, pair: Pair, context: Context) -> bool:
    return any(least) and least.fault(score_context(pair, context).coherence) is not None


def by_another_seed(job: Job, journal: Journal, least: Thresholds = NO_THRESHOLDS) -> Job:
    """The job with the first seed by which something rejected was not asked yet."""
    for seed in count(job.sampling.seed + 1):
        other = replace(job, sampling=replace(job.sampling, seed=seed))
        rejected = [row.is_open for row in rows_to_retry(other, journal, least) if row.prompts]
        if not rejected or any(rejected):
            return other
    raise AssertionError("there is always another seed")
