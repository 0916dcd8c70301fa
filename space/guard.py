"""Who may talk to the page: where it serves one machine alone, only pages of that machine.

A site that a visitor's browser has open can give its own name the address 127.0.0.1 and then read what
answers there. Its requests carry its name, so names are compared. On the Hub and behind a share link,
others are meant to come. No request may be larger than any form of the page. Knows nothing of Gradio.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

from space.datasets.location import serves_this_machine_alone

MOST_BODY: Final = 16 * 2**20
"""Bytes; the largest form, a batch of 2 MB, takes six times its size where all of it is escaped."""

_OWN: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class HostGuard:
    """ASGI middleware that refuses foreign names and bodies without measure."""

    def __init__(self, app: _App) -> None:
        self._app = app
        self._names = _OWN | _named() if serves_this_machine_alone() else None

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if self._names is not None and not self._is_own(headers):
            await _refuse(
                scope,
                send,
                403,
                "This page answers only to its own machine: open it as http://127.0.0.1:PORT.",
            )
        elif not headers.get(b"content-length", "0").isdecimal() or (
            int(headers.get(b"content-length", "0")) > MOST_BODY
        ):
            await _refuse(scope, send, 413, f"A request may have {MOST_BODY:,} bytes. Send less.")
        else:
            await self._app(scope, _measured(receive), send)

    def _is_own(self, headers: dict[bytes, str]) -> bool:
        names = self._names or frozenset()
        if _host(f"//{headers.get(b'host', '')}") not in names:
            return False
        origin = headers.get(b"origin")
        return origin is None or _host(origin) in names


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _named() -> frozenset[str]:
    """Names that the owner gave the page: where it listens, and where a proxy of theirs puts it."""
    root = _host(os.environ.get("GRADIO_ROOT_PATH", ""))
    given = (os.environ.get("GRADIO_SERVER_NAME", ""), os.environ.get("SPACE_HOST", ""), root)
    return frozenset(name for name in given if name)


def _measured(receive: _Receive) -> _Receive:
    """The same body, cut off where it goes on without end."""
    read = 0

    async def measured() -> _Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return {"type": "http.disconnect"} if read > MOST_BODY else message

    return measured


async def _refuse(scope: _Message, send: _Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = why.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
