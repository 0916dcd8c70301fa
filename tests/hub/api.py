"""Requests to the local Hub, replies, accounts, and who may do what; routes register here.

The routes themselves are in ``reading`` and ``writing``. Anything without a route is a 404.
Knows nothing of sockets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from .store import Refused, Repo, Store

_KINDS = {"datasets": "dataset", "models": "model", "spaces": "space"}
Handler = Callable[["Api", "Request"], "Reply"]
_ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


@dataclass(frozen=True, slots=True)
class User:
    """An account. ``role`` is what the token may do: "read" or "write"."""

    name: str
    role: str
    spaces: tuple[str, ...]


@dataclass(slots=True)
class Request:
    """One request, its path already cut into ``parts`` by the route that matched."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    user: User | None
    parts: dict[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body or b"{}")
        return value

    def flag(self, name: str) -> bool:
        return self.query.get(name, [""])[0].lower() in ("1", "true")


@dataclass(slots=True)
class Reply:
    """An answer. ``body`` is bytes, or something to send as JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """``{name}`` matches one segment, ``{name*}`` the rest of the path."""
    regex = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.*)", pattern)
    regex = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", regex)
    regex = regex.replace("/REPO", r"/(?P<kind>datasets|models|spaces)/(?P<owner>[^/]+)/(?P<name>[^/]+)")
    regex = regex.replace("/PLAIN", r"(/(?P<kind>datasets|spaces))?/(?P<owner>[^/]+)/(?P<name>[^/]+?)")

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, re.compile(regex), handler))
        return handler

    return register


class Api:
    """Dispatches requests; holds users and repositories."""

    def __init__(self) -> None:
        self.store = Store()
        self.users: dict[str, User] = {}
        self.endpoint = ""
        self.page = 1000
        self.part_bytes: int | None = None  # split uploads above this size into parts
        self.parts: dict[tuple[str, int], bytes] = {}
        self.instead: dict[str, bytes] = {}  # what a path is sent as, where that is not what it is

    def user_of(self, headers: Mapping[str, str]) -> User | None:
        """The account of the request's token; a token nobody has is refused."""
        token = headers.get("authorization", "").removeprefix("Bearer ").strip()
        if token and token not in self.users:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.users.get(token)

    def answer(self, request: Request) -> Reply:
        """Find the route and run it; refusals become replies as the Hub words them."""
        try:
            request.user = self.user_of(request.headers)
            for method, regex, handler in _ROUTES:
                found = regex.fullmatch(request.path)
                if found and method == request.method.replace("HEAD", "GET"):
                    request.parts = {key: unquote(value) for key, value in found.groupdict("").items()}
                    return handler(self, request)
            raise Refused(404, "Sorry, we can't find the page you are looking for.")
        except Refused as refused:
            return self.refuse(refused)

    @staticmethod
    def refuse(refused: Refused) -> Reply:
        headers = {"X-Error-Message": refused.message}
        if refused.code:
            headers["X-Error-Code"] = refused.code
        commit = refused.extra.pop("commit", "")
        if commit:
            headers["X-Repo-Commit"] = commit
        return Reply({"error": refused.message, **refused.extra}, refused.status, headers)

    def repo(self, request: Request, write: bool = False) -> Repo:
        """The repository of a request, if its sender may see it (and write to it)."""
        kind = _KINDS[request.parts["kind"] or "models"]
        repo_id = f"{request.parts['owner']}/{request.parts['name']}"
        repo, user = self.store.repos.get((kind, repo_id)), request.user
        member = user is not None and request.parts["owner"] in user.spaces
        if repo is None or (repo.private and not member):
            if user is None:
                raise Refused(401, "Invalid username or password.", "RepoNotFound")
            raise Refused(404, "Repository not found", "RepoNotFound")
        if write and user is None:
            raise Refused(401, "Invalid username or password.")
        if write and user is not None and user.role != "write":
            raise Refused(403, "Your token does not have the 'write' role")
        # Anyone who may read may open a pull request.
        if write and not member and not request.flag("create_pr"):
            raise Refused(403, f"You don't have the rights to write to {repo_id}")
        return repo

    def page_of(self, request: Request, items: list[Any]) -> Reply:
        """One page of a listing, with a link to the next one."""
        start = int(request.query.get("cursor", ["0"])[0])
        reply = Reply(items[start : start + self.page])
        if start + self.page < len(items):
            kept = "&".join(f"{k}={quote(v[0])}" for k, v in request.query.items() if k != "cursor")
            url = f"{self.endpoint}{request.path}?{kept}&cursor={start + self.page}"
            reply.headers["Link"] = f'<{url}>; rel="next"'
        return reply
