"""Replies on disk as they arrive, before anybody looks at them.

Whoever is stopped between a reply and the record of what came of it finds it here and asks for it
no second time. Knows nothing of what is in a reply.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthesis.data import Completion, Prompt, Usage
from synthesis.engines.base import BaseEngine
from synthesis.run.log import Log
from synthesis.run.records import understood

_NAME = "arrived.jsonl"
_LARGE = 16_000_000  # bytes; a file of replies that are all recorded elsewhere need not grow further


class Arrivals:
    """The file ``arrived.jsonl`` of a journal's folder; it is gone when nothing in it is needed.

    Raises:
        FolderError: a newer version wrote in it.
        FolderError, StorageError: as ``storage_errors``.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        # Replies arrive in the engine's thread.
        self._lock = threading.Lock()
        self._open = 0
        self._log = self._opened()
        self._earlier = len(self._log)
        self._since = self._size()

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply. From any thread.

        Raises:
            FolderError, StorageError: as ``storage_errors``.
        """
        body = {name: getattr(completion, name) for name in ("text", "finish_reason", "detail")}
        with self._lock:
            self._log.append(prompt.fingerprint, prompt.pair_id, body, Usage.of(completion))
            self._open += 1

    def find(self, prompt: Prompt) -> Completion | None:
        """The reply to a prompt that an earlier process recorded and did not get to."""
        with self._lock:
            if prompt.fingerprint not in self._log or self._log.offset(prompt.fingerprint) >= self._since:
                return None
            record = self._log.read(prompt.fingerprint)
        self._earlier -= 1
        with understood(self._path):
            _, asked, given = record["usage"]
            text, finish = record["text"], record["finish_reason"]
            return Completion(prompt.id, text, finish, asked, given, detail=record["detail"])

    def looked_at(self, prompt: Prompt, completion: Completion, *, settled: bool) -> None:
        """Note that a reply kept here is being looked at; if ``settled``, all before are elsewhere."""
        with self._lock:
            self._open -= 1
            full = settled and not self._open and self._earlier <= 0 and self._size() > _LARGE
            if full:
                self._log.close()
                self._path.unlink()
                self._log = self._opened()
                self._since = 0
        if full:
            self.keep(prompt, completion)
            self._open -= 1

    @property
    def is_settled(self) -> bool:
        """Whether all that ever arrived was looked at."""
        with self._lock:
            return not self._open and self._earlier <= 0

    def remove(self) -> None:
        """Delete the file: whatever arrived is recorded elsewhere."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Flush to the device and close."""
        with self._lock:
            self._log.close()

    def _size(self) -> int:
        return self._path.stat().st_size

    def _opened(self) -> Log:
        return Log(self._path, ("text", "finish_reason", "detail"))


@contextmanager
def tray_for(engine: BaseEngine, folder: Path) -> Iterator[Arrivals | None]:
    """Where an engine's replies go first; nowhere if they cost nothing or are kept anyway."""
    if engine.free or engine.outlives_process:
        yield None
        return
    arrivals = Arrivals(folder)
    try:
        yield arrivals
    finally:
        arrivals.close()
