"""The README tells the truth: its commands run, its file tree is the tree, its picture exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def tree() -> list[str]:
    """Paths named in the README's file tree: a folder's children are indented below it."""
    section = README[README.index("## Where things are") :]
    text = section.split("```")[1].lstrip("\n")
    paths, parent = [], ""
    for line in text.splitlines():
        names = line[:22].split()  # the second column begins there
        nested = line.startswith(" ")
        paths += [parent + name if nested else name for name in names]
        parent = parent if nested else names[0]
    return paths


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("newcomer")
    shutil.copy(ROOT / "examples" / "pairs.jsonl", folder)
    return folder


def environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}


def test_every_command_runs_in_order(workplace) -> None:
    commands = [
        line.split("#")[0].strip()
        for block in blocks("bash")
        for line in block.splitlines()
        if line.startswith("context-synthesis")
    ]
    assert len(commands) >= 5
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=workplace, env=environment(), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    from synthesis.options import from_dict, load_config

    (example,) = blocks("toml")
    assert (
        from_dict(tomllib.loads(example)).generation
        == load_config(workplace / "runs/mine/run.toml").generation
    )


def test_every_python_block_runs(workplace) -> None:
    for block in blocks("python"):
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=workplace,
            env={**environment(), "HF_HOME": str(workplace / "hf")},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"


def test_the_tree_is_the_tree() -> None:
    named = tree()
    for path in named:
        assert (ROOT / path).exists(), f"the README names {path}, which is not there"
    for package in ("synthesis", "builder"):
        for path in (ROOT / package).iterdir():
            if path.name[0] not in "_." and path.name != "py.typed" and not path.name.endswith(".pyc"):
                known = f"{package}/{path.name}" + ("/" if path.is_dir() else "")
                assert known in named, f"the README leaves out {path}"


def test_links_and_pictures_are_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for name in ("CHANGELOG.md", "LICENSE", "dataset_card.md", "Makefile", ".ci/run"):
        assert (ROOT / name).exists()
