"""A run's pairs as they were when they were submitted, kept in its journal.

Replies come on another day, when the source may have moved or changed. Knows nothing of
prompts and batches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builder.job import described_source, pairs_of
from synthesis.config import RunConfig
from synthesis.data import Pair, Rejected
from synthesis.errors import SourceError
from synthesis.storage import storage_errors


class PairsCopy:
    """``pairs.jsonl`` in a journal's folder: a line on where the rows are from, then the rows."""

    def __init__(self, journal: Path) -> None:
        self.path = journal / "pairs.jsonl"

    def take(self, config: RunConfig, tick: Callable[[], None] = lambda: None) -> bool:
        """Copy the rows of the source; where it is gone, the former copy will do (then False).

        Raises:
            SourceError: it cannot be read, and there is no copy of it.
        """
        temporary = self.path.with_suffix(".tmp")
        asked = asdict(config.pairs)
        try:
            origin = described_source(config)
            with storage_errors(temporary), temporary.open("w", encoding="ascii") as file:
                file.write(_line({"asked": asked, "source": origin}))
                for row in pairs_of(config):
                    tick()
                    file.write(
                        _line({"pair": asdict(row)} if isinstance(row, Pair) else {"bad": asdict(row)})
                    )
        except SourceError:
            temporary.unlink(missing_ok=True)
            if not self.path.exists() or self._head()["asked"] != asked:
                raise
            return False
        temporary.replace(self.path)
        return True

    def rows(self) -> Iterator[Pair | Rejected]:
        """The rows, in the source's order."""
        with storage_errors(self.path), self.path.open(encoding="ascii") as file:
            next(file)
            for line in file:
                entry = json.loads(line)
                yield Pair(**entry["pair"]) if "pair" in entry else Rejected(**entry["bad"])

    def source(self) -> dict[str, Any]:
        """What the source was, for the manifest."""
        found: dict[str, Any] = self._head()["source"]
        return found

    def _head(self) -> dict[str, Any]:
        with storage_errors(self.path), self.path.open(encoding="ascii") as file:
            head: dict[str, Any] = json.loads(next(file))
        return head


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry, separators=(",", ":")) + "\n"
