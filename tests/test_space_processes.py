"""The page's computing in processes of its own: what hangs or fails ends alone; and who may ask at all."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from space.guard import MOST_BODY, HostGuard
from space.making import processes
from space.making.inputs import InputError, read_inputs
from space.making.processes import WorkError, Workers
from space.making.writing import written
from tests.space_server import serving

ASKED = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt", "length": "500w"}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Two processes, each with enough seconds for a slow machine."""
    made = Workers(places=2, limit=100.0)
    yield made
    made.end()


def test_a_process_gives_what_the_call_gives(workers: Workers) -> None:
    inputs = read_inputs(**ASKED)
    assert workers.call(written, inputs) == written(inputs)
    assert workers.call(str.upper, "a lone \ud800 goes through") == "A LONE \ud800 GOES THROUGH"


def test_what_is_refused_or_fails_is_told_and_the_process_stays(workers: Workers) -> None:
    first = workers.call(os.getpid)
    assert first != os.getpid()
    with pytest.raises(WorkError, match="The seed must be"):
        workers.call(_read, {**ASKED, "seed": -1})
    with pytest.raises(WorkError, match="failed here, and was noted"):
        workers.call(int, "no number, and it is not in the message")
    assert workers.call(os.getpid) == first


def _read(given: Mapping[str, Any]) -> None:
    read_inputs(**given)


def test_a_process_that_dies_is_replaced(workers: Workers) -> None:
    before = workers.call(os.getpid)
    with pytest.raises(WorkError, match="was ended"):
        workers.call(os._exit, 3)
    after = workers.call(os.getpid)
    assert after != before
    os.kill(after, signal.SIGKILL)
    with pytest.raises(WorkError):
        workers.call(os.getpid)
    assert workers.call(os.getpid) != after


def test_what_never_ends_holds_nobody_else_and_is_ended() -> None:
    made = Workers(places=2, limit=4.0)
    try:
        pid = made.call(os.getpid)
        told: list[str] = []

        def hang() -> None:
            try:
                made.call(_forever)
            except WorkError as error:
                told.append(str(error))

        hanging = threading.Thread(target=hang)
        hanging.start()
        assert made.call(os.getpid) != pid
        hanging.join(60)
        assert len(told) == 1 and "more than 4 seconds" in told[0]
        assert not _lives(pid)
    finally:
        made.end()


def _forever() -> None:
    while True:
        pass


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_memory_is_bounded(workers: Workers) -> None:
    if not os.path.exists("/proc/self/statm"):  # noqa: PTH110
        pytest.skip("this system cannot bound memory")
    with pytest.raises(WorkError, match="more memory than there is"):
        workers.call(bytes, processes.MEMORY + 2**29)
    assert workers.call(len, "abc") == 3


def test_until_it_is_started_everything_runs_where_it_is_called() -> None:
    assert processes.call(os.getpid) == os.getpid()
    with pytest.raises(InputError):
        processes.call(_read, {**ASKED, "seed": -1})


# --- who may ask


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """The page as it is started on one's own machine."""
    with serving() as url:
        host, _, port = url.removeprefix("http://").strip("/").partition(":")
        yield host, int(port)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:7860"}, 200),
        ({"Host": "[::1]:7860"}, 200),
        ({"Origin": "http://localhost:7860"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:7860"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[broken"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_only_this_machine_is_answered(
    address: tuple[str, int], headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("GET", "/config", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == status
    assert (b"own machine" in body) == (status == 403)
    connection.close()


def test_a_body_without_measure_is_refused(address: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.putrequest("POST", "/gradio_api/queue/join")
    connection.putheader("Content-Length", str(MOST_BODY + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    ("environment", "passes"),
    [
        ({"SPACE_ID": "ada/page", "SPACE_HOST": "ada-page.hf.space"}, True),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, True),
        ({"GRADIO_SHARE": "true"}, True),
        ({"GRADIO_ROOT_PATH": "https://evil.example/page"}, True),
        ({"GRADIO_SERVER_NAME": "127.0.0.1"}, False),
        ({}, False),
    ],
)
def test_where_others_are_meant_to_come_they_may(
    environment: dict[str, str], passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPACE_ID", "SPACE_HOST", "GRADIO_SERVER_NAME", "GRADIO_SHARE", "GRADIO_ROOT_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    reached: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    headers = [(b"host", b"evil.example"), (b"origin", b"https://evil.example")]
    for kind in ("http", "websocket"):
        asyncio.run(HostGuard(app)({"type": kind, "headers": headers}, nothing, nothing))
    assert reached == (["http", "websocket"] if passes else [])
