"""Sockets around the local Hub's interface, and ``LocalHub`` for tests to hold.

Connections are kept alive as the real Hub keeps them, bodies may come in chunks, and an
armed fault cuts a connection in the middle of either direction.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from . import reading, writing  # noqa: F401 - they register the routes
from .api import Api, Reply, Request, User
from .faults import Fault, Seen, Trouble
from .store import Commit, File, Refused, Repo


class _Cut(Exception):
    """The connection is to be dropped here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for its second packet
    server: _Server

    def _serve(self) -> None:
        url, trouble = urlsplit(self.path), self.server.trouble
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, url.path, url.query, self.server.user_name(headers), headers=headers)
        fault = trouble.take(self.command, url.path)
        uploads = self.command in ("PUT", "POST")
        try:
            body = self._read(seen, fault.cut if fault and uploads else None)
            if fault and fault.first:
                fault.first()
            if not url.path.startswith("/lfs/"):  # uploads would fill the memory
                seen.body = body
            if fault and fault.status:
                reply = Reply({"error": "broken on request"}, fault.status, dict(fault.headers))
            elif fault and fault.page is not None:
                reply = Reply(fault.page, 200, {"Content-Type": "text/html"})
            else:
                query = parse_qs(url.query, keep_blank_values=True)
                reply = self.server.api.answer(Request(self.command, url.path, query, headers, body, None))
            if fault and fault.lost:
                raise _Cut
            self._send(reply, seen, fault.cut if fault and not uploads else None)
        except (_Cut, ConnectionError):
            self.close_connection = True
            _shut(self.connection)
        finally:
            trouble.note(seen)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def _read(self, seen: Seen, cut: int | None) -> bytes:
        pieces = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._sized()
        body = bytearray()
        for piece in pieces:
            body += piece
            seen.received = len(body)
            if cut is not None and len(body) >= cut:
                seen.received = min(cut, len(body))
                raise _Cut
        if cut is not None:
            raise _Cut
        return bytes(body)

    def _sized(self) -> Any:
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read(min(left, 4096))
            if not piece:
                raise _Cut
            left -= len(piece)
            yield piece

    def _chunks(self) -> Any:
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, reply: Reply, seen: Seen, cut: int | None) -> None:
        body = reply.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            reply.headers.setdefault("Content-Type", "application/json; charset=utf-8")
        if cut == 0:
            raise _Cut
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        seen.status = reply.status
        if self.command == "HEAD":
            return
        self.wfile.write(body if cut is None else body[:cut])
        seen.sent = len(body) if cut is None else min(cut, len(body))
        if cut is not None:
            self.wfile.flush()
            raise _Cut

    def log_message(self, *_: object) -> None:
        """Stay silent; the log is kept elsewhere."""


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the client may be faster
        connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, api: Api, trouble: Trouble) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api, self.trouble = api, trouble
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def user_name(self, headers: Mapping[str, str]) -> str | None:
        try:
            user = self.api.user_of(headers)
        except Refused:
            return "?"
        return user.name if user else None

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.discard(request)

    def hang_up(self) -> None:
        """Wake the threads that wait on idle connections."""
        with self._guard:
            for connection in self._open:
                _shut(connection)


