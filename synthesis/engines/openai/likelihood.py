"""Scoring text over the completions endpoint.

Two ways, tried in this order. vLLM: tokenize prefix and continuation apart, send the joined
ids, read ``prompt_logprobs``; exact, with token ids. Others: send the joined text with
``echo`` and ``logprobs``; the server tokenizes it jointly, so a token across the seam counts
as the continuation's, and ids are unknown (``token_ids`` is empty).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthesis.engines.base import LogLikelihood
from synthesis.engines.openai.wire import read_usage
from synthesis.engines.serving.asking import Asker, GaveUp
from synthesis.engines.serving.failures import Failure, Kind

_NOT_OFFERED = frozenset({Kind.MISSING, Kind.REJECTED, Kind.PARAMETER, Kind.BROKEN})


class ServerScorer:
    """Scores (prefix, continuation) requests; remembers which way the server offers."""

    def __init__(self, asker: Asker, base_url: str, model: str) -> None:
        self._asker = asker
        self._model = model
        # vLLM serves it beside /v1, not below.
        self._tokenizer = base_url.removesuffix("/v1") + "/tokenize"
        self._by_ids: bool | None = None

    async def score(self, prefix: str, continuation: str) -> LogLikelihood | GaveUp:
        """Log-probabilities of the continuation's tokens, or why there are none."""
        if self._by_ids is not False:
            found = await self._score_ids(prefix, continuation)
            refused = isinstance(found, GaveUp) and found.failure.kind in _NOT_OFFERED
            if isinstance(found, LogLikelihood):
                self._by_ids = True
            if self._by_ids or not refused:
                return found
            self._by_ids = False
        return await self._score_text(prefix, continuation)

    async def _score_ids(self, prefix: str, continuation: str) -> LogLikelihood | GaveUp:
        before = await self._tokens(prefix, special=True)
        if isinstance(before, GaveUp):
            return before
        after = await self._tokens(continuation, special=False)
        if isinstance(after, GaveUp):
            return after
        body = {"prompt": [*before, *after], "prompt_logprobs": 0}
        return await self._asker.ask(
            continuation,
            lambda: ("/completions", self._probe(body)),
            lambda reply: read_prompt_logprobs(reply, len(before), after),
        )

    async def _score_text(self, prefix: str, continuation: str) -> LogLikelihood | GaveUp:
        body = {"prompt": prefix + continuation, "echo": True, "logprobs": 1}
        return await self._asker.ask(
            continuation,
            lambda: ("/completions", self._probe(body)),
            lambda reply: read_echo(reply, continuation),
        )

    async def _tokens(self, text: str, *, special: bool) -> list[int] | GaveUp:
        def read(reply: object) -> list[int] | Failure:
            ids = reply.get("tokens") if isinstance(reply, Mapping) else None
            usable = isinstance(ids, list) and all(isinstance(token, int) for token in ids)
            # llama.cpp has an endpoint of this name that ignores our field and finds no tokens.
            if not usable or not isinstance(ids, list) or (text and not ids):
                return Failure(Kind.REJECTED, "the tokenize endpoint gave no token ids")
            return ids

        body = {"model": self._model, "prompt": text, "add_special_tokens": special}
        return await self._asker.ask(text, lambda: (self._tokenizer, body), read)

    def _probe(self, body: dict[str, Any]) -> dict[str, Any]:
        # One token is written and dropped: not every server takes 0.
        return {"model": self._model, "max_tokens": 1, "temperature": 0, **body}


def read_prompt_logprobs(reply: object, start: int, ids: list[int]) -> LogLikelihood | Failure:
    """The ``prompt_logprobs`` of vLLM: per position of the prompt a map from token id to its entry."""
    entries = _choice(reply).get("prompt_logprobs")
    if not isinstance(entries, list) or len(entries) != start + len(ids):
        return Failure(Kind.REJECTED, "the reply has no prompt_logprobs for the prompt's tokens")
    logprobs = []
    for token, entry in zip(ids, entries[start:], strict=True):
        found = entry.get(str(token)) if isinstance(entry, Mapping) else None
        if not isinstance(found, Mapping) or not isinstance(found.get("logprob"), (int, float)):
            return Failure(Kind.REJECTED, f"prompt_logprobs lacks token {token}; is the prefix empty?")
        logprobs.append(float(found["logprob"]))
    return LogLikelihood(tuple(ids), tuple(logprobs))


def read_echo(reply: object, continuation: str) -> LogLikelihood | Failure:
    """Echoed log-probabilities: walk back from the prompt's end until the continuation is covered."""
    found = _choice(reply).get("logprobs")
    tokens = found.get("tokens") if isinstance(found, Mapping) else None
    values = found.get("token_logprobs") if isinstance(found, Mapping) else None
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        return Failure(Kind.REJECTED, "the reply does not echo the prompt with logprobs")
    end = len(tokens) - read_usage(reply)[1]  # without what was written
    start, text = end, ""
    while start > 0 and len(text) < len(continuation):
        start -= 1
        text = f"{tokens[start]}{text}"
    picked = values[start:end]
    if not text.endswith(continuation) or not all(isinstance(value, (int, float)) for value in picked):
        return Failure(Kind.REJECTED, "the echoed tokens do not show where the continuation begins")
    return LogLikelihood((), tuple(float(value) for value in picked))


def _choice(reply: object) -> Mapping[str, Any]:
    choices = reply.get("choices") if isinstance(reply, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else {}
