"""The engine for servers with a Batch API: submit, look, fetch; or all of it in one call.

Knows nothing of files of ours, budgets or parsing. Whoever keeps the jobs (they are plain
data) can go on with them in another process on another day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from synthesis.data import Completion, Message, Prompt
from synthesis.engines.base import BaseEngine, Items, PromptSource, Sampling
from synthesis.engines.openai.batch.files import Limits, RequestFile, fill, settle
from synthesis.engines.openai.batch.jobs import BatchJob, BatchStatus, Unanswered
from synthesis.engines.openai.batch.rounds import Memory, NoMemory, Rounds
from synthesis.engines.openai.batch.service import Service
from synthesis.engines.openai.connection import make_address, only_model
from synthesis.engines.openai.wire import Dialect, check_extra, check_left, holds
from synthesis.engines.serving.advice import describe
from synthesis.engines.serving.asking import GaveUp
from synthesis.engines.serving.failures import Failure, Kind
from synthesis.errors import ConfigError, EngineError


class BatchEngine(BaseEngine):
    """Writes through a Batch API: within a day, at half the price where a provider offers that.

    ``base_url``, ``api_key_env``, ``timeout``, ``retries`` and ``extra_body`` are those of
    the engine ``openai``, and so are the requests and the reading of replies. Prompts go out
    in files as large as the provider takes them and come back by their ids.

    ``complete`` waits for its batches. When its iterator is left early, it cancels them. For
    a wait that outlives the process, keep the jobs: ``submit`` gives them to ``record``
    before anything can cost money and again once they exist, ``status`` and ``fetch`` take
    them on any other day, ``find`` says what became of a job whose creation went unheard.

    Args:
        model: as the provider names it; empty takes the only one it has.
        base_url: the server; empty: ``OPENAI_BASE_URL`` from the environment, else OpenAI.
        api_key_env: the environment variable that holds the key.
        max_requests: requests in one file, at most.
        max_bytes: bytes of one file, at most.
        at_once: batches under way at once, at most; for ``complete``.
        poll_seconds: between two looks at batches that have not ended; for ``complete``.
        completion_window: the time the provider takes, as it names it.
        tries: how often one prompt is sent at most; for ``complete``.
        timeout: seconds without a byte until a call counts as failed.
        retries: further tries of a call after the first.
        leave_to_server: of ``temperature``, ``top_p`` and ``seed``, those that are not sent, so that the
            server's own hold (for vLLM those that the model came with).
        leave_to_server: of ``temperature``, ``top_p`` and ``seed``, those that are not sent.
        extra_body: further fields of every request.

    Raises:
        ConfigError: a setting cannot be used, or a model must be chosen.
        MissingExtraError: the package ``openai`` is not installed.
        EngineError: without a ``model``, the server's models could not be read.
    """

    name = "batch"
    outlives_process = True

    def __init__(
        self,
        model: str = "",
        *,
        base_url: str = "",
        api_key_env: str = "OPENAI_API_KEY",
        max_requests: int = 50_000,
        max_bytes: int = 200_000_000,
        at_once: int = 8,
        poll_seconds: float = 60,
        completion_window: str = "24h",
        tries: int = 3,
        timeout: float = 600,
        retries: int = 6,
        leave_to_server: Sequence[str] = (),
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        self._extra = dict(extra_body or {})
        check_extra(self._extra)
        left_out = check_left(leave_to_server)
        counts = {"max_requests": max_requests, "max_bytes": max_bytes, "at_once": at_once, "tries": tries}
        _check(counts | {"poll_seconds": poll_seconds, "timeout": timeout}, retries)
        address = make_address(base_url, api_key_env, timeout)
        self.base_url = address.base_url
        self.poll_seconds = poll_seconds
        self.settings = {"extra_body": self._extra} if self._extra else {}
        if left_out:
            self.settings["leave_to_server"] = left_out
        self.model = model or only_model(address)
        self._address = address
        self._service = Service(address, self.model, retries)
        self._limits = Limits(max_requests, max_bytes)
        self._window = completion_window
        self._at_once, self._tries = at_once, tries
        # OpenAI's own name for the bound comes first here: a wrong guess costs a round of a day.
        self._dialect = Dialect("max_completion_tokens", left_out=left_out)
        self._learned: set[str] = set()

    def __repr__(self) -> str:
        return f"BatchEngine({self.model!r}, base_url={self.base_url!r})"

    @property
    def host(self) -> str:
        """Where jobs are sent; a job of another host is not this engine's."""
        return urlsplit(self.base_url).netloc

    @property
    def dialect(self) -> dict[str, Any]:
        """How the server wants to be spoken to, as learnt from its refusals: plain values to keep."""
        return {"limit_name": self._dialect.limit_name, "left_out": sorted(self._dialect.left_out)}

    @dialect.setter
    def dialect(self, known: Mapping[str, Any]) -> None:
        self._dialect.limit_name = str(known["limit_name"])
        self._dialect.left_out = set(known["left_out"])

    def complete(
        self, prompts: PromptSource, sampling: Sampling, memory: Memory | None = None
    ) -> Iterator[Completion]:
        """Submit prompts as they come, file by file, and yield completions as batches end.

        At most ``at_once`` files are under way; the next prompts are pulled when one ends. A
        prompt whose batch ended without a reply for it goes out again, ``tries`` times at
        most, then it becomes a ``Completion`` with ``finish_reason="error"``. With a
        ``memory``, batches of an earlier call are gone on with, and left early they run on.

        Raises:
            EngineError: the provider does not take the batches, or cannot be reached.
                Batches under way are waited for and their completions yielded before.
        """
        rounds = Rounds(self, memory or NoMemory(), self._at_once, self._tries, self._limits.requests)
        with self._service.connected():
            yield from rounds.run(prompts, sampling)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """The text of one reply, in one piece: batches have no others.

        Raises:
            EngineError: there was no reply, or the server refused.
        """
        (reply,) = self.complete(Items([prompt]), sampling)
        if reply.finish_reason not in ("stop", "length"):
            raise EngineError(f"{self.base_url} gave no reply: {reply.detail}")
        yield reply.text

    def submit(
        self,
        prompts: Iterable[Prompt],
        sampling: Sampling,
        record: Callable[[BatchJob], object] = lambda job: None,
    ) -> Iterator[BatchJob]:
        """Send prompts, in as many batches as the limits ask for; yield each once it exists.

        Args:
            prompts: pulled as files fill up; no id may come twice.
            sampling: for all of them.
            record: called with each job before its batch is created (without ``id``) and
                again when it has been.

        Raises:
            EngineError: a file or a batch was not taken. What was yielded before stands.
        """
        rest = iter(prompts)
        with self._service.connected():
            while True:
                job, spare = self.send(rest, sampling, self._limits.requests, record)
                if job is None:
                    return
                yield job
                if spare is not None:
                    rest = chain([spare], rest)

    def send(
        self,
        prompts: Iterator[Prompt],
        sampling: Sampling,
        most: int,
        record: Callable[[BatchJob], object] = lambda job: None,
    ) -> tuple[BatchJob | None, Prompt | None]:
        """Send one batch: its job (None if there were no prompts), and a prompt that did not fit in."""
        limits = Limits(min(most, self._limits.requests), self._limits.bytes)
        with RequestFile() as draft:
            spare = fill(draft, prompts, lambda prompt: self._body(prompt, sampling), limits)
            if not draft.prompts:
                return None, None
            job = draft.job(self.host, self._service.upload(draft.file))
        record(job)
        job = replace(job, id=self._service.create(job, self._window))
        record(job)
        return job, spare

    def find(self, job: BatchJob) -> BatchJob | None:
        """A job whose creation went unheard, with its ``id``; None if it was never created."""
        found = self._service.find(job)
        return replace(job, id=found) if found else None

    def status(self, job: BatchJob) -> BatchStatus:
        """How a batch stands."""
        return self._service.status(job)

    def cancel(self, job: BatchJob) -> BatchStatus:
        """End a batch early; ``fetch`` still gives what it had answered."""
        return self._service.cancel(job)

    def fetch(
        self, job: BatchJob, sampling: Sampling, status: BatchStatus | None = None
    ) -> Iterator[Completion | Unanswered]:
        """The end of every prompt of a batch that has ended, each exactly once.

        A refusal, or a request that would fail again just so, is a ``Completion`` that says
        so. ``Unanswered`` are those worth sending again: expired, rate-limited, lost.

        Args:
            job: a batch that exists.
            sampling: what it was submitted with.
            status: if it was just asked for.

        Raises:
            EngineError: the batch has not ended, or its files could not be read to the end.
                Completions yielded before are good; nothing else may be concluded.
        """
        status = status or self.status(job)
        if not status.ended:
            raise EngineError(f"batch {job.id} has not ended ({status.state}); ask again later")
        files = [file for file in (status.output_file, status.error_file) if file]
        lines = chain.from_iterable(self._service.lines(file) for file in files)

        def verdict(prompt_id: str, failure: Failure) -> Completion | None:
            return self._verdict(prompt_id, failure, sampling)

        return settle(job.prompt_ids, lines, status, verdict, self._address.secret)

    def _body(self, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
        return self._dialect.chat(self.model, prompt, sampling, self._extra)

    def _verdict(self, prompt_id: str, failure: Failure, sampling: Sampling) -> Completion | None:
        if failure.parameter:
            turns = (Message("system", ""), Message("user", ""))
            sample = Prompt(prompt_id, "", "", {}, turns, "")
            now = self._body(sample, sampling)
            # Put differently since, thanks to another refusal, or from here on.
            if not holds(failure.parameter, now) or self._dialect.learn(
                failure.parameter, now, self._learned
            ):
                return None
        finish = "refusal" if failure.kind is Kind.REFUSED else "error"
        return Completion(prompt_id, "", finish, detail=describe(GaveUp(failure, 1, False), sampling))


def _check(positive: Mapping[str, float], retries: int) -> None:
    for name, value in positive.items():
        if not value > 0:
            raise ConfigError(f"generation.options.{name} is {value}; give a number above 0")
    if retries < 0:
        raise ConfigError(f"generation.options.retries is {retries}; give 0 or more")
