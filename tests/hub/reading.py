"""What the local Hub tells: accounts, repositories, trees, files, refs, histories.

The fields and headers are those that the real clients read.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import parse_qs

from .api import Api, Reply, Request, route
from .store import Commit, File, Refused


@route("GET", "/api/whoami-v2")
def whoami(api: Api, request: Request) -> Reply:
    if request.user is None:
        raise Refused(401, "Invalid username or password.")
    user = request.user
    orgs = [{"name": name, "type": "org", "roleInOrg": "write"} for name in user.spaces[1:]]
    access = {"type": "access_token", "accessToken": {"displayName": "test", "role": user.role}}
    return Reply({"type": "user", "name": user.name, "fullname": user.name, "orgs": orgs, "auth": access})


@route("GET", "/api/REPO")
@route("GET", "/api/REPO/revision/{rev}")
def info(api: Api, request: Request) -> Reply:
    repo = api.repo(request)
    commit = repo.find(request.parts.get("rev") or "main")
    sizes = request.flag("blobs")
    siblings = [
        {"rfilename": path} | (_described(path, file) | {"blobId": file.oid} if sizes else {})
        for path, file in sorted(commit.tree.items())
    ]
    return Reply(
        {
            "id": repo.id,
            "author": repo.id.split("/")[0],
            "sha": commit.oid,
            "private": repo.private,
            "gated": False,
            "disabled": False,
            "tags": [],
            "lastModified": _date(commit),
            "siblings": siblings,
        }
    )


@route("GET", "/api/REPO/tree/{rev}")
@route("GET", "/api/REPO/tree/{rev}/{path*}")
def tree(api: Api, request: Request) -> Reply:
    commit = api.repo(request).find(request.parts["rev"])
    under = request.parts.get("path", "").strip("/")
    prefix = f"{under}/" if under else ""
    inside = {path: file for path, file in commit.tree.items() if path.startswith(prefix)}
    if under and not inside:
        raise Refused(404, f"{under} does not exist on this revision", "EntryNotFound", commit=commit.oid)
    deep = request.flag("recursive")
    entries = [
        _entry(path, file, commit, request.flag("expand"))
        for path, file in inside.items()
        if deep or "/" not in path.removeprefix(prefix)
    ]
    folders = {
        prefix + "/".join(parts[:depth])
        for parts in (path.removeprefix(prefix).split("/") for path in inside)
        for depth in range(1, len(parts) if deep else min(len(parts), 2))
    }
    entries += [_folder(path, commit) for path in folders]
    return api.page_of(request, sorted(entries, key=lambda entry: str(entry["path"])))


@route("POST", "/api/REPO/paths-info/{rev}")
def paths_info(api: Api, request: Request) -> Reply:
    commit = api.repo(request).find(request.parts["rev"])
    if "json" in request.headers.get("content-type", ""):
        paths, expand = request.json()["paths"], bool(request.json().get("expand"))
    else:
        form = parse_qs(request.body.decode())
        paths, expand = form.get("paths", []), form.get("expand", [""])[0].lower() == "true"
    entries = []
    for path in paths:
        if path in commit.tree:
            entries.append(_entry(path, commit.tree[path], commit, expand))
        elif any(other.startswith(f"{path}/") for other in commit.tree):
            entries.append(_folder(path, commit))
    return Reply(entries)


@route("GET", "/PLAIN/resolve/{rev}/{path*}")
def resolve(api: Api, request: Request) -> Reply:
    repo = api.repo(request)
    commit = repo.find(request.parts["rev"])
    file = commit.tree.get(request.parts["path"])
    if file is None:
        raise Refused(404, "Entry not found", "EntryNotFound", commit=commit.oid)
    content = api.instead.get(request.parts["path"], file.content)
    headers = {
        "ETag": f'"{file.etag}"',
        "X-Repo-Commit": commit.oid,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    }
    if file.lfs:
        headers |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{file.etag}"'}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if not wanted:
        return Reply(content, 200, headers)
    total = len(content)
    first, last = wanted.groups()
    start = int(first) if first else max(total - int(last), 0)
    end = min(int(last) + 1 if first and last else total, total)
    if start >= end:
        return Reply(b"", 416, headers | {"Content-Range": f"bytes */{total}"})
    return Reply(content[start:end], 206, headers | {"Content-Range": f"bytes {start}-{end - 1}/{total}"})


@route("GET", "/api/REPO/refs")
def refs(api: Api, request: Request) -> Reply:
    repo = api.repo(request)

    def listed(prefix: str) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": prefix + name, "targetCommit": oid}
            for name, oid in repo.names(prefix).items()
        ]

    pulls = {"pullRequests": listed("refs/pr/")} if request.flag("include_prs") else {}
    return Reply({"branches": listed("refs/heads/"), "tags": listed("refs/tags/"), "converts": []} | pulls)


@route("GET", "/api/REPO/commits/{rev}")
def commits(api: Api, request: Request) -> Reply:
    repo = api.repo(request)
    found = [
        {
            "id": commit.oid,
            "title": commit.title,
            "message": commit.message,
            "authors": [{"user": commit.author}],
            "date": _date(commit),
        }
        for commit in repo.history(repo.find(request.parts["rev"]))
    ]
    return api.page_of(request, found)


def _date(commit: Commit) -> str:
    return commit.date.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _described(path: str, file: File) -> dict[str, Any]:
    size = len(file.content)
    large = {"lfs": {"oid": file.sha256, "size": size, "pointerSize": len(file.pointer)}} if file.lfs else {}
    if file.lfs:
        large["lfs"]["sha256"] = file.sha256
    return {"path": path, "size": size, "oid": file.oid} | large


def _entry(path: str, file: File, commit: Commit, expand: bool) -> dict[str, Any]:
    more = {"lastCommit": {"id": commit.oid, "title": commit.title, "date": _date(commit)}} if expand else {}
    return {"type": "file"} | _described(path, file) | more


def _folder(path: str, commit: Commit) -> dict[str, Any]:
    return {
        "type": "directory",
        "path": path,
        "oid": hashlib.sha1(f"{commit.oid}{path}".encode()).hexdigest(),
    }
