"""What a batch is to us, from the intent to send it to its end. Knows nothing of connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthesis.engines.serving.failures import Failure, Kind, failure_of

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""States that no batch leaves any more."""

# Of a batch as a whole; its requests have codes of their own.
_PROBLEMS = {
    "token_limit_exceeded": Kind.BUSY,
    "billing_hard_limit_reached": Kind.QUOTA,
    "model_not_found": Kind.MISSING,
}


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One batch. Everything needed to go on with it on another day, and no secret.

    Args:
        key: names this attempt. The batch carries it as metadata, so that it can be found
            again when the reply to its creation was lost.
        prompt_ids: the custom ids, in the order of the file's lines.
        host: where it was sent.
        made: when, in seconds since 1970.
        input_file: the provider's name for the file of requests.
        id: the provider's name for the batch; empty until it is known to exist.
    """

    key: str
    prompt_ids: tuple[str, ...]
    host: str
    made: int
    input_file: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How a batch stands.

    ``problems`` are failures of the batch itself, each with the line of its file (from 1; 0
    for the batch as a whole). ``expires`` is in seconds since 1970, 0 where nobody says.
    """

    state: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    output_file: str = ""
    error_file: str = ""
    expires: int = 0
    problems: tuple[tuple[int, Failure], ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED

    @property
    def problem(self) -> Failure | None:
        """What is wrong with the batch as a whole."""
        return next((failure for line, failure in self.problems if not line), None)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A prompt without a reply, through no fault of its own: worth sending again."""

    prompt_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class Listed:
    """A batch as the provider lists it."""

    id: str
    input_file: str
    metadata: Mapping[str, Any] = field(hash=False)


def read_status(reply: object, secret: str = "") -> BatchStatus | Failure:
    """The state in a batch object."""
    fields = _fields(reply)
    state = str(fields.get("status") or "").casefold()
    if not state:
        return Failure(Kind.BROKEN, "the reply holds no batch")
    counts = _fields(fields.get("request_counts"))
    completed = _number(counts.get("completed"))
    output = str(fields.get("output_file_id") or "")
    if state == "completed" and completed and not output:
        # It has happened that the files' names followed later. Replies are paid: wait for them.
        state = "finalizing"
    return BatchStatus(
        state,
        _number(counts.get("total")),
        completed,
        _number(counts.get("failed")),
        output,
        str(fields.get("error_file_id") or ""),
        _number(fields.get("expires_at")),
        tuple(_problems(fields.get("errors"), secret)),
    )


def read_listed(reply: object) -> Listed | None:
    """An entry of the list of batches."""
    fields = _fields(reply)
    if not fields.get("id"):
        return None
    return Listed(str(fields["id"]), str(fields.get("input_file_id") or ""), _fields(fields.get("metadata")))


def read_id(reply: object) -> str | Failure:
    """The id of whatever was made."""
    found = _fields(reply).get("id")
    return str(found) if found else Failure(Kind.BROKEN, "the reply holds no id")


def _problems(errors: object, secret: str) -> list[tuple[int, Failure]]:
    data = _fields(errors).get("data")
    entries = [_fields(entry) for entry in data] if isinstance(data, list) else []
    found = []
    for entry in entries:
        failure = failure_of(400, {}, entry, secret)
        kind = _PROBLEMS.get(str(entry.get("code") or ""), failure.kind)
        said = failure.said.removeprefix("HTTP 400, ")
        found.append((_number(entry.get("line")), Failure(kind, said, parameter=failure.parameter)))
    return found


def _fields(reply: object) -> Mapping[str, Any]:
    # The client gives models of its own, a server that speaks loosely anything at all.
    plain = reply.to_dict() if hasattr(reply, "to_dict") else reply
    return plain if isinstance(plain, Mapping) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
