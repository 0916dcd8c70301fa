"""One setting of an engine, timed: the process that ``builder.job.tuning`` starts for each.

    python -m builder.job.tuning_trial FOLDER PROMPTS REPEATS

Reads FOLDER/run.toml and notes in FOLDER/found.json what is known so far, after each step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from builder.job.pairs import pairs_of
from synthesis.data import Message, Pair, Prompt
from synthesis.engines.base import Items
from synthesis.errors import ContextSynthesisError, SourceError
from synthesis.options import load_config
from synthesis.run.job import Job, make_job
from synthesis.storage import replace_file

_WARMING = 4  # prompts answered before anything is timed: what is compiled or connected once is then done


def main(folder: Path, prompts: int, repeats: int) -> None:
    """Time it, and note what is found as it is."""
    found: dict[str, Any] = {"rates": []}

    def note(**more: Any) -> None:
        found.update(more)
        replace_file(folder / "found.json", json.dumps(found).encode())

    try:
        config = load_config(folder / "run.toml")
        began = time.monotonic()
        with closing(make_job(config)) as job:
            asked = _prompts(job, list(pairs_of(config)), prompts)
            _rate(job, _fresh(asked[:_WARMING], 0))
            note(start=time.monotonic() - began, tunings=[dict(one) for one in job.engine.tunings()])
            for turn in range(repeats):
                note(rates=[*found["rates"], _rate(job, _fresh(asked, turn + 1))])
        note(done=True)
    except ContextSynthesisError as error:
        note(reason=" ".join(str(error).split()))
    except Exception as error:  # whatever it is, it is what there is to say of this setting
        note(reason=f"{type(error).__name__}: {' '.join(str(error).split())}"[:600])


def _prompts(job: Job, rows: Sequence[object], count: int) -> list[Prompt]:
    """So many prompts; of fewer pairs, each several times, with seeds of their own."""
    pairs = [row for row in rows if isinstance(row, Pair)]
    if not pairs:
        raise SourceError("there are no pairs to try settings on; give some with --pairs")
    made = [job.prompt(pair) for pair in islice(pairs, count)]
    return [replace(one, id=f"{one.id}-{place}") for place, one in enumerate(islice(cycle(made), count))]


def _fresh(prompts: Sequence[Prompt], turn: int) -> list[Prompt]:
    """The same prompts under another first line, so that no cache knows them from the turn before."""
    first = [(one, one.messages[0]) for one in prompts]
    return [
        replace(one, messages=(Message(told.role, f"[{turn}]\n{told.content}"), *one.messages[1:]))
        for one, told in first
    ]


def _rate(job: Job, prompts: Sequence[Prompt]) -> float:
    """Output tokens a second; words, where the engine counts no tokens.

    Raises:
        SourceError: not one of the prompts was answered.
    """
    began, written, trouble = time.monotonic(), 0, ""
    for done in job.engine.complete(Items(iter(prompts)), job.asking):
        if done.finish_reason == "error":
            trouble = done.detail
        else:
            written += done.output_tokens or len(done.text.split())
    if not written:
        raise SourceError(f"no prompt was answered ({trouble or 'empty replies'})")
    return written / (time.monotonic() - began)


def _end_with_parent() -> None:
    """End this process, and what it started, when the one that started it is gone: its pipe then ends."""
    os.read(0, 1)  # not sys.stdin: a thread that waits in it would break the interpreter's end
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
