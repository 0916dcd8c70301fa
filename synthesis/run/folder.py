"""The folder of a run: made, recognised, locked.

Layout: ``run.toml`` (resolved configuration), ``manifest.json``, ``journal/``,
``dataset/``. Tasks that share a run's work each hold a folder of their own below
``journal/tasks/``. Knows nothing of what is inside a journal or the dataset.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from synthesis.data import content_hash
from synthesis.errors import ConfigError, FolderError, UsageError
from synthesis.options import RunConfig, dump_config, load_config
from synthesis.run.journal import TASKS
from synthesis.run.untouched import missing, untouched_if_refused
from synthesis.storage import in_shell, locked, replace_file, storage_errors

_CONFIG = "run.toml"
_OURS = frozenset(
    {_CONFIG, "run.toml.tmp", "manifest.json", "manifest.json.tmp", "journal", "dataset", "report", ".lock"}
)
_ALWAYS = ("out", "seed", "pairs", "generation", "samples", "filters", "contamination", "cost", "dataset")
_LAST = "rejected"  # of the options that every version has saved
_CHECK = "check"
# What a run that was stopped before its first write leaves, and tasks that begin.
_BEGUN = frozenset({".lock", "journal", "run.toml.tmp"})
_PATIENCE = 120.0  # seconds: a thousand tasks that start at once hold the folder one after another


FolderKind: TypeAlias = Literal["nothing", "file", "run", "dataset", "other"]


def kind_of(path: Path) -> FolderKind:
    """What is at a path: the one answer to what a DIR means.

    ``nothing`` is also an empty folder and what a run leaves that was stopped before its first
    write. A ``run`` has its configuration or a dataset, a ``dataset`` folder manifests.

    Raises:
        FolderError, StorageError: the folder cannot be read.
    """
    if not path.exists():
        return "nothing"
    if not path.is_dir():
        return "file"
    with storage_errors(path):
        present = {entry.name for entry in path.iterdir()}
    if (path / "manifests").is_dir():
        return "dataset"
    if _CONFIG in present or (path / "dataset" / "manifests").is_dir():
        return "run"
    return "nothing" if present <= _BEGUN else "other"


def load_saved(path: Path) -> RunConfig:
    """The configuration that a run saved, which names every table.

    Raises:
        ConfigError: as ``load_config``, or it was cut short: what is lost of it would be taken for defaults.
    """
    config = load_config(path)
    with storage_errors(path):
        saved = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    lacking = [name for name in _ALWAYS if name not in saved]
    if lacking or _LAST not in saved["dataset"]:
        raise ConfigError(
            f"{path} was cut short: it lacks {', '.join(lacking) or f'dataset.{_LAST}'}. Restore it, or give "
            "the options of the run again with --out, which writes it anew"
        )
    return config


def is_saved(path: Path) -> bool:
    """Whether a configuration is the one that a run saved in its folder."""
    return path.name == _CONFIG and (path.parent / "journal").is_dir()


class RunFolder:
    """Paths inside a run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / _CONFIG
        self.manifest = path / "manifest.json"
        self.journal = path / "journal"
        self.dataset = path / "dataset"
        self._lock = path / ".lock"

    def check(self) -> None:
        """Raise FolderError if the path holds something that is not a run of ours."""
        where = str(self.path.absolute())
        if odd := next((one for one in ("[", "*", "?", "::") if one in where), ""):
            raise FolderError(
                f"{where} has '{odd}' in its name, which `datasets` takes for a pattern, so that it could "
                "not load what is in it; choose another folder with --out"
            )
        kind = kind_of(self.path)
        if kind == "file":
            raise FolderError(f"{self.path} is a file; give a folder with --out")
        if kind == "nothing":
            return
        present = sorted(entry.name for entry in self.path.iterdir())
        foreign = [name for name in present if name not in _OURS]
        if kind != "run" or foreign:
            named = ", ".join((foreign or present)[:3])
            raise FolderError(
                f"{self.path} holds files that are not of a run ({named}); choose another folder with --out"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if needed and hold it, so that two runs never share it.

        The lock is the operating system's: it ends with the process, however that ends. What is refused
        before anything was written leaves the folder as it was.

        Raises:
            FolderError: another run or a task of this one works here, or it cannot be written.
        """
        made = missing(self._lock)
        with self._held(patience=0), untouched_if_refused(self.path, self.config, made):
            for lock in sorted((self.journal / TASKS).glob("*/.lock")):
                busy = f"task {lock.parent.name} is still working in {self.path}; wait for it to end"
                with locked(lock, busy):
                    pass
            yield

    @contextmanager
    def task(self, config: RunConfig, name: str) -> Iterator[Path]:
        """Hold, for one task of many, the folder of its own journal.

        Tasks of other names may work at the same time, a run may not. The configuration is saved
        as a run would.

        Raises:
            FolderError: a task of this name or a run works here, or the folder cannot be written.
        """
        own = self.journal / TASKS / name
        busy = f"another process works on task {name} in {self.path}; wait for it to end, or end it"
        # The run's lock is held until the task's own is: a run that begins meanwhile sees one of them.
        with ExitStack() as both:
            with self._held(patience=_PATIENCE):
                with storage_errors(own):
                    saved = self.config.read_bytes() if self.config.is_file() else b""
                    if saved != dump_config(config).encode():
                        self.write_config(config)
                    own.mkdir(parents=True, exist_ok=True)
                both.enter_context(locked(own / ".lock", busy))
            yield own

    @contextmanager
    def _held(self, patience: float) -> Iterator[None]:
        self.check()
        with storage_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            probe = os.access(self.path, os.W_OK)
        if not probe:
            raise FolderError(f"{self.path} cannot be written; choose another folder with --out")
        busy = f"another run is working in {self.path}; wait for it to end, or choose another --out"
        with locked(self._lock, busy, patience):
            yield

    def read_config(self, command: str = "run") -> RunConfig:
        """The configuration that was saved; ``command`` is the one that begins such a run.

        Raises:
            UsageError: there is none, so this is no run.
        """
        if not self.config.is_file():
            kind = kind_of(self.path)
            if kind == "dataset":
                raise UsageError(f"{self.path} is a dataset; give the folder of the run that made it")
            if kind == "file":
                raise UsageError(f"{self.path} is a file; give the folder of a run")
            # Where other files are, no run can be made.
            there = f" --out {in_shell(self.path)}" if kind == "nothing" else " --out DIR"
            raise UsageError(
                f"{self.path} {'holds no run (no run.toml)' if self.path.exists() else 'is not there'}; give "
                f"the folder of a run, or make one with: context-synthesis {command}{there}"
            )
        return load_saved(self.config)

    def write_config(self, config: RunConfig) -> None:
        """Save the resolved configuration."""
        replace_file(self.config, dump_config(config))

    def write_manifest(self, facts: Mapping[str, Any]) -> None:
        """Save what is known of the run, as indented JSON."""
        checked = {**facts, _CHECK: _check(facts)}
        replace_file(self.manifest, json.dumps(checked, indent=2, ensure_ascii=False, sort_keys=True) + "\n")

    def read_manifest(self) -> dict[str, Any]:
        """What was saved of the last run that ended; empty if none did, or if it is damaged."""
        if not self.manifest.is_file():
            return {}
        with storage_errors(self.manifest):
            content = self.manifest.read_bytes()
        try:
            facts = json.loads(content)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(facts, dict) or facts.pop(_CHECK, None) not in (None, _check(facts)):
            return {}
        return facts


def _check(facts: Mapping[str, Any]) -> str:
    return content_hash({name: fact for name, fact in facts.items() if name != _CHECK})[:16]
