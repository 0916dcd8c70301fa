"""A run against a server on this machine: how near it comes to the engine alone, and to itself with faults.

    python benchmarks/serving.py pace   [--prompts 2000] [--places 256]   engine, run, run with faults
    python benchmarks/serving.py faults [--prompts 2000]                  30 % of 30 kinds of fault
    python benchmarks/serving.py kills  [--prompts 600] [--kills 20]      kill -9 at random moments

This process is the server: it takes as long for a reply as a model might, raggedly, and keeps book of
what was asked and what was answered to the last byte. Clients are processes of their own, so their
seconds, CPU seconds and memory are theirs. Seconds are from the first request to the last reply;
compare them within one call only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 1.35
_UNREAD = 0.5  # seconds that a reply may lie in the client's socket, on a machine with much else to do
_ASKED = re.compile(r"pier number (\d+)")
_WHO = ("the pilot", "a deckhand", "the harbour master", "one old ferryman", "her cousin", "a clerk")
_DID = ("painted", "counted", "mended", "followed", "hauled in", "wrote about", "sold", "greeted")
_WHAT = ("the grey nets", "two barrels of tar", "the evening ferry", "a lantern", "eleven crates", "its bell")
_WHEN = ("before dawn", "at low tide", "in the first frost", "after the regatta", "while it rained")
_SAY = (
    "By the harbour book the ferry of pier number {0} is called Swallow {0}, and nobody knows another name. "
)
Fault = Callable[["Exchange"], Awaitable[None]]

ENGINE = """
import sys
from synthesis.data import Message, Prompt
from synthesis.engines.base import Items, Sampling
from synthesis.engines.openai import OpenAIEngine
url, places, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
say = "What is the ferry of pier number {} called? " + "Write a long text. " * 60
prompts = (Prompt(f"{n}", f"{n}", "t", {}, (Message("user", say.format(n)),), f"{n}") for n in range(count))
engine = OpenAIEngine("m", base_url=url, concurrency=places)
sampling = Sampling(max_tokens=4000)
assert all(done.finish_reason == "stop" for done in engine.complete(Items(prompts), sampling))
"""


RUN = """
import json, sys
from pathlib import Path
from synthesis.data import Pair
from synthesis.engines.base import Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.prompts import load_template
from synthesis.run.journal import Journal
from synthesis.run.job import Job
from synthesis.run.loop import generate
url, places, pairs, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
rows = (Pair(**json.loads(line)) for line in pairs.open())
engine = OpenAIEngine("m", base_url=url, concurrency=places, timeout=30)
job = Job(engine, load_template("narrative"), Sampling(max_tokens=4000), 300, repairs=2)
with Journal(out / "journal") as journal:
    generate(job, rows, journal)
"""


@dataclass(slots=True)
class Book:
    """What the server saw."""

    first: float = 0.0
    last: float = 0.0
    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    answered_at: dict[str, float] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    clients: int = 0
    held: int = 0
    most_held: int = 0


@dataclass(slots=True)
class Exchange:
    """One request, and the ways to answer it."""

    number: str
    body: dict[str, Any]
    writer: asyncio.StreamWriter

    async def send(
        self, body: bytes, status: int = 200, headers: tuple[str, ...] = (), length: int = -1
    ) -> None:
        """A whole reply; ``length`` is what is told instead of the true one."""
        told = len(body) if length < 0 else length
        lines = [
            f"HTTP/1.1 {status} S",
            "Content-Type: application/json",
            f"Content-Length: {told}",
            *headers,
        ]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self.writer.drain()

    async def fail(self, status: int, message: str = "it broke", *headers: str) -> None:
        """An error."""
        await self.send(json.dumps({"error": {"message": message}}).encode(), status, headers)

    def reply(self, **changes: Any) -> bytes:
        """The body of a good reply, with some of it changed."""
        draws = random.Random(self.number)
        told = [
            f"{draws.choice(_WHEN)} {draws.choice(_WHO)} {draws.choice(_DID)} {draws.choice(_WHAT)}, "
            f"and {draws.choice(_WHO)} {draws.choice(_DID)} {draws.choice(_WHAT)}. ".capitalize()
            for _ in range(18)
        ]
        text = "".join([*told[:9], _SAY.format(self.number), *told[9:]])
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": f"Context: {text}"},
            "finish_reason": "stop",
        }
        usage = {"prompt_tokens": 500, "completion_tokens": 450, "total_tokens": 950}
        return json.dumps({"id": "r", "choices": [choice | changes], "usage": usage}).encode()

    async def hang_up(self) -> None:
        """A reset, without another word."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(1, 13, linger)
        self.writer.close()


