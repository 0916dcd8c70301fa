"""Batches that outlive a process: what was sent and what came back, in a run's journal.

``batches.jsonl`` has a line for each step of a batch, written before the next can cost
money: ``sending`` (its file is up, its creation follows), ``sent``, ``void`` (it was never
created), ``done`` (everything it brought is kept). ``batches/KEY.json`` is what was sent, so that
a batch is known of even where that file is lost; ``batches/KEY.jsonl`` holds the replies by the
fingerprint of their prompt. Knows nothing of pairs and contexts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthesis.data import Completion, Prompt, Usage
from synthesis.engines.base import BaseEngine, PromptSource, Sampling
from synthesis.errors import ConfigError
from synthesis.run.log import ASIDE, Log
from synthesis.run.records import is_sealed, read_record, sealed, understood
from synthesis.storage import replace_file, storage_errors

if TYPE_CHECKING:
    from synthesis.engines.openai.batch import BatchEngine, BatchJob, Unanswered

_NOTE = {"key", "state", "id", "job", "dialect"}
_STATES = ("sending", "sent", "void", "done")
_REPLY = ("text", "finish_reason", "detail")


class BatchLog:
    """The batches of a run's journal; the ``Memory`` of its batch engine.

    What a damaged line told is found out again: from the provider, or from what is there of it.
    ``damaged`` counts such lines. A batch whose replies were damaged is read once more.

    Args:
        folder: the journal's folder.
        writable: without, nothing on disk is touched.

    Raises:
        FolderError: a newer version wrote in it.
        FolderError, StorageError: as ``storage_errors``.
    """

    lasting = True

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self.path = folder / "batches.jsonl"
        self._replies_folder = folder / "batches"
        self._jobs: dict[str, BatchJob] = {}
        self._state: dict[str, str] = {}
        self._replies: dict[str, Log] = {}
        self.dialect: dict[str, Any] | None = None
        with storage_errors(self.path):
            self._read_jobs()
            self.damaged = self._read_notes(writable)
            for path in sorted(self._replies_folder.glob("*.jsonl")):
                if path.name != ASIDE:
                    self.damaged += self._log(path.stem, writable=False).damaged
        for key, log in self._replies.items():
            if log.damaged and self._state.get(key) == "done":
                self._state[key] = "sent"

    @staticmethod
    def in_folder(folder: Path) -> bool:
        """Whether a journal's folder tells of any batch."""
        return (folder / "batches.jsonl").is_file() or any((folder / "batches").glob("*.json"))

    def __enter__(self) -> BatchLog:
        return self

    def __exit__(self, *_: object) -> None:
        for log in self._replies.values():
            log.close()

    @property
    def jobs(self) -> list[BatchJob]:
        """Every batch that exists or may exist, oldest first."""
        return [job for key, job in self._jobs.items() if self._state[key] != "void"]

    def in_flight(self) -> list[BatchJob]:
        """Batches that exist and were not read to their end."""
        return [job for key, job in self._jobs.items() if self._state[key] == "sent"]

    def unheard(self) -> list[BatchJob]:
        """Batches of which nobody knows whether they were created."""
        return [job for key, job in self._jobs.items() if self._state[key] == "sending"]

    def record(self, job: BatchJob) -> None:
        """Note a batch before it is created (without ``id``), and again when it has been."""
        if job.id:
            self._note({"key": job.key, "state": "sent", "id": job.id})
        else:
            job_path = self._replies_folder / f"{job.key}.json"
            replace_file(job_path, sealed({"job": asdict(job)}))
            self._note({"key": job.key, "state": "sending", "job": asdict(job)})

    def drop(self, job: BatchJob) -> None:
        """Note that a batch was never created."""
        self._note({"key": job.key, "state": "void"})

    def reread(self) -> list[BatchJob]:
        """Batches that were read to their end, and of which replies are damaged by now."""
        return [
            job for job in self.in_flight() if job.key in self._replies and self._replies[job.key].damaged
        ]

    def give_up(self, job: BatchJob) -> None:
        """Note that what is lost of a batch's replies cannot be had any more."""
        with closing(self._log(job.key, writable=True)) as log:
            log.mend()
        self._note({"key": job.key, "state": "done"})

    def learn(self, dialect: dict[str, Any]) -> None:
        """Note how the server wants to be spoken to, if that is news."""
        if dialect != self.dialect:
            self._note({"dialect": dialect})

    def collected(
        self, job: BatchJob, ends: Iterable[Completion | Unanswered]
    ) -> Iterator[Completion | Unanswered]:
        """Hand on the ends of a batch's prompts; replies are on disk before that.

        The batch is done when the last has been taken; stopped earlier, it is read again.
        """
        log = self._log(job.key, writable=True)
        for end in ends:
            if isinstance(end, Completion) and end.prompt_id not in log:
                body = {"text": end.text, "finish_reason": end.finish_reason, "detail": end.detail}
                log.append(end.prompt_id, "", body, Usage.of(end))
            yield end
        log.mend()
        log.close()  # to the device, before anybody relies on it
        self._note({"key": job.key, "state": "done"})

    def find(self, prompt_id: str) -> Completion | None:
        """The reply that a batch brought for a prompt."""
        for log in self._replies.values():
            if prompt_id in log:
                record = log.read(prompt_id)
                with understood(log.path):
                    _, asked, given = record.get("usage", (0, 0, 0))
                    text, finish_reason, detail = (record[name] for name in _REPLY)
                return Completion(prompt_id, text, finish_reason, asked, given, detail=detail)
        return None

    def _read_jobs(self) -> None:
        """Know of every batch that was about to be sent, whatever is left of the notes."""
        for path in self._replies_folder.glob("*.json"):
            record = read_record(path.read_bytes(), path, {"job"})
            if record is not None:
                with understood(path):
                    self._apply({"key": path.stem, "state": "sending", **record})
        self._jobs = dict(sorted(self._jobs.items(), key=lambda item: (item[1].made, item[0])))

    def _read_notes(self, writable: bool) -> int:
        """Take in the notes; how many were damaged. Those are put aside."""
        if not self.path.exists():
            return 0
        *lines, torn = self.path.read_bytes().split(b"\n")
        whole, damaged = b"", b""
        for line in (line + b"\n" for line in lines):
            if self._take(line):
                whole += line
            else:
                damaged += line
        if writable and damaged:
            with self.path.with_name(ASIDE).open("ab") as aside:
                aside.write(damaged)
            replace_file(self.path, whole)
        elif writable and torn:
            os.truncate(self.path, len(whole))
        return damaged.count(b"\n")

    def _take(self, line: bytes) -> bool:
        """Take in a note; False if it is damaged."""
        entry = read_record(line, self.path, _NOTE)
        if entry is None:
            return False
        if is_sealed(line, self.path):
            with understood(self.path):
                self._apply(entry)
            return True
        try:
            self._apply(entry)
        except (TypeError, KeyError, ValueError, AttributeError):
            return False
        return True

    def _apply(self, entry: dict[str, Any]) -> None:
        from synthesis.engines.openai.batch import BatchJob

        if "dialect" in entry:
            self.dialect = entry["dialect"]
            return
        key, state = entry["key"], entry["state"]
        if state not in _STATES:
            raise ValueError(state)
        if "job" in entry:
            fields = entry["job"]
            self._jobs[key] = BatchJob(**{**fields, "prompt_ids": tuple(fields["prompt_ids"])})
        if key not in self._jobs:
            return  # what told of it is lost
        if "id" in entry:
            self._jobs[key] = replace(self._jobs[key], id=entry["id"])
        self._state[key] = state

    def _log(self, key: str, *, writable: bool) -> Log:
        self._replies[key] = log = Log(self._replies_folder / f"{key}.jsonl", _REPLY, writable=writable)
        return log

    def _note(self, entry: dict[str, Any]) -> None:
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(sealed(entry))
                file.flush()
                os.fsync(file.fileno())
        self._apply(entry)


