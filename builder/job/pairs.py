"""The pairs of a job: where a configuration says they are, and a copy of them for what takes days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builder.resources import example_pairs
from synthesis.data import Pair, Rejected
from synthesis.errors import FolderError, SourceError
from synthesis.options import PairsConfig, QuestionsConfig, RunConfig
from synthesis.run.loop import rows_of
from synthesis.run.records import is_sealed, read_record, sealed, understood
from synthesis.settings import build
from synthesis.sources.address import errors_about
from synthesis.sources.pairs import describe_source, is_local
from synthesis.sources.splits import tell_files
from synthesis.sources.texts import describe_texts, text_address
from synthesis.storage import storage_errors, written_whole


def pairs_of(config: RunConfig) -> Iterator[Pair | Rejected]:
    """The pairs that a configuration names, or what it asks of long texts; and rows that are neither."""
    return rows_of(config, source_of(config))


def source_of(config: RunConfig) -> str | Path:
    """Where they come from; the bundled examples unless a source was given."""
    if config.asks:
        return config.questions.contexts
    return config.pairs.source or example_pairs()


def described_source(config: RunConfig) -> dict[str, Any]:
    """What that source is, so that it can be told whether it changed; see ``describe_source``."""
    if config.asks:
        with errors_about("the texts"):
            return describe_texts(text_address(config.questions.contexts)[0])
    return describe_source(source_of(config), config=config.pairs.config or None, split=config.pairs.split)


def tell_source(config: RunConfig) -> str:
    """A line on which files of a local source are read, where some are not; else empty."""
    return tell_files(described_source(config)) if is_near(config) else ""


def is_near(config: RunConfig) -> bool:
    """Whether the source lies on this machine, so that reading it twice is cheap."""
    if config.asks:
        return is_local(text_address(config.questions.contexts)[0].place)
    return is_local(source_of(config))


class PairsCopy:
    """``pairs.jsonl`` in a journal's folder: a line on where the rows are from, the rows, their number."""

    def __init__(self, journal: Path) -> None:
        self.path = journal / "pairs.jsonl"

    def take(self, config: RunConfig, tick: Callable[[], None] = lambda: None) -> bool:
        """Copy the rows of the source; where it is gone, the former copy will do (then False).

        Raises:
            SourceError: it cannot be read, and there is no copy of it.
        """
        try:
            origin = described_source(config)
            with written_whole(self.path) as path, path.open("wb") as file:
                file.write(sealed({"asked": _asked(config), "source": origin}))
                number = 0
                for row in pairs_of(config):
                    tick()
                    number += 1
                    file.write(sealed({"pair" if isinstance(row, Pair) else "bad": asdict(row)}))
                file.write(sealed({"rows": number}))
        except SourceError:
            if not self._is_whole() or not _is_of(self._head()["asked"], config):
                raise
            return False
        return True

    def ensure(self, config: RunConfig) -> None:
        """See to it that the copy is whole: a damaged one is made again, of the same source.

        Raises:
            FolderError: it is damaged, and the source is gone or has changed.
        """
        if self._is_whole():
            return
        with suppress(SourceError, FolderError):
            before = None
            with suppress(FolderError):
                before = self._head()["source"]
            if before in (None, described_source(config)) and self.take(config):
                return
        raise self._damaged()

    def rows(self) -> Iterator[Pair | Rejected]:
        """The rows, in the source's order.

        Raises:
            FolderError: the copy is damaged, which may show at its end only.
        """
        records = self._records()
        next(records)
        with understood(self.path):
            for entry in records:
                yield Pair(**entry["pair"]) if "pair" in entry else Rejected(**entry["bad"])

    def source(self) -> dict[str, Any]:
        """What the source was, for the manifest."""
        found: dict[str, Any] = self._head()["source"]
        return found

    def _head(self) -> dict[str, Any]:
        return next(self._records())

    def _is_whole(self) -> bool:
        try:
            return self.path.is_file() and all(True for _ in self._records())
        except _DamagedError:
            return False

    def _records(self) -> Iterator[dict[str, Any]]:
        """The head, then the rows."""
        number, rows = -1, None
        with storage_errors(self.path), self.path.open("rb") as file:
            for line in file:
                entry = read_record(line, self.path, _MEMBERS)
                if entry is None or rows is not None or (number < 0) != ("asked" in entry):
                    raise self._damaged()
                if "rows" in entry:
                    rows = entry["rows"]
                    continue
                counted = is_sealed(line, self.path)
                number += 1
                yield entry
        if number < 0 or rows != (number if counted else None):
            raise self._damaged()

    def _damaged(self) -> FolderError:
        return _DamagedError(
            f"{self.path}, the copy of the submitted pairs, is damaged, and their source is not what it was; "
            "put it back, then run the same command again"
        )


def _asked(config: RunConfig) -> dict[str, Any]:
    """What rows were asked for, as the head of a copy says it."""
    return asdict(config.pairs) | ({"questions": asdict(config.questions)} if config.asks else {})


def _is_of(head: dict[str, Any], config: RunConfig) -> bool:
    pairs = {key: value for key, value in head.items() if key != "questions"}
    questions = build(QuestionsConfig, head.get("questions", {}))
    return build(PairsConfig, pairs) == config.pairs and questions == config.questions


_MEMBERS = {"asked", "source", "pair", "bad", "rows"}


class _DamagedError(FolderError):
    """A copy that is not whole."""
