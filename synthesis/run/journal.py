"""The record of finished work: append-only JSON lines, resumed by identity.

A ``Log`` is one file of records, indexed by the fingerprint of what each is about; a ``Journal`` keeps
a run's outcomes and replies in such files, and says which of them are current. Knows nothing of engines.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple
from io import FileIO
from pathlib import Path
from typing import Any

from synthesis.data import Completion, Context, Evidence, Pair, Prompt, Rejected, Usage, content_hash
from synthesis.errors import FolderError, StorageError
from synthesis.lazy_sequence import OnDemand
from synthesis.storage import storage_errors, written_whole

TASKS = "tasks"
_HEAD = b'{"fingerprint":"'
_DIGITS = 32
_USAGE = b'","usage":['
_FILE = 48  # a place is a number of a file above so many bits, and an offset in it below


class Log:
    """The file, and those beside it that count as parts of it.

    The index keeps a 64-bit key and an offset per record (about 150 bytes); the
    records themselves stay on disk. ``usage`` sums up what all replies recorded took.
    Files ``beside`` it are read as if their records stood in it, before its own.
    """

    def __init__(self, path: Path, *, writable: bool = True, beside: Iterable[Path] = ()) -> None:
        self.path = path
        self._offsets: dict[int, int] = {}
        self._pair_keys: set[int] = set()
        self.usage = Usage()
        self._file: FileIO | None = None
        with storage_errors(path):
            # The newer of two records counts.
            others = sorted(filter(Path.exists, beside), key=lambda other: other.stat().st_mtime_ns)
            self._files = [*others, path]
            if writable:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("a+b", buffering=0)
            for number in range(len(self._files)):
                self._end = self._scan(number)
            if self._file is not None:
                # Cut off what a crash left unfinished, so that the next record starts a line.
                self._file.truncate(self._end)

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, fingerprint: str) -> bool:
        return _key(fingerprint) in self._offsets

    def knows_pair(self, pair_id: str) -> bool:
        """Whether any record is of this pair."""
        return _key(pair_id) in self._pair_keys

    def append(
        self, fingerprint: str, pair_id: str, body: dict[str, Any], usage: Usage | None = None
    ) -> None:
        """Write one record, with what its reply took.

        Raises:
            StorageError: the disk is full or failing; the file is left as it was before.
        """
        if self._file is None:
            raise StorageError(f"{self.path} was opened for reading only")
        head: dict[str, Any] = {"fingerprint": fingerprint, "pair_id": pair_id}
        if usage is not None and usage.replies:
            head["usage"] = astuple(usage)
        line = _encode(head | body)
        try:
            with storage_errors(self.path):
                written = 0
                while written < len(line):
                    written += self._file.write(line[written:]) or 0
        except BaseException:
            os.ftruncate(self._file.fileno(), self._end)
            raise
        self._remember(fingerprint, pair_id, len(self._files) - 1 << _FILE | self._end)
        self.usage += usage or Usage()
        self._end += len(line)

    def read(self, fingerprint: str) -> dict[str, Any]:
        """The record of a fingerprint (KeyError if there is none)."""
        return self.read_at(self.offset(fingerprint))

    def offset(self, fingerprint: str) -> int:
        """Where the record of a fingerprint starts, for ``read_at`` (KeyError if there is none)."""
        return self._offsets[_key(fingerprint)]

    def read_at(self, offset: int) -> dict[str, Any]:
        """The record that starts at ``offset``."""
        with self._files[offset >> _FILE].open("rb") as file:
            file.seek(offset & (1 << _FILE) - 1)
            record: dict[str, Any] = json.loads(file.readline())
        return record

    def close(self) -> None:
        """Flush to the device and close."""
        if self._file is not None and not self._file.closed:
            with storage_errors(self.path):
                os.fsync(self._file.fileno())
            self._file.close()

    def _remember(self, fingerprint: str, pair_id: str, offset: int) -> None:
        self._offsets[_key(fingerprint)] = offset
        self._pair_keys.add(_key(pair_id))

    def _scan(self, number: int) -> int:
        """Index every whole record of a file; return where the last one ends."""
        end = 0
        path = self._files[number]
        if not path.exists():
            return end
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                # The head is enough for the index; a line damaged elsewhere shows when it is read.
                if line.startswith(_HEAD) and line.endswith(b"}\n"):
                    fingerprint = line[len(_HEAD) : len(_HEAD) + _DIGITS].decode("ascii")
                    begin = len(_HEAD) + _DIGITS + len(b'","pair_id":"')
                    stop = line.index(b'"', begin)
                    self._remember(fingerprint, line[begin:stop].decode("utf-8"), number << _FILE | end)
                    if line.startswith(_USAGE, stop):
                        numbers = line[stop + len(_USAGE) : line.index(b"]", stop)]
                        self.usage += Usage(*map(int, numbers.split(b",")))
                end += len(line)
        return end


class Journal:
    """The outcomes of a run's folder, and of journals ``beside`` it: by default those of its tasks."""

    def __init__(self, folder: Path, *, writable: bool = True, beside: Iterable[Path] | None = None) -> None:
        self.folder = folder
        others = list((folder / TASKS).glob("*/") if beside is None else beside)

        def log(name: str) -> Log:
            return Log(folder / name, writable=writable, beside=[other / name for other in others])

        self.contexts = log("contexts.jsonl")
        self.rejected = log("rejected.jsonl")
        self.steps = log("steps.jsonl")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Flush and close the files."""
        for log in (self.contexts, self.rejected, self.steps):
            log.close()

    @property
    def usage(self) -> Usage:
        """What every reply that was ever recorded here took."""
        return self.contexts.usage + self.rejected.usage + self.steps.usage

    def knows_pair(self, pair_id: str) -> bool:
        """Whether any outcome of this pair is recorded, under whatever settings."""
        return self.contexts.knows_pair(pair_id) or self.rejected.knows_pair(pair_id)

    def add(self, outcome: Context | Rejected, pair: Pair | None = None, usage: Usage | None = None) -> None:
        """Record an outcome and what its last reply took.

        ``pair`` is absent only for a row that never became one.
        """
        log = self.contexts if isinstance(outcome, Context) else self.rejected
        body = asdict(outcome)
        del body["fingerprint"], body["pair_id"]
        body = {"pair": asdict(pair) if pair else None, **body}
        log.append(outcome.fingerprint, outcome.pair_id, body, usage)

    def find(self, prompt: Prompt) -> Completion | None:
        """The reply recorded for a prompt whose work went on after it."""
        if prompt.fingerprint not in self.steps:
            return None
        record = self.steps.read(prompt.fingerprint)
        _, prompt_tokens, output_tokens = record.get("usage", (0, 0, 0))
        return Completion(prompt.id, record["text"], record["finish_reason"], prompt_tokens, output_tokens)

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply whose work goes on."""
        body = {"text": completion.text, "finish_reason": completion.finish_reason}
        self.steps.append(prompt.fingerprint, prompt.pair_id, body, Usage.of(completion))

    def is_settled(self, fingerprint: str) -> bool:
        """Whether nothing is left to do: a context, or a rejection that would only repeat itself.

        An engine that failed (server down, out of memory) is worth asking again.
        """
        if fingerprint in self.contexts:
            return True
        return fingerprint in self.rejected and not self.rejected.read(fingerprint)["reason"].startswith(
            "error"
        )

    @contextmanager
    def new_current(self) -> Iterator[Callable[[str], object]]:
        """Collect, in order, the fingerprints that belong to the configuration being run.

        They replace the former list only when the block ends well.
        """
        target = self.folder / "current.txt"
        with written_whole(target) as path, path.open("w", encoding="ascii") as file:
            yield lambda fingerprint: file.write(f"{fingerprint}\n")

    def current(self) -> Iterator[str]:
        """The fingerprints last collected by ``new_current``, in order."""
        path = self.folder / "current.txt"
        if not path.exists():
            raise FolderError(
                f"{self.folder.parent} holds no finished run; complete it with: "
                f"context-synthesis run {self.folder.parent / 'run.toml'}"
            )
        with path.open(encoding="ascii") as file:
            yield from (line.strip() for line in file)

    def current_contexts(self) -> ContextRows:
        """The current contexts with their pairs, read from disk when asked for."""
        return ContextRows(self.contexts, (f for f in self.current() if f in self.contexts))

    def current_rejected(self) -> Iterator[Rejected]:
        """The current rejected outcomes, in order."""
        for fingerprint in self.current():
            if fingerprint not in self.contexts:
                rejected = self.find_rejected(fingerprint)
                if rejected is not None:
                    yield rejected

    def find_rejected(self, fingerprint: str) -> Rejected | None:
        """The rejection recorded under a fingerprint, if any."""
        if fingerprint not in self.rejected:
            return None
        record = self.rejected.read(fingerprint)
        attempts = record.get("attempts", 1)
        return Rejected(
            record["pair_id"], record["stage"], record["reason"], record["text"], fingerprint, attempts
        )


class ContextRows(OnDemand[tuple[Pair, Context]]):
    """Contexts on disk as a sequence: 8 bytes a row in memory, one read per access."""

    def __init__(self, log: Log, fingerprints: Iterable[str]) -> None:
        self._log = log
        self._offsets = array("Q", (log.offset(fingerprint) for fingerprint in fingerprints))

    def __len__(self) -> int:
        return len(self._offsets)

    def read(self, place: int) -> tuple[Pair, Context]:
        """A pair with its context."""
        record = self._log.read_at(self._offsets[place])
        record.pop("usage", None)
        pair = Pair(**record.pop("pair"))
        record["evidence"] = tuple(Evidence(*span) for span in record["evidence"])
        return pair, Context(**record)


def _key(identity: str) -> int:
    """64 bits of an identity: its first 16 hex digits, or those of its hash."""
    digits = identity[:16]
    if len(digits) < 16 or not all(c in "0123456789abcdef" for c in digits):
        digits = content_hash(identity)[:16]
    return int(digits, 16)


def _encode(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:  # a lone surrogate: escape everything beyond ASCII instead
        return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