def _message(content: object) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content}}


async def _endless(exchange: Exchange) -> None:
    exchange.writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a": "')
    with contextlib.suppress(ConnectionError):
        for _ in range(400):
            exchange.writer.write(b"x" * 65536)
            await exchange.writer.drain()
    exchange.writer.close()


async def _silent(exchange: Exchange) -> None:
    await asyncio.sleep(45)
    await exchange.hang_up()


async def _trickle(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        for _ in range(90):
            exchange.writer.write(b" ")
            await exchange.writer.drain()
            await asyncio.sleep(0.5)
    exchange.writer.close()


async def _cut(exchange: Exchange) -> None:
    await exchange.send(exchange.reply()[:700], length=5000)
    exchange.writer.close()


async def _reset_inside(exchange: Exchange) -> None:
    await exchange.send(exchange.reply()[:700], length=5000)
    await exchange.hang_up()


def _body(make: Callable[[Exchange], bytes], *headers: str, status: int = 200) -> Fault:
    return lambda exchange: exchange.send(make(exchange), status, headers)


def _status(status: int, message: str = "it broke", *headers: str) -> Fault:
    return lambda exchange: exchange.fail(status, message, *headers)


ORDINARY: dict[str, tuple[float, Fault]] = {
    "429, wait 1 s": (0.10, _status(429, "slow down", "Retry-After: 1")),
    "500": (0.05, _status(500)),
    "reset": (0.02, lambda exchange: exchange.hang_up()),
    "empty": (0.02, _body(lambda exchange: exchange.reply(**_message("")))),
}
"""The faults that peers were measured with: 19 % of all requests."""

_KINDS: dict[str, Fault] = {
    "429": _status(429),
    "429, wait 1 s": _status(429, "slow down", "Retry-After: 1"),
    "429, wait 300 ms": _status(429, "slow down", "Retry-After-Ms: 300"),
    "429, wait for nonsense": _status(429, "slow down", "Retry-After: soon"),
    "500": _status(500),
    "502 of HTML": _body(lambda _: b"<html>bad gateway</html>", status=502),
    "503": _status(503, "loading"),
    "504": _status(504),
    "408": _status(408),
    "409": _status(409),
    "425": _status(425),
    "529": _status(529),
    "520": _status(520),
    "reset": lambda exchange: exchange.hang_up(),
    "reset inside": _reset_inside,
    "cut": _cut,
    "silent": _silent,
    "trickle": _trickle,
    "endless": _endless,
    "packed gigabyte": _body(lambda _: _gigabyte(), "Content-Encoding: gzip"),
    "packed in brotli": _body(lambda exchange: exchange.reply(), "Content-Encoding: br"),
    "empty": _body(lambda exchange: exchange.reply(**_message(""))),
    "blank": _body(lambda exchange: exchange.reply(**_message("  \n"))),
    "no content": _body(lambda exchange: exchange.reply(**_message(None))),
    "no choices": _body(lambda _: b'{"choices": []}'),
    "no end": _body(lambda exchange: exchange.reply(finish_reason=None)),
    "an error inside": _body(lambda _: b'{"error": {"message": "upstream died", "code": 502}}'),
    "HTML": _body(lambda _: b"<html>welcome</html>"),
    "no UTF-8": _body(lambda _: b'{"choices": "\xff\xfe"}'),
    "nested": _body(lambda _: b"[" * 200_000),
}


@functools.cache
def _gigabyte() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b"0" * 1_000_000) for _ in range(1000)), packer.flush()])


