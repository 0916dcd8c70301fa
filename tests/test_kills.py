"""A few of the kills of ``benchmarks/kills.py``: the bytes of an unharmed run, and nothing left behind."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path

from benchmarks.kills import Place, scenarios, suffer


def test_a_killed_run_ends_in_the_same_bytes(tmp_path: Path) -> None:
    with ExitStack() as stack:
        place = Place(tmp_path)
        (asking,) = (one for one in scenarios(place, stack) if one.name == "run openai")
        assert suffer(place, asking, 2, random.Random(3)) == 1
