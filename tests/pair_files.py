"""Files of pairs, and what reading them gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synthesis.data import Pair, Rejected
from synthesis.errors import SourceError
from synthesis.sources.pairs import read_pairs

GOOD = {"instruction": "Who keeps the bees?", "answer": "Ondine"}


def write_jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def only_pairs(source: str | Path, **options: Any) -> list[Pair]:
    outcomes = list(read_pairs(source, **options))
    assert [outcome for outcome in outcomes if isinstance(outcome, Rejected)] == []
    return [outcome for outcome in outcomes if isinstance(outcome, Pair)]


def one_bad(path: Path, row: object, **options: Any) -> Rejected:
    """The rejection of ``row``, written between two good ones."""
    good = {"instruction": "Is it last?", "answer": "yes"}
    first, bad, last = list(read_pairs(write_jsonl(path, GOOD, row, good), **options))
    assert isinstance(first, Pair) and isinstance(last, Pair) and isinstance(bad, Rejected)
    assert bad.pair_id == f"{path.name}:2" and bad.stage == "pairs"
    return bad


def error_of(source: str | Path, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        list(read_pairs(source, **options))
    assert caught.value.exit_code == 2
    return str(caught.value)
