"""The parts that engines behind a server share, proven with another protocol than OpenAI's.

``MessagesEngine`` speaks to a server of messages as Anthropic has them and takes all else (pace, retries,
sessions, refill, verdicts, advice) from ``synthesis.engines.serving``.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

import httpx
import pytest

from synthesis.data import Completion, Message, Prompt
from synthesis.engines.base import Items, Sampling
from synthesis.engines.serving import Failure, Kind, ServerError
from synthesis.engines.serving.address import ServerAddress, checked_address
from synthesis.engines.serving.asking import Server
from synthesis.engines.serving.engine import ServedEngine, check_numbers
from synthesis.engines.serving.failures import failure_of
from synthesis.engines.serving.pace import Pace
from synthesis.errors import ConfigError, EngineError
from tests.engine_contract import PROMISES, WORDS, WRITING, leaves_nothing

SAMPLING = Sampling(seed=11)
KEY = "sk-ant-secret-4711"
FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "refusal": "refusal"}


# ---- the engine: what a newcomer writes ----


class MessagesConnection:
    def __init__(self, address: ServerAddress) -> None:
        self._address, self._client = address, httpx.AsyncClient(**arguments(address))

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, path: str, body: dict[str, Any]) -> object:
        try:
            reply = await self._client.post(path, json=body)
            return reply.json() if reply.is_success else failed(reply, self._address)
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            return lost(error)


class MessagesEngine(ServedEngine):
    name = "messages"

    def __init__(
        self, model: str, base_url: str, concurrency: int = 8, timeout: float = 60, retries: int = 6
    ) -> None:
        check_numbers(concurrency, timeout, retries)
        address = checked_address(base_url, "ANTHROPIC_API_KEY", timeout)
        super().__init__(Server(address, retries, Pace(concurrency)), concurrency)
        self.model = model

    def connect(self) -> MessagesConnection:
        return MessagesConnection(self._server.address)

    def request(
        self, prompt: Prompt, sampling: Sampling, *, stream: bool = False
    ) -> tuple[str, dict[str, Any]]:
        turns = [turn._asdict() for turn in prompt.messages if turn.role != "system"]
        system = "\n\n".join(turn.content for turn in prompt.messages if turn.role == "system")
        body = {"model": self.model, "max_tokens": sampling.max_tokens, "messages": turns, "stream": stream}
        return "/messages", body | {"temperature": sampling.temperature} | (
            {"system": system} if system else {}
        )

    def read(self, prompt: Prompt, reply: Any, body: Any) -> Completion | Failure:
        finish = FINISH.get(reply.get("stop_reason"))
        if finish is None:
            return Failure(Kind.BROKEN, "the reply has no end")
        text = "".join(block["text"] for block in reply["content"] if block["type"] == "text")
        usage, detail = reply["usage"], "" if finish == "stop" else f"it ended with {reply['stop_reason']}"
        return Completion(
            prompt.id, text, finish, usage["input_tokens"], usage["output_tokens"], detail=detail
        )

    def deltas(self, path: str, body: Any) -> Generator[str | Failure, None, None]:
        address, ended = self._server.address, False
        try:
            with (
                httpx.Client(**arguments(address)) as client,
                client.stream("POST", path, json=body) as reply,
            ):
                if not reply.is_success:
                    reply.read()
                    yield failed(reply, address)
                    return
                for line in reply.iter_lines():
                    event = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                    ended = ended or event.get("type") == "message_stop"
                    if event.get("type") == "content_block_delta":
                        yield event["delta"]["text"]
        except httpx.HTTPError as error:
            yield lost(error)
            return
        if not ended:
            yield Failure(Kind.BROKEN, "the stream ended early")


def arguments(address: ServerAddress) -> dict[str, Any]:
    return {
        "base_url": address.base_url,
        "headers": {"x-api-key": address.sendable()},
        "timeout": address.timeout,
    }


def failed(reply: httpx.Response, address: ServerAddress) -> Failure:
    return failure_of(reply.status_code, reply.headers, reply.json(), address.secret)


def lost(error: Exception) -> Failure:
    if isinstance(error, httpx.ConnectError):
        return Failure(Kind.UNREACHABLE, "nobody there")
    return Failure(Kind.TIMEOUT if isinstance(error, httpx.TimeoutException) else Kind.BROKEN, str(error))


# ---- a server of that protocol ----


class Messages(ThreadingHTTPServer):
    """Tells a tale of what it was asked; ``faults`` are statuses that the next requests get instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: Iterator[int] = iter(())
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Messages
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        self.server.keys.add(self.headers["x-api-key"])
        if status := next(self.server.faults, 0):
            error = {"type": "overloaded_error", "message": f"no, {KEY}"}
            return self.give(json.dumps({"type": "error", "error": error}).encode(), status)
        text = "Context: " + f"{crc32(str(body['messages']).encode())} and so on " * (WORDS // 4)
        if not body["stream"]:
            reply = {
                "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": text}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 7, "output_tokens": 9},
            }
            return self.give(json.dumps(reply).encode())
        events = [
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text[at : at + 50]}}
            for at in range(0, len(text), 50)
        ]
        told = (f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in [*events, {"type": "message_stop"}])
        return self.give("".join(told).encode())

    def give(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve() -> Iterator[Messages]:
    with Messages() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(monkeypatch) -> Iterator[Messages]:
    monkeypatch.setattr("synthesis.engines.serving.pace.FIRST_DELAY", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serve() as made:
        yield made


def prompts(count: int) -> list[Prompt]:
    turns = (Message("system", "Be plain."), Message("user", "Write."))
    return [Prompt(f"id-{n}", f"pair-{n}", "t", {}, turns, f"id-{n}") for n in range(count)]


# ---- what comes of it ----


@pytest.mark.parametrize("check", PROMISES + WRITING, ids=lambda check: check.__name__)
def test_another_protocol_keeps_the_promise(server, check) -> None:
    with leaves_nothing(MessagesEngine("m", server.url)) as engine:
        check(engine, SAMPLING)


def test_what_fails_in_passing_is_asked_again(server) -> None:
    server.faults = iter([529, 500, 529, 0, 429])
    found = list(MessagesEngine("m", server.url).complete(Items(prompts(20)), SAMPLING))
    assert [done.finish_reason for done in found] == ["stop"] * 20
    assert len(server.asked) == 24 and server.keys == {KEY}
    assert server.asked[0]["system"] == "Be plain." and len(server.asked[0]["messages"]) == 1
    assert (found[0].prompt_tokens, found[0].output_tokens) == (7, 9)
    assert "Hm." not in found[0].text


def test_a_key_that_is_not_taken_ends_the_run_and_is_told_nowhere(server) -> None:
    server.faults = itertools.repeat(401)
    engine = MessagesEngine("m", server.url)
    with pytest.raises(EngineError, match="ANTHROPIC_API_KEY to a key") as caught:
        list(engine.complete(Items(prompts(3)), SAMPLING))
    assert KEY not in str(caught.value) and KEY not in f"{engine!r} {vars(engine)!r}"
    with pytest.raises(ServerError) as refused:
        list(engine.stream(prompts(1)[0], SAMPLING))
    assert refused.value.failure.kind is Kind.AUTH


def test_one_prompt_that_stays_without_a_reply_stops_nobody_else(server) -> None:
    server.faults = iter([400])
    found = list(MessagesEngine("m", server.url, concurrency=1).complete(Items(prompts(4)), SAMPLING))
    assert sorted(done.finish_reason for done in found) == ["error", "stop", "stop", "stop"]


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"timeout": 0}, {"retries": -1}])
def test_numbers_that_cannot_be_meant_are_refused(options) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        MessagesEngine("m", "http://127.0.0.1:1", **options)
