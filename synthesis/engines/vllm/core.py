"""One vLLM for several readers: iterators that overlap, threads of a web page.

vLLM's ``step`` hands out whatever is new for anybody. Here each output goes to the inbox of the
one who asked, so readers can take turns stepping and still batch together.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from synthesis.engines.vllm.loading import Loaded
from synthesis.engines.vllm.trouble import explain_death
from synthesis.errors import EngineError


@dataclass(slots=True)
class Inbox:
    """Outputs for one reader that it has not taken yet."""

    outputs: deque[Any] = field(default_factory=deque)


class Core:
    """Takes requests, steps, hands out outputs. Safe to use from several threads."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._backend = loaded.backend
        self._lock = threading.Lock()
        self._owners: dict[str, Inbox] = {}
        self._numbers = count()
        self.closed = False

    def add(self, inbox: Inbox, ids: list[int], params: Any) -> str:
        """Queue a request; its outputs will be in ``inbox`` under the name returned."""
        from vllm.v1.engine.exceptions import EngineDeadError

        with self._lock:
            self._check()
            name = str(next(self._numbers))
            self._owners[name] = inbox
            try:
                self._backend.add(name, ids, params, self._loaded.lora_request)
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
                self._loaded.stop()

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
        self._loaded.stop()
        return explain_death(self._loaded.model, error, self._loaded.log)
