"""Batches that outlive a process: what was sent and what came back, in a run's journal.

``batches.jsonl`` has a line for each step of a batch, written before the next can cost
money: ``sending`` (its file is up, its creation follows), ``sent``, ``void`` (it was never
created), ``done`` (everything it brought is kept). ``batches/KEY.jsonl`` holds the replies
of a batch by the fingerprint of their prompt. Knows nothing of pairs and contexts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthesis.data import Completion, Prompt, Usage
from synthesis.engines.base import BaseEngine, PromptSource, Sampling
from synthesis.errors import ConfigError
from synthesis.run.journal import Log
from synthesis.storage import storage_errors

if TYPE_CHECKING:
    from synthesis.engines.openai.batch import BatchEngine, BatchJob, Unanswered


class BatchLog:
    """The batches of a run's journal; the ``Memory`` of its batch engine.

    Args:
        folder: the journal's folder.
        writable: without, nothing on disk is touched.
    """

    lasting = True

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self.path = folder / "batches.jsonl"
        self._replies_folder = folder / "batches"
        self._writable = writable
        self._jobs: dict[str, BatchJob] = {}
        self._state: dict[str, str] = {}
        self._replies: dict[str, Log] = {}
        self.dialect: dict[str, Any] | None = None
        with storage_errors(self.path):
            for line in self._whole_lines():
                self._apply(json.loads(line))
        for key in self._jobs:
            if (self._replies_folder / f"{key}.jsonl").exists():
                self._log(key, writable=False)

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
            self._note({"key": job.key, "state": "sending", "job": asdict(job)})

    def drop(self, job: BatchJob) -> None:
        """Note that a batch was never created."""
        self._note({"key": job.key, "state": "void"})

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
        log.close()  # to the device, before anybody relies on it
        self._note({"key": job.key, "state": "done"})

    def find(self, prompt_id: str) -> Completion | None:
        """The reply that a batch brought for a prompt."""
        for log in self._replies.values():
            if prompt_id in log:
                record = log.read(prompt_id)
                _, asked, given = record.get("usage", (0, 0, 0))
                return Completion(
                    prompt_id, record["text"], record["finish_reason"], asked, given, detail=record["detail"]
                )
        return None

    def _apply(self, entry: dict[str, Any]) -> None:
        from synthesis.engines.openai.batch import BatchJob

        if "dialect" in entry:
            self.dialect = entry["dialect"]
            return
        key = entry["key"]
        if "job" in entry:
            fields = entry["job"]
            self._jobs[key] = BatchJob(**{**fields, "prompt_ids": tuple(fields["prompt_ids"])})
        if "id" in entry:
            self._jobs[key] = replace(self._jobs[key], id=entry["id"])
        self._state[key] = entry["state"]

    def _log(self, key: str, *, writable: bool) -> Log:
        self._replies[key] = log = Log(self._replies_folder / f"{key}.jsonl", writable=writable)
        return log

    def _note(self, entry: dict[str, Any]) -> None:
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self._apply(entry)

    def _whole_lines(self) -> Iterator[bytes]:
        """The lines that were written to their end; what a crash left of another is cut off."""
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data) and self._writable:
            os.truncate(self.path, len(whole))
        yield from whole.splitlines()


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
    return found


class JournaledBatches(BaseEngine):
    """A batch engine whose batches and replies are kept in a journal.

    Its ``complete`` gives replies at hand, waits for batches in flight, and sends only
    what neither holds. Stopped at any moment, it goes on there.
    """

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
