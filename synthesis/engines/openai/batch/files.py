"""The files of a batch: requests as they are sent, replies as they come back.

Replies come in any order, with lines that are missing, doubled, failed or broken; each prompt of a
batch comes to exactly one end: a completion, or the reason why it should be asked again. Knows
nothing of connections.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any, Final

from synthesis.data import Completion, Prompt, content_hash
from synthesis.engines.openai.batch.jobs import BatchJob, BatchStatus, Unanswered
from synthesis.engines.openai.wire import read_chat
from synthesis.engines.serving.failures import FATAL, RETRYABLE, Failure, Kind, failure_of
from synthesis.errors import ConfigError

ENDPOINT: Final = "/v1/chat/completions"
"""What every request asks for, whatever the address of the server."""

_IN_MEMORY = 8_000_000  # bytes of a file before it goes to the disk
# A model that has nothing to say has nothing to say tomorrow, either.
_AGAIN = RETRYABLE - {Kind.EMPTY} | FATAL
_UNDONE = frozenset({"batch_expired", "batch_cancelled"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes in one file."""

    requests: int
    bytes: int


class RequestFile(AbstractContextManager["RequestFile"]):
    """A file being filled; closed with its block."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.size = 0
        # A context manager of its own, which is what the class is for.
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, prompt: Prompt, line: bytes) -> None:
        """Write one request."""
        self.file.write(line)
        self.prompts.append(prompt)
        self.size += len(line)

    def job(self, host: str, input_file: str) -> BatchJob:
        """The batch to be, once its file is uploaded."""
        ids = tuple(prompt.id for prompt in self.prompts)
        # The time makes it the name of this attempt: a later one for the same prompts is another batch.
        return BatchJob(content_hash(ids, time.time_ns()), ids, host, int(time.time()), input_file)


def fill(
    draft: RequestFile,
    prompts: Iterator[Prompt],
    body: Callable[[Prompt], Mapping[str, Any]],
    limits: Limits,
) -> Prompt | None:
    """Put prompts into a file until it is full or there are none at the moment.

    Returns the prompt that did not fit in any more, if one was taken that did not.

    Raises:
        ConfigError: a request is larger than a whole file may be.
    """
    while len(draft.prompts) < limits.requests:
        prompt = next(prompts, None)
        if prompt is None:
            return None
        line = request_line(prompt.id, body(prompt))
        if len(line) > limits.bytes:
            raise ConfigError(
                f"the request for pair {prompt.pair_id} takes {len(line):,} bytes and a whole file may take "
                f"{limits.bytes:,}; raise generation.options.max_bytes or leave that pair out"
            )
        if draft.size + len(line) > limits.bytes:
            return prompt
        draft.add(prompt, line)
    return None


def request_line(custom_id: str, body: Mapping[str, Any]) -> bytes:
    """One line of a file of requests."""
    entry = {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


Verdict = Callable[[str, Failure], Completion | None]
"""What a failed request comes to: a completion for good, or None to ask again."""


def settle(
    prompt_ids: Sequence[str], lines: Iterable[bytes], status: BatchStatus, verdict: Verdict, secret: str
) -> Iterator[Completion | Unanswered]:
    """The end of each prompt of a batch, exactly once.

    A reply is handed on as its line is read. A failure waits for the end of the lines: the
    same prompt may still have a reply further down.

    Args:
        prompt_ids: those of the batch; lines of others are passed over.
        lines: of all files, output and errors.
        status: says what went wrong with the batch itself.
        verdict: tells failures for good from those that another try may mend.
        secret: must not be repeated from what a server says.
    """
    open_ids = dict.fromkeys(prompt_ids)
    failures = dict(_refused_lines(prompt_ids, status))
    for line in lines:
        found = read_line(line, secret)
        if found is None or found[0] not in open_ids:
            continue
        prompt_id, outcome = found
        if isinstance(outcome, Completion):
            del open_ids[prompt_id]
            yield outcome
        else:
            failures[prompt_id] = outcome
    missing = status.problem or Failure(Kind.UNDONE, f"the batch is {status.state} and has no line for it")
    for prompt_id in open_ids:
        failure = failures.get(prompt_id, missing)
        again = failure.kind in _AGAIN or failure is missing
        completion = None if again else verdict(prompt_id, failure)
        yield completion or Unanswered(prompt_id, failure)


def read_line(line: bytes, secret: str = "") -> tuple[str, Completion | Failure] | None:
    """The custom id of a line and what came of its request; None if the line cannot be read."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, Mapping) or not isinstance(entry.get("custom_id"), str):
        return None
    return entry["custom_id"], _outcome(entry["custom_id"], entry, secret)


def _outcome(prompt_id: str, entry: Mapping[str, Any], secret: str) -> Completion | Failure:
    response = entry.get("response")
    status = response.get("status_code") if isinstance(response, Mapping) else None
    # Requests that a provider lost have come back with status 0 and no body.
    if isinstance(response, Mapping) and isinstance(status, int) and status:
        if status < 400:
            return read_chat(prompt_id, response.get("body"), secret)
        return failure_of(status, {}, response.get("body"), secret)
    error = entry.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    if code in _UNDONE:
        return Failure(Kind.UNDONE, str(code))
    return failure_of(code if isinstance(code, int) and code >= 400 else 500, {}, {"error": error}, secret)


def _refused_lines(prompt_ids: Sequence[str], status: BatchStatus) -> Iterator[tuple[str, Failure]]:
    """Prompts whose lines the provider named when it refused the file."""
    for line, failure in status.problems:
        if 0 < line <= len(prompt_ids):
            yield prompt_ids[line - 1], failure
