"""Prompts to requests in token ids, outputs to completions and log-probabilities.

Knows the model's tokenizer and chat template, vLLM's ``SamplingParams`` and outputs and the bounds of
the model; knows nothing of how requests get to vLLM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthesis.data import Completion, Message, Prompt
from synthesis.engines.base import LogLikelihood, Sampling, encodable, request_seed
from synthesis.engines.chat import chat_ids
from synthesis.engines.vllm.core import TokenRequest
from synthesis.errors import ConfigError, EngineError

_FINISHED = {"stop": "stop", "length": "length"}


@dataclass(frozen=True, slots=True)
class Chat:
    """How one model is spoken to; ``opens`` tells whether replies are given the beginning asked for."""

    tokenizer: Any
    model: str
    template: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    opens: bool = False

    def ids(self, messages: Sequence[Message], opening: str = "") -> list[int]:
        """The token ids of a conversation, up to where the model goes on: after ``opening``.

        Raises:
            EngineError: there is no chat template, or it refuses these messages.
        """
        from jinja2 import TemplateError

        try:
            return chat_ids(
                self.tokenizer, messages, opening, template=self.template, variables=self.variables
            )
        except (TemplateError, ValueError) as error:
            roles = ", ".join(message.role for message in messages)
            raise EngineError(
                f"the chat template of '{self.model}' cannot render the prompt ({error}). A base model has "
                "none: name its chat version with --model, or give a template in "
                f"generation.options.chat_template. Some refuse certain roles (here: {roles}): choose a "
                "--template without them"
            ) from error

    def text_ids(self, text: str, *, special: bool) -> list[int]:
        """The token ids of plain text; ``special`` adds what the tokenizer puts before a text."""
        ids: list[int] = self.tokenizer.encode(encodable(text), add_special_tokens=special)
        return ids


@dataclass(frozen=True, slots=True)
class RequestMaker:
    """How one loaded model is asked.

    ``longest`` bounds prompt and reply together, in tokens; ``seeded`` tells whether requests may
    carry seeds; ``extra`` are further fields of ``SamplingParams``, the model's own defaults among them.
    """

    chat: Chat
    longest: int
    seeded: bool
    extra: Mapping[str, Any]

    def request(
        self, prompt: Prompt, sampling: Sampling, *, stream: bool = False
    ) -> TokenRequest | Completion:
        """What to ask for a prompt, or its completion where the prompt leaves no room for a reply.

        Raises:
            ConfigError: vLLM refuses the sampling parameters.
            EngineError: the chat template refuses the messages.
        """
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        opening = prompt.opening if self.chat.opens else ""
        ids = self.chat.ids(prompt.messages, opening)
        room = self.longest - len(ids)
        if room < 1:
            return Completion(prompt.id, "", "error", len(ids), detail=self._too_long(len(ids)))
        try:
            params = SamplingParams(
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=min(sampling.max_tokens, room),
                seed=request_seed(sampling.seed, prompt.id) if self.seeded else None,
                output_kind=RequestOutputKind.DELTA if stream else RequestOutputKind.FINAL_ONLY,
                **self.extra,
            )
        except (TypeError, ValueError) as error:
            raise ConfigError(f"generation.options.sampling_params: vLLM refuses them: {error}") from error
        return TokenRequest(prompt.id, ids, params, opening)

    def score_request(self, number: int, prefix: str, continuation: str) -> TokenRequest:
        """What to ask for the log-probabilities of a continuation; its key is (number, its ids).

        Raises:
            EngineError: the prefix is empty, or both together are too long for the model.
        """
        from vllm import SamplingParams

        before = self.chat.text_ids(prefix, special=True)
        if not before:
            raise EngineError("a log-likelihood needs a prefix: the first token of a text has no probability")
        after = self.chat.text_ids(continuation, special=False)
        ids = [*before, *after]
        if len(ids) >= self.longest:  # one token more is written, and dropped
            raise EngineError(
                f"a text of {len(ids):,} tokens cannot be scored: the model reads {self.longest:,} "
                "(generation.options.max_model_len), one of them for vLLM; score shorter contexts, "
                "or raise it if the model reads more"
            )
        params = SamplingParams(max_tokens=1, temperature=0, prompt_logprobs=0, detokenize=False)
        return TokenRequest((number, after), ids, params)

    def _too_long(self, tokens: int) -> str:
        return (
            f"too long: the prompt has {tokens:,} tokens, and prompt and reply share the {self.longest:,} of "
            "generation.options.max_model_len (by default the model's own window); raise it if the model "
            "reads more, or shorten the pair. Once it fits, generation.words and max_tokens bound the reply"
        )


def read_completion(request: TokenRequest, output: Any, sampling: Sampling) -> Completion:
    """The completion that a finished output holds."""
    written = output.outputs[0]
    finish = _FINISHED.get(written.finish_reason, "error")
    detail = ""
    if finish == "error":
        detail = broken(written.finish_reason)
    elif finish == "length":
        detail = _cut(len(request.ids), request.params.max_tokens, sampling.max_tokens)
    elif not written.text.strip():
        finish, detail = "error", "the reply is empty"
    text = request.opening + written.text
    return Completion(request.key, text, finish, len(request.ids), len(written.token_ids), detail=detail)


def broken(reason: str | None) -> str:
    """What to say of a reply that neither came to its end nor to its limit."""
    return f"vLLM ended the reply with '{reason}'; run again to ask for it anew"


def read_logprobs(request: TokenRequest, output: Any) -> LogLikelihood:
    """The log-probabilities of the continuation, from the finished output of its request."""
    after: list[int] = request.key[1]
    entries = output.prompt_logprobs[len(request.ids) - len(after) :]
    found = [entry[token].logprob for token, entry in zip(after, entries, strict=True)]
    return LogLikelihood(tuple(after), tuple(found))


def _cut(prompt: int, given: int, wanted: int) -> str:
    if given < wanted:
        return (
            f"the reply filled the {prompt + given:,} tokens of generation.options.max_model_len (prompt "
            f"{prompt:,}, reply {given:,}): raise it if the model reads more, or lower generation.words"
        )
    return "the reply reached max_tokens"
