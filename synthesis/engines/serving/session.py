"""An event loop in a thread of its own, driven from synchronous code.

Work is submitted from the consumer's thread and its results are handed back there, so that
whatever feeds the work (a generator over files, say) never runs in another thread. Knows
nothing of prompts or HTTP beyond closing the client.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from synthesis.errors import EngineError

T = TypeVar("T")
_YIELD = 0.0005  # seconds, after which a thread that computes lets the one that feeds the sockets go on
Job = Callable[[], Coroutine[Any, Any, T]]


class Session:
    """A running event loop that opens and closes a client; ``close`` cancels its work and joins it."""

    def __init__(self, client: AbstractAsyncContextManager[Any]) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._closed = False
        self._ready: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        # Each time that a socket gives way, the thread waits this long for one that checks replies.
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(min(self._interval, _YIELD))
        # A daemon: a forgotten iterator must not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._run, name="engine-session", daemon=True)
        self._thread.start()
        self._loop = self._ready.result()

    def submit(self, job: Job[T]) -> concurrent.futures.Future[T]:
        """Start a job on the loop.

        Raises:
            EngineError: the session is closed.
        """
        with self._lock:
            if self._closed:
                raise EngineError("the engine was closed while it was in use; make a new one to go on")
            return asyncio.run_coroutine_threadsafe(self._tracked(job), self._loop)

    def close(self) -> None:
        """Cancel what runs, close the connections and end the thread. Safe to call twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._stop.set)
                sys.setswitchinterval(self._interval)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with self._client:
            self._ready.set_result(asyncio.get_running_loop())
            await self._stop.wait()
            # Before the client goes, so that no request sees its connection vanish. Only our
            # own tasks: what the client started for them ends with them, in its own way.
            running = list(self._tasks)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _tracked(self, job: Job[T]) -> T:
        task = asyncio.current_task()
        assert task is not None  # a coroutine runs in a task
        self._tasks.add(task)
        try:
            return await job()
        finally:
            self._tasks.discard(task)


def as_finished(
    session: Session, pull: Callable[[], Job[T] | None], ahead: int, is_last: Callable[[T], bool]
) -> Iterator[T]:
    """Results as they come, in any order.

    Jobs are pulled lazily: never more than ``ahead`` without their result handed out. While there
    is none for the moment, one is pulled for again after each result. After a result that
    ``is_last`` no job is pulled any more and only results at hand still follow.

    Raises:
        EngineError: the session was closed meanwhile.
    """
    done: queue.SimpleQueue[concurrent.futures.Future[T]] = queue.SimpleQueue()
    waiting, open_end, ending = 0, True, False
    while True:
        taken = 0
        # Results at hand go first, but not without refilling the places they gave up.
        while open_end and waiting < ahead and (taken < 2 or done.empty()):
            if (job := pull()) is None:
                break
            session.submit(job).add_done_callback(done.put)
            waiting, taken = waiting + 1, taken + 1
        if not waiting or (ending and done.empty()):
            return
        result = _result(done.get())
        waiting -= 1
        if is_last(result):
            open_end, ending = False, True
        yield result


def in_order(session: Session, jobs: Iterator[Job[T]], ahead: int) -> Iterator[T]:
    """Results in the order of the jobs, at most ``ahead`` of them under way.

    Raises:
        EngineError: the session was closed meanwhile.
    """
    waiting: deque[concurrent.futures.Future[T]] = deque()
    for job in jobs:
        waiting.append(session.submit(job))
        if len(waiting) >= ahead:
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


def _result(future: concurrent.futures.Future[T]) -> T:
    try:
        return future.result()
    except concurrent.futures.CancelledError:
        raise EngineError(
            "the engine was closed while replies were awaited; start again to go on from what is done"
        ) from None
