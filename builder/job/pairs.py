"""The pairs of a job: where a configuration says they are, and a copy of them for what takes days."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builder.resources import example_pairs
from synthesis.data import Pair, Rejected
from synthesis.errors import SourceError
from synthesis.options import PairsConfig, RunConfig
from synthesis.run.loop import chosen_pairs
from synthesis.settings import build
from synthesis.sources.pairs import describe_source
from synthesis.storage import storage_errors, written_whole


def pairs_of(config: RunConfig) -> Iterator[Pair | Rejected]:
    """The pairs that a configuration names, and rows that are none."""
    return chosen_pairs(config.pairs, source_of(config))


def source_of(config: RunConfig) -> str | Path:
    """Where they come from; the bundled examples unless a source was given."""
    return config.pairs.source or example_pairs()


def described_source(config: RunConfig) -> dict[str, Any]:
    """What that source is, so that it can be told whether it changed; see ``describe_source``."""
    return describe_source(source_of(config), config=config.pairs.config or None, split=config.pairs.split)


class PairsCopy:
    """``pairs.jsonl`` in a journal's folder: a line on where the rows are from, then the rows."""

    def __init__(self, journal: Path) -> None:
        self.path = journal / "pairs.jsonl"

    def take(self, config: RunConfig, tick: Callable[[], None] = lambda: None) -> bool:
        """Copy the rows of the source; where it is gone, the former copy will do (then False).

        Raises:
            SourceError: it cannot be read, and there is no copy of it.
        """
        asked = asdict(config.pairs)
        try:
            origin = described_source(config)
            with written_whole(self.path) as path, path.open("w", encoding="ascii") as file:
                file.write(_line({"asked": asked, "source": origin}))
                for row in pairs_of(config):
                    tick()
                    file.write(
                        _line({"pair": asdict(row)} if isinstance(row, Pair) else {"bad": asdict(row)})
                    )
        except SourceError:
            if not self.path.exists() or build(PairsConfig, self._head()["asked"]) != config.pairs:
                raise
            return False
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
