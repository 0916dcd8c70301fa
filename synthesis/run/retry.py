"""Rejected pairs alone asked again, by another seed, model or engine; everything else stays as it is.

A context that comes of it stands in for what it was asked again for: the journal notes the two names,
and whoever looks for the outcome of the pair under the run's own settings finds the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

from synthesis.coherence import score
from synthesis.data import Pair
from synthesis.gate.thresholds import NO_THRESHOLDS, Thresholds
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import Row


def rows_to_retry(job: Job, journal: Journal, least: Thresholds = NO_THRESHOLDS) -> Iterator[Row]:
    """What is current in a journal, in order; what was rejected is ``stale`` unless ``job`` was at it before.

    Args:
        job: how it is asked again.
        journal: of a run that has ended, or was stopped by itself.
        least: contexts that score lower count as rejected, too.

    Raises:
        FolderError: no run has ended in the journal's folder.
    """
    for name, kept in journal.current():
        pair, context = journal.pair_of(name)
        if pair is None or (kept and not (context and _is_below(least, pair, context))):
            yield Row("settled" if kept else "bad", pair, None, name)
            continue
        prompt = job.prompt(pair)
        done = prompt.fingerprint == name or job.is_settled(prompt.fingerprint, journal)
        yield Row("settled" if done else "stale", pair, prompt, name)


def remembered(rows: Iterable[Row], journal: Journal) -> Iterator[Row]:
    """The rows, after noting what stands in for one; a crash may have come before it was noted."""
    for row in rows:
        made = row.prompt.fingerprint if row.prompt is not None else row.fingerprint
        if isinstance(row.row, Pair) and made != row.fingerprint and made in journal.contexts:
            journal.stand_in_for(row.fingerprint, row.row.id, made)
        yield row


def _is_below(least: Thresholds, pair: Pair, text: str) -> bool:
    return any(least) and least.fault(score(text, pair.instruction, pair.answer)) is not None


def by_another_seed(job: Job, journal: Journal, least: Thresholds = NO_THRESHOLDS) -> Job:
    """The job with the first seed by which something rejected was not asked yet."""
    for seed in count(job.sampling.seed + 1):
        other = replace(job, sampling=replace(job.sampling, seed=seed))
        rows = list(rows_to_retry(other, journal, least))
        if all(row.prompt is None for row in rows) or any(row.state == "stale" for row in rows):
            return other
    raise AssertionError("there is always another seed")
