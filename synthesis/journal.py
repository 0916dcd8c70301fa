"""The record of finished work: append-only JSON lines, resumed by identity.

One line per outcome, in files that a crash at any moment leaves whole (see ``log``). Knows
nothing of engines, tokenizers or Parquet.

``contexts.jsonl`` and ``rejected.jsonl`` hold outcomes by fingerprint, of this run and of
earlier ones with other settings; ``steps.jsonl`` holds the replies before the last of works
that take several; ``current.txt`` lists the fingerprints that belong to
the configuration last run, in the order of their pairs. ``tasks/`` holds journals of the
same kind, one for each task of a run that many processes share: what they hold counts as
if it stood here, and stays where it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from synthesis.data import Completion, Context, Evidence, Pair, Prompt, Rejected, Usage
from synthesis.errors import FolderError
from synthesis.log import Log
from synthesis.ondemand import OnDemand
from synthesis.storage import storage_errors

TASKS = "tasks"


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
        temporary = target.with_suffix(".tmp")
        with storage_errors(target), temporary.open("w", encoding="ascii") as file:
            yield lambda fingerprint: file.write(f"{fingerprint}\n")
        temporary.replace(target)

    def current(self) -> Iterator[str]:
        """The fingerprints last given to ``set_current``."""
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
