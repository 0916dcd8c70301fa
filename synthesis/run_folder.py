"""The folder of a run: made, recognised, locked.

Layout: ``run.toml`` (resolved configuration), ``manifest.json``, ``journal/``,
``dataset/``. Knows nothing of what is inside the journal or the dataset.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synthesis.config import RunConfig, dump_config
from synthesis.errors import FolderError
from synthesis.storage import storage_error, storage_errors

_CONFIG = "run.toml"
_OURS = frozenset(
    {_CONFIG, "run.toml.tmp", "manifest.json", "manifest.json.tmp", "journal", "dataset", "report", ".lock"}
)


class RunFolder:
    """Paths inside a run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / _CONFIG
        self.manifest = path / "manifest.json"
        self.journal = path / "journal"
        self.dataset = path / "dataset"

    def check(self) -> None:
        """Raise FolderError if the path holds something that is not a run of ours."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise FolderError(f"{self.path} is a file; give a folder with --out")
        with storage_errors(self.path):
            present = {entry.name for entry in self.path.iterdir()}
        foreign = sorted(present - _OURS)
        if present and (_CONFIG not in present or foreign):
            # A run that was stopped before its first write leaves only the lock.
            if present <= {".lock", "journal"}:
                return
            named = ", ".join(foreign[:3]) or ", ".join(sorted(present)[:3])
            raise FolderError(
                f"{self.path} holds files that are not of a run ({named}); choose another folder with --out"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if needed and hold it, so that two runs never share it.

        The lock is the operating system's: it ends with the process, however that ends.
        """
        from filelock import FileLock, Timeout

        self.check()
        with storage_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            probe = os.access(self.path, os.W_OK)
        if not probe:
            raise FolderError(f"{self.path} cannot be written; choose another folder with --out")
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:  # an OSError too, so it comes first
            raise FolderError(
                f"another run is working in {self.path}; wait for it to end, or choose another --out"
            ) from None
        except OSError as error:
            raise storage_error(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    def write_config(self, config: RunConfig) -> None:
        """Save the resolved configuration."""
        self._replace(self.config, dump_config(config))

    def write_manifest(self, facts: Mapping[str, Any]) -> None:
        """Save what is known of the run, as indented JSON."""
        self._replace(self.manifest, json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True) + "\n")

    def read_manifest(self) -> dict[str, Any]:
        """What was saved of the last run that ended; empty if none did."""
        if not self.manifest.is_file():
            return {}
        with storage_errors(self.manifest):
            facts: dict[str, Any] = json.loads(self.manifest.read_text(encoding="utf-8"))
        return facts

    def _replace(self, target: Path, text: str) -> None:
        temporary = target.with_name(target.name + ".tmp")
        with storage_errors(target):
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
