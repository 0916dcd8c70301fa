"""The engine for any server that speaks the OpenAI protocol.

Synchronous iterators over an async core that lives only as long as an iterator does. Knows
nothing of files, budgets or parsing; what is particular to a server is learnt from its
replies, not configured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from synthesis.data import Completion, Prompt
from synthesis.engines.base import BaseEngine, LogLikelihood, PromptSource, Sampling
from synthesis.engines.openai.advice import describe, explain
from synthesis.engines.openai.asking import Asker, GaveUp, Server, Tries
from synthesis.engines.openai.connection import make_address
from synthesis.engines.openai.direct import deltas
from synthesis.engines.openai.failures import Failure, Kind
from synthesis.engines.openai.likelihood import Scorer
from synthesis.engines.openai.models import listed_models, only_model
from synthesis.engines.openai.pace import Pace
from synthesis.engines.openai.session import Job, Session, as_finished, in_order
from synthesis.engines.openai.wire import check_extra, read_chat
from synthesis.errors import ConfigError, EngineError

_MOST_CONNECTIONS = 1000  # what the client's pool holds
_AHEAD = 2  # prompts taken per place: one being answered, one ready to follow


class OpenAIEngine(BaseEngine):
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

    Requests that fail in passing (overload, timeouts, broken connections or replies) are
    retried with growing, jittered delays. Fewer run at once while the server is overloaded,
    more again as it recovers. A prompt that stays without a reply becomes a ``Completion``
    with ``finish_reason="error"``; what no other prompt would survive (key, model, quota, no
    server, ``20`` failures of one kind in a row) raises ``EngineError``.

    Each request has its own seed, made from ``Sampling.seed`` and the prompt's id, where the
    server takes one. Reasoning is left out of the text.

    Args:
        model: as the server names it; empty takes the only one it has.
        base_url: the server, usually with ``/v1`` at the end.
        api_key_env: the environment variable that holds the key; may be unset for servers without.
        concurrency: requests at once, at most (1 to 1000).
        timeout: seconds until a try counts as failed, from sending to the last byte.
        retries: further tries after the first.
        extra_body: further fields of every chat request, for what only some servers know,
            such as ``{"chat_template_kwargs": {"enable_thinking": False}}``.

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
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        self._extra = dict(extra_body or {})
        _check(concurrency, timeout, retries, self._extra)
        address = make_address(base_url, api_key_env, timeout)
        self._server = Server(address, retries, Pace(concurrency))
        self._ahead = _AHEAD * concurrency
        self._sessions: set[Session] = set()
        self.base_url = address.base_url
        self.settings = {"extra_body": self._extra} if self._extra else {}
        self.model = model or only_model(address)

    def __repr__(self) -> str:
        return f"OpenAIEngine({self.model!r}, base_url={self.base_url!r})"

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Yield each completion as it finishes, in any order.

        Prompts are taken from the consumer's thread, at most twice ``concurrency`` ahead of
        what was yielded. Requests run on between two ``next``; closing the iterator cancels
        them and their connections.

        Raises:
            EngineError: no prompt would get a reply. Completions at hand are yielded before.
        """
        session = self._open()
        asker = Asker(self._server, session.client)

        def pull() -> Job[Completion | GaveUp] | None:
            prompt = prompts.pull()
            return None if prompt is None else partial(self._complete_one, asker, prompt, sampling)

        end: GaveUp | None = None
        try:
            for outcome in as_finished(session, pull, self._ahead, lambda found: isinstance(found, GaveUp)):
                if isinstance(outcome, GaveUp):
                    end = end or outcome
                else:
                    yield outcome
        finally:
            self._end(session)
        if end:
            raise self._error(end, sampling)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """Text deltas of one reply; a reply that reaches ``max_tokens`` just ends.

        Failures before the first delta are retried like those of ``complete``.

        Raises:
            EngineError: no reply, or it broke off, or the server refused.
        """
        tries = Tries(self._server, prompt.id)
        said = 0
        while True:
            body = self._server.dialect.chat(self.model, prompt, sampling, self._extra, stream=True)
            failure: Failure | None = None
            # Closed with us, so that a reader who stops early ends the request.
            with closing(deltas(self._server.address, body)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Failure):
                        failure = piece
                    else:
                        said += len(piece)
                        yield piece
            if failure is None:
                self._server.health.worked()
                return
            if said:
                raise EngineError(f"{self.base_url} broke off after {said} characters ({failure}); ask again")
            verdict = tries.after(failure, body)
            if isinstance(verdict, GaveUp):
                raise self._error(verdict, sampling)
            time.sleep(verdict)

    def loglikelihood(self, requests: Iterable[tuple[str, str]]) -> Iterator[LogLikelihood]:
        """For each (prefix, continuation), in order: the continuation's token log-probabilities.

        Needs a completions endpoint with vLLM's ``prompt_logprobs``, or one that echoes
        prompts with logprobs; with the latter ``token_ids`` is empty.

        Raises:
            EngineError: the server offers neither, a prefix is empty, or a request stayed
                without a reply.
        """
        session = self._open()
        asker = Asker(self._server, session.client)
        scorer = Scorer(asker, self.base_url, self.model)
        jobs: Iterator[Callable[[], Coroutine[Any, Any, LogLikelihood | GaveUp]]] = (
            partial(scorer.score, *_checked(request)) for request in requests
        )
        try:
            for outcome in in_order(session, jobs, self._ahead):
                if isinstance(outcome, GaveUp):
                    break
                yield outcome
            else:
                return
        finally:
            self._end(session)
        if outcome.failure.kind in (Kind.MISSING, Kind.REJECTED, Kind.PARAMETER):
            raise EngineError(
                f"{self.base_url} cannot score text with model '{self.model}' ({outcome.failure.said}): "
                "that takes a completions endpoint with prompt_logprobs (vLLM) or with echo and logprobs; "
                "use such a server or the engine 'vllm'"
            )
        raise self._error(outcome, None)

    def close(self) -> None:
        """End whatever still runs. Safe to call twice."""
        for session in list(self._sessions):
            self._end(session)

    async def _complete_one(self, asker: Asker, prompt: Prompt, sampling: Sampling) -> Completion | GaveUp:
        secret = self._server.address.secret
        outcome = await asker.ask(
            prompt.id,
            "/chat/completions",
            lambda: self._server.dialect.chat(self.model, prompt, sampling, self._extra),
            lambda reply: read_chat(prompt.id, reply, secret),
        )
        if not isinstance(outcome, GaveUp) or outcome.everyone:
            return outcome
        finish = "refusal" if outcome.failure.kind is Kind.REFUSED else "error"
        return Completion(prompt.id, "", finish, detail=describe(outcome, sampling))

    def _open(self) -> Session:
        session = Session(self._server.address.async_client())
        self._sessions.add(session)
        return session

    def _end(self, session: Session) -> None:
        session.close()
        self._sessions.discard(session)

    def _error(self, end: GaveUp, sampling: Sampling | None) -> EngineError:
        self._server.health.forget()
        return explain(
            end, self._server.address, self.model, sampling, partial(listed_models, self._server.address)
        )


def _check(concurrency: int, timeout: float, retries: int, extra: Mapping[str, Any]) -> None:
    where = "generation.options"
    if not 1 <= concurrency <= _MOST_CONNECTIONS:
        raise ConfigError(f"{where}.concurrency is {concurrency}; give 1 to {_MOST_CONNECTIONS}")
    if not timeout > 0:
        raise ConfigError(f"{where}.timeout is {timeout}; give the seconds a reply may take")
    if retries < 0:
        raise ConfigError(f"{where}.retries is {retries}; give 0 or more")
    check_extra(extra)


def _checked(request: tuple[str, str]) -> tuple[str, str]:
    if not request[0]:
        raise EngineError("a log-likelihood needs a prefix: the first token of a text has no probability")
    return request
