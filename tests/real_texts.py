"""Texts that people wrote: 50 rows of our own, and larger public sets if they lie beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
OWN = ROOT / "tests" / "data" / "pairs.jsonl"
LARGE = ROOT.parent / "shared" / "data"
needs_large = pytest.mark.skipif(
    not LARGE.is_dir(), reason="the large public sets are not beside the repository (../shared/data)"
)


def own_rows() -> list[dict[str, Any]]:
    """``kind``, ``task``, ``instruction``, ``answer`` and ``context`` of each row of ours."""
    return read(OWN)


def large_rows(name: str) -> list[dict[str, Any]]:
    """``instruction`` and ``answer`` of a public set, and ``context`` where it has one."""
    rows = read(LARGE / "seed_instruction" / f"{name}.jsonl")
    contexts = LARGE / "seed_context" / f"{name}.jsonl"
    if not contexts.exists():
        return rows
    return [row | context for row, context in zip(rows, read(contexts), strict=True)]


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def sets(*large: str) -> list[Any]:
    """``own`` and large sets as parameters of a test; ``rows`` reads them."""
    return ["own", *(pytest.param(name, marks=needs_large) for name in large)]


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of one of ``sets``."""
    return own_rows() if name == "own" else large_rows(name)
