"""Continuous refill: the batch is kept full, and nobody waits for the slowest.

A chunk that is sent as a whole runs ever emptier until its longest reply is done. Here a request
follows as soon as one finishes, and each result is handed on at once. Knows requests and outputs;
knows nothing of prompts or texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from synthesis.engines.vllm.core import Core, Inbox

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Request:
    """What vLLM is asked: go on after ``ids``, as ``params`` (its ``SamplingParams``) say.

    ``key`` and ``opening`` are for whoever asks; the opening is the part of the reply that the
    prompt ends with.
    """

    key: Any
    ids: list[int]
    params: Any
    opening: str = ""


def refill(
    core: Callable[[], Core], pull: Callable[[], Request | S | None], limit: int
) -> Iterator[tuple[Request, Any] | S]:
    """Each request with its finished output, in the order they finish.

    More are pulled whenever fewer than ``limit`` are unfinished; where there is none for the moment,
    again after each step that finished something.

    Args:
        core: gives the vLLM to ask; called when there is a request.
        pull: what to ask. Anything that is not a ``Request`` is settled already and handed on.
        limit: requests that may be unfinished at once; twice the size of a batch keeps one
            waiting for every one that runs.
    """
    inbox = Inbox()
    waiting: dict[str, Request] = {}
    running: Core | None = None
    try:
        while True:
            while len(waiting) < limit and (item := pull()) is not None:
                if isinstance(item, Request):
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


def _finished(core: Core, inbox: Inbox, waiting: dict[str, Request]) -> Iterator[tuple[Request, Any]]:
    """Step until something is finished."""
    done: list[Any] = []
    while not done:
        done = [output for output in core.step(inbox) if output.finished]
    for output in done:
        yield waiting.pop(output.request_id), output


class Window(Generic[T]):
    """Hands on at most ``limit`` items more than were given back; until then it is dry."""

    def __init__(self, items: Iterator[T], limit: int) -> None:
        self._items = items
        self._free = limit

    def pull(self) -> T | None:
        """The next item, if one may be had."""
        if not self._free or (item := next(self._items, None)) is None:
            return None
        self._free -= 1
        return item

    def give_back(self) -> None:
        """One item is done with."""
        self._free += 1
