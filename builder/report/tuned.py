"""How models answer that were tuned on the sides of a comparison: what ``evaluate`` wrote of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from builder.report.ranges import PointLine
from builder.report.sides import named_folder
from synthesis.errors import SourceError
from synthesis.storage import storage_errors

_FILE = "scores.json"
_ALL = "all"


class TunedScores(NamedTuple):
    """One evaluation: a mean and the ends of its 95 % interval for each task, and for ``all``."""

    name: str
    tasks: Mapping[str, tuple[float, float, float]]


def read_answered(given: str | Path) -> TunedScores:
    """The scores with whole contexts in a folder that ``evaluate`` wrote, perhaps given as ``NAME=FOLDER``.

    Raises:
        SourceError: there are none, or they cannot be understood.
    """
    name, folder = named_folder(given)
    file = folder / _FILE
    if not file.is_file():
        raise SourceError(
            f"{folder} holds no {_FILE}; give a folder that `context-synthesis evaluate` wrote."
        )
    with storage_errors(file):
        text = file.read_text(encoding="utf-8")
    try:
        found = [one for one in json.loads(text)["conditions"] if one["condition"] == "full" and one["score"]]
        # Own lengths come first, then the shortest.
        first = found[0]
        tasks = {task: (one["value"], one["low"], one["high"]) for task, one in first["tasks"].items()}
        overall = first["score"]
        tasks[_ALL] = (overall["value"], overall["low"], overall["high"])
    except (ValueError, KeyError, TypeError, IndexError):
        raise SourceError(
            f"{file} tells no scores of whole contexts. Run the evaluation with --condition full, to its end."
        ) from None
    return TunedScores(name, tasks)


def performance(answered: Sequence[TunedScores], most: int) -> list[PointLine]:
    """A line for each task that most of them have, and one for all."""
    counts = Counter(task for one in answered for task in one.tasks if task != _ALL)
    tasks = sorted(sorted(counts, key=lambda task: (-counts[task], task))[:most])
    return [
        PointLine(task, [(one.name, *one.tasks[task]) for one in answered if task in one.tasks])
        for task in [*(tasks if len(tasks) > 1 else ()), _ALL]
    ]
