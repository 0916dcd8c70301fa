"""Work done one step ahead of whoever needs it.

Tokenizers count in native code that lets other threads run, so the counting of one parcel can
go on while the parcel before is being dealt with. Knows nothing of what the work is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def prefetched(jobs: Iterable[Job], work: Callable[[Job], Result]) -> Iterator[tuple[Job, Result]]:
    """Each job with its result, in order. ``work`` runs in one other thread; ``jobs`` are drawn in this one.

    One job is drawn and begun before the result of the last is handed out.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        begun: tuple[Job, Future[Result]] | None = None
        for job in jobs:
            last, begun = begun, (job, thread.submit(work, job))
            if last is not None:
                yield last[0], last[1].result()
        if begun is not None:
            yield begun[0], begun[1].result()
