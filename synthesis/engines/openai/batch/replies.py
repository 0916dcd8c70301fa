"""Files of replies: in any order, with lines that are missing, doubled, failed or broken.

Each prompt of a batch comes to exactly one end: a completion, or the reason why it should
be asked again. Knows nothing of connections; the file's lines come in as an iterable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from synthesis.data import Completion
from synthesis.engines.openai.batch.jobs import BatchStatus, Unanswered
from synthesis.engines.openai.wire import read_chat
from synthesis.engines.serving.failures import FATAL, RETRYABLE, Failure, Kind, judge

_UNDONE = frozenset({"batch_expired", "batch_cancelled"})

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
        again = failure.kind in RETRYABLE | FATAL or failure is missing
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
        return judge(status, {}, response.get("body"), secret)
    error = entry.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    if code in _UNDONE:
        return Failure(Kind.UNDONE, str(code))
    return judge(code if isinstance(code, int) and code >= 400 else 500, {}, {"error": error}, secret)


def _refused_lines(prompt_ids: Sequence[str], status: BatchStatus) -> Iterator[tuple[str, Failure]]:
    """Prompts whose lines the provider named when it refused the file."""
    for line, failure in status.problems:
        if 0 < line <= len(prompt_ids):
            yield prompt_ids[line - 1], failure
