"""Work spread over several processes, its results in order. Knows nothing of what the work is.

Each process is a fork of this one, so that what is prepared here is shared and not copied; it does
every n-th job and is a few jobs ahead of whoever takes the results at the most, so that memory stays bounded.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final, TypeAlias, TypeVar

from synthesis.errors import StorageError

_PARALLELISM: Final = "TOKENIZERS_PARALLELISM"
_AHEAD: Final = 3  # jobs that a process has been given and whose results nobody has taken

Job = TypeVar("Job")
Result = TypeVar("Result")
_Lane: TypeAlias = tuple[Connection, BaseProcess]


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
    lanes: list[_Lane] = []
    with _ended(lanes):
        with _forking():
            for number in range(processes):
                lanes.append(_begun(partial(_every, jobs[number::processes]), work, lanes))
        for place in range(len(jobs)):
            yield _received(*lanes[place % processes])


def streamed(
    pull: Callable[[], Job | None], work: Callable[[Job], Result], processes: int
) -> Generator[Result, None, None]:
    """The result of each job that ``pull`` gives, in their order, until it gives none and all are done.

    The first is done here, so that what it loads is there for all.

    Raises:
        StorageError, Exception: as ``spread``.
    """
    if (first := pull()) is None:
        return
    yield work(first)
    if processes < 2 or sys.platform != "linux":
        while (job := pull()) is not None:
            yield work(job)
        return
    lanes: list[_Lane] = []
    with _ended(lanes):
        with _forking():
            for _ in range(processes):
                lanes.append(_begun(_sent, work, lanes))
        given = 0
        waiting: deque[_Lane] = deque()
        while True:
            while len(waiting) < _AHEAD * processes and (job := pull()) is not None:
                lane = lanes[given % processes]
                _give(lane, job)
                waiting.append(lane)
                given += 1
            if not waiting:
                return
            yield _received(*waiting.popleft())


@contextmanager
def _ended(lanes: Sequence[_Lane]) -> Iterator[None]:
    """Nobody is left behind."""
    try:
        yield
    finally:
        for lane, _ in lanes:
            lane.close()
        for _, process in lanes:
            process.terminate()
            process.join()


@contextmanager
def serial_tokenizers() -> Iterator[None]:
    """Have tokenizers of forked processes use one thread each, which they else do with a warning."""
    before = os.environ.get(_PARALLELISM)
    os.environ[_PARALLELISM] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PARALLELISM]
        else:
            os.environ[_PARALLELISM] = before


@contextmanager
def _forking() -> Iterator[None]:
    """The same, and nobody is told of the fork."""
    with serial_tokenizers(), warnings.catch_warnings():
        # Python warns of threads that a fork does not have; none of them holds anything of ours.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _begun(
    jobs: Callable[[Connection], Iterable[Job]], work: Callable[[Job], Result], others: Sequence[_Lane]
) -> _Lane:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    ends = [*(lane for lane, _ in others), ours]
    process = context.Process(target=_work, args=(jobs, work, theirs, ends), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _every(jobs: Sequence[Job], at: Connection) -> Sequence[Job]:
    """In the process: the jobs that were known when it began."""
    return jobs


def _give(lane: _Lane, job: object) -> None:
    with suppress(OSError):  # it has ended: told where its result is wanted
        lane[0].send_bytes(pickle.dumps(job, pickle.HIGHEST_PROTOCOL))


def _sent(at: Connection) -> Iterator[Any]:
    """In the process: the jobs that are sent, read as they come, so that who sends them never waits."""
    jobs: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            while True:
                jobs.put(at.recv_bytes())
        except (EOFError, OSError):
            jobs.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (job := jobs.get()) is not None:
        yield pickle.loads(job)  # noqa: S301 - from whom this process is a fork of


def _work(
    jobs: Callable[[Connection], Iterable[Job]],
    work: Callable[[Job], Result],
    to: Connection,
    ends: Sequence[Connection],
) -> None:
    """In the process: do the jobs. Whoever wanted them may be gone: then nobody reads, and it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all of them; the first one decides
    for end in ends:
        end.close()
    gc.freeze()  # pages that are shared stay so
    try:
        for job in jobs(to):
            to.send_bytes(pickle.dumps((True, work(job)), pickle.HIGHEST_PROTOCOL))
    except (BrokenPipeError, ConnectionResetError):
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
            f"one of several processes at work was ended from outside (exit code {process.exitcode}), "
            "perhaps for lack of memory. Run the same command again, with fewer of them (--workers)"
        ) from None
    if not done:
        raise result
    return result
