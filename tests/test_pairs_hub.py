"""Pairs from the Hub and from dataset folders: a small Hub on loopback, or none at all."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from synthesis.errors import SourceError
from synthesis.sources.hub import HubSource, parse_hub, redact
from synthesis.sources.pairs import read_pairs
from tests.hub.cards import EASY_AND_HARD
from tests.ports import nobody
from tests.programs import run_python

TOKEN = "hf_thisIsNotARealToken"
SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "README.md": f"{EASY_AND_HARD}# Riddles\n",
    "easy/train.jsonl": '{"question": "easy?", "answer": "one"}\n{"question": "easy?", "answer": ""}\n',
    "easy/test.jsonl": '{"question": "easy test?", "answer": "two"}\n',
    "hard.jsonl": '{"question": "hard?", "answer": "three", "level": 3}\n',
}
# The process under test reads its environment at import, so it has to be one of its own.
READER = """
import json, sys
from synthesis.data import Pair
from synthesis.errors import SourceError
from synthesis.sources.pairs import describe_source, read_pairs
for source, options in json.load(sys.stdin):
    describe = options.pop("describe", False)
    try:
        if describe:
            result = describe_source(source, **options)
        else:
            found = list(read_pairs(source, **options))
            result = [[o.answer, o.task] if isinstance(o, Pair) else [o.pair_id, o.reason] for o in found]
    except SourceError as error:
        result = str(error)
        assert error.__suppress_context__ or error.__context__ is None  # it may carry the token
    print(json.dumps(result))