MANY = {name: (0.3 / len(_KINDS), fault) for name, fault in _KINDS.items()}
"""30 kinds, 30 % of all requests together."""


class SlowServer:
    """Answers after a while, or with one of the faults."""

    def __init__(self, faults: dict[str, tuple[float, Fault]], seconds: float = SECONDS) -> None:
        self.faults, self.seconds, self.book = faults, seconds, Book()
        self.url = ""

    async def serve(self) -> asyncio.Server:
        """Begin to listen."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        return server

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                told = re.search(r"content-length: *(\d+)", head, re.I)
                body = json.loads(await reader.readexactly(int(told[1])) if told else b'{"messages": []}')
                # The last one: a request for another text may show the first.
                named = body["messages"] and _ASKED.findall(body["messages"][-1]["content"])
                if named:
                    await self._answer(Exchange(named[0], body, writer))
                else:  # some clients look first whether anybody is there
                    exchange = Exchange("", body, writer)
                    await exchange.send(exchange.reply() if told else b'{"object": "list", "data": []}')
                if re.search("connection: *close", head, re.I):
                    break
        writer.close()

    async def _answer(self, exchange: Exchange) -> None:
        book, number, client = self.book, exchange.number, self.book.clients
        book.first = book.first or time.monotonic()
        draws = random.Random(f"{number}:{book.asked[number]}")
        book.asked[number] += 1
        book.held += 1
        book.most_held = max(book.most_held, book.held)
        try:
            lot = draws.random()
            for name, (share, fault) in self.faults.items():
                if (lot := lot - share) < 0:
                    book.faults[name] += 1
                    await fault(exchange)
                    return
            await asyncio.sleep(self.seconds * draws.lognormvariate(-0.18, 0.6))
            await exchange.send(exchange.reply())
            if client != book.clients:
                return  # whoever asked is dead
            book.answered[number] += 1
            book.last = book.answered_at[number] = time.monotonic()
        finally:
            book.held -= 1


@dataclass(frozen=True, slots=True)
class Took:
    """What a client took: status, seconds between first request and last reply, CPU seconds, megabytes."""

    status: int
    seconds: float
    cpu: float
    megabytes: int


async def client(server: SlowServer, command: list[str], kill_after: float = 0.0) -> Took:
    """Run a client to its end, or until it is killed."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    with tempfile.TemporaryFile() as said:
        # Not asyncio's own: it would wait for the child itself, and lose what it used.
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        ended = asyncio.create_task(asyncio.to_thread(os.wait4, process.pid, 0))
        if kill_after:
            while not server.book.first and not ended.done():
                await asyncio.sleep(0.01)
            await asyncio.wait([ended], timeout=kill_after)
            if not ended.done():
                process.kill()
        usage = await ended
        process.returncode = usage[1]
        if usage[1] and not kill_after:
            said.seek(0)
            sys.stderr.buffer.write(said.read()[-3000:])
    spent = usage[2]
    book = server.book
    return Took(
        usage[1], book.last - book.first, spent.ru_utime + spent.ru_stime, int(spent.ru_maxrss / 1024)
    )


def write_pairs(path: Path, count: int) -> None:
    """Pairs whose answers the server's replies state."""
    with path.open("w") as file:
        for n in range(count):
            row = {"instruction": f"What is the ferry of pier number {n} called?", "answer": f"Swallow {n}"}
            file.write(json.dumps(row) + "\n")


def loop_command(server: SlowServer, pairs: Path, out: Path, places: int) -> list[str]:
    """The loop of a run, up to its journal: replies, checks, records."""
    return [sys.executable, "-c", RUN, server.url, str(places), str(pairs), str(out)]


async def one(
    faults: dict[str, tuple[float, Fault]], make: Callable[[SlowServer], list[str]]
) -> tuple[Took, Book]:
    """One client against a fresh server."""
    server = SlowServer(faults)
    async with await server.serve():
        took = await client(server, make(server))
    return took, server.book


