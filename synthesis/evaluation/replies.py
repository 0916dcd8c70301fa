"""Replies on disk by the fingerprint of their prompt, as they arrive: nothing is asked twice.

Knows nothing of questions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthesis.data import Completion, Prompt, Usage
from synthesis.run.budget import Budget
from synthesis.run.log import Log
from synthesis.run.records import understood

_REPLIES, _LIKELIHOODS = "replies.jsonl", "likelihoods.jsonl"


class ReplyLog:
    """The replies and likelihoods of a folder.

    Raises:
        FolderError: a newer version wrote in it.
        FolderError, StorageError: as ``storage_errors``.
    """

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self.folder = folder
        # Replies arrive in the engine's thread.
        self._lock = threading.Lock()
        self._replies = Log(folder / _REPLIES, ("text", "finish_reason", "detail"), writable=False)
        self._scored = Log(folder / _LIKELIHOODS, ("sum", "tokens"), writable=False)
        # A file that is not there is made for its first record.
        self._unopened = {log for log in (self._replies, self._scored) if writable and not log.path.exists()}
        if writable:
            for log in {self._replies, self._scored} - self._unopened:
                log.open()

    @property
    def usage(self) -> Usage:
        """What all replies took that were ever recorded here."""
        return self._replies.usage

    @property
    def damaged(self) -> int:
        """How many records were found damaged; what they told is asked again."""
        return self._replies.damaged + self._scored.damaged

    def find(self, prompt: Prompt) -> Completion | None:
        """The reply to a prompt."""
        with self._lock:
            if prompt.fingerprint not in self._replies:
                return None
            record = self._replies.read(prompt.fingerprint)
        with understood(self._replies.path):
            _, asked, given = record.get("usage", (0, 0, 0))
            text, finish = record["text"], record["finish_reason"]
            return Completion(prompt.id, text, finish, asked, given, detail=record["detail"])

    def text(self, fingerprint: str) -> str:
        """The reply recorded under a fingerprint; empty if there is none."""
        with self._lock:
            return str(self._replies.read(fingerprint)["text"]) if fingerprint in self._replies else ""

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply, unless it is. From any thread.

        Raises:
            FolderError, StorageError: as ``storage_errors``.
        """
        body = {name: getattr(completion, name) for name in ("text", "finish_reason", "detail")}
        with self._lock:
            if prompt.fingerprint not in self._replies:
                self._opened(self._replies).append(
                    prompt.fingerprint, prompt.pair_id, body, Usage.of(completion)
                )

    def looked_at(self, prompt: Prompt, completion: Completion, *, settled: bool) -> None:
        """Nothing is to be noted: replies stay here."""

    def likelihood(self, fingerprint: str) -> tuple[float, int] | None:
        """The sum of an answer's log-probabilities and the number of its tokens, if recorded."""
        if fingerprint not in self._scored:
            return None
        record = self._scored.read(fingerprint)
        with understood(self._scored.path):
            return float(record["sum"]), int(record["tokens"])

    def keep_likelihood(self, fingerprint: str, question: str, total: float, tokens: int) -> None:
        """Record a likelihood."""
        self._opened(self._scored).append(fingerprint, question, {"sum": total, "tokens": tokens})

    def _opened(self, log: Log) -> Log:
        if log in self._unopened:
            log.open()
            self._unopened.remove(log)
        return log

    def close(self) -> None:
        """Flush to the device, move what is damaged out, and close."""
        with self._lock:
            for log in (self._replies, self._scored):
                log.mend()
                log.close()


@contextmanager
def reply_log(folder: Path | None) -> Iterator[ReplyLog | None]:
    """The log of a folder while the block lasts; none without a folder."""
    if folder is None:
        yield None
        return
    log = ReplyLog(folder)
    try:
        yield log
    finally:
        log.close()


class Allowance:
    """How the replies of a folder stand against a budget; a prompt that was sent is waited for."""

    def __init__(self, budget: Budget, log: ReplyLog | None) -> None:
        self._budget, self._log = budget, log

    def may_begin(self, open: int) -> bool:
        """Whether there is enough for another prompt, if those that are ``open`` take what others took."""
        if not self._budget or self._log is None:
            return True
        usage = self._log.usage
        if not usage.replies:
            return not open  # the first tells what one takes
        spent = self._budget.share({"": usage})
        return spent + (open + 1) * spent / usage.replies <= 1

    def may_go_on(self) -> bool:
        """Each question takes one reply."""
        return True
