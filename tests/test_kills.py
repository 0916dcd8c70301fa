"""A few of the kills of ``benchmarks/kills.py``: the bytes of a run that nobody killed, nothing left behind."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path

from benchmarks.kills import Place, scenarios, suffer


def test_killed_commands_end_in_the_same_bytes(tmp_path: Path) -> None:
    with ExitStack() as stack:
        place = Place(tmp_path)
        for scenario in scenarios(place, stack):
            if scenario.name in ("assemble", "run openai"):
                suffer(place, scenario, 2, random.Random(3))
