"""A llama.cpp server with a model of its own, from PyPI's ``xllamacpp``: what Ollama and others run inside.

``serving`` starts one in a process of its own and ends it; as a program it is that process.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES, _WINDOW = 4, 2048  # replies at once, and tokens of each with its prompt


@contextmanager
def serving(gguf: str | Path, places: int = _PLACES, window: int = _WINDOW) -> Iterator[str]:
    """The ``base_url`` of a server on loopback, until the block ends.

    Args:
        gguf: the model's file.
        places: replies written at once.
        window: tokens that a prompt and its reply may have together.

    Raises:
        RuntimeError: it did not start.
    """
    command = [sys.executable, __file__, str(gguf), str(places), str(window)]
    # Told to end by the end of its input, it ends with us, however we end.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            lines = iter(server.stdout.readline, "")
            address = next((line.split()[-1] for line in lines if line.startswith("serving at ")), "")
            if not address:
                raise RuntimeError(
                    f"no llama.cpp server for {gguf}: is xllamacpp installed, is the file there?"
                )
            # What else it prints must go somewhere.
            threading.Thread(target=lambda: [None for _ in lines], daemon=True).start()
            yield f"{address}/v1"
        finally:
            server.stdin.close()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def main() -> None:
    """Serve until there is no more input."""
    import xllamacpp

    gguf, places, window = sys.argv[1:]
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.model_alias = gguf, [Path(gguf).stem]
    settings.n_parallel, settings.n_ctx = int(places), int(places) * int(window)
    # One: several wait for each other at every step by spinning, which a busy machine cannot afford.
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.hostnames, settings.port = ["127.0.0.1"], 0
    settings.ui = False
    server = xllamacpp.Server(settings)
    print(f"serving at {server.listening_address}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