def clear_up(engine: BatchEngine, log: BatchLog) -> list[BatchJob]:
    """Find out which batches exist whose creation was never heard of; returns those found.

    Raises:
        ConfigError: batches in flight are at another host than the engine's.
        EngineError: the provider cannot be asked.
    """
    for job in [*log.in_flight(), *log.unheard()]:
        if job.host != engine.host:
            raise ConfigError(
                f"batch {job.id or job.key} of this run was sent to {job.host}, and the engine now speaks to "
                f"{engine.host}; set generation.options.base_url (--option base_url=...) back until it is "
                "fetched, or use another --out"
            )
    if log.dialect:
        engine.dialect = log.dialect
    found = []
    for job in log.unheard():
        known = engine.find(job)
        if known is None:
            log.drop(job)
        else:
            log.record(known)
            found.append(known)
    for job in log.reread():
        if engine.find(job) is None:
            log.give_up(job)
    return found


class JournaledBatches(BaseEngine):
    """A batch engine whose batches and replies are kept in a journal.

    Its ``complete`` gives replies at hand, waits for batches in flight, and sends only
    what neither holds. Stopped at any moment, it goes on there.
    """

    outlives_process = True

    def __init__(self, engine: BatchEngine, folder: Path) -> None:
        self.engine = engine
        self.name, self.model, self.settings = engine.name, engine.model, engine.settings
        self._folder = folder

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Yield the completion of every prompt; see ``BatchEngine.complete``."""
        with BatchLog(self._folder) as log:
            clear_up(self.engine, log)
            try:
                yield from self.engine.complete(prompts, sampling, log)
            finally:
                log.learn(self.engine.dialect)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """The text of one reply, in one piece; not kept."""
        return self.engine.stream(prompt, sampling)

    def close(self) -> None:
        """Free the engine."""
        self.engine.close()


def journaled(engine: BaseEngine, folder: Path) -> BaseEngine:
    """The engine itself, or, if it sends batches, one that keeps them in the journal's folder."""
    if not engine.outlives_process:
        return engine
    from synthesis.engines.openai.batch import BatchEngine

    return JournaledBatches(engine, folder) if isinstance(engine, BatchEngine) else engine
