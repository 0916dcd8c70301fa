"""A run's outcomes and replies on disk, and which of the outcomes are current. Knows nothing of engines."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from synthesis.data import Completion, Context, Evidence, Pair, Prompt, Reason, Rejected, Usage
from synthesis.errors import FolderError
from synthesis.lazy_sequence import OnDemand
from synthesis.run.candidates import Mark
from synthesis.run.current import read_current, write_current
from synthesis.run.log import Log
from synthesis.run.records import understood
from synthesis.storage import in_shell

TASKS = "tasks"
_CURRENT = "current.txt"
_MARK = ("faults", "score", "scoring")  # of one among several candidates
# What earlier versions do not know is not written where it says nothing.
_LATER = ("form", "hops", "reasons", "reasons_model")
_HEAD = ("fingerprint", "pair_id")
_PAIR = tuple(field.name for field in fields(Pair))
_OF_CONTEXT, _OF_REJECTED = (
    tuple(field.name for field in fields(kind) if field.name not in _HEAD) for kind in (Context, Rejected)
)
_MEMBERS = {
    "contexts": ("pair", *_MARK, *(field.name for field in fields(Context))),
    "rejected": ("pair", *(field.name for field in fields(Rejected))),
    "steps": ("text", "finish_reason"),
    "assembled": ("dropped",),
    "retried": ("by",),
    "required": ("kind", "value", "reply"),
    "reasons": ("of", "reasons", "model", "reason", "attempts", "text", "finish_reason"),
}


class Journal:
    """The outcomes of a run's folder, and of journals ``beside`` it: by default those of its tasks.

    Raises:
        FolderError: a newer version wrote in it.
        FolderError, StorageError: as ``storage_errors``.
    """

    def __init__(self, folder: Path, *, writable: bool = True, beside: Iterable[Path] | None = None) -> None:
        self.folder = folder
        others = list((folder / TASKS).glob("*/") if beside is None else beside)

        def log(kind: str) -> Log:
            name = f"{kind}.jsonl"
            return Log(
                folder / name,
                _MEMBERS[kind],
                writable=False,
                beside=[other / name for other in others],
                owns=beside is None,
            )

        self.contexts, self.rejected, self.steps = log("contexts"), log("rejected"), log("steps")
        self._assembled = log("assembled")
        self._retried = log("retried")
        self._required = log("required")
        self.reasons = log("reasons")
        if writable:  # and only now: where one is of a newer version, nothing is written
            with ExitStack() as opened:
                for one in self._logs:
                    one.open()
                    opened.callback(one.close)
                opened.pop_all()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Flush and close the files."""
        for log in self._logs:
            log.close()

    @property
    def _logs(self) -> tuple[Log, ...]:
        asked = self._assembled, self._retried, self._required, self.reasons
        return self.contexts, self.rejected, self.steps, *asked

    @property
    def damaged(self) -> int:
        """How many records were found damaged; their work counts as not done."""
        return sum(log.damaged for log in self._logs)

    @property
    def usage(self) -> Usage:
        """What every reply that was ever recorded here took."""
        return self.writing_usage + self._required.usage + self.reasons.usage

    @property
    def writing_usage(self) -> Usage:
        """The same of those that were to become contexts."""
        return self.contexts.usage + self.rejected.usage + self.steps.usage

    @property
    def usage_by(self) -> dict[str, Usage]:
        """``usage`` by who wrote: what models of a mix are called there, "" for all others."""
        found: dict[str, Usage] = {}
        for log in self._logs:
            for writer, usage in log.usages.items():
                if usage.replies:
                    found[writer] = found.get(writer, Usage()) + usage
        return found

    def knows_pair(self, pair_id: str) -> bool:
        """Whether any outcome of this pair is recorded, under whatever settings."""
        return self.contexts.knows_pair(pair_id) or self.rejected.knows_pair(pair_id)

    def add(
        self,
        outcome: Context | Rejected,
        pair: Pair | None = None,
        usage: Usage | None = None,
        mark: Mark | None = None,
        writer: str = "",
    ) -> None:
        """Record an outcome, what its last reply took and, of several candidates, how good it is.

        ``pair`` is absent only for a row that never became one; ``writer`` is that of the prompts.
        """
        log = self.contexts if isinstance(outcome, Context) else self.rejected
        # Not ``asdict``, which copies all that is in them.
        body: dict[str, Any] = {"pair": {name: getattr(pair, name) for name in _PAIR} if pair else None}
        for name in _OF_CONTEXT if isinstance(outcome, Context) else _OF_REJECTED:
            if (value := getattr(outcome, name)) or name not in _LATER:
                body[name] = value
        if mark:
            body |= mark._asdict()
        log.append(outcome.fingerprint, outcome.pair_id, body, usage, writer)

    def find(self, prompt: Prompt) -> Completion | None:
        """The reply recorded for a prompt whose work went on after it."""
        if prompt.fingerprint not in self.steps:
            return None
        record = self.steps.read(prompt.fingerprint)
        with understood(self.steps.path):
            _, prompt_tokens, output_tokens = record.get("usage", (0, 0, 0))
            text, finish_reason = record["text"], record["finish_reason"]
        return Completion(prompt.id, text, finish_reason, prompt_tokens, output_tokens)

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply whose work goes on."""
        body = {"text": completion.text, "finish_reason": completion.finish_reason}
        self.steps.append(prompt.fingerprint, prompt.pair_id, body, Usage.of(completion), prompt.writer)

    def find_dropped(self, assembly: str) -> int | None:
        """How many contexts an assembly left out, each of them on record; None if it did not end."""
        if assembly not in self._assembled:
            return None
        with understood(self._assembled.path):
            return int(self._assembled.read(assembly)["dropped"])

    def keep_dropped(self, assembly: str, count: int) -> None:
        """Record that an assembly has ended, and how many contexts it left out."""
        if self.find_dropped(assembly) != count:
            self._assembled.append(assembly, "", {"dropped": count})

    def find_required(self, name: str) -> dict[str, Any] | None:
        """What a model was found to make of a context, under the name of the question; None if not yet."""
        return self._required.read(name) if name in self._required else None

    def keep_required(
        self, name: str, pair_id: str, body: dict[str, Any], usage: Usage | None = None
    ) -> None:
        """Record what a model made of a context, and what its reply took."""
        self._required.append(name, pair_id, body, usage)

    @property
    def holds_current(self) -> bool:
        """Whether a run was finished, so that ``current`` can be asked."""
        return (self.folder / _CURRENT).exists()

    @property
    def was_asked_again(self) -> bool:
        """Whether any context stands in for an outcome."""
        return len(self._retried) > 0

    def stand_in_for(self, fingerprint: str, by: str) -> None:
        """Record that the context ``by`` is what came of an outcome when its pair was asked again."""
        # What it took the place of does not come back.
        if self.stand_in(fingerprint) != by and self.stand_in(by) != fingerprint:
            self._retried.append(fingerprint, "", {"by": by})

    def stand_in(self, fingerprint: str) -> str:
        """The context that stands in for an outcome, else the outcome itself."""
        seen = {fingerprint}
        while fingerprint in self._retried:
            with understood(self._retried.path):
                by = str(self._retried.read(fingerprint)["by"])
            if by in seen or by not in self.contexts:
                break
            seen.add(by)
            fingerprint = by
        return fingerprint

    def outcome_of(self, fingerprint: str) -> tuple[Pair | None, Context | None]:
        """The pair of an outcome, None for a row that never became one; and its context, if it is one."""
        if fingerprint in self.contexts:
            return self.find_context(fingerprint)[:2]
        record = self.rejected.read(fingerprint)
        with understood(self.rejected.path):
            return None if record["pair"] is None else Pair(**record["pair"]), None

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

        They replace the former list only when the block ends well, with what it names on the device
        before it. Then nothing needs the damaged records any more.
        """
        with write_current(self.folder / _CURRENT) as add:
            yield add
            for log in self._logs:
                log.sync()
        for log in self._logs:
            log.mend()

    def current(self) -> Iterator[tuple[str, bool]]:
        """The fingerprints last collected by ``new_current``, in order, and whether each is of a context.

        Raises:
            FolderError: no run was finished, the list is damaged, or an outcome that it names is not
                there (any more).
        """
        run = self.folder.parent
        again = f"the command that began it, such as: context-synthesis run {in_shell(run / 'run.toml')}"
        path = self.folder / _CURRENT
        if not path.exists():
            raise FolderError(f"{run} holds no finished run; complete it with {again}")
        lacking = self._retried.lacks  # what came of being asked again
        for fingerprint in read_current(path, again):
            if fingerprint in self.contexts:
                yield fingerprint, True
            elif fingerprint in self.rejected:
                yield fingerprint, False
            else:
                lacking += 1
        if lacking:
            raise FolderError(
                f"{run} lacks {lacking:,} of its outcomes, which are damaged or gone; "
                f"have them made again with {again}"
            )

    def current_contexts(self) -> ContextRows:
        """The current contexts with their pairs, read from disk when asked for."""
        return ContextRows(self.contexts, (name for name, kept in self.current() if kept))

    def current_rejected(self) -> Iterator[Rejected]:
        """The current rejected outcomes, in order."""
        for fingerprint, kept in self.current():
            rejected = None if kept else self.find_rejected(fingerprint)
            if rejected is not None:
                yield rejected

    def find_context(self, fingerprint: str) -> tuple[Pair, Context, Mark | None]:
        """A context with its pair and, if it is one of several candidates, how good it is (else KeyError)."""
        record = self.contexts.read(fingerprint)
        ((pair, context),) = ContextRows(self.contexts, (fingerprint,))
        # The first version of scoring did not say so.
        mark = (
            Mark(record["faults"], record["score"], record.get("scoring", 1)) if "score" in record else None
        )
        return pair, context, mark

    def find_rejected(self, fingerprint: str) -> Rejected | None:
        """The rejection recorded under a fingerprint, if any."""
        if fingerprint not in self.rejected:
            return None
        record = self.rejected.read(fingerprint)
        with understood(self.rejected.path):
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
        with understood(self._log.path):
            for name in ("usage", "writer", *_MARK):
                record.pop(name, None)
            pair = Pair(**record.pop("pair"))
            record["evidence"] = tuple(Evidence(*span) for span in record["evidence"])
            record["reasons"] = tuple(Reason(*step) for step in record.get("reasons", ()))
            return pair, Context(**record)
