"""Files of requests, as large as a provider takes them. Knows nothing of connections."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any, Final

from synthesis.data import Prompt, content_hash
from synthesis.engines.openai.batch.jobs import BatchJob
from synthesis.errors import ConfigError

ENDPOINT: Final = "/v1/chat/completions"
"""What every request asks for, whatever the address of the server."""

_IN_MEMORY = 8_000_000  # bytes of a file before it goes to the disk


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes in one file."""

    requests: int
    bytes: int


class Draft(AbstractContextManager["Draft"]):
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
    draft: Draft,
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
