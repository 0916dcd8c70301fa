"""Ports of loopback that are ours for as long as a test needs them: a socket holds them and never listens.

A port that was free a moment ago may be anybody's by the time it is used, and a stranger's server may well
take a request and never answer.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def held() -> Iterator[int]:
    """A port where connections are refused until a server of the test listens, and again once it is gone.

    The server must set SO_REUSEADDR before it binds, as asyncio, uvicorn, Gradio, vLLM and http.server do.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@cache
def _holder() -> socket.socket:
    """Kept for as long as the process lives, so that the port is nobody else's in between."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder


def nobody() -> str:
    """``http://127.0.0.1:PORT`` where no server listens as long as this process lives."""
    return f"http://127.0.0.1:{_holder().getsockname()[1]}"
