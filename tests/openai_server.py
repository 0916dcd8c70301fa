"""A real HTTP server on loopback that speaks the OpenAI protocol and fails as told; for tests.

A script looks at each request and gives the ``Reply``; faults are replies too. The server
counts what it sees: requests in order, and how many it held at once.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its number (from 0), path, decoded body, lower-case headers, time, and
    how many requests the server held at that moment, this one included.
    """

    number: int
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    at: float
    held: int

    @property
    def text(self) -> str:
        """The last message."""
        return self.body["messages"][-1]["content"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server does. Without a ``status`` of its own it is a completion of ``text``.

    ``error`` is sent as the JSON body of a failure; ``raw`` replaces the body altogether; ``message``
    and ``more`` are further fields of the message and of the completion;
    ``delay`` is in seconds, ``drip`` too, between bits of the body; ``until`` is waited for;
    ``cut`` ends the connection after so many bytes of the body (words of a stream).
    """

    text: str = "Context: once upon a time there was a lighthouse."
    finish: str | None = "stop"
    status: int = 200
    error: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    message: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    until: threading.Event | None = None
    cut: int | None = None


Script = Callable[[Asked], Reply | None]


def failure(status: int, message: str = "it broke", headers: Mapping[str, str] | None = None, **more: Any):
    """An error as OpenAI words it."""
    return Reply(status=status, error={"error": {"message": message, **more}}, headers=headers or {})


class Server:
    """The running server's state. ``script`` may be replaced at any time; None means a plain reply."""

    def __init__(self, script: Script, models: list[str], key: str) -> None:
        self.script, self.models, self.key = script, models, key
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.url = ""
        self._held = 0

    @property
    def most_held(self) -> int:
        return max((asked.held for asked in self.asked), default=0)

    def enter(self, path: str, body: dict[str, Any], headers: Mapping[str, str]) -> Asked:
        with self.lock:
            self._held += 1
            asked = Asked(len(self.asked), path, body, headers, time.monotonic(), self._held)
            self.asked.append(asked)
            return asked

    def leave(self) -> None:
        with self.lock:
            self._held -= 1


State = TypeVar("State", bound=Server)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without this the kernel holds a reply's second packet back until the first is acknowledged.
    disable_nagle_algorithm = True
    server: _Http

    def finish(self) -> None:
        with suppress(ConnectionError):
            super().finish()

    def handle(self) -> None:
        # Clients may leave at any moment, as some tests want them to.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        state = self.server.state
        if self.path == "/v1/models":
            entries = [{"id": name, "object": "model"} for name in state.models]
            self.send_reply(200, json.dumps({"object": "list", "data": entries}).encode(), {})
        else:
            self.send_reply(404, b'{"detail": "Not Found"}', {})

    def do_POST(self) -> None:
        state = self.server.state
        length = int(self.headers["content-length"])
        sent = self.rfile.read(length)
        if len(sent) < length:  # the client left in the middle of it
            self.close_connection = True
            return
        body = json.loads(sent)
        asked = state.enter(self.path, body, {key.lower(): value for key, value in self.headers.items()})
        reply = self._judge(asked)
        self._wait(reply)
        # Before the reply is sent: the next request may come before this thread goes on.
        state.leave()
        self._answer(asked, reply)

    def _judge(self, asked: Asked) -> Reply:
        state = self.server.state
        if state.key and asked.headers.get("authorization") != f"Bearer {state.key}":
            return failure(401, f"bad key {asked.headers.get('authorization')}")
        reply = state.script(asked)
        if reply is not None:
            return reply
        if asked.path not in ("/v1/chat/completions", "/v1/completions"):
            return Reply(status=404, error={"detail": "Not Found"})
        model = asked.body.get("model")
        if model not in state.models:
            return failure(404, f"The model `{model}` does not exist", code="model_not_found")
        return Reply()

    def _wait(self, reply: Reply) -> None:
        ended = self.server.state.ended
        if reply.delay:
            ended.wait(reply.delay)
        while reply.until and not (reply.until.wait(0.02) or ended.is_set()):
            pass

    def _answer(self, asked: Asked, reply: Reply) -> None:
        if reply.raw is not None:
            body = reply.raw
        elif reply.error is not None:
            body = json.dumps(reply.error).encode()
        elif asked.body.get("stream"):
            self._send_events(asked, reply)
            return
        else:
            body = json.dumps(self.completion(asked, reply)).encode()
        self.send_reply(reply.status, body, reply.headers, reply.cut, reply.drip)

    @staticmethod
    def completion(asked: Asked, reply: Reply) -> dict[str, Any]:
        message = {"role": "assistant", "content": reply.text, **reply.message}
        return {
            "id": f"reply-{asked.number}",
            "object": "chat.completion",
            "created": 0,
            "model": asked.body["model"],
            **reply.more,
            "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
            "usage": {
                "prompt_tokens": len(asked.text.split()),
                "completion_tokens": len(reply.text.split()),
                "total_tokens": len(asked.text.split()) + len(reply.text.split()),
            },
        }

    def send_reply(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        cut: int | None = None,
        drip: float = 0.0,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = body if cut is None else body[:cut]
        step = 10 if drip else max(1, len(sent))
        for start in range(0, len(sent), step):
            self.wfile.write(sent[start : start + step])
            if drip:
                self.server.state.ended.wait(drip)
        self.close_connection = cut is not None

    def _send_events(self, asked: Asked, reply: Reply) -> None:
        """One event per word. ``message`` goes first, as reasoning does."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        words = reply.text.split(" ")
        pieces = [" " * bool(place) + word for place, word in enumerate(words)]
        if reply.message:
            self._event({"delta": dict(reply.message), "finish_reason": None})
        for piece in pieces[: reply.cut]:
            self._event({"delta": {"content": piece}, "finish_reason": None})
        if reply.cut is None:
            self._event({"delta": {}, "finish_reason": reply.finish})
            self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")
        self.close_connection = reply.cut is not None

    def _event(self, choice: dict[str, Any]) -> None:
        event = {"object": "chat.completion.chunk", "choices": [{"index": 0, **choice}]}
        self._chunk(f"data: {json.dumps(event)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests look at ``asked`` instead."""


class _Http(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = False  # joined at the end, so that none outlives its test
    state: Server

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End connections that clients still hold, as a server does that goes away."""
        for connection in list(self._open):
            with suppress(OSError):  # it may end by itself this very moment
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serve(
    script: Script = lambda _: None, models: tuple[str, ...] = ("tiny",), key: str = "", port: int = 0
) -> Iterator[Server]:
    """Run a server until the block ends; ``url`` is what goes into ``base_url``.

    Where something is asked after its end, ``port`` is one of ``tests.ports.held``.
    """
    with running(Server(script, list(models), key), Handler, port) as state:
        yield state


@contextmanager
def running(state: State, handler: type[Handler], port: int = 0) -> Iterator[State]:
    """Run a server of this state until the block ends."""
    with _Http(("127.0.0.1", port), handler) as http:
        http.state = state
        state.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.ended.set()
            http.shutdown()
            thread.join()
            http.hang_up()
