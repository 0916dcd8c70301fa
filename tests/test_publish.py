"""Publishing, with the real clients against a local Hub: versions, conflicts, breaks, refusals."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import builder.hub.publish as publication
from builder.folder.versions import read_manifests
from builder.hub import verify
from builder.hub.publish import PublishResult, publish
from builder.hub.repository import Hub
from builder.hub.trouble import HubError
from synthesis.errors import ContextSynthesisError, FolderError, UsageError
from tests.hub import LocalHub
from tests.hub.folders import build, chat, config, raw, usual
from tests.ports import nobody
from tests.programs import running

pytest_plugins = ["tests.hub.fixtures"]
# The client's own upload of large files uses a deprecated spelling of its HTTP library.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPO = "ada/long"
LOADER = """
import datasets, json, os, sys
datasets.disable_progress_bars()
for repo, name, revision, streaming in json.load(sys.stdin):
    rows = datasets.load_dataset(repo, name, split="train", revision=revision, streaming=streaming)
    print(json.dumps([row for row in rows]), flush=True)
os._exit(0)  # threads left by streaming can bring an orderly exit down
"""
Send = Callable[..., PublishResult]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """All waits asked for, none of them waited."""
    asked: list[float] = []
    sleep = time.sleep

    def quick(seconds: float) -> None:
        asked.append(seconds)
        sleep(min(seconds, 0.01))

    monkeypatch.setattr(time, "sleep", quick)
    return asked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    usual(tmp_path / "run" / "dataset")
    return tmp_path / "run" / "dataset"


@pytest.fixture
def send(hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Send:
    """``publish`` to the local Hub as ada. It loads nothing back, which takes seconds, unless told to."""
    real, checks = verify.problems_with, [False]
    monkeypatch.setattr(publication, "problems_with", lambda *job: real(*job) if checks[0] else [])

    def send(source: Path = folder, repo: str = REPO, check: bool = False, **options: Any) -> PublishResult:
        checks[0] = check
        return publish(source, repo, **{"token": hub.token, "endpoint": hub.endpoint, **options})

    return send


def load(hub: LocalHub, home: Path, *cases: tuple[str, str | None, str | None, bool]) -> list[Any]:
    """Rows that plain ``datasets`` loads, in a process of its own."""
    return hub.ask(LOADER, cases, home)


def hf(hub: LocalHub, tmp_path: Path, *arguments: object) -> None:
    """Run the Hub's own command."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("hf")), *map(str, arguments)],
        env=hub.environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def tags(hub: LocalHub, repo: str = REPO) -> dict[str, str]:
    return hub.repo(repo).names("refs/tags/")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def writes(hub: LocalHub) -> list[str]:
    return [f"{one.method} {one.path}" for one in hub.trouble.log if one.method not in ("GET", "HEAD")]


# --- the whole way -----------------------------------------------------------------------


