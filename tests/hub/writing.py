"""What changes on the local Hub: repositories, refs, uploads, commits and pull requests."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

from .api import Api, Reply, Request, User, route
from .store import Commit, File, Refused, Repo


@route("POST", "/api/repos/create")
def create(api: Api, request: Request) -> Reply:
    asked, user = request.json(), request.user
    if user is None:
        raise Refused(401, "Invalid username or password.")
    owner, kind = asked.get("organization") or user.name, asked.get("type") or "model"
    if user.role != "write" or owner not in user.spaces:
        raise Refused(403, f"You don't have the rights to create a {kind} under the namespace {owner}")
    repo_id, prefix = f"{owner}/{asked['name']}", "" if kind == "model" else f"{kind}s/"
    url = f"{api.endpoint}/{prefix}{repo_id}"
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    try:
        api.store.create(kind, repo_id, private, user.name)
    except Refused as refused:
        refused.extra["url"] = url
        raise
    return Reply({"url": url, "name": repo_id})


@route("DELETE", "/api/repos/delete")
def delete(api: Api, request: Request) -> Reply:
    asked = request.json()
    kind, owner = (
        asked.get("type") or "model",
        asked.get("organization") or (request.user or User("", "", ())).name,
    )
    request.parts = {"kind": f"{kind}s", "owner": owner, "name": asked["name"]}
    repo = api.repo(request, write=True)
    with api.store.lock:
        del api.store.repos[repo.kind, repo.id]
    return Reply({})


@route("POST", "/api/validate-yaml")
def validate(api: Api, request: Request) -> Reply:
    text = request.json()["content"]
    if not re.match(r"---\r?\n.*?\n---(\r?\n|$)", text, re.DOTALL):
        return Reply({"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
    if "\t" in text.split("---")[1]:
        return Reply({"errors": [{"message": "tab in yaml"}], "warnings": []}, 400)
    return Reply({"errors": [], "warnings": []})


@route("POST", "/api/REPO/tag/{rev}")
def tag(api: Api, request: Request) -> Reply:
    repo = api.repo(request, write=True)
    ref = f"refs/tags/{request.json()['tag']}"
    with api.store.lock:
        if ref in repo.refs:
            raise Refused(409, "Tag reference exists already")
        repo.refs[ref] = repo.find(request.parts["rev"]).oid
    return Reply({})


@route("POST", "/api/REPO/branch/{rev}")
def branch(api: Api, request: Request) -> Reply:
    repo = api.repo(request, write=True)
    ref = f"refs/heads/{request.parts['rev']}"
    with api.store.lock:
        if ref in repo.refs:
            raise Refused(409, "Reference already exists")
        repo.refs[ref] = repo.find(request.json().get("startingPoint") or "main").oid
    return Reply({})


@route("DELETE", "/api/REPO/{what}/{rev}")
def delete_ref(api: Api, request: Request) -> Reply:
    repo = api.repo(request, write=True)
    ref = {"tag": "refs/tags/", "branch": "refs/heads/"}.get(request.parts["what"], "?") + request.parts[
        "rev"
    ]
    with api.store.lock:
        if ref not in repo.refs:
            raise Refused(404, f"Invalid rev id: {request.parts['rev']}", "RevisionNotFound")
        del repo.refs[ref]
    return Reply({})


@route("POST", "/api/REPO/preupload/{rev}")
def preupload(api: Api, request: Request) -> Reply:
    repo = api.repo(request, write=True)
    commit = repo.find(request.parts["rev"])
    files = []
    for asked in request.json()["files"]:
        path, there = asked["path"], commit.tree.get(asked["path"])
        mode = "lfs" if repo.is_lfs(path, commit.tree) or asked["size"] > 10**7 else "regular"
        files.append(
            {"path": path, "uploadMode": mode, "shouldIgnore": False} | ({"oid": there.etag} if there else {})
        )
    return Reply({"files": files})


@route("POST", "/PLAIN.git/info/lfs/objects/batch")
def lfs_batch(api: Api, request: Request) -> Reply:
    # Whether it is for a pull request is not said here; the commit decides.
    request.query = {**request.query, "create_pr": ["1"]}
    repo = api.repo(request, write=True)
    objects = []
    for asked in request.json()["objects"]:
        entry: dict[str, Any] = {"oid": asked["oid"], "size": asked["size"]}
        if asked["oid"] not in repo.lfs:
            put = f"{api.endpoint}/lfs/{repo.kind}/{repo.id}/{asked['oid']}"
            header = {}
            if api.part_bytes and asked["size"] > api.part_bytes:
                numbers = range(1, -(-asked["size"] // api.part_bytes) + 1)
                header = {"chunk_size": str(api.part_bytes)} | {str(n): f"{put}/{n}" for n in numbers}
            entry["actions"] = {
                "upload": {"href": put, "header": header},
                "verify": {"href": f"{put}/verify", "header": {}},
            }
        objects.append(entry)
    return Reply({"transfer": "basic", "objects": objects})


def _stored(api: Api, request: Request) -> Repo:
    part = request.parts
    return api.store.repos[part["type"], f"{part['owner']}/{part['name']}"]


@route("PUT", "/lfs/{type}/{owner}/{name}/{oid}")
def lfs_put(api: Api, request: Request) -> Reply:
    return _keep(_stored(api, request), request.parts["oid"], request.body)


@route("PUT", "/lfs/{type}/{owner}/{name}/{oid}/{part}")
def lfs_part(api: Api, request: Request) -> Reply:
    api.parts[request.parts["oid"], int(request.parts["part"])] = request.body
    return Reply(headers={"ETag": hashlib.md5(request.body).hexdigest()})


@route("POST", "/lfs/{type}/{owner}/{name}/{oid}")
def lfs_complete(api: Api, request: Request) -> Reply:
    oid, listed = request.parts["oid"], request.json()["parts"]
    whole = b"".join(api.parts[oid, one["partNumber"]] for one in listed)
    return _keep(_stored(api, request), oid, whole)


@route("POST", "/lfs/{type}/{owner}/{name}/{oid}/verify")
def lfs_verify(api: Api, request: Request) -> Reply:
    content = _stored(api, request).lfs.get(request.parts["oid"])
    if content is None or len(content) != request.json()["size"]:
        raise Refused(404, "Object not found")
    return Reply({})


def _keep(repo: Repo, oid: str, content: bytes) -> Reply:
    if hashlib.sha256(content).hexdigest() != oid:
        raise Refused(400, "The content does not match its sha256")
    repo.lfs[oid] = content
    return Reply({})


@route("POST", "/api/REPO/commit/{rev}")
def commit(api: Api, request: Request) -> Reply:
    repo = api.repo(request, write=True)
    lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
    header = lines[0]["value"]
    with api.store.lock:
        base, pulling = repo.find(request.parts["rev"]), request.flag("create_pr")
        parent = header.get("parentCommit")
        if parent and pulling:
            base = repo.find(parent)
        elif parent and parent != base.oid:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        rev = request.parts["rev"]
        ref = rev if rev.startswith("refs/") else f"refs/heads/{rev}"
        if pulling:
            ref = f"refs/pr/{1 + len(repo.names('refs/pr/'))}"
        elif ref not in repo.refs:
            raise Refused(404, f"{rev} is not a branch", "RevisionNotFound")
        message = f"{header['summary']}\n\n{header.get('description', '')}"
        made = repo.record(
            ref, _changed(repo, base, lines[1:]), base.oid, message, (request.user or User("", "", ())).name
        )
    place = f"{api.endpoint}/{repo.kind}s/{repo.id}"
    answer = {"success": True, "commitOid": made.oid, "commitUrl": f"{place}/commit/{made.oid}"}
    pull = {"pullRequestUrl": f"{place}/discussions/{ref.rsplit('/', 1)[1]}"} if pulling else {}
    return Reply(answer | pull)


def _changed(repo: Repo, base: Commit, lines: list[dict[str, Any]]) -> dict[str, File]:
    result = dict(base.tree)
    for line in lines:
        value = line["value"]
        path = value["path"]
        if line["key"] == "file":
            if repo.is_lfs(path, result):
                raise Refused(400, f"{path} has to be uploaded with LFS")
            result[path] = File(base64.b64decode(value["content"]), lfs=False)
        elif line["key"] == "lfsFile":
            if value["oid"] not in repo.lfs:
                raise Refused(400, f"LFS object of {path} was not uploaded")
            result[path] = File(repo.lfs[value["oid"]], lfs=True)
        elif line["key"] == "deletedFile":
            if result.pop(path, None) is None:
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
        elif line["key"] == "deletedFolder":
            result = {
                name: file for name, file in result.items() if not name.startswith(path.rstrip("/") + "/")
            }
        else:
            raise Refused(400, f"unknown operation {line['key']}")
    return result
