"""The engine for any server that speaks the OpenAI protocol.

What is particular to a server is learnt from its replies, not configured; how many are asked at
once and how often is ``synthesis.engines.serving``'s.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from synthesis.data import Completion, Prompt
from synthesis.engines.base import LogLikelihood, Sampling
from synthesis.engines.chat import restored, restored_pieces
from synthesis.engines.openai.connection import (
    OpenConnection,
    deltas,
    listed_models,
    make_address,
    only_model,
)
from synthesis.engines.openai.likelihood import ServerScorer
from synthesis.engines.openai.wire import Dialect, check_extra, check_left, opening_of, read_chat
from synthesis.engines.serving.asking import GaveUp, Server
from synthesis.engines.serving.engine import ServedEngine, check_numbers
from synthesis.engines.serving.failures import Failure, Kind
from synthesis.engines.serving.pace import Pace
from synthesis.engines.serving.session import Job, in_order
from synthesis.errors import EngineError


class OpenAIEngine(ServedEngine):
    """Writes with a model behind an OpenAI-compatible server.

    Where to point ``base_url`` (empty: ``OPENAI_BASE_URL`` from the environment, else OpenAI)
    and which variable holds the key:

    - vLLM: ``vllm serve MODEL``, then ``http://localhost:8000/v1``. No key unless it was
      started with one. Raise ``concurrency`` to its ``--max-num-seqs``.
    - HF Inference Providers: ``https://router.huggingface.co/v1``, ``api_key_env="HF_TOKEN"``.
    - Ollama: ``http://localhost:11434/v1``. It cuts long prompts without a word: set
      ``OLLAMA_CONTEXT_LENGTH`` on its side to hold prompt and reply.
    - llama.cpp: ``llama-server -m FILE -np 4``, then ``http://localhost:8080/v1``; the context
      size is shared among its ``-np`` slots.
    - OpenAI: nothing but ``OPENAI_API_KEY``.

    The key goes to whatever server ``base_url`` names, so name the variable that belongs to
    it. It is never part of a message, a log record or the engine's ``repr``.

    Retries, pace and the ends of what stays without a reply are those of ``ServedEngine``.

    Each request has its own seed, made from ``Sampling.seed`` and the prompt's id, where the
    server takes one. Reasoning is left out of the text.

    Args:
        model: as the server names it; empty takes the only one it has.
        base_url: the server, usually with ``/v1`` at the end.
        api_key_env: the environment variable that holds the key; may be unset for servers without.
        concurrency: requests at once, at most (1 to 1000).
        timeout: seconds until a try counts as failed, from sending to the last byte.
        retries: further tries after the first.
        begin_with_marker: put the beginning that a prompt asks for (``Context:``) last, as a turn of
            the assistant's that the server goes on from. By default once a reply came without it,
            from a server that is known to (vLLM, llama.cpp) and a model that shows no thoughts; true
            from the start, on any server that does not refuse; false never.
        leave_to_server: of ``temperature``, ``top_p`` and ``seed``, those that are not sent, so that the
            server's own hold (for vLLM those that the model came with).
        extra_body: further fields of every chat request, for what only some servers know,
            such as ``{"top_k": 20, "min_p": 0.05}`` or
            ``{"chat_template_kwargs": {"enable_thinking": False}}``.

    Raises:
        ConfigError: a setting cannot be used, or a model must be chosen.
        MissingExtraError: the package ``openai`` is not installed.
        EngineError: without a ``model``, the server's models could not be read.
    """

    name = "openai"

    def __init__(
        self,
        model: str = "",
        *,
        base_url: str = "",
        api_key_env: str = "OPENAI_API_KEY",
        concurrency: int = 32,
        timeout: float = 600,
        retries: int = 6,
        begin_with_marker: bool | None = None,
        leave_to_server: Sequence[str] = (),
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        self._extra = dict(extra_body or {})
        check_numbers(concurrency, timeout, retries)
        check_extra(self._extra)
        left_out = check_left(leave_to_server)
        address = make_address(base_url, api_key_env, timeout)
        self._dialect = Dialect(begin=begin_with_marker, left_out=left_out)
        super().__init__(Server(address, retries, Pace(concurrency), self._dialect.learn), concurrency)
        self.base_url = address.base_url
        self.settings = {"extra_body": self._extra} if self._extra else {}
        if left_out:
            self.settings["leave_to_server"] = left_out
        if begin_with_marker is not None:
            self.settings["begin_with_marker"] = begin_with_marker
        self.model = model or only_model(address)

    def __repr__(self) -> str:
        return f"OpenAIEngine({self.model!r}, base_url={self.base_url!r})"

    def use_key(self, key: str) -> None:
        """Send this key from now on. It is held in memory and shown nowhere; the environment is not read."""
        self._server = replace(self._server, address=replace(self._server.address, own=key))

    def connect(self) -> OpenConnection:
        """A connection for one session."""
        return OpenConnection(self._server.address)

    def request(
        self, prompt: Prompt, sampling: Sampling, *, stream: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """A chat completion request, as this server wants to be asked."""
        return "/chat/completions", self._dialect.chat(
            self.model, prompt, sampling, self._extra, stream=stream
        )

    def read(self, prompt: Prompt, reply: object, body: Mapping[str, Any]) -> Completion | Failure:
        """The completion in a chat completion reply, its beginning included."""
        found = read_chat(prompt.id, reply, self._server.address.secret)
        if isinstance(found, Failure) or found.finish_reason not in ("stop", "length"):
            return found
        self._dialect.observe(prompt, body, reply, found.text)
        text = restored(found.text, opening_of(body)) if found.text.strip() else found.text
        return replace(found, text=text)

    def deltas(self, path: str, body: Mapping[str, Any]) -> Generator[str | Failure, None, None]:
        """The pieces of one streamed reply."""
        pieces, opening = deltas(self._server.address, path, body), opening_of(body)
        return restored_pieces(pieces, opening) if opening else pieces

    def models(self) -> list[str]:
        """What the server says it serves."""
        return listed_models(self._server.address)

    def loglikelihood(self, requests: Iterable[tuple[str, str]]) -> Iterator[LogLikelihood]:
        """For each (prefix, continuation), in order: the continuation's token log-probabilities.

        Needs a completions endpoint with vLLM's ``prompt_logprobs``, or one that echoes
        prompts with logprobs; with the latter ``token_ids`` is empty.

        Raises:
            EngineError: the server offers neither, a prefix is empty, or a request stayed
                without a reply.
        """
        with self._session() as (session, asker):
            scorer = ServerScorer(asker, self.base_url, self.model)
            jobs: Iterator[Job[LogLikelihood | GaveUp]] = (
                partial(scorer.score, *_checked(request)) for request in requests
            )
            for outcome in in_order(session, jobs, self._ahead):
                if isinstance(outcome, GaveUp):
                    break
                yield outcome
            else:
                return
        if outcome.failure.kind in (Kind.MISSING, Kind.REJECTED, Kind.PARAMETER):
            raise EngineError(
                f"{self.base_url} cannot score text with model '{self.model}' ({outcome.failure.said}): "
                "that takes a completions endpoint with prompt_logprobs (vLLM) or with echo and logprobs; "
                "use such a server or the engine 'vllm'"
            )
        raise self._error(outcome, None)


def _checked(request: tuple[str, str]) -> tuple[str, str]:
    if not request[0]:
        raise EngineError("a log-likelihood needs a prefix: the first token of a text has no probability")
    return request