"""


def read_apart(home: Path, *cases: tuple[str, dict[str, Any]], **environment: str) -> list[Any]:
    """The results of reading each case in another process, which must print nothing else."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    settings = {
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        **environment,
    }
    done = run_python("-c", READER, said=json.dumps(cases), alone=clean | settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


class Hub(BaseHTTPRequestHandler):
    """Just enough of the Hub to read one public dataset; others are missing or gated."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        owner = path.removeprefix("/api").removeprefix("/datasets/").split("/")[0]
        if owner == "gated":
            return self.reply(403, {"error": "Access is restricted"}, **{"X-Error-Code": "GatedRepo"})
        if owner != "org":
            return self.reply(401, {"error": f"Unknown to {TOKEN}"}, **{"X-Error-Code": "RepoNotFound"})
        if "/tree/" in path:
            under = path.split("/tree/", 1)[1].partition("/")[2]
            listed = [self.entry(name) for name in FILES if name.startswith(under)]
            return self.reply(200, listed)
        if "/resolve/" in path:
            return self.resolve(path.split("/resolve/", 1)[1].partition("/")[2])
        siblings = [{"rfilename": name} for name in FILES]
        return self.reply(200, {"id": "org/riddles", "sha": SHA, "siblings": siblings, "tags": []})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        names = [name for name in FILES if name in unquote(body)]
        self.reply(200, [self.entry(name) for name in names])

    def entry(self, name: str) -> dict[str, Any]:
        return {"type": "file", "path": name, "size": len(FILES[name]), "oid": SHA}

    def resolve(self, name: str) -> None:
        if name not in FILES:
            return self.reply(404, {"error": "no"}, **{"X-Error-Code": "EntryNotFound", "X-Repo-Commit": SHA})
        body = FILES[name].encode()
        return self.send(200, body, **{"ETag": f'"{name}"', "X-Repo-Commit": SHA})

    def reply(self, status: int, value: Any, **headers: str) -> None:
        self.send(status, json.dumps(value).encode(), **{"Content-Type": "application/json"} | headers)

    def send(self, status: int, body: bytes, **headers: str) -> None:
        wanted = self.headers.get("Range", "")
        if status == 200 and wanted.startswith("bytes="):
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            total, first = len(body), int(start)
            body = body[first : int(end) + 1 if end else total]
            status, headers = (
                206,
                headers | {"Content-Range": f"bytes {first}-{first + len(body) - 1}/{total}"},
            )
        self.send_response(status)
        for header, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(header, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_hub_dataset_is_streamed(hub: str, tmp_path: Path) -> None:
    easy, hard, test, file, folder, described, pinned = read_apart(
        tmp_path,
        ("org/riddles", {"config": "easy", "token": TOKEN}),
        ("org/riddles", {"config": "hard"}),
        ("hf://datasets/org/riddles", {"config": "easy", "split": "test", "task": "given"}),
        ("hf://datasets/org/riddles/hard.jsonl", {}),
        ("hf://datasets/org/riddles@main/easy", {}),
        ("org/riddles", {"config": "easy", "token": TOKEN, "describe": True}),
        ("hf://datasets/org/riddles/hard.jsonl", {"describe": True}),
        HF_ENDPOINT=hub,
    )
    assert easy == [["one", "riddles"], ["org/riddles:2", "answer is empty"]]
    assert hard == [["three", "riddles"]]
    assert test == [["two", "given"]]
    assert file == [["three", "hard"]]
    assert folder == [["one", "riddles"], ["train.jsonl:2", "answer is empty"]]  # not test.jsonl
    named = {"kind": "hub", "name": "org/riddles", "revision": SHA}
    assert described == named | {"config": "easy", "split": "train"}
    assert pinned == named | {"path": "hard.jsonl"}


def test_config_and_split_may_stand_behind_the_source(hub: str, tmp_path: Path) -> None:
    behind, beside, described, otherwise, columns, wrong = read_apart(
        tmp_path,
        ("org/riddles?config=easy&split=test", {}),
        ("org/riddles?split=test", {"config": "easy"}),
        ("org/riddles?config=easy&split=test", {"describe": True}),
        ("org/riddles?config=easy", {"config": "hard"}),
        ("org/riddles?columns=question", {}),
        ("org/riddles?config=", {}),
        HF_ENDPOINT=hub,
    )
    assert behind == beside == [["two", "riddles"]]
    assert (described["name"], described["config"], described["split"]) == ("org/riddles", "easy", "test")
    assert "otherwise than --pairs-config hard" in otherwise
    assert "--column instruction=NAME" in columns
    assert "SOURCE?split=test" in wrong


def test_what_the_hub_refuses_is_explained_without_the_token(hub: str, tmp_path: Path) -> None:
    missing, gated, config, split, file = read_apart(
        tmp_path,
        ("nobody/nothing", {"token": TOKEN}),
        ("gated/riddles", {"token": TOKEN}),
        ("org/riddles", {"config": "absent", "token": TOKEN}),
        ("org/riddles", {"config": "easy", "split": "dev"}),
        ("hf://datasets/org/riddles/none.jsonl", {}),
        HF_ENDPOINT=hub,
    )
    assert "nobody/nothing" in missing and "Check the spelling of ORG/NAME" in missing
    assert "HF_TOKEN" in missing and "hf auth login" in missing
    assert "Ask for access on the dataset's page" in gated and "hf auth login" in gated
    assert "'easy', 'hard'" in config and "--pairs-config" in config
    assert "'train', 'test'" in split and "--split" in split
    assert "holds no file at 'none.jsonl'" in file
    assert not [text for text in (missing, gated, config, split, file) if TOKEN in text]


def test_a_token_that_no_header_can_carry_is_not_shown(hub: str, tmp_path: Path) -> None:
    for asked in (("org/riddles", {"token": "secré token"}), ("org/riddles", {})):
        (text,) = read_apart(tmp_path, asked, HF_ENDPOINT=hub, HF_TOKEN="secré")
        assert "Set HF_TOKEN again" in text and "secré" not in text


def test_offline_says_so(tmp_path: Path) -> None:
    cases = ("org/riddles", "hf://datasets/org/riddles/hard.jsonl", "hf://datasets/org/riddles")
    asked: list[tuple[str, dict[str, Any]]] = [(case, {"token": TOKEN}) for case in cases]
    results = read_apart(tmp_path, *asked, ("org/riddles", {"describe": True}), HF_HUB_OFFLINE="1")
    assert len(results) == 4
    for text in results:
        assert text.startswith("org/riddles: ") and TOKEN not in text
        assert "Unset HF_HUB_OFFLINE to reach the Hub, or give a local file or folder." in text


def test_an_unreachable_hub_says_so(tmp_path: Path) -> None:
    (text,) = read_apart(tmp_path, ("org/riddles", {}), HF_ENDPOINT=nobody())
    assert "Check the network, HF_ENDPOINT and proxies" in text


def test_a_dataset_folder_has_configs_and_splits(tmp_path: Path) -> None:
    folder = tmp_path / "riddles"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    easy, test, hard, absent, described = read_apart(
        tmp_path / "home",
        (str(folder), {"config": "easy"}),
        (str(folder), {"config": "easy", "split": "test"}),
        (str(folder), {"config": "hard"}),
        (str(folder), {"config": "easy", "split": "dev"}),
        (str(folder), {"config": "easy", "describe": True}),
        HF_HUB_OFFLINE="1",
    )
    assert easy == [["one", "riddles"], [f"{folder}:2", "answer is empty"]]
    assert test == [["two", "riddles"]]
    assert hard == [["three", "riddles"]]
    assert "'train', 'test'" in absent and "--split" in absent
    assert described["kind"] == "dataset-folder" and described["config"] == "easy"
    assert [Path(entry["path"]).name for entry in described["files"]] == [
        "test.jsonl",
        "train.jsonl",
        "hard.jsonl",
    ]


def test_what_is_a_hub_id() -> None:
    assert parse_hub("org/name") == HubSource("org/name")
    assert parse_hub("org/name@v1.0") == HubSource("org/name", "v1.0")
    assert parse_hub("hf://datasets/org/name@v1/a/b.jsonl") == HubSource("org/name", "v1", "a/b.jsonl")
    assert parse_hub("org/name/file") is None
    assert parse_hub("name") is None


@pytest.mark.parametrize(
    "source", [f"https://user:{TOKEN}@example.org/x.jsonl", "hf://org/name/x.jsonl", "s3://a/b"]
)
def test_other_addresses_are_refused(source: str) -> None:
    with pytest.raises(SourceError, match="hf://datasets/ORG/NAME") as caught:
        read_pairs(source)
    assert TOKEN not in str(caught.value)


def test_redact() -> None:
    assert redact("secret-1 and hf_abcdefgh.", "secret-1") == "[token] and [token]."
