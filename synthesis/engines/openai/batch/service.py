"""The calls: files up and down, batches made, looked at, found again and cancelled.

Each is tried until it is answered or given up. Making a batch is the one that costs money
and is not repeated blindly: when its reply is lost, the batch is looked for first. Knows
nothing of prompts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NoReturn, TypeVar

from synthesis.engines.openai.batch.files import ENDPOINT
from synthesis.engines.openai.batch.jobs import (
    BatchJob,
    BatchStatus,
    read_id,
    read_listed,
    read_status,
)
from synthesis.engines.openai.bodies import PER_TOKEN, ROOM, most
from synthesis.engines.openai.connection import open_client, read_error, request_errors
from synthesis.engines.serving.address import ServerAddress
from synthesis.engines.serving.advice import explain
from synthesis.engines.serving.asking import GaveUp
from synthesis.engines.serving.failures import FATAL, RETRYABLE, Failure, Kind
from synthesis.engines.serving.pace import retry_delay
from synthesis.errors import EngineError

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")

_TAKE = "take the file of requests"
_FILE_NAME = "context-synthesis.jsonl"
_KEY = "context_synthesis"  # of a batch's metadata
_ANY_SIZE = 1 << 60
_TOKENS = 1_000_000  # of a reply, at most
_DOUBTFUL = frozenset({Kind.TIMEOUT, Kind.SERVER, Kind.BROKEN})  # it may have taken effect all the same


class Service:
    """A server's files and batches; ``retries`` are further tries after the first."""

    def __init__(self, address: ServerAddress, model: str, retries: int) -> None:
        self.address, self.model, self.retries = address, model, retries
        self._client: OpenAI | None = None

    @contextmanager
    def connected(self) -> Iterator[OpenAI]:
        """A client for the calls inside the block; a block within a block shares its client."""
        if self._client is not None:
            yield self._client
            return
        with open_client(self.address) as client:
            self._client = client
            try:
                yield client
            finally:
                self._client = None

    def upload(self, file: IO[bytes]) -> str:
        """Send a file of requests; its name at the provider. Costs nothing."""

        def send(client: OpenAI) -> str | Failure:
            file.seek(0)
            sent = client.files.create(file=(_FILE_NAME, file, "application/jsonl"), purpose="batch")
            return read_id(sent)

        return self._ask(_TAKE, _FILE_NAME, send)

    def create(self, job: BatchJob, window: str) -> str:
        """Start a batch, once; its name at the provider."""
        tried = 0
        while isinstance(made := self._once(lambda client: _create(client, job, window)), Failure):
            tried += 1
            failure = made
            if job.input_file in failure.said and failure.kind in (Kind.MISSING, Kind.REJECTED):
                # A file just uploaded may take a moment to be known everywhere.
                failure = Failure(Kind.BUSY, failure.said)
            last = self._is_last(failure, tried)
            if not last or failure.kind in _DOUBTFUL:
                time.sleep(retry_delay(job.key, tried, failure.wait))
            if failure.kind in _DOUBTFUL and (found := self.find(job)):
                return found
            if last:
                self._give_up("start the batch", failure, tried)
        return made

    def find(self, job: BatchJob) -> str:
        """The name of a batch that was started without our hearing of it; empty if it was not."""

        def look(client: OpenAI) -> str | Failure:
            seen: set[str] = set()
            for entry in client.batches.list(limit=100):
                listed = read_listed(entry)
                if listed is None or listed.id in seen:  # a server that turns no pages
                    break
                seen.add(listed.id)
                # Not every server keeps metadata; a file of ours has one batch only.
                if listed.metadata.get(_KEY) == job.key or listed.input_file == job.input_file:
                    return listed.id
            return ""

        return self._ask("list its batches", job.key, look)

    def status(self, job: BatchJob) -> BatchStatus:
        """How a batch stands."""
        secret = self.address.secret
        return self._ask(
            f"say how batch {job.id} stands",
            job.id,
            lambda client: read_status(client.batches.retrieve(job.id), secret),
        )

    def cancel(self, job: BatchJob) -> BatchStatus:
        """End a batch early. What it has answered by then is paid, and kept."""
        secret = self.address.secret
        return self._ask(
            f"cancel batch {job.id}",
            job.id,
            lambda client: read_status(client.batches.cancel(job.id), secret),
        )

    def lines(self, file: str) -> Iterator[bytes]:
        """The lines of a file at the provider, as they come.

        After a download that broke off they come again from the first.

        Raises:
            EngineError: it breaks off every time. What came of it is not all there is.
        """
        tried = 0
        while True:
            tried += 1
            failure = yield from self._download(file)
            if failure is None:
                return
            if self._is_last(failure, tried):
                self._give_up(f"send all of the file {file}", failure, tried)
            time.sleep(retry_delay(file, tried, failure.wait))

    def _download(self, file: str) -> Generator[bytes, None, Failure | None]:
        rest = b""
        most.set(_ANY_SIZE)  # there may be very many replies
        with self.connected() as client:
            try:
                with client.files.with_streaming_response.content(file) as response:
                    for chunk in response.iter_bytes():
                        # Not split as text is: a reply may hold other characters that end lines.
                        *lines, rest = (rest + chunk).split(b"\n")
                        yield from lines
                        if len(rest) > ROOM + PER_TOKEN * _TOKENS:
                            return Failure(Kind.BROKEN, "the file has a line without an end")
            except request_errors() as error:
                return read_error(error, self.address)
        if rest and not _is_json(rest):
            return Failure(Kind.BROKEN, "the file ends in the middle of a line")
        yield rest
        return None

    def _ask(self, what: str, key: str, call: Callable[[OpenAI], T | Failure]) -> T:
        tried = 0
        while isinstance(answer := self._once(call), Failure):
            tried += 1
            if self._is_last(answer, tried):
                self._give_up(what, answer, tried)
            time.sleep(retry_delay(key, tried, answer.wait))
        return answer

    def _once(self, call: Callable[[OpenAI], T | Failure]) -> T | Failure:
        with self.connected() as client:
            try:
                return call(client)
            except request_errors() as error:
                return read_error(error, self.address)

    def _is_last(self, failure: Failure, tried: int) -> bool:
        return failure.kind not in RETRYABLE or tried > self.retries

    def _give_up(self, what: str, failure: Failure, tried: int) -> NoReturn:
        url = self.address.base_url
        if failure.kind is Kind.TOO_LONG and what == _TAKE:
            raise EngineError(
                f"{url} did not {what}: it is too large ({failure.said}). Lower generation.options.max_bytes "
                "or max_requests, and run the same command again; nothing was sent"
            )
        if failure.kind is Kind.MISSING:
            raise EngineError(
                f"{url} did not {what} ({failure.said}). Check that it offers the Batch API (files and "
                "batches) and that the key belongs to the account the batches are of; where there is none, "
                "use --engine openai"
            )
        if failure.kind in FATAL or failure.kind is Kind.UNREACHABLE:
            raise explain(GaveUp(failure, tried, True), self.address, self.model, None, list)
        raise EngineError(
            f"{url} did not {what}: {failure} (tries: {tried}). Run the same command again to go on; "
            "nothing is sent twice"
        )


def _create(client: OpenAI, job: BatchJob, window: str) -> str | Failure:
    made = client.batches.create(
        input_file_id=job.input_file,
        endpoint=ENDPOINT,
        # The client names the one window OpenAI has; other providers have others.
        completion_window=window,  # type: ignore[arg-type]
        metadata={_KEY: job.key},
    )
    return read_id(made)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
