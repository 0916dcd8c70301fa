"""How the time of a piece of work grows with its input, on a machine that does other things as well."""

import gc
import time
from collections.abc import Callable

FLOOR = 0.03  # seconds: what takes less is not timed well
RUNS = 4


def seconds(work: Callable[[], object]) -> float:
    """Of this thread, and without the collector's walks through all that other tests left behind."""
    gc.disable()
    try:
        start = time.thread_time()
        work()
        return time.thread_time() - start
    finally:
        gc.enable()


def ratio(small: Callable[[], object], large: Callable[[], object], most: float) -> float:
    """How much longer the one takes; the least of a few runs, one where that is under ``most`` already."""
    first = second = float("inf")
    for _ in range(RUNS):
        first, second = min(first, seconds(small)), min(second, seconds(large))
        if second < most * max(first, FLOOR):
            break
    return second / max(first, FLOOR)
