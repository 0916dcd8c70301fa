"""``publish-space``: what goes up, how, and that exactly that runs in an empty place."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from builder.hub import space
from builder.hub.space import publish_space, space_files
from synthesis.errors import ContextSynthesisError, UsageError
from tests.ports import held, nobody

pytest_plugins = ["tests.hub.fixtures"]
ROOT = Path(__file__).parent.parent


def send(hub, repo_id: str = "ada/page", **options: object) -> space.SpaceResult:
    return publish_space(repo_id, token=hub.token, endpoint=hub.endpoint, **options)


def tree(hub, repo_id: str = "ada/page") -> dict[str, bytes]:
    found = hub.repo(repo_id, "space").find("main").tree
    return {path: file.content for path, file in found.items() if path != ".gitattributes"}


# ---- what goes up ----


def test_everything_the_page_needs_goes_up_and_nothing_else() -> None:
    files = space_files()
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "builder", "space", "synthesis"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    moved = {f"space/{inside}" for inside in ("README.md", "requirements.txt", "entry.py")}
    for path in tracked:
        assert path in files or path in moved or not (ROOT / path).exists(), f"{path} is left out"
    assert {"README.md", "requirements.txt", "app.py"} == {path for path in files if "/" not in path}
    assert {"builder/dataset_card.md", "synthesis/examples/pairs.jsonl"} <= files.keys()
    assert not any("__pycache__" in path or path.startswith((".", "tests", "runs")) for path in files)


def test_a_stray_file_is_not_taken_along(tmp_path, monkeypatch) -> None:
    for name in (
        "space/README.md",
        "space/requirements.txt",
        "space/entry.py",
        "space/.env",
        "space/key.pem",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "space/__pycache__").mkdir()
    (tmp_path / "space/__pycache__/x.py").write_text("x")
    monkeypatch.setattr(space, "_ROOT", tmp_path)
    assert space_files().keys() == {
        "README.md",
        "app.py",
        "requirements.txt",
        "synthesis/examples/pairs.jsonl",
    }
    (tmp_path / "space/entry.py").unlink()
    with pytest.raises(ContextSynthesisError, match="installation is incomplete"):
        space_files()


def test_the_card_is_one_the_hub_takes() -> None:
    from huggingface_hub import SpaceCardData

    text = space_files()["README.md"].read_text(encoding="utf-8")
    card = SpaceCardData(**yaml.safe_load(text.split("---")[1])).to_dict()
    assert (card["sdk"], card["app_file"], card["license"]) == ("gradio", "app.py", "apache-2.0")
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {card["colorFrom"], card["colorTo"]} <= colours
    assert len(card["short_description"]) <= 60 and card["python_version"] == "3.11"
    assert re.fullmatch(r"\d+\.\d+\.\d+", card["sdk_version"])


def test_the_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = {
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    }
    for line in space_files()["requirements.txt"].read_text().split():
        assert line in known, line


# ---- how it goes up ----


def test_a_space_is_made_then_found_up_to_date(hub) -> None:
    result = send(hub)
    assert result.url == f"{hub.endpoint}/spaces/ada/page"
    assert tree(hub) == {path: source.read_bytes() for path, source in space_files().items()}
    (created,) = hub.seen("POST", "/api/repos/create")
    assert b'"sdk": "gradio"' in created.body.replace(b'":"', b'": "')
    assert len(hub.seen("POST", r"/commit/")) == 1 and hub.token.encode() not in b"".join(tree(hub).values())
    again = send(hub)
    assert again.commit is None and "up to date" in again.plan[0] and len(hub.seen("POST", r"/commit/")) == 1


def test_an_update_sends_what_changed_and_leaves_what_others_put_there(hub) -> None:
    send(hub)
    hub.seed(
        "ada/page",
        {"synthesis/old.py": "x = 1\n", "notes.txt": "mine", "app.py": "broken"},
        kind="space",
    )
    plan = send(hub, dry_run=True).plan
    assert plan[0].startswith("Update the Space ada/page") and plan[1:] == [
        "  change  app.py",
        "  remove  synthesis/old.py",
    ]
    send(hub)
    assert tree(hub) == {path: file.read_bytes() for path, file in space_files().items()} | {
        "notes.txt": b"mine"
    }


def test_a_dry_run_without_a_network_lists_what_there_is_and_says_so_once() -> None:
    steps: list[str] = []
    told = publish_space("ada/page", endpoint=nobody(), dry_run=True, on_step=steps.append)
    assert steps == [] and told.commit is None and "send at most app.py" in told.plan
    assert "cannot be reached" in told.plan[-1] and len(told.plan) == len(space_files()) + 1


def test_a_dry_run_lists_every_file_and_writes_nothing(hub) -> None:
    result = send(hub, dry_run=True, private=True)
    assert result.plan[0].startswith("Create the private Space ada/page")
    assert {line.split()[1] for line in result.plan[1:]} == space_files().keys()
    assert not hub.has("ada/page", "space") and not hub.seen("POST", "/api/repos/create")


def test_private_and_pull_requests(hub) -> None:
    send(hub, private=True)
    assert hub.repo("ada/page", "space").private
    hub.seed("ada/page", {"app.py": "broken"}, kind="space")
    result = send(hub, create_pr=True)
    assert "/discussions/1" in result.url and tree(hub)["app.py"] == b"broken"


@pytest.mark.parametrize(("repo_id", "says"), [("page", "OWNER/NAME"), ("grace/page", "write")])
def test_what_cannot_be_done_is_told_in_words(hub, repo_id, says) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        send(hub, repo_id)
    assert hub.token not in str(caught.value)


def test_without_a_login_nothing_is_asked(hub) -> None:
    with pytest.raises(UsageError, match="hf auth login"):
        publish_space("ada/page", endpoint=hub.endpoint)
    assert not hub.seen("POST")


def test_the_command(hub, command, tmp_path) -> None:
    done = command("publish-space", "ada/page", "--dry-run", **hub.environment(tmp_path), HF_HUB_OFFLINE="0")
    assert done.returncode == 0, done.stderr
    assert "  add     app.py" in done.stdout.splitlines()
    done = command("publish-space", "page", **hub.environment(tmp_path), HF_HUB_OFFLINE="0")
    assert done.returncode == 2 and "OWNER/NAME" in done.stderr


# ---- that it runs ----

# As on the Hub: the folder is all there is of ours. -S leaves out what makes an editable install
# visible, and this project must not be found among the installed ones either.
_START = """
import importlib.metadata as metadata, runpy, sys
sys.path[:0] = [{folder!r}]
sys.path.append({packages!r})
real = metadata.Distribution.from_name.__func__
def found(kind, name):
    if name.replace("_", "-") == "context-synthesis":
        raise metadata.PackageNotFoundError(name)
    return real(kind, name)
metadata.Distribution.from_name = classmethod(found)
import builder, space, synthesis
assert all(one.__file__.startswith({folder!r}) for one in (builder, space, synthesis))
runpy.run_path("app.py", run_name="__main__")
"""


@pytest.fixture
def port() -> Iterator[int]:
    with held() as number:
        yield number


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_goes_up_runs_in_an_empty_place(tmp_path, port) -> None:
    import gradio_client

    folder = tmp_path.resolve() / "app"
    for path, source in space_files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(source.read_bytes())
    url = f"http://127.0.0.1:{port}/"
    program = _START.format(folder=str(folder), packages=sysconfig.get_paths()["purelib"])
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", program],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
            "SPACE_ID": "ada/page",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _await(url, process)
        client = gradio_client.Client(url, verbose=False)
        record = client.predict("Who mended the clock?", "Ilse Brandt", length="4k", api_name="/synthesize")
        assert record["sample"]["tokens"] <= 4096 and "Ilse Brandt" in record["context"]
        client.close()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _await(url: str, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"it did not start:\n{process.stdout.read() if process.stdout else ''}")
        try:
            with urllib.request.urlopen(url, timeout=10) as page:
                assert b"Context Synthesis" in page.read()
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError("it did not answer in time")
