"""What was measured, written down at once; and the card's watts meanwhile."""

from __future__ import annotations

import atexit
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any


class Notes:
    """Findings of one part: printed, and added to ``results.jsonl`` as they come.

    Args:
        out: the folder of ``results.jsonl``.
        part: the part's name.
        until: when it has to be over, as of ``time.time``.
    """

    def __init__(self, out: Path, part: str, until: float) -> None:
        self.out, self.part, self._until = out, part, until
        self._took: dict[str, float] = {}

    def add(self, arm: str, **facts: Any) -> None:
        """One finding."""
        line = {"part": self.part, "arm": arm, **facts}
        with (self.out / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(" ".join(f"{name}={value}" for name, value in line.items()), flush=True)

    def has_time(self, arm: str, guess: float) -> bool:
        """Whether an arm will probably end in time (``guess``: seconds, the first time); noted if not."""
        if time.time() + self._took.get(arm, guess) < self._until:
            return True
        self.add(arm, skipped="no time left")
        return False

    def took(self, arm: str, seconds: float) -> None:
        """How long an arm took, to foretell the next time."""
        self._took[arm] = seconds


def read(out: Path) -> list[dict[str, Any]]:
    """All findings in a folder; none if nothing was measured yet."""
    path = out / "results.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


class Power:
    """Watts of the card, read twice a second by nvidia-smi where there is one."""

    def __init__(self) -> None:
        self._read: list[float] = []
        command = ["nvidia-smi", "--query-gpu=power.draw", "--format=csv,noheader,nounits", "-lms", "500"]
        try:
            self._meter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        except OSError:
            return
        atexit.register(self._meter.kill)
        threading.Thread(target=self._follow, daemon=True).start()

    def mean(self) -> int | None:
        """The mean since the last call; None if nothing was read."""
        found, self._read = self._read, []
        return round(sum(found) / len(found)) if found else None

    def _follow(self) -> None:
        for line in self._meter.stdout or []:
            try:
                self._read.append(float(line))
            except ValueError:
                return
