"""One vLLM, kept full, for several readers: iterators that overlap, threads of a web page.

vLLM's ``step`` hands out whatever is new for anybody. Here each output goes to the inbox of the
one who asked, so readers can take turns stepping and still batch together. A chunk that is sent as
a whole runs ever emptier until its longest reply is done; with ``refill`` a request follows as soon
as one finishes, and each result is handed on at once. Knows requests and outputs; knows nothing of
prompts or texts.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar

from synthesis.engines.vllm.loading import RunningModel
from synthesis.engines.vllm.trouble import explain_death
from synthesis.errors import EngineError

T = TypeVar("T")
S = TypeVar("S")

_AHEAD = 2  # requests per place in a batch: one that runs, one that waits to follow


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What vLLM is asked: go on after ``ids``, as ``params`` (its ``SamplingParams``) say.

    ``key`` and ``opening`` are for whoever asks; the opening is the part of the reply that the
    prompt ends with.
    """

    key: Any
    ids: list[int]
    params: Any
    opening: str = ""


@dataclass(slots=True)
class Inbox:
    """Outputs for one reader that it has not taken yet."""

    outputs: deque[Any] = field(default_factory=deque)


class Core:
    """Takes requests, steps, hands out outputs. Safe to use from several threads."""

    def __init__(self, model: RunningModel) -> None:
        self._model = model
        self._backend = model.backend
        self._lock = threading.Lock()
        self._owners: dict[str, Inbox] = {}
        self._numbers = count()
        self.closed = False

    @property
    def config(self) -> Any:
        """The ``VllmConfig`` that vLLM settled on."""
        return self._backend.config

    @property
    def ahead(self) -> int:
        """Requests that may be unfinished at once: twice what vLLM says it writes at once.

        That keeps one waiting for every one that runs.
        """
        config = self.config
        places: int = config.scheduler_config.max_num_seqs * config.parallel_config.data_parallel_size
        return _AHEAD * places

    def add(self, inbox: Inbox, ids: list[int], params: Any) -> str:
        """Queue a request; its outputs will be in ``inbox`` under the name returned."""
        from vllm.v1.engine.exceptions import EngineDeadError

        with self._lock:
            self._check()
            name = str(next(self._numbers))
            self._owners[name] = inbox
            try:
                self._backend.add(name, ids, params, self._model.lora_request)
            except EngineDeadError as error:
                raise self._died(error) from error
        return name

    def step(self, inbox: Inbox) -> list[Any]:
        """What there is for this inbox; lets vLLM go on if there is nothing yet.

        May be empty. Blocks until vLLM has something for anybody, so call it only while a
        request of this inbox is unfinished.
        """
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        with self._lock:
            if not inbox.outputs:
                self._check()
                try:
                    outputs = self._backend.step()
                except (EngineDeadError, EngineGenerateError) as error:
                    raise self._died(error) from error
                for output in outputs:
                    self._deliver(output)
            taken = list(inbox.outputs)
            inbox.outputs.clear()
        return taken

    def abort(self, names: list[str]) -> None:
        """Forget requests that nobody waits for any more."""
        with self._lock:
            for name in names:
                self._owners.pop(name, None)
            if names and not self.closed:
                self._backend.abort(names)

    def close(self) -> None:
        """Stop vLLM's processes and wait until they are gone."""
        with self._lock:
            if not self.closed:
                self.closed = True
                self._model.stop()

    def _deliver(self, output: Any) -> None:
        owner = self._owners.get(output.request_id)
        if owner is not None:  # else it was aborted
            owner.outputs.append(output)
            if output.finished:
                del self._owners[output.request_id]

    def _check(self) -> None:
        if self.closed:
            raise EngineError(
                "vLLM was closed while replies were awaited; start again to go on from what is done"
            )

    def _died(self, error: Exception) -> EngineError:
        self.closed = True
        self._model.stop()
        config = self.config
        sizes = {
            "max_num_seqs": config.scheduler_config.max_num_seqs,
            "max_num_batched_tokens": config.scheduler_config.max_num_batched_tokens,
            "max_model_len": config.model_config.max_model_len,
            "gpu_memory_utilization": config.cache_config.gpu_memory_utilization,
        }
        return explain_death(self._model.name, error, self._model.log, sizes)


def refill(
    core: Callable[[], Core], pull: Callable[[], TokenRequest | S | None]
) -> Iterator[tuple[TokenRequest, Any] | S]:
    """Each request with its finished output, in the order they finish.

    More are pulled whenever fewer than ``Core.ahead`` are unfinished; where there is none for the
    moment, again after each step that finished something.

    Args:
        core: gives the vLLM to ask; called when there is a request.
        pull: what to ask. Anything that is not a ``TokenRequest`` is settled already and handed on.
    """
    inbox = Inbox()
    waiting: dict[str, TokenRequest] = {}
    running: Core | None = None
    try:
        while True:
            while (running is None or len(waiting) < running.ahead) and (item := pull()) is not None:
                if isinstance(item, TokenRequest):
                    running = running or core()
                    waiting[running.add(inbox, item.ids, item.params)] = item
                else:
                    yield item
            if running is None or not waiting:
                return
            yield from _finished(running, inbox, waiting)
    finally:
        if running is not None:
            running.abort(list(waiting))


def _finished(
    core: Core, inbox: Inbox, waiting: dict[str, TokenRequest]
) -> Iterator[tuple[TokenRequest, Any]]:
    """Step until something is finished."""
    done: list[Any] = []
    while not done:
        done = [output for output in core.step(inbox) if output.finished]
    for output in done:
        yield waiting.pop(output.request_id), output


class Window(Generic[T]):
    """Hands on at most ``Core.ahead`` items more than were given back; until then it is dry."""

    def __init__(self, core: Callable[[], Core], items: Iterator[T]) -> None:
        self._core = core
        self._items = items
        self._out = 0

    def pull(self) -> T | None:
        """The next item, if one may be had. Without any out there is always room for one."""
        if self._out and self._out >= self._core().ahead:
            return None
        if (item := next(self._items, None)) is not None:
            self._out += 1
        return item

    def give_back(self) -> None:
        """One item is done with."""
        self._out -= 1
