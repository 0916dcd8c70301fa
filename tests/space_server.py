"""The Space as it is served: ``python -m space.app`` in a process of its own, on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tests.ports import held

ROOT = Path(__file__).parent.parent
PATIENCE = 120.0


@contextmanager
def serving(module: str = "space.app", log: Path | None = None, **environment: str) -> Iterator[str]:
    """The page's address, with a slash at the end, for as long as the block lasts.

    What the server says goes into ``log``, or is shown only if it does not start.
    """
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("GRADIO_", "SPACE_"))
    }
    with held() as port, log.open("w+") if log else tempfile.TemporaryFile("w+") as said:
        url = f"http://127.0.0.1:{port}/"
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={
                **inherited,
                "GRADIO_SERVER_NAME": "127.0.0.1",
                "GRADIO_SERVER_PORT": str(port),
                "GRADIO_ANALYTICS_ENABLED": "False",
                "HF_HUB_OFFLINE": "1",
                **environment,
            },
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            _await(url, process, said)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def _await(url: str, process: subprocess.Popen[bytes], said: TextIO) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            said.seek(0)
            raise AssertionError(f"the page did not start:\n{said.read()}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"the page did not answer within {PATIENCE:.0f} s")