class LocalHub:
    """A Hub on loopback: ``with LocalHub() as hub:`` then ``hub.endpoint`` and ``hub.token``.

    The account ``ada`` (may write, also in the organisation ``lab``) is there from the start.
    """

    def __init__(self) -> None:
        self.api, self.trouble = Api(), Trouble()
        self._server = _Server(self.api, self.trouble)
        self.endpoint = self.api.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self.token = self.add_user("ada", spaces=("lab",))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    # --- accounts and surroundings

    def add_user(self, name: str, role: str = "write", spaces: tuple[str, ...] = ()) -> str:
        """A new account, or another token for one; returns the token."""
        token = "hf_" + hashlib.sha256(f"{name} {role}".encode()).hexdigest()[:34]
        self.api.users[token] = User(name, role, (name, *spaces))
        return token

    def environment(self, home: Path, token: str | None = None, **more: str) -> dict[str, str]:
        """Variables for another process whose Hub is this one; ``home`` keeps its caches."""
        foreign = ("HF_", "HUGGING")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(foreign) and not name.lower().endswith("_proxy")
        }
        return kept | {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_TOKEN": self.token if token is None else token,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "NO_PROXY": "127.0.0.1",
            **more,
        }

    def ask(
        self, code: str, question: object, home: Path, *, silent: bool = False, **environment: str
    ) -> list[Any]:
        """Put a question to code in another process whose Hub is this one; both speak JSON, by lines."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(question),
            env=self.environment(home, **environment),
            cwd=home.parent,  # where nothing of ours lies
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0 and not (silent and done.stderr), done.stderr
        assert self.token not in done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    # --- trouble

    def fail_next(self, method: str, path: str, what: int | str, **options: Any) -> None:
        """Break the next requests that match: a status, "disconnect", "lost reply", "cut after N bytes".

        Options: ``times`` (how many of them), ``skip`` (how many go well first), ``headers``.
        """
        self.trouble.arm(Fault.parse(method, path, what, **options))

    def page_next(self, path: str, page: bytes, **options: Any) -> None:
        """Answer the next reads that match with a page of somebody else's and status 200."""
        self.trouble.arm(Fault("GET", re.compile(path), page=page, **options))

    def before_next(self, method: str, path: str, action: Callable[[], object], **options: Any) -> None:
        """Run ``action`` when a matching request has arrived, before it is answered normally."""
        self.trouble.arm(Fault(method.upper(), re.compile(path), first=action, **options))

    def seen(self, method: str, path: str = "") -> list[Seen]:
        """Requests so far whose path matches, oldest first."""
        return self.trouble.seen(method, path)

    def forget(self) -> None:
        """Empty the log."""
        self.trouble.forget()

    def mend(self) -> None:
        """Break nothing any more, and empty the log."""
        self.trouble.disarm()
        self.forget()

    # --- repositories, without HTTP

    def repo(self, repo_id: str, kind: str = "dataset") -> Repo:
        """A repository to look into. Raises KeyError if there is none."""
        return self.api.store.repos[kind, repo_id]

    def has(self, repo_id: str, kind: str = "dataset") -> bool:
        """Whether there is such a repository."""
        return (kind, repo_id) in self.api.store.repos

    def head(self, repo_id: str, revision: str = "main") -> Commit:
        """The commit a revision of a dataset points to."""
        return self.repo(repo_id).find(revision)

    def files(self, repo_id: str, revision: str = "main") -> dict[str, bytes]:
        """Path -> content of a dataset at a revision."""
        return {path: file.content for path, file in self.head(repo_id, revision).tree.items()}

    def log_of(self, repo_id: str, revision: str = "main") -> list[Commit]:
        """The history of a revision of a dataset, newest first."""
        repo = self.repo(repo_id)
        return list(repo.history(repo.find(revision)))

    def seed(
        self,
        repo_id: str,
        files: Mapping[str, bytes | str] = {},  # noqa: B006 - never changed
        *,
        private: bool = False,
        kind: str = "dataset",
        revision: str = "main",
        by: str = "somebody",
    ) -> Commit:
        """Make a repository if there is none, and commit files to it as somebody else would."""
        if not self.has(repo_id, kind):
            self.api.store.create(kind, repo_id, private, by)
        repo = self.repo(repo_id, kind)
        with self.api.store.lock:
            base = repo.find(revision)
            tree = dict(base.tree)
            for path, content in files.items():
                data = content.encode() if isinstance(content, str) else content
                tree[path] = File(data, repo.is_lfs(path, tree))
                if tree[path].lfs:
                    repo.lfs[tree[path].sha256] = data
            return repo.record(f"refs/heads/{revision}", tree, base.oid, "by hand", by) if files else base
