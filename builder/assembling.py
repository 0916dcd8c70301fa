"""The outcomes of an assembly by position, in whichever process they are asked for.

A job says everything that determines them, so that processes agree without talking to each
other. Knows nothing of ``datasets``, nor of how work is shared out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

from builder.raw_rows import RawRows
from synthesis.assembly import assemble
from synthesis.data import Rejected, Sample
from synthesis.errors import TokenizerError
from synthesis.tokens import Tokenizer, load_tokenizer


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that determines the ``count`` outcomes; equal jobs have equal ones, in any process."""

    store: str
    count: int
    counted_by: str
    length: int
    tokenizer: str | None
    tokenizer_revision: str | None
    identity: str
    depth: tuple[float, ...] | None
    distractors: str
    seed: int
    max_reuse: int | None
    min_coherence: float | None


OPTIONS = tuple(each.name for each in fields(Job) if each.name not in ("store", "count", "counted_by"))

# An assembly that stopped between two spans, and the position it stopped at, for each process:
# whoever asks for the next span goes on with it, so that reading span after span costs no more than
# reading on. It holds an open file whose position is shared with forks of the process: they must
# neither use nor close what they inherit, so it stays here.
_PAUSED: dict[int, tuple[Job, int, Iterator[Sample | Rejected]]] = {}
# By identity, so that a folder whose tokenizer has changed is never taken for what it was.
_LOADED: dict[str, Tokenizer] = {}
_KEPT = 3


def outcomes(job: Job, start: int, stop: int) -> Iterator[Sample | Rejected]:
    """What becomes of the contexts at positions ``start`` to ``stop``."""
    paused = _PAUSED.pop(os.getpid(), None)
    if paused is not None and paused[0] == job and paused[1] <= start:
        _, at, going = paused
    else:
        at, going = 0, _assembly(job)
    del paused  # or another job's would be kept until this span has been read
    yield from islice(going, start - at, stop - at)
    if stop < job.count:
        _PAUSED[os.getpid()] = (job, stop, going)


def _assembly(job: Job) -> Iterator[Sample | Rejected]:
    rows = RawRows(Path(job.store), job.min_coherence)
    return assemble(
        rows,
        job.length,
        tokenizer=_tokenizer(job.tokenizer, job.tokenizer_revision, job.identity),
        depth="uniform" if job.depth is None else job.depth,
        distractors=job.distractors,
        seed=job.seed,
        max_reuse=job.max_reuse,
        coherence=rows.coherence,
        counted_by=job.counted_by,
    )


def remember(tokenizer: Tokenizer) -> None:
    """Spare this process loading a tokenizer once more. A few are kept; each takes some 20 MB."""
    _LOADED.pop(tokenizer.identity, None)
    while len(_LOADED) >= _KEPT:
        del _LOADED[next(iter(_LOADED))]
    _LOADED[tokenizer.identity] = tokenizer


def _tokenizer(name: str | None, revision: str | None, identity: str) -> Tokenizer:
    """The tokenizer of this identity, loaded once in each process."""
    found = _LOADED.get(identity)
    if found is None:
        found = load_tokenizer(name, revision=revision)
        if found.identity != identity:
            raise TokenizerError(
                f"the tokenizer {found.name!r} has changed since the dataset was loaded. Load it again."
            )
        remember(found)
    return found
