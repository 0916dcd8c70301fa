"""vLLM's two front doors behind one narrow face.

``OneReplica`` is vLLM's ``LLM``, stepped by whoever reads. ``Replicas`` is its ``AsyncLLM``, the
only one that spreads requests over several copies of the model without a server; its event loop
lives in a thread of its own. Knows nothing of who reads what.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import queue
import threading
from collections.abc import Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

# Seconds to end by themselves before they are made to. It takes about ten on a slow machine, and
# vLLM's own five leave shared memory behind.
_GRACE = 30.0


class Backend(Protocol):
    """A loaded vLLM. Not for several threads at once; see ``Core``."""

    config: Any
    """Its ``VllmConfig``."""

    def tokenizer(self) -> Any:
        """The model's tokenizer."""

    def add_lora(self, lora: Any) -> None:
        """Load an adapter, so that requests with it can be added."""

    def add(self, name: str, ids: list[int], params: Any, lora: Any) -> None:
        """Queue a request."""

    def step(self) -> list[Any]:
        """New outputs of any requests; blocks until something happened, and may be empty."""

    def abort(self, names: Sequence[str]) -> None:
        """Drop requests, finished ones among them without harm."""

    def stop(self) -> None:
        """End vLLM's processes and wait for them."""


class OneReplica:
    """One copy of the model, however many GPUs it is spread over."""

    def __init__(self, model: str, arguments: Mapping[str, Any]) -> None:
        from vllm import LLM

        before = set(multiprocessing.active_children())
        self._llm = LLM(model=model, **arguments)
        self._engine = self._llm.llm_engine
        self.config = self._engine.vllm_config
        ours = set(multiprocessing.active_children()) - before
        self._watch = threading.Thread(target=self._wake, args=(ours,), name="vllm-watch", daemon=True)
        self._watch.start()

    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self._llm.get_tokenizer()

    def add_lora(self, lora: Any) -> None:
        """Load an adapter."""
        self._engine.add_lora(lora)

    def add(self, name: str, ids: list[int], params: Any, lora: Any) -> None:
        """Queue a request."""
        from vllm.inputs import tokens_input

        self._engine.add_request(name, tokens_input(ids), params, lora_request=lora)

    def step(self) -> list[Any]:
        """The outputs of vLLM's next step."""
        outputs: list[Any] = self._engine.step()
        return outputs

    def abort(self, names: Sequence[str]) -> None:
        """Drop requests."""
        self._engine.abort_request(list(names))

    def stop(self) -> None:
        """End vLLM's processes."""
        self._engine.engine_core.shutdown(timeout=_GRACE)
        self._watch.join()

    def _wake(self, processes: Collection[BaseProcess]) -> None:
        """Wake whoever waits in ``step`` when a process of vLLM has ended.

        One that can still speak tells so itself. One that the system killed (out of memory) cannot,
        and vLLM's synchronous client would wait for it for ever.
        """
        from vllm.v1.engine.exceptions import EngineDeadError

        if processes:
            connection.wait([process.sentinel for process in processes])
            outputs = getattr(self._engine.engine_core, "outputs_queue", None)
            if outputs is not None:
                outputs.put(EngineDeadError())


class Replicas:
    """Several copies of the model (``data_parallel_size``); vLLM sends each request to the idlest."""

    def __init__(self, model: str, arguments: Mapping[str, Any]) -> None:
        self._outputs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._running: dict[str, Future[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vllm-replicas", daemon=True)
        self._thread.start()
        try:
            self._llm = self._wait_for(self._load(model, arguments))
        except BaseException:
            self._end_loop()
            raise
        self.config = self._llm.vllm_config

    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self._llm.get_tokenizer()

    def add_lora(self, lora: Any) -> None:
        """Load an adapter into every copy."""
        self._wait_for(self._llm.add_lora(lora))

    def add(self, name: str, ids: list[int], params: Any, lora: Any) -> None:
        """Queue a request."""
        asked = self._follow(name, ids, params, lora)
        self._running[name] = asyncio.run_coroutine_threadsafe(asked, self._loop)
        self._running[name].add_done_callback(self._note_failure)

    def step(self) -> list[Any]:
        """The outputs there are, once there is one."""
        found = [self._outputs.get()]
        while not self._outputs.empty():
            found.append(self._outputs.get())
        for output in found:
            if isinstance(output, Exception):
                raise output
            if output.finished:
                self._running.pop(output.request_id, None)
        return found

    def abort(self, names: Sequence[str]) -> None:
        """Drop requests."""
        for name in names:
            if (running := self._running.pop(name, None)) is not None:
                running.cancel()

    def stop(self) -> None:
        """End vLLM's processes and the thread."""
        self.abort(list(self._running))
        self._wait_for(self._shut_down())
        self._end_loop()
        del self._llm  # at the interpreter's end its finalizer would fail

    async def _load(self, model: str, arguments: Mapping[str, Any]) -> Any:
        from vllm import AsyncEngineArgs
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        made = AsyncEngineArgs(model=model, **{"disable_log_stats": True, **arguments})
        # vLLM's defaults (sequences and tokens at once) depend on who asks: the same as for LLM.
        return AsyncLLM.from_engine_args(made, usage_context=UsageContext.LLM_CLASS)

    async def _follow(self, name: str, ids: list[int], params: Any, lora: Any) -> None:
        from vllm.inputs import tokens_input

        asked = self._llm.generate(tokens_input(ids), params, request_id=name, lora_request=lora)
        async for output in asked:
            self._outputs.put(output)

    def _note_failure(self, done: Future[None]) -> None:
        # Whatever it is, somebody waits for this request.
        if not done.cancelled() and (error := done.exception()) is not None:
            self._outputs.put(error)

    async def _shut_down(self) -> None:
        self._llm.shutdown(timeout=_GRACE)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def load(model: str, arguments: Mapping[str, Any]) -> Backend:
    """The front door that these arguments need."""
    if arguments.get("data_parallel_size", 1) > 1:
        return Replicas(model, arguments)
    return OneReplica(model, arguments)
