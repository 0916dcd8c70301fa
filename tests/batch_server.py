"""A real HTTP server on loopback that speaks files and batches, and fails as told; for tests.

What a request of a batch gets is decided by the same scripts as on the plain server. Time
is counted in looks: a batch needs ``looks`` of them to end, or waits for ``release``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.openai_server import Asked, Handler, Reply, Script, Server, failure, running

_STATES = ("validating", "in_progress", "finalizing")


@dataclass
class Batch:
    """A batch at the provider: its object as sent to clients, its requests, the looks taken at it."""

    fields: dict[str, Any]
    requests: list[dict[str, Any]]
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Late:
    """The call takes effect, and then this is the reply all the same."""

    reply: Reply


Calls = Callable[[str, str, int], "Reply | Late | None"]
"""Given method, path below /v1 and how often it was called before: a fault, or None."""


@dataclass
class Plan:
    """How batches go.

    ``expire_after`` requests the rest expires; ``shuffle`` turns the order of replies
    around; ``end`` may change the files ``{"output": [...], "errors": [...]}`` just before
    they are written; ``problems`` of a batch (by its number) make it fail as a whole.
    """

    looks: int = 1
    expire_after: int | None = None
    end: Callable[[dict[str, list[Any]]], None] = lambda files: None
    problems: Callable[[Batch, int], list[dict[str, Any]]] = lambda batch, number: []
    keeps_metadata: bool = True
    changes: Mapping[str, Any] = field(default_factory=dict)


class BatchServer(Server):
    """``script`` answers the requests inside batches; ``calls`` may break the calls around them."""

    def __init__(self, script: Script, models: list[str], key: str, plan: Plan) -> None:
        super().__init__(script, models, key)
        self.plan = plan
        self.calls: Calls = lambda method, path, before: None
        self.called: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.page = 2

    @property
    def sent(self) -> list[str]:
        """The custom ids of all requests that a batch was created for, one by one."""
        return [request["custom_id"] for batch in self.batches.values() for request in batch.requests]

    def put(self, data: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = data
        return name

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        lines = self.files[body["input_file_id"]].splitlines()
        requests = [json.loads(line) for line in lines]
        assert len({request["custom_id"] for request in requests}) == len(requests)
        assert {request["url"] for request in requests} == {body["endpoint"]}
        name = f"batch_{len(self.batches)}"
        fields = {
            "id": name, "object": "batch", "status": "validating", "created_at": int(time.time()),
            "input_file_id": body["input_file_id"], "endpoint": body["endpoint"],
            "completion_window": body["completion_window"], "output_file_id": None, "error_file_id": None,
            "metadata": body.get("metadata") if self.plan.keeps_metadata else None,
            "request_counts": {"total": len(requests), "completed": 0, "failed": 0},
        }  # fmt: skip
        self.batches[name] = Batch(fields, requests)
        return fields

    def look(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        batch.looks += 1
        if batch.fields["status"] not in ("completed", "failed", "expired", "cancelled"):
            if batch.looks < self.plan.looks:
                batch.fields["status"] = _STATES[min(batch.looks - 1, 2)]
            else:
                self._end(batch)
        return batch.fields | dict(self.plan.changes)

    def cancel(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        self._end(batch, answered=len(batch.requests) // 2, state="cancelled")
        return batch.fields

    def _end(self, batch: Batch, answered: int | None = None, state: str = "completed") -> None:
        fields = batch.fields
        problems = self.plan.problems(batch, list(self.batches.values()).index(batch))
        if problems:
            fields |= {"status": "failed", "errors": {"object": "list", "data": problems}}
            return
        if answered is None and self.plan.expire_after is not None:
            answered, state = self.plan.expire_after, "expired"
        files: dict[str, list[Any]] = {"output": [], "errors": []}
        for place, request in enumerate(batch.requests):
            undone = answered is not None and place >= answered
            line = _undone(request, state) if undone else self._line(request)
            if line is not None:
                good = (line["response"] or {}).get("status_code") == 200
                files["output" if good else "errors"].append(line)
        completed, failed = len(files["output"]), len(files["errors"])
        fields["request_counts"] = {"total": len(batch.requests), "completed": completed, "failed": failed}
        self.plan.end(files)
        for kind, key in (("output", "output_file_id"), ("errors", "error_file_id")):
            if files[kind]:
                data = b"".join(map(_encoded, files[kind]))
                fields[key] = self.put(data)
        fields["status"] = state if answered is None or answered < len(batch.requests) else "completed"

    def _line(self, request: dict[str, Any]) -> dict[str, Any] | None:
        asked = Asked(len(self.asked), "/v1/chat/completions", request["body"], {}, 0.0, 0)
        self.asked.append(asked)
        reply = self.script(asked) or Reply()
        if reply.raw is not None:  # a request without any line
            return None
        body = reply.error if reply.error is not None else Handler.completion(asked, reply)
        response = {"status_code": reply.status, "request_id": f"request-{asked.number}", "body": body}
        return {"id": f"line-{asked.number}", "custom_id": request["custom_id"], "response": response,
                "error": None}  # fmt: skip


def _undone(request: dict[str, Any], state: str) -> dict[str, Any]:
    error = {"code": f"batch_{state}", "message": "This request could not be executed in time."}
    return {"id": "line", "custom_id": request["custom_id"], "response": None, "error": error}


def _encoded(line: Any) -> bytes:
    return line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() + b"\n"


class BatchHandler(Handler):
    """The plain server's paths, and those of files and batches."""

    def do_GET(self) -> None:
        self._serve("GET", b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if self.path == "/v1/chat/completions":
            super().do_POST()
            return
        self._serve("POST", self.rfile.read(length))

    def _serve(self, method: str, sent: bytes) -> None:
        state = self.server.state
        path = urlsplit(self.path).path.removeprefix("/v1")
        if state.key and self.headers.get("authorization") != f"Bearer {state.key}":
            self._fail(failure(401, f"bad key {self.headers.get('authorization')}"))
            return
        with state.lock:
            fault = state.calls(method, path, state.called.count((method, path)))
            state.called.append((method, path))
            if isinstance(fault, Reply) and fault.cut is None:
                answer = fault
            else:
                answer = self._act(method, path, sent)
        if isinstance(fault, Late):
            self._fail(fault.reply)
        elif isinstance(answer, Reply):
            self._fail(answer)
        else:
            self.send_reply(200, answer, {}, fault.cut if fault else None)

    def _act(self, method: str, path: str, sent: bytes) -> bytes | Reply:
        state = self.server.state
        parts = path.strip("/").split("/")
        match method, parts:
            case "GET", ["models"]:
                return json.dumps({"object": "list", "data": [{"id": m} for m in state.models]}).encode()
            case "POST", ["files"]:
                assert b'name="purpose"\r\n\r\nbatch\r\n' in sent
                name = state.put(_uploaded(sent))
                return json.dumps({"id": name, "object": "file", "purpose": "batch"}).encode()
            case "GET", ["files", name, "content"] if name in state.files:
                return state.files[name]
            case "POST", ["batches"]:
                return json.dumps(state.create(json.loads(sent))).encode()
            case "GET", ["batches"]:
                return json.dumps(self._page()).encode()
            case "GET", ["batches", name] if name in state.batches:
                return json.dumps(state.look(name)).encode()
            case "POST", ["batches", name, "cancel"] if name in state.batches:
                return json.dumps(state.cancel(name)).encode()
        return failure(404, f"there is no {path}")

    def _page(self) -> dict[str, Any]:
        state = self.server.state
        names = list(state.batches)[::-1]  # the newest first
        after = parse_qs(urlsplit(self.path).query).get("after", [""])[0]
        names = names[names.index(after) + 1 :] if after else names
        shown = [state.batches[name].fields for name in names[: state.page]]
        return {"object": "list", "data": shown, "has_more": len(names) > state.page}

    def _fail(self, reply: Reply) -> None:
        self._wait(reply)
        body = json.dumps(reply.error).encode() if reply.raw is None else reply.raw
        self.send_reply(reply.status, body, reply.headers, reply.cut)


def _uploaded(sent: bytes) -> bytes:
    """The file in a multipart body."""
    found = re.search(rb'name="file"; filename="[^"]+\.jsonl"\r\n[^\0]*?\r\n\r\n(.*?)\r\n--', sent, re.S)
    assert found, sent[:300]
    return found[1]


def tale(asked: Asked) -> Reply:
    """A context for whichever lighthouse is asked about, in the first words or in others."""
    said = " ".join(str(message["content"]) for message in asked.body["messages"])
    found = re.search(r"lighthouse number (\d+)", said)
    assert found, said
    number = found[1]
    return Reply(
        f"Context: The coast has many lights, and lighthouse number {number} is the least of them. It was "
        "built after the great storm, on a rock that the fishermen used to avoid, and for years nobody "
        "wanted to live there. Boats brought oil and bread in summer; in winter they rarely could. "
        f"In the end the office found somebody for it: Keeper {number} Holm kept the light until the "
        "lamp was replaced, and wrote a diary of which two volumes are left in the museum of the harbour."
    )


@contextmanager
def serve_batches(
    script: Script = lambda _: None, *, models: tuple[str, ...] = ("tiny",), key: str = "", **plan: Any
) -> Iterator[BatchServer]:
    """Run a server until the block ends; ``plan`` are fields of ``Plan``."""
    with running(BatchServer(script, list(models), key, Plan(**plan)), BatchHandler) as state:
        yield state
