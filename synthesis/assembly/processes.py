"""Work spread over several processes, its results in order. Knows nothing of what the work is.

Each process is a fork of this one, so that what is prepared here is shared and not copied; it does
every n-th job and is at most two jobs ahead of whoever takes the results, so that memory stays bounded.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final, TypeVar

from synthesis.errors import StorageError

_PARALLELISM: Final = "TOKENIZERS_PARALLELISM"

Job = TypeVar("Job")
Result = TypeVar("Result")


def processors() -> int:
    """How many processors this process may use; 1 where it cannot be forked."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def spread(
    jobs: Sequence[Job], work: Callable[[Job], Result], processes: int
) -> Generator[Result, None, None]:
    """The result of each job, in their order; done here where there is one process, or one job.

    ``work`` must not use open files whose position it would share with the other processes.

    Raises:
        StorageError: a process ended before its work was done.
        Exception: what ``work`` raised.
    """
    processes = min(processes, len(jobs))
    if processes < 2 or sys.platform != "linux":
        yield from map(work, jobs)
        return
    lanes: list[tuple[Connection, BaseProcess]] = []
    try:
        with _forking():
            for number in range(processes):
                lanes.append(_begun(jobs[number::processes], work, [lane for lane, _ in lanes]))
        for place in range(len(jobs)):
            yield _received(*lanes[place % processes])
    finally:
        for lane, _ in lanes:
            lane.close()
        for _, process in lanes:
            process.terminate()
            process.join()


@contextmanager
def _forking() -> Iterator[None]:
    """Tokenizers count in one thread in each of the processes, and nobody is told of it."""
    before = os.environ.get(_PARALLELISM)
    os.environ[_PARALLELISM] = "false"
    try:
        with warnings.catch_warnings():
            # Python warns of threads that a fork does not have; none of them holds anything of ours.
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        if before is None:
            del os.environ[_PARALLELISM]
        else:
            os.environ[_PARALLELISM] = before


def _begun(
    jobs: Sequence[Job], work: Callable[[Job], Result], others: Sequence[Connection]
) -> tuple[Connection, BaseProcess]:
    context = multiprocessing.get_context("fork")
    reading, writing = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(jobs, work, writing, [*others, reading]), daemon=True)
    process.start()
    writing.close()
    return reading, process


def _work(
    jobs: Sequence[Job], work: Callable[[Job], Result], to: Connection, ends: Sequence[Connection]
) -> None:
    """In the process: do the jobs. Whoever wanted them may be gone: then nobody reads, and it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all of them; the first one decides
    for end in ends:
        end.close()
    gc.freeze()  # pages that are shared stay so
    try:
        for job in jobs:
            to.send_bytes(pickle.dumps((True, work(job)), pickle.HIGHEST_PROTOCOL))
    except BrokenPipeError:
        pass
    except Exception as error:  # told where the result would have been
        to.send_bytes(_told(error))


def _told(error: Exception) -> bytes:
    try:
        told = pickle.dumps((False, error))
        pickle.loads(told)  # noqa: S301 - our own
    except Exception:  # an error may hold anything
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
    return told


def _received(lane: Connection, process: BaseProcess) -> Any:
    try:
        done, result = pickle.loads(lane.recv_bytes())  # noqa: S301 - from a fork of this process
    except (EOFError, OSError):
        process.join()
        raise StorageError(
            f"a process that assembled samples was ended from outside (exit code {process.exitcode}), "
            "perhaps for lack of memory. Run the same command again, with fewer of them (--workers)"
        ) from None
    if not done:
        raise result
    return result
