"""The computing that requests take, in processes of their own, each with so many seconds and no more.

A text that makes a step crawl, or a file that fills the memory, ends its own process; whoever else is there
waits for nothing but a free place. Processes are kept and reused: they are warm when a request comes. Until
``start`` is called, everything runs where it is called. Models are not asked here.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import pickle
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

from synthesis.errors import ContextSynthesisError

LIMIT: Final = 60.0
"""Seconds that one step of a request may take; the slowest takes about two on a slow machine."""

PLACES: Final = 4
"""Processes at most; a second one is started only when the first is busy."""

START: Final = 120.0
"""Seconds that a process may take to get ready, which count for no request."""

MEMORY: Final = 3 * 2**30
"""Bytes a process may take beyond what it has when it is warm."""

_SECRETS: Final = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OAUTH_CLIENT_SECRET")
_T = TypeVar("_T")


class WorkError(ContextSynthesisError):
    """A step of a request was refused, failed, or took too long; the message is the visitor's."""


class Workers:
    """Up to ``places`` processes; a step that takes longer than ``limit`` seconds ends with its process."""

    def __init__(self, places: int = PLACES, limit: float = LIMIT) -> None:
        self._limit = limit
        self._free = threading.Semaphore(places)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = [_Worker(limit)]
        self._all: set[_Worker] = set(self._idle)

    def call(self, function: Callable[..., Any], *given: Any) -> Any:
        """What ``function`` of a module gives, in one of the processes.

        Raises:
            WorkError: it was refused, failed, or took too long.
        """
        if not self._free.acquire(timeout=2 * self._limit):
            raise WorkError("This page is busy with others. Try again in a minute.")
        try:
            worker = self._take()
            answer = worker.ask(function, given)
            if answer is None:
                self._replace(worker)
                raise WorkError(
                    f"This took more than {self._limit:.0f} seconds or more memory than there is for one "
                    "visitor, and was ended. Shorten the texts, or run context-synthesis on your own machine."
                )
            with self._lock:
                self._idle.append(worker)
        finally:
            self._free.release()
        done, value = answer
        if not done:
            raise WorkError(str(value))
        return value

    def _take(self) -> _Worker:
        with self._lock:
            worker = self._idle.pop() if self._idle else _Worker(self._limit)
            self._all.add(worker)
            return worker

    def _replace(self, worker: _Worker) -> None:
        """Another process begins to warm up in the place of one that is gone."""
        worker.end()
        with self._lock:
            self._all.discard(worker)
            fresh = _Worker(self._limit)
            self._idle.append(fresh)
            self._all.add(fresh)

    def end(self) -> None:
        """End all processes."""
        with self._lock:
            for worker in self._all:
                worker.end()


class _Worker:
    """One process: takes a job, gives an answer, in turn."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        # A clean interpreter: a fork of the server would copy its threads' locks, and its own start-up
        # would load the whole page once more.
        code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve({limit})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name not in _SECRETS},
            start_new_session=True,  # an interrupt is the server's, which ends us
        )
        self._ready = False
        self._answers: queue.SimpleQueue[tuple[bool, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, function: Callable[..., Any], given: tuple[Any, ...]) -> tuple[bool, Any] | None:
        """Whether it was done, with its value or the reason; None where no answer came in time."""
        try:
            pickle.dump((function, given), cast(Any, self._process.stdin))
            cast(Any, self._process.stdin).flush()
            self._ready = self._ready or self._answers.get(timeout=START) is not None
            return self._answers.get(timeout=self._limit)
        except (queue.Empty, OSError):
            return None

    def _listen(self) -> None:
        with suppress(Exception):  # the process is gone, whatever its last bytes were
            while True:
                self._answers.put(pickle.load(cast(Any, self._process.stdout)))
        for _ in range(2):  # also where it never was ready
            self._answers.put(None)

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                cast(Any, pipe).close()


_workers: Workers | None = None


def start() -> None:
    """From here on, what is called runs in processes of its own."""
    global _workers
    if _workers is None:
        _workers = Workers()
        atexit.register(_workers.end)


def call(function: Callable[..., _T], *given: Any) -> _T:
    """What a module's function gives, in a process of its own once ``start`` was called.

    Raises:
        ContextSynthesisError: it was refused, failed, or took too long.
    """
    if _workers is None:
        return function(*given)
    return cast(_T, _workers.call(function, *given))


def serve(limit: float) -> None:
    """What a process does: one job after the other, until nobody has any."""
    from space.making import writing

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is no answer
    writing.tokenizer()
    writing.bundled()
    _bound_memory()
    pickle.dump((True, None), answers)  # ready
    answers.flush()
    while True:
        try:
            function, given = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        # Where the server is gone, nobody else ends what never ends; it says where that was.
        faulthandler.dump_traceback_later(limit + 5, exit=True)
        try:
            answer = (True, function(*given))
        except ContextSynthesisError as error:
            answer = (False, str(error))
        except MemoryError:
            os._exit(1)
        except Exception:
            # The log is the owner's: where it was, not what the visitor wrote.
            kind, _, where = sys.exc_info()
            sys.stderr.write("".join(traceback.format_tb(where)) + f"{kind}\n")
            answer = (False, "This failed here, and was noted. Try another text or another setting.")
        faulthandler.cancel_dump_traceback_later()
        pickle.dump(answer, answers)
        answers.flush()


def _bound_memory() -> None:
    try:
        import resource

        with open("/proc/self/statm") as file:  # noqa: PTH123 - no file of anybody's
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    except (ImportError, OSError, ValueError):  # not a system that can
        return
