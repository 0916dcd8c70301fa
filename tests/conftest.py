"""Shared fixtures: small sources of pairs, the command line, real data where it is present."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.programs import run_command

# How long inputs take to make says how busy the machine is, and nothing of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

ROOT = Path(__file__).parent.parent
# Folders whose tests have an environment of their own; the Makefile has a target for each.
_NAMES = ("browser", "llama_cpp", "models", "torch", "trainers", "vllm")
APART = {Path(__file__).parent / name for name in _NAMES}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave those folders out, their ``conftest`` too, unless an argument points into them."""
    if collection_path not in APART:
        return None
    asked = (
        Path(config.invocation_params.dir, argument.partition("::")[0]).resolve() for argument in config.args
    )
    return None if any(collection_path in (path, *path.parents) for path in asked) else True


@pytest.fixture
def write_pairs(tmp_path: Path) -> Callable[..., Path]:
    """Writes numbered pairs to a JSONL file and returns its path."""

    def write(count: int, name: str = "story_qa.jsonl", start: int = 0) -> Path:
        path = tmp_path / name
        rows = [
            {"instruction": f"Who kept lighthouse number {n}?", "answer": f"Keeper {n} Holm"}
            for n in range(start, start + count)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``context-synthesis`` as a user would and returns what it did."""
    return run_command