def test_one_commit_one_tag_and_everybody_can_load_it(
    hub: LocalHub, folder: Path, tmp_path: Path, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    steps: list[str] = []
    result = send(folder.parent, check=True, private=True, on_step=steps.append)
    assert hub.repo(REPO).private
    assert [one.title for one in hub.log_of(REPO)] == [
        "Release v1.0.0: m 1.0.0, m-chat-8k 1.0.0, m-rejected 1.0.0",
        "initial commit",
    ]
    assert result.version == "v1.0.0"
    assert result.commit == hub.head(REPO).oid == tags(hub)["v1.0.0"]
    assert result.url == f"{hub.endpoint}/datasets/{REPO}"
    assert result.configs == {"m": "1.0.0", "m-chat-8k": "1.0.0", "m-rejected": "1.0.0"}
    there = {path: data for path, data in hub.files(REPO).items() if path != ".gitattributes"}
    assert result.uploaded_bytes == sum(map(len, there.values())) and result.skipped_bytes == 0
    data = {path: text for path, text in contents(folder).items() if path.startswith("data/")}
    assert {path: text for path, text in there.items() if path.startswith("data/")} == data
    # It is marked here and there, and the folder still builds to the same.
    assert all(one.published for versions in read_manifests(folder).values() for one in versions)
    assert there["manifests/m/1.0.0.json"] == (folder / "manifests/m/1.0.0.json").read_bytes()
    assert not any(one.built for one in usual(folder).configs)
    # What plain datasets reads is what was built.
    cases = [
        (REPO, None, None, False),
        (REPO, "m-v1.0.0", "v1.0.0", False),
        (REPO, "m-chat-8k", "v1.0.0", True),
        (REPO, "m", "main", True),
    ]
    assert load(hub, tmp_path / "home", *cases) == [raw(4), raw(4), chat(3), raw(4)]
    assert f'load_dataset("{REPO}", "m", split="train")' in there["README.md"].decode()
    # The login is in no step, log line, file, address or field.
    told = [*steps, caplog.text, repr(result), *(one.path + one.query for one in hub.trouble.log)]
    assert not [text for text in told if hub.token in text]
    assert not [path for path, text in (there | contents(folder)).items() if hub.token.encode() in text]
    assert any(step.startswith("loading 3 configs back at v1.0.0") for step in steps)


def test_a_dry_run_says_it_all_and_writes_nothing(hub: LocalHub, folder: Path, send: Send) -> None:
    before = contents(folder)
    told = send(dry_run=True, private=True)
    assert (told.version, told.commit) == ("v1.0.0", None)
    assert told.plan[0] == f"create private dataset {REPO}"
    path = next(path for path in before if path.startswith("data/m/"))
    assert any(re.fullmatch(rf"add {path} \([\d.]+ kB\)", line) for line in told.plan)
    assert "tag v1.0.0" in told.plan and "config m = 1.0.0 (4 rows)" in told.plan
    assert writes(hub) == [] and not hub.has(REPO) and contents(folder) == before
    assert publish(folder, REPO, dry_run=True, endpoint=hub.endpoint).plan[0].startswith("create public")
    done = send(private=True)
    assert (done.plan, done.uploaded_bytes) == (told.plan, told.uploaded_bytes)


def test_versions_follow_from_what_changed(hub: LocalHub, folder: Path, tmp_path: Path, send: Send) -> None:
    first = send()
    again = send()
    assert (again.version, again.commit, again.uploaded_bytes) == ("v1.0.0", first.commit, 0)
    assert "nothing to do: all of it is in v1.0.0" in again.plan
    assert again.skipped_bytes == sum(len(v) for k, v in contents(folder).items() if k.endswith(".parquet"))
    usual(folder, rows=6)
    assert send().version == "v1.1.0"
    usual(folder, rows=6, word="radio")
    assert send().version == "v2.0.0"
    build(folder, config("extra", raw(2)), license="mit")
    assert send().version == "v2.1.0"
    (folder / "figures").mkdir()
    (folder / "figures" / "lengths.png").write_bytes(b"\x89PNG")
    changed = send()
    assert changed.version == "v2.1.1"
    assert [line for line in changed.plan if line.startswith(("add", "update"))] == [
        "add figures/lengths.png (4 B)",
        next(line for line in changed.plan if line.startswith("update README.md")),
    ]
    assert len(hub.log_of(REPO)) == 6 and len(tags(hub)) == 5
    card = hub.files(REPO)["README.md"].decode()
    for name in ("m", "m-v1.0.0", "m-v1.1.0", "m-v2.0.0", "extra", "m-chat-8k-v1.0.0"):
        assert f"config_name: {name}\n" in card
    # A release stays what it was.
    old = hub.files(REPO, "v1.0.0")
    assert {path: hub.files(REPO)[path] for path in old if path.startswith("data/")} == {
        path: data for path, data in old.items() if path.startswith("data/")
    }
    assert send(version="3.0.0").version == "v3.0.0"
    assert tags(hub)["v3.0.0"] == tags(hub)["v2.1.1"]


def test_the_order_of_a_folder_is_no_change_when_it_is_published_again(hub, send, tmp_path) -> None:
    folder = tmp_path / "other" / "dataset"
    # As after ``assemble --lengths 2k``: the newest first, not by name.
    build(folder, *(config(name, chat(2), "chat") for name in ("m-chat-8k", "m-chat-2k")))
    first = send(folder)
    card = hub.files(REPO)["README.md"]
    again = send(folder)
    assert (first.version, again.version) == ("v1.0.0", "v1.0.0")
    assert "nothing to do: all of it is in v1.0.0" in again.plan
    assert hub.files(REPO)["README.md"] == card


def test_a_second_model_joins_the_repository(hub: LocalHub, tmp_path: Path, send: Send) -> None:
    send()
    other = tmp_path / "other"
    usual(other, "zeta", rows=2, word="lamp")
    result = send(other, check=True)
    assert result.version == "v1.1.0"
    cases = [(REPO, name, None, False) for name in (None, "m", "zeta", "zeta-chat-8k-v1.1.0")]
    assert load(hub, tmp_path / "home", *cases) == [raw(4), raw(4), raw(2, "lamp"), chat(3)]
    assert {path for path in hub.files(REPO) if path.endswith(".json")} == {
        f"manifests/{name}{end}/{number}.json"
        for name, number in (("m", "1.0.0"), ("zeta", "1.1.0"))
        for end in ("", "-chat-8k", "-rejected")
    }
    assert "| `zeta` | raw |" in hub.files(REPO)["README.md"].decode()


def test_a_run_of_another_machine_counts_on_from_what_is_there(
    hub: LocalHub, folder: Path, tmp_path: Path, send: Send
) -> None:
    send(version="1.0.0")
    old = {path: data for path, data in hub.files(REPO).items() if path.startswith(("data/", "manifests/"))}
    other = tmp_path / "elsewhere" / "dataset"
    usual(other, rows=9)
    before = contents(other)
    told = send(other, version="1.1.0", dry_run=True)
    assert "config m = 1.1.0 (9 rows), built as 1.0.0" in told.plan
    assert "config m-chat-8k = 1.0.0 (3 rows)" in told.plan
    hub.forget()
    result = send(other, version="1.1.0", check=True)
    assert result.version == "v1.1.0" and result.plan == told.plan
    assert result.configs == {"m": "1.1.0", "m-chat-8k": "1.0.0", "m-rejected": "1.0.0"}
    # Only what is new was sent, and what was there is as it was, at both tags and at the head.
    assert len(hub.seen("PUT", "/lfs/")) == 1
    there = hub.files(REPO)
    assert {path: there[path] for path in old} == old and hub.files(REPO, "v1.0.0").keys() < there.keys()
    manifest = json.loads(there["manifests/m/1.1.0.json"])
    assert manifest["version"] == "1.1.0" and manifest["files"][0]["path"] in there
    cases = [
        (REPO, "m", "main", False),
        (REPO, "m-v1.1.0", "v1.1.0", False),
        (REPO, "m-v1.0.0", "v1.1.0", True),
        (REPO, "m", "v1.0.0", False),
        (str(other), "m", None, False),
        (str(other), "m-v1.0.0", None, False),
    ]
    nine = raw(9)
    assert load(hub, tmp_path / "home", *cases) == [nine, nine, raw(4), raw(4), nine, nine]
    # The folder's data and card stay; what it was published as is noted, and the next build counts on.
    after = contents(other)
    changed = {path for path in after if after[path] != before.get(path)}
    assert changed - {"manifests/.checks"} == {
        f"manifests/{name}/1.0.0.json" for name in ("m", "m-chat-8k", "m-rejected")
    }
    again = send(other)
    assert (again.version, again.uploaded_bytes) == ("v1.1.0", 0)
    assert send(other, version="1.1.0").uploaded_bytes == 0
    assert usual(other, rows=11).configs[0].version == "1.2.0"
    assert send(other).configs["m"] == "1.2.0"


def test_the_number_says_what_changed(hub: LocalHub, folder: Path, tmp_path: Path, send: Send) -> None:
    send()

    def reason(name: str, *configs: Any, **facts: Any) -> str:
        build(tmp_path / name, *(configs or [config("m", raw(6))]), **facts)
        plan = send(tmp_path / name, dry_run=True).plan
        return next((line for line in plan if line.startswith("number")), "")

    assert reason("more") == "number v1.1.0: minor: 'm' has more rows"
    assert reason("new", config("n", raw(2))) == "number v1.1.0: minor: 'n' is new"
    assert reason("card", config("m", raw(4)), license="mit") == "number v1.0.1: patch: no rows changed"
    assert reason("same", config("m", raw(4)), license="cc-by-4.0") == ""
    assert reason("rejected", config("m-rejected", [], "rejected"), config("m", raw(4))).startswith(
        "number v1.1.0: minor: 'm-rejected' was brought"
    )
    other = "number v2.0.0: major: 'm' "
    assert reason("fewer", config("m", raw(2))) == f"{other}has 2 rows and had 4"
    assert reason("model", model="x") == f"{other}was made with another model"
    assert reason("kind", config("m", chat(9), "chat")) == f"{other}is chat and was raw"
    longer = raw(6)
    longer[0] |= {"words": 99}
    assert reason("texts", config("m", longer)) == f"{other}lacks or changed 1 of 4 rows"
    assert reason("gone", config("m", raw(6)[1:])) == f"{other}lacks or changed 1 of 4 rows"
    assert reason("words", config("m", raw(4, "radio"))) == f"{other}has the same rows with other texts"
    # To see it, no data was fetched: the repository's texts stay where they are.
    read = [one for one in hub.trouble.log if one.method == "GET" and one.path.endswith(".parquet")]
    assert read and all("range" in one.headers for one in read)


def test_whoever_was_overtaken_changes_nothing(
    hub: LocalHub, folder: Path, tmp_path: Path, send: Send
) -> None:
    send()
    usual(tmp_path / "other", rows=9)
    build(tmp_path / "other", license="mit", pretty_name="Later")
    send(tmp_path / "other")
    head = hub.head(REPO).oid
    result = send()
    assert (result.version, result.uploaded_bytes, hub.head(REPO).oid) == ("v1.1.0", 0, head)
    assert "config m = 1.0.0 (4 rows); the newest there is 1.1.0" in result.plan
    assert "nothing to do: all of it is in v1.1.0" in result.plan
    assert send(version="1.0.0").commit == tags(hub)["v1.0.0"]


def test_a_published_version_never_changes(hub: LocalHub, folder: Path, send: Send) -> None:
    send()
    path = next(path for path in hub.files(REPO) if path.startswith("data/m/"))
    hub.seed(REPO, {path: b"PAR1 of somebody"})
    head = hub.head(REPO).oid
    told = r"data/m/1\.0\.0/.* is not what was published as 'm' 1\.0\.0.*Revert the commit"
    with pytest.raises(UsageError, match=told) as caught:
        send()
    assert hub.head(REPO).oid == head and caught.value.exit_code == 2


def test_a_history_moves_to_another_repository(hub: LocalHub, folder: Path, send: Send) -> None:
    send()
    usual(folder, rows=6)
    send()
    result = send(repo="ada/copy")
    assert (result.version, result.configs["m"]) == ("v1.1.0", "1.1.0")
    there = hub.files("ada/copy")
    for number in ("1.0.0", "1.1.0"):
        assert there[f"manifests/m/{number}.json"] == hub.files(REPO)[f"manifests/m/{number}.json"]
    assert send(repo="ada/copy").uploaded_bytes == 0 == send().uploaded_bytes


def test_a_version_that_was_asked_for(hub: LocalHub, folder: Path, send: Send) -> None:
    assert send(version="0.3.0").version == "v0.3.0"
    usual(folder, rows=5)
    head = hub.head(REPO).oid
    with pytest.raises(UsageError, match=r"release v0\.3\.0 already.*Publish as 0\.4\.0"):
        send(version="v0.3.0")
    with pytest.raises(UsageError, match="'1.2' is not a version"):
        send(version="1.2")
    assert hub.head(REPO).oid == head
    assert send(version="0.9.0").version == "v0.9.0"


def test_hf_upload_of_the_folder_works_as_well(
    hub: LocalHub, folder: Path, tmp_path: Path, send: Send
) -> None:
    hf(hub, tmp_path, "upload", REPO, folder, ".", "--repo-type", "dataset")
    assert load(hub, tmp_path / "home", (REPO, "m", None, False), (REPO, "m-chat-8k-v1.0.0", None, True)) == [
        raw(4),
        chat(3),
    ]
    # Publishing it afterwards sends no data again.
    hub.forget()
    result = send()
    assert result.version == "v1.0.0" and hub.seen("PUT") == []
    assert result.skipped_bytes > 0


# --- others at the same time -------------------------------------------------------------


def test_two_writers_at_once_both_succeed(hub: LocalHub, tmp_path: Path, send: Send) -> None:
    hub.seed(REPO, {"notes.md": "before"})
    barrier = threading.Barrier(2, timeout=60)
    # Both have looked, and send their commits at the same moment.
    hub.before_next("POST", "/commit/", barrier.wait, times=2)
    results: dict[str, Any] = {}

    def write(name: str) -> None:
        build(tmp_path / name, config(name, raw(4, name)))
        try:
            results[name] = send(tmp_path / name)
        except ContextSynthesisError as error:
            results[name] = error

    threads = [threading.Thread(target=write, args=(name,)) for name in ("north", "south")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.version for result in results.values()) == ["v1.0.0", "v1.1.0"], results
    assert {one.status for one in hub.seen("POST", "/commit/")} == {200, 412}
    assert len(hub.log_of(REPO)) == 4 and hub.files(REPO)["notes.md"] == b"before"
    newest = tags(hub)["v1.1.0"]
    assert newest == hub.head(REPO).oid
    cases = [(REPO, name, "v1.1.0", False) for name in results]
    assert load(hub, tmp_path / "home", *cases) == [raw(4, name) for name in results]
    # Nothing was sent twice.
    sent = [one.path for one in hub.seen("PUT", "/lfs/")]
    assert len(sent) == len(set(sent))


def test_a_change_in_between_is_kept(hub: LocalHub, send: Send) -> None:
    hub.seed(REPO, {"README.md": "# Theirs\n"})
    hub.before_next("POST", "/commit/", lambda: hub.seed(REPO, {"README.md": "# Theirs\n\nMended.\n"}))
    send()
    card = hub.files(REPO)["README.md"].decode()
    assert "Mended." in card and "config_name: m\n" in card
    assert [one.status for one in hub.seen("POST", "/commit/")] == [412, 200]
    assert len(hub.seen("PUT", "/lfs/")) == 3


def test_a_tag_taken_in_between(hub: LocalHub, folder: Path, send: Send) -> None:
    def take() -> None:
        made = hub.seed(REPO, {"by.md": "somebody"})
        hub.repo(REPO).refs["refs/tags/v1.0.0"] = made.oid

    hub.before_next("POST", "/tag/", take)
    result = send()
    assert result.version == "v1.1.0"
    assert result.commit == tags(hub)["v1.1.0"] == hub.head(REPO).oid
    assert {"by.md", "README.md"} <= set(hub.files(REPO, "v1.1.0"))
    usual(folder, rows=7)
    hub.before_next("POST", "/tag/", lambda: hub.repo(REPO).refs.update({"refs/tags/v5.0.0": "0" * 40}))
    with pytest.raises(HubError, match="committed, but the tag v5.0.0 was taken"):
        send(version="5.0.0")


# --- breaks ------------------------------------------------------------------------------


def test_a_broken_upload_goes_on_without_what_arrived(hub: LocalHub, send: Send) -> None:
    # More often than the client itself tries: it gives up, we go on.
    hub.fail_next("PUT", "/lfs/", "cut after 500 bytes", skip=1, times=12)
    send()
    sent = hub.seen("PUT", "/lfs/")
    arrived = [one.path for one in sent if one.status == 200]
    assert len(arrived) == len(set(arrived)) == 3 and len(sent) == 15
    assert hub.trouble.unused == 0 and tags(hub) == {"v1.0.0": hub.head(REPO).oid}


def test_after_a_failure_the_same_call_goes_on(hub: LocalHub, folder: Path, send: Send) -> None:
    hub.fail_next("POST", "/commit/", 503, times=100)
    with pytest.raises(HubError, match="status 503. Run it again: what arrived is not sent twice") as caught:
        send()
    assert caught.value.exit_code == 1 and len(hub.seen("POST", "/commit/")) == 6
    assert len(hub.seen("PUT", "/lfs/")) == 3 and tags(hub) == {}
    assert not any(one.published for versions in read_manifests(folder).values() for one in versions)
    hub.mend()
    assert send().version == "v1.0.0"
    assert hub.seen("PUT", "/lfs/") == []


def test_killed_while_uploading(hub: LocalHub, folder: Path, tmp_path: Path, send: Send) -> None:
    code = "import sys, pathlib; from builder import publish; publish(pathlib.Path(sys.argv[1]), sys.argv[2])"
    other: list[subprocess.Popen[str]] = []
    hub.before_next("PUT", "/lfs/", lambda: other[0].kill(), skip=1)
    home = hub.environment(tmp_path / "home")
    with running("-c", code, folder, REPO, alone=home, heard=False) as process:
        other.append(process)
        process.wait(120)
    assert process.returncode < 0 and tags(hub) == {}
    threading.Event().wait(0.3)  # until what was on its way has arrived or broken off
    before = [one.path for one in hub.seen("PUT", "/lfs/") if one.status == 200]
    assert before
    hub.mend()
    assert send().version == "v1.0.0"
    assert not {one.path for one in hub.seen("PUT", "/lfs/")} & set(before)


def test_a_commit_whose_answer_was_lost_is_not_made_twice(hub: LocalHub, send: Send) -> None:
    hub.fail_next("POST", "/commit/", "lost reply")
    result = send()
    assert len(hub.log_of(REPO)) == 2 and len(hub.seen("POST", "/commit/")) == 1
    assert tags(hub) == {"v1.0.0": result.commit}
    assert result.uploaded_bytes > 0 and any(line.startswith("add data/m/") for line in result.plan)


def test_a_tag_whose_answer_was_lost(hub: LocalHub, send: Send) -> None:
    hub.fail_next("POST", "/tag/", "lost reply")
    assert send().version == "v1.0.0"
    assert list(tags(hub)) == ["v1.0.0"]


def test_stopped_between_commit_and_tag(hub: LocalHub, send: Send) -> None:
    hub.fail_next("POST", "/tag/", 500, times=100)
    with pytest.raises(HubError, match="tagging v1.0.0"):
        send()
    hub.mend()
    assert send().version == "v1.0.0" and len(hub.log_of(REPO)) == 2


def test_the_hub_says_how_long_to_wait(hub: LocalHub, send: Send, waits: list[float]) -> None:
    steps: list[str] = []
    hub.fail_next("GET", "/refs$", 429, headers={"Retry-After": "7"})
    hub.fail_next("POST", "/commit/", 503, headers={"Retry-After": "11"})
    hub.fail_next("POST", "/tag/", 429, headers={"RateLimit": '"api";r=0;t=13'})
    hub.fail_next("POST", "/validate-yaml", 502)
    hub.fail_next("GET", f"/api/datasets/{REPO}", "disconnect")
    send(on_step=steps.append)
    for seconds in (7, 11, 13):
        assert any(seconds <= wait <= seconds + 0.5 for wait in waits)
    assert sum("Trying again in" in step for step in steps) == 5
    hub.fail_next("GET", "/refs$", 429, headers={"Retry-After": "4000"})
    with pytest.raises(HubError, match="asks to wait 4000 seconds"):
        send()
    assert max(waits) < 60


def test_a_release_that_cannot_be_read_back_loses_its_tag(
    hub: LocalHub, folder: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(path for path in contents(folder) if path.startswith("data/m/"))
    good = (folder / path).read_bytes()

    # Loads as before, and has the same size: only the name of its writer differs.
    hub.api.instead[path] = good.replace(b"parquet-cpp-arrow", b"parquet-cpp-error")
    told = "data/m/1.0.0/.* was loaded with other content.*The tag v1.0.0 was taken off again"
    with pytest.raises(HubError, match=told):
        send(check=True)
    assert tags(hub) == {} and len(hub.log_of(REPO)) == 2
    monkeypatch.setattr(verify, "_TRIES", 1)
    hub.api.instead[path] = b"?" * len(good)
    with pytest.raises(HubError, match="could not be loaded with datasets.*The tag v1.0.0 was taken off"):
        send(check=True)
    assert not any(one.published for versions in read_manifests(folder).values() for one in versions)
    # Mended, it is tagged, by the same call.
    hub.api.instead.clear()
    assert send().version == "v1.0.0" and list(tags(hub)) == ["v1.0.0"]


def test_what_counts_as_read_back(
    hub: LocalHub, folder: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    send()
    newest = [versions[-1] for versions in read_manifests(folder).values()]
    local = Hub(REPO, token=hub.token, endpoint=hub.endpoint, on_step=lambda _: None)
    more = [replace(one, rows=one.rows + 1) for one in newest]
    assert verify.problems_with(local, "v1.0.0", more, newest, ["other"]) == [
        "config 'other' is not listed",
        "config 'm-v1.0.0' has 4 rows instead of 5",
        "config 'm-chat-8k-v1.0.0' has 3 rows instead of 4",
        "config 'm-rejected-v1.0.0' has 2 rows instead of 3",
    ]
    monkeypatch.setattr(verify, "STREAM_ABOVE", 0)
    assert verify.problems_with(local, "v1.0.0", newest[:1], newest, ["m-v1.0.0"]) == []
    (file,) = newest[0].files
    other = replace(newest[0], files=(replace(file, sha256="0" * 64), replace(file, path="data/none")))
    assert verify.problems_with(local, "main", [other], newest, []) == [
        f"{file.path} has other content than was built",
        "data/none is missing",
    ]


def test_a_page_in_the_place_of_a_file_is_never_taken_for_it(
    hub: LocalHub, folder: Path, send: Send, waits: list[float]
) -> None:
    hub.seed(REPO, {"README.md": "---\nlicense: odbl\n---\n# Theirs\n"})
    login = b"<html><body>Please log in to the network.</body></html>"
    hub.page_next("/README.md$", login, times=2)
    send()
    card = hub.files(REPO)["README.md"].decode()
    assert "license: odbl" in card and "# Theirs" in card and "<html>" not in card
    usual(folder, rows=6)
    head = hub.head(REPO).oid
    # Also one that is as long as the file, one without end, and in the place of manifests and of data.
    size = len(card.encode())
    other = folder.parents[1] / "other"
    usual(other, rows=9)
    for path, page in (
        ("/README.md$", login),
        ("/README.md$", b"<html>".ljust(size)),
        ("/README.md$", b"<html>".ljust(9 * size)),
        ("/manifests/m/1.0.0.json$", b"{}"),
        (r"/data/m/1.0.0/.*\.parquet$", login),
    ):
        hub.page_next(path, page, times=6)
        told = refused(lambda: send(other), hub)
        assert "what came is not" in told and "text/html" in told and "in its place" in told
        assert hub.head(REPO).oid == head and hub.trouble.unused == 0
    assert send().version == "v1.1.0" and "# Theirs" in hub.files(REPO)["README.md"].decode()


def test_a_page_while_it_is_loaded_back_takes_no_tag_off(hub: LocalHub, send: Send) -> None:
    login = b"<html><body>Please log in to the network.</body></html>"
    # A new repository: the first to read its card and its data is who loads them back.
    hub.page_next("/README.md$", login)
    hub.page_next(r"/data/m/1.0.0/.*\.parquet$", login)
    result = send(check=True)
    assert tags(hub) == {"v1.0.0": result.commit} and hub.trouble.unused == 0


def test_answers_of_another_kind_are_asked_for_again(hub: LocalHub, send: Send) -> None:
    hub.seed(REPO, {"README.md": "# Theirs\n"})
    hub.fail_next("GET", "/README.md$", 409)
    hub.fail_next("GET", "/tree/", 412)
    hub.page_next("/refs$", b"{}")
    hub.page_next(f"/api/datasets/{REPO}/revision/main$", b"[1]")
    assert send().version == "v1.0.0" and hub.trouble.unused == 0
    hub.fail_next("GET", "/README.md$", 409, times=6)
    assert "status 409" in refused(send, hub)


# --- pull requests and branches ----------------------------------------------------------


def test_a_pull_request_of_somebody_who_may_not_write(hub: LocalHub, folder: Path, send: Send) -> None:
    hub.seed(REPO, {"README.md": "# Theirs\n"})
    head = hub.head(REPO).oid
    result = send(check=True, create_pr=True, token=hub.add_user("eve"))
    assert result.version is None and result.url.endswith("/discussions/1")
    assert result.commit == hub.head(REPO, "refs/pr/1").oid
    assert hub.head(REPO).oid == head and tags(hub) == {}
    assert "open a pull request" in result.plan
    assert not any(one.published for versions in read_manifests(folder).values() for one in versions)
    hub.fail_next("POST", "/commit/", "lost reply")
    with pytest.raises(HubError, match="/discussions first: the pull request may be there"):
        send(create_pr=True)
    for wrong in ({"revision": "dev"}, {"version": "1.0.0"}):
        with pytest.raises(UsageError, match="pull request"):
            send(create_pr=True, **wrong)


def test_a_branch_is_made_and_published_to(hub: LocalHub, folder: Path, send: Send) -> None:
    send()
    head = hub.head(REPO).oid
    usual(folder, rows=6)
    assert "create branch try/this" in send(revision="try/this", dry_run=True).plan
    result = send(revision="try/this")
    assert hub.head(REPO).oid == head and hub.head(REPO, "try/this").oid == result.commit
    assert tags(hub)["v1.1.0"] == result.commit


# --- refusals ----------------------------------------------------------------------------


def refused(call: Callable[[], object], hub: LocalHub) -> str:
    """The message of a refusal, from which nothing leads to the token."""
    with pytest.raises(ContextSynthesisError) as caught:
        call()
    error: BaseException | None = caught.value
    assert error is not None and error.__context__ is None and error.__cause__ is None
    assert not any(token in str(error) for token in [*hub.api.users, "hf_madeup0000"])
    assert str(error)[-1] in ".!)" or "hf repos create" in str(error)
    return str(error)


def test_logins_that_do_not_do(hub: LocalHub, folder: Path, send: Send) -> None:
    hub.seed("ada/secret", private=True)
    eve, reader = hub.add_user("eve"), hub.add_user("ada", "read")
    assert "not logged in" in refused(lambda: publish(folder, REPO, endpoint=hub.endpoint), hub)
    wrong = refused(lambda: send(token="hf_madeup0000"), hub)
    assert "does not accept the token" in wrong and "hf auth login" in wrong
    assert "write role" in refused(lambda: send(token=reader), hub)
    assert "write role" in refused(lambda: send(repo="lab/new", token=eve), hub)
    hub.seed(REPO)
    assert "write role" in refused(lambda: send(token=eve), hub)
    assert "belongs to 'ada'" in refused(lambda: send(repo="ada/secret", token=eve), hub)
    assert not [seen for seen in hub.seen("POST") if seen.status == 200 and "validate" not in seen.path]


def test_repositories_that_do_not_do(hub: LocalHub, send: Send) -> None:
    hub.seed("ada/brain", kind="model")
    hub.seed("ada/page", kind="space")
    hub.seed("ada/open")
    assert "ada/brain is a model, not a dataset" in refused(lambda: send(repo="ada/brain"), hub)
    assert "ada/page is a space, not a dataset" in refused(lambda: send(repo="ada/page"), hub)
    assert "is public" in refused(lambda: send(repo="ada/open", private=True), hub)
    for name in ("long", "a/b/c", "ada/..", "../ada"):
        assert "OWNER/NAME" in refused(partial(send, repo=name), hub)
    assert "cannot name a repository" in refused(lambda: send(repo="ada/x--y"), hub)
    assert len(hub.seen("POST")) == 0


def test_without_a_network(hub: LocalHub, folder: Path, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert "HF_HUB_OFFLINE" in refused(send, hub)
    away = refused(lambda: send(endpoint=nobody()), hub)
    assert f"{nobody()} cannot be reached" in away and "Check the network" in away
    # A dry run says what it can, and once what it cannot.
    for offline, reason in ((True, "HF_HUB_OFFLINE"), (False, "cannot be reached")):
        steps: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(constants, "HF_HUB_OFFLINE", offline)
            told = publish(folder, REPO, dry_run=True, endpoint=nobody(), on_step=steps.append)
        assert (told.version, told.commit, told.configs) == (None, None, {})
        assert steps == [f"looking at {REPO}"]
        assert [reason in line for line in told.plan] == [False] * 6 + [True]
        assert "config m (4 rows), built as 1.0.0" in told.plan


def test_folders_that_do_not_do(hub: LocalHub, folder: Path, tmp_path: Path, send: Send) -> None:
    assert "Build it first" in refused(lambda: send(tmp_path), hub)
    empty = tmp_path / "empty"
    build(empty, config("m", []))
    assert "nothing to publish" in refused(lambda: send(empty), hub)
    file = next((folder / "data" / "m").rglob("*.parquet"))
    good = file.read_bytes()
    file.write_bytes(good[:-1] + b"?")
    assert "its checksum differs" in refused(send, hub)
    file.unlink()
    with pytest.raises(FolderError, match=r"Files of 'm' 1\.0\.0 are missing"):
        send()
    file.write_bytes(good)
    (folder / "README.md").unlink()
    assert "README.md' is missing" in refused(send, hub)
    assert not hub.has(REPO)
