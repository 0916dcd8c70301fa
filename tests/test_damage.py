"""A run's folder with a damaged file: the same bytes as without, or a sentence; nothing silently fewer.

A part of the cases of ``benchmarks/damage.py``: each file with each damage before ``run``, and before one
of the other commands. Here too: a folder with replies of a server, where work goes on over several.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.damage import COMMANDS, DAMAGES, Bench, Case, write_pairs
from benchmarks.kills import told_around
from tests.openai_server import Asked, Reply, serve

OTHERS = [command for command in COMMANDS if command != "run"]
FILES = (
    "dataset/README.md",
    "dataset/data/composer/1.0.0/train-00000-of-00001.parquet",
    "dataset/data/composer-chat-300/1.0.0/train-00000-of-00001.parquet",
    "dataset/data/composer-rejected/1.0.0/train-00000-of-00001.parquet",
    "dataset/figures/composer-lengths.png",
    "dataset/manifests/.checks",
    "dataset/manifests/composer/1.0.0.json",
    "dataset/manifests/composer-chat-500/1.0.0.json",
    "journal/assembled.jsonl",
    "journal/contexts.jsonl",
    "journal/current.txt",
    "journal/rejected.jsonl",
    "manifest.json",
)
WAYS = range(len(DAMAGES) + 1)


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(logging, "raiseExceptions", False)  # libraries log to the runner's closed streams
        yield


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("bench")
    return Bench(folder, write_pairs(folder / "story_qa.jsonl", 4))


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_changes_nothing_or_is_told(bench: Bench, file: str) -> None:
    assert file in bench.files()
    # Drawing takes its time.
    for damage in WAYS if not file.endswith(".png") else WAYS[::3]:
        case = Case(file, damage)
        bench.check(case, "run")
        bench.check(case, OTHERS[(FILES.index(file) + damage) % len(OTHERS)])


@pytest.mark.parametrize("damage", WAYS)
def test_of_a_damaged_configuration_nothing_is_taken_for_a_default(bench: Bench, damage: int) -> None:
    """Whoever gives the options again has it written anew; a byte that was changed may be an edit."""
    case = Case("run.toml", damage)
    assert bench.check(case, "run").partition(" ")[0] in ("same", "error:")
    if DAMAGES[damage % len(DAMAGES)].__name__ != "flip":
        assert bench.check(case, "assemble").partition(" ")[0] in ("same", "error:")


def script(asked: Asked) -> Reply:
    """One pair is never written well, the others at the second try."""
    number = next((n for n in range(9) if f"lighthouse {n}" in asked.text), 9)
    if number == 1 or (len(asked.body["messages"]) < 3 and number % 2):
        return Reply("Context: short.")
    stated = f"Keeper {number} Holm kept lighthouse {number}. Ada Brandt went along."
    return Reply(f"Context: {told_around(stated, 7)}")


def test_replies_of_a_server_are_asked_for_again_where_they_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pairs = write_pairs(tmp_path / "story_qa.jsonl", 4)
    with serve(script) as server:
        where = ("--engine", "openai", "--model", "m", "--option", f"base_url={server.url}")
        made = Bench(tmp_path, pairs, (*where, "--words", "200", "--lengths", "2k"), commands=("run",))
        asked = len(server.asked)
        assert made.check(Case("journal/current.txt", len(DAMAGES)), "run") == "same"
        assert len(server.asked) == asked
        for file in ("journal/steps.jsonl", "journal/contexts.jsonl", "journal/rejected.jsonl"):
            assert file in made.files()
            for damage in WAYS:
                made.check(Case(file, damage), "run")
