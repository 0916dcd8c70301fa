"""The outcomes of an assembly by position, in whichever process they are asked for.

A job says everything that determines them, so that processes agree without talking to each
other. Knows nothing of ``datasets``, nor of how work is shared out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.loading.raw import RawRows
from synthesis.assembly.documents import Documents
from synthesis.assembly.options import Options
from synthesis.assembly.production import Assembly
from synthesis.data import Rejected, Sample
from synthesis.errors import TokenizerError
from synthesis.tokens import Tokenizer, load_tokenizer


@dataclass(frozen=True, slots=True)
class AssemblyJob:
    """Everything that determines the outcomes; equal jobs have equal ones, in any process."""

    store: str
    counted_by: str
    options: Options
    tokenizer: str | None
    tokenizer_revision: str | None
    identity: str
    min_coherence: float | None


# The assembly last used and its rows. Processes forked from this one inherit it, its documents indexed.
_latest: tuple[AssemblyJob, Assembly, RawRows] | None = None
# By identity, so that a folder whose tokenizer has changed is never taken for what it was.
_LOADED: dict[str, Tokenizer] = {}
_KEPT = 3


def outcomes(job: AssemblyJob, start: int, stop: int) -> Iterator[Sample | Rejected]:
    """What becomes of the contexts at positions ``start`` to ``stop``."""
    return _assembly(job).outcomes(start, stop)


def rank(job: AssemblyJob, place: int) -> int:
    """The rank of the context at a position among those for its pair."""
    _assembly(job)
    assert _latest is not None
    return _latest[2].rank(place)


def prepare(job: AssemblyJob) -> None:
    """Index the documents here and now, for this process and those forked from it."""
    _assembly(job).prepare()


def forget() -> None:
    """Let go of the assembly last used, and of the files it holds open."""
    global _latest
    _latest = None


def _assembly(job: AssemblyJob) -> Assembly:
    global _latest
    if _latest is None or _latest[0] != job:
        _latest = None  # before another is made, so that there are never two
        rows = RawRows(Path(job.store), job.min_coherence, job.options.samples.all_candidates)
        tokenizer = _tokenizer(job.tokenizer, job.tokenizer_revision, job.identity)
        documents = Documents(rows, tokenizer, counted_by=job.counted_by)
        _latest = job, Assembly(documents, job.options, rows.coherence), rows
    return _latest[1]


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
