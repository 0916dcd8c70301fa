"""Items made by another thread while those before are used, so that an engine never waits for prompts."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")
_PATIENCE = 10.0  # seconds that an item may still take to be made when nobody wants it any more


def made_ahead(items: Iterable[T], most: int) -> Generator[T]:
    """The items of an iterable, drawn by another thread, at most ``most`` before they are asked for.

    What is raised there is raised here. The thread ends when this is closed or used up.
    """
    made: queue.Queue[T | _Over] = queue.Queue(most)
    stopped = threading.Event()

    def put(item: T | _Over) -> bool:
        while not stopped.is_set():
            try:
                made.put(item, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def draw() -> None:
        trouble: BaseException | None = None
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:  # raised again where the items are wanted
            trouble = error
        finally:
            if isinstance(items, Generator):
                items.close()
        put(_Over(trouble))

    thread = threading.Thread(target=draw, name="made-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _Over):
            yield item
        if item.trouble is not None:
            raise item.trouble
    finally:
        stopped.set()
        thread.join(_PATIENCE)


class _Over:
    """The last of the items, and what ended them."""

    def __init__(self, trouble: BaseException | None) -> None:
        self.trouble = trouble
