"""Settings that keep vLLM small, and what the tests look at from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import psutil

# 64 MiB hold the cache of a few dozen short replies; compiling would take longer than the tests.
SMALL: dict[str, Any] = {
    "max_num_seqs": 8,
    "max_model_len": 1024,
    "dtype": "float32",
    "enforce_eager": True,
    "kv_cache_memory_bytes": 1 << 26,
}


def vllm_processes(parent: int | None = None) -> list[int]:
    """Pids of the processes that vLLM runs below this one (or another)."""
    below = psutil.Process(parent or os.getpid()).children(recursive=True)
    return [child.pid for child in below if is_vllm(child)]


def is_vllm(process: psutil.Process) -> bool:
    try:
        return "VLLM" in " ".join([process.name(), *process.cmdline()]) and process.status() != "zombie"
    except psutil.NoSuchProcess:
        return False


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.1)
