"""Ports that tests rely on are theirs."""

from __future__ import annotations

import errno
import socket
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.ports import held, nobody


def refused(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_nobody_answers_and_nobody_can_come_to() -> None:
    port = int(nobody().rpartition(":")[2])
    assert nobody() == f"http://127.0.0.1:{port}"
    with (
        pytest.raises(OSError, match="in use"),
        ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler),
    ):
        pass
    assert refused(port)


def test_a_held_port_refuses_before_and_after_its_server() -> None:
    with held() as port:
        assert refused(port)
        with ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            with pytest.raises(urllib.error.HTTPError, match="501"):  # it knows no GET, and says so
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60)
            server.shutdown()
            thread.join()
        assert refused(port)
        with socket.socket() as another, pytest.raises(OSError, match="in use"):
            another.bind(("127.0.0.1", port))
