"""The local Hub, driven by the real clients: what they expect of a Hub, it does."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    constants,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub import LocalHub
from tests.programs import run_python

pytest_plugins = ["tests.hub.fixtures"]
# The client's own upload of large files uses a deprecated spelling of its HTTP library.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPO = "ada/rows"
ROWS = '{"text": "one"}\n{"text": "two"}\n'


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's waits between tries, which it does not let one set."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    client = HfApi(endpoint=hub.endpoint, token=hub.token)
    client.create_repo(REPO, repo_type="dataset")
    return client


def add(path: str, content: bytes) -> CommitOperationAdd:
    return CommitOperationAdd(path, content)


def commit(api: HfApi, files: dict[str, bytes], **options: Any) -> Any:
    operations = [add(path, content) for path, content in files.items()]
    return api.create_commit(REPO, operations, commit_message="change", repo_type="dataset", **options)


def status_of(error: pytest.ExceptionInfo[HfHubHTTPError]) -> int:
    return int(error.value.response.status_code)


def test_a_new_repository_has_one_commit(hub: LocalHub, api: HfApi) -> None:
    info = api.dataset_info(REPO)
    assert info.sha == hub.head(REPO).oid and info.private is False
    assert [one.title for one in api.list_repo_commits(REPO, repo_type="dataset")] == ["initial commit"]
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_repo(REPO, repo_type="dataset")
    assert status_of(caught) == 409
    assert api.create_repo(REPO, repo_type="dataset", exist_ok=True).repo_id == REPO
    assert api.whoami()["name"] == "ada"
    api.delete_repo(REPO, repo_type="dataset")
    assert not hub.has(REPO)


def test_commits_have_parents_and_stale_ones_are_refused(hub: LocalHub, api: HfApi) -> None:
    start = hub.head(REPO).oid
    first = commit(api, {"a.txt": b"1"}, parent_commit=start)
    with pytest.raises(HfHubHTTPError) as caught:
        commit(api, {"a.txt": b"2"}, parent_commit=start)
    assert status_of(caught) == 412
    second = commit(api, {"b.txt": b"3"})
    assert hub.head(REPO).oid == second.oid
    assert [one.oid for one in hub.log_of(REPO)] == [second.oid, first.oid, start]
    assert hub.head(REPO).parents == (first.oid,)
    with pytest.raises(RevisionNotFoundError):
        commit(api, {"c.txt": b"4"}, revision="nowhere")
    api.create_commit(REPO, [CommitOperationDelete("a.txt")], commit_message="drop", repo_type="dataset")
    assert sorted(hub.files(REPO)) == [".gitattributes", "b.txt"]
    assert hub.files(REPO, first.oid)["a.txt"] == b"1"


def test_of_commits_at_once_with_one_parent_one_wins(hub: LocalHub, api: HfApi) -> None:
    start, results = hub.head(REPO).oid, []

    def attempt(number: int) -> None:
        try:
            commit(api, {f"{number}.txt": b"x"}, parent_commit=start)
            results.append(200)
        except HfHubHTTPError as error:
            results.append(error.response.status_code)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [200] + [412] * 5


def test_tags_and_branches(hub: LocalHub, api: HfApi) -> None:
    start = hub.head(REPO).oid
    api.create_tag(REPO, tag="v1.0.0", repo_type="dataset")
    made = commit(api, {"a.txt": b"1"})
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_tag(REPO, tag="v1.0.0", repo_type="dataset")
    assert status_of(caught) == 409
    api.create_tag(REPO, tag="v1.0.0", repo_type="dataset", exist_ok=True)
    api.create_branch(REPO, branch="try/this", repo_type="dataset", revision="v1.0.0")
    commit(api, {"b.txt": b"2"}, revision="try/this")
    found = api.list_repo_refs(REPO, repo_type="dataset")
    assert {one.name: one.target_commit for one in found.tags} == {"v1.0.0": start}
    assert {one.name for one in found.branches} == {"main", "try/this"}
    assert found.branches[0].target_commit == made.oid
    assert sorted(api.list_repo_files(REPO, repo_type="dataset", revision="try/this"))[-1] == "b.txt"
    api.delete_tag(REPO, tag="v1.0.0", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info(REPO, revision="v1.0.0")


def test_pull_requests_leave_main_alone(hub: LocalHub, api: HfApi) -> None:
    start = hub.head(REPO).oid
    outsider = HfApi(endpoint=hub.endpoint, token=hub.add_user("eve"))
    made = commit(outsider, {"data/a.parquet": b"1"}, create_pr=True)
    assert made.pr_revision == "refs/pr/1" and made.pr_num == 1
    assert hub.head(REPO).oid == start
    assert hub.files(REPO, "refs/pr/1")["data/a.parquet"] == b"1"
    found = api.list_repo_refs(REPO, repo_type="dataset", include_pull_requests=True)
    assert [one.ref for one in found.pull_requests or []] == ["refs/pr/1"]


def test_large_files_are_sent_once(hub: LocalHub, api: HfApi) -> None:
    content = bytes(range(256)) * 100
    commit(api, {"a.parquet": content, "b.txt": b"small"})
    commit(api, {"copy.parquet": content})
    assert len(hub.seen("PUT", "/lfs/")) == 1
    files = {one.path: one for one in api.list_repo_tree(REPO, repo_type="dataset")}
    assert files["a.parquet"].lfs.sha256 == hashlib.sha256(content).hexdigest()  # type: ignore[union-attr]
    assert files["b.txt"].lfs is None  # type: ignore[union-attr]
    assert files["b.txt"].blob_id == hashlib.sha1(b"blob 5\0small").hexdigest()  # type: ignore[union-attr]
    # What is there already makes no commit.
    head = hub.head(REPO).oid
    assert commit(api, {"copy.parquet": content, "b.txt": b"small"}).oid == head == hub.head(REPO).oid


def test_parts_are_put_together(hub: LocalHub, api: HfApi) -> None:
    hub.api.part_bytes = 1000
    content = bytes(range(250)) * 11
    commit(api, {"a.parquet": content})
    assert [one.received for one in hub.seen("PUT", "/lfs/")] == [1000, 1000, 750]
    assert hub.files(REPO)["a.parquet"] == content


def test_listing_and_reading(hub: LocalHub, api: HfApi, tmp_path: Path) -> None:
    hub.seed(REPO, {f"data/x{n}/f{n}.txt": f"{n}" * 9 for n in range(5)})
    hub.api.page = 3
    files: Any = HfFileSystem(endpoint=hub.endpoint, token=hub.token, skip_instance_cache=True)
    root = f"datasets/{REPO}"
    assert files.glob(f"{root}/data/**/f*.txt") == [f"{root}/data/x{n}/f{n}.txt" for n in range(5)]
    assert [entry["type"] for entry in files.ls(f"{root}/data")] == ["directory"] * 5
    assert files.isdir(f"{root}/data/x1") and not files.exists(f"{root}/data/y")
    with files.open(f"{root}/data/x3/f3.txt", "rb", block_size=4) as file:
        file.seek(2)
        assert io.BufferedReader(file).read(5) == b"33333"
    assert hub.seen("GET", "/resolve/")[-1].status == 206
    place = api.hf_hub_download(REPO, "data/x4/f4.txt", repo_type="dataset", cache_dir=tmp_path)
    assert Path(place).read_text() == "4" * 9
    assert hub.head(REPO).oid in place
    paths = api.get_paths_info(REPO, ["data/x1", "data/x1/f1.txt", "no"], repo_type="dataset", expand=True)
    assert [one.path for one in paths] == ["data/x1", "data/x1/f1.txt"]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(REPO, "nothing", repo_type="dataset"))
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(REPO, "no", repo_type="dataset", cache_dir=tmp_path)
    assert hub.seen("HEAD", "/resolve/main/no$")[0].status == 404


def test_who_may_do_what(hub: LocalHub, api: HfApi) -> None:
    hub.seed("ada/secret", {"a.txt": "1"}, private=True)
    nobody = HfApi(endpoint=hub.endpoint, token=False)
    reader = HfApi(endpoint=hub.endpoint, token=hub.add_user("ada", "read"))
    other = HfApi(endpoint=hub.endpoint, token=hub.add_user("eve"))
    wrong = HfApi(endpoint=hub.endpoint, token="hf_madeup0000")
    assert api.dataset_info("ada/secret").private and reader.dataset_info("ada/secret").private
    for client in (nobody, other):
        with pytest.raises(RepositoryNotFoundError):
            client.dataset_info("ada/secret")
    for client in (reader, other):
        with pytest.raises(HfHubHTTPError) as caught:
            commit(client, {"a.txt": b"1"})
        assert status_of(caught) == 403
        with pytest.raises(HfHubHTTPError) as caught:
            client.create_repo("ada/new", repo_type="dataset")
        assert status_of(caught) == 403
    with pytest.raises(HfHubHTTPError) as caught:
        wrong.dataset_info(REPO)
    assert status_of(caught) == 401 and not isinstance(caught.value, RepositoryNotFoundError)
    api.create_repo("lab/shared", repo_type="dataset", private=True)
    assert hub.repo("lab/shared").private


@pytest.mark.parametrize("what", [503, 429, "disconnect", "cut after 2000 bytes"])
def test_a_broken_upload_is_tried_again_by_the_client(hub: LocalHub, api: HfApi, what: Any) -> None:
    hub.fail_next("PUT", "/lfs/", what, headers={"Retry-After": "0"} if what == 429 else {})
    content = b"row" * 3000
    commit(api, {"a.parquet": content})
    assert hub.files(REPO)["a.parquet"] == content
    broken, whole = hub.seen("PUT", "/lfs/")
    assert (broken.status, whole.status) == (what if isinstance(what, int) else None, 200)
    assert hub.trouble.unused == 0
    if "cut" in str(what):
        assert broken.received == 2000


def test_a_broken_download_goes_on(
    hub: LocalHub,
    api: HfApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100)
    hub.seed(REPO, {"a.parquet": b"0123456789" * 100})
    hub.fail_next("GET", "a.parquet", "cut after 300 bytes")
    place = api.hf_hub_download(REPO, "a.parquet", repo_type="dataset", cache_dir=tmp_path)
    assert Path(place).read_bytes() == b"0123456789" * 100
    first, second = hub.seen("GET", "a.parquet")
    assert (first.sent, second.status, second.sent) == (300, 206, 700)


def test_faults_strike_as_often_as_told(hub: LocalHub, api: HfApi) -> None:
    hub.fail_next("POST", "/commit/", 500, times=2, skip=1)
    moments: list[str] = []
    hub.before_next("GET", "/refs", lambda: moments.append(hub.head(REPO).oid))
    api.list_repo_refs(REPO, repo_type="dataset")
    assert moments == [hub.head(REPO).oid]
    commit(api, {"a.txt": b"1"})
    for _ in range(2):
        with pytest.raises(HfHubHTTPError):
            commit(api, {"a.txt": b"2"})
    # The commit is made, but nobody hears of it.
    hub.fail_next("POST", "/commit/", "lost reply")
    with pytest.raises(Exception, match="disconnected"):
        commit(api, {"a.txt": b"3"})
    assert hub.files(REPO)["a.txt"] == b"3"


def test_an_unknown_page_is_not_found(hub: LocalHub, api: HfApi) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        api.get_collection("ada/none")
    assert status_of(caught) == 404


def test_hf_upload_and_load_dataset_in_other_processes(hub: LocalHub, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "rows").mkdir(parents=True)
    (folder / "rows" / "train.jsonl").write_text(ROWS)
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: rows\n  data_files: rows/*.jsonl\n---\n# Rows\n"
    )
    environment = hub.environment(tmp_path / "home")
    command = [
        str(Path(sys.executable).with_name("hf")),
        "upload",
        "ada/up",
        ".",
        ".",
        "--repo-type",
        "dataset",
    ]
    done = subprocess.run(
        [*command, "--private"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert hub.files("ada/up")["rows/train.jsonl"].decode() == ROWS
    code = """
        import datasets
        plain = datasets.load_dataset("ada/up", "rows", split="train", revision="main")
        stream = datasets.load_dataset("ada/up", "rows", split="train", streaming=True)
        print(plain["text"][:], [row["text"] for row in stream])
    """
    done = run_python("-c", textwrap.dedent(code), folder=tmp_path, alone=environment)
    assert done.stdout.strip() == "['one', 'two'] ['one', 'two']", done.stderr
    assert {seen.user for seen in hub.seen("GET", "/resolve/")} == {"ada"}