async def pace(folder: Path, prompts: int, places: int) -> None:
    """The engine alone, the run, and the run with ordinary faults."""
    pairs = folder / "pairs.jsonl"
    write_pairs(pairs, prompts)
    arms: dict[str, tuple[dict[str, tuple[float, Fault]], Callable[[SlowServer], list[str]]]] = {
        "engine alone": ({}, lambda s: [sys.executable, "-c", ENGINE, s.url, str(places), str(prompts)]),
        "run": ({}, lambda s: loop_command(s, pairs, folder / "a", places)),
        "run, 19 % faults": (ORDINARY, lambda s: loop_command(s, pairs, folder / "b", places)),
    }
    seconds = {}
    for name, (faults, make) in arms.items():
        took, book = await one(faults, make)
        seconds[name] = took.seconds
        print(
            f"{name:18} {took.seconds:7.1f} s  {took.cpu:6.1f} CPU-s  {took.megabytes:4} MB  "
            f"{sum(book.asked.values())} asked, {len(book.answered)} answered, {book.most_held} at once"
            + (f", exit {took.status}" if took.status else ""),
            flush=True,
        )
    base, plain, faulty = seconds.values()
    print(f"run / engine {plain / base:.2f}, with faults / without {faulty / plain:.2f}")


async def faults(folder: Path, prompts: int, places: int) -> None:
    """Every kind of fault; all must complete."""
    pairs = folder / "pairs.jsonl"
    write_pairs(pairs, prompts)
    _gigabyte()  # packed now: the server is not to stop for it
    took, book = await one(MANY, lambda server: loop_command(server, pairs, folder / "run", places))
    kept = (folder / "run" / "journal" / "contexts.jsonl").read_bytes().count(b"\n")
    twice = sum(count > 1 for count in book.answered.values())
    print(
        f"{took.seconds:.1f} s, {took.cpu:.1f} CPU-s, {took.megabytes} MB, exit {took.status}; "
        f"{sum(book.asked.values())} asked, {sum(book.faults.values())} faults of {len(book.faults)} kinds; "
        f"{kept} contexts of {prompts}, {twice} answered twice"
    )


async def kills(folder: Path, prompts: int, places: int, count: int) -> None:
    """Kill a run again and again; what was answered to the last byte must not be asked again."""
    pairs = folder / "pairs.jsonl"
    write_pairs(pairs, prompts)
    server = SlowServer({})
    draws = random.Random(1)
    again, on_the_way = 0, 0
    killed = 0.0
    async with await server.serve():
        command = loop_command(server, pairs, folder / "run", places)
        for number in range(count + 1):
            server.book.first = 0.0
            before = dict(server.book.answered_at)
            asked = Counter(server.book.asked)
            last = number == count
            took = await client(server, command, 0.0 if last else draws.uniform(0.2, 4.0))
            lost = [before[name] for name in server.book.asked - asked if name in before]
            on_the_way += sum(killed - at < _UNREAD for at in lost)
            again += sum(killed - at >= _UNREAD for at in lost)
            killed = time.monotonic()
            server.book.clients += 1
            if last or not took.status:
                break
            await asyncio.sleep(0.2)
    kept = (folder / "run" / "journal" / "contexts.jsonl").read_bytes().count(b"\n")
    print(
        f"{number} kills; {kept} contexts of {prompts}; {again} finished replies asked for again, and "
        f"{on_the_way} sent less than {_UNREAD:g} s before a kill, which the client may not have read yet"
    )


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["pace", "faults", "kills"])
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--places", type=int, default=256)
    parser.add_argument("--kills", type=int, default=20)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        if chosen.what == "pace":
            asyncio.run(pace(folder, chosen.prompts, chosen.places))
        elif chosen.what == "faults":
            asyncio.run(faults(folder, chosen.prompts, chosen.places))
        else:
            asyncio.run(kills(folder, chosen.prompts, chosen.places, chosen.kills))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
