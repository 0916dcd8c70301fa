"""Prompts to requests in token ids, outputs to completions and log-probabilities.

Knows the model's tokenizer and chat template, vLLM's ``SamplingParams`` and outputs, the bounds of the
model, and the opening of a reply (the ``Context:`` marker that our prompts ask for) and how to put it
into the model's mouth; knows nothing of how requests get to vLLM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthesis.data import Completion, Message, Prompt
from synthesis.engines.base import LogLikelihood, Sampling, encodable, request_seed
from synthesis.engines.vllm.core import TokenRequest
from synthesis.errors import ConfigError, EngineError

MARKER = "Context:"  # the one that prompts ask for and parsing looks for; a test compares them
_TRIAL = (Message("user", "Write."),)
_FINISHED = {"stop": "stop", "length": "length"}


@dataclass(frozen=True, slots=True)
class Chat:
    """How one model is spoken to.

    ``opening`` is what every reply begins with because the prompt ends with it; empty where
    the model is free to begin as it likes.
    """

    tokenizer: Any
    model: str
    template: str | None
    variables: Mapping[str, Any] = field(default_factory=dict)
    opening: str = ""

    def ids(self, messages: Sequence[Message]) -> list[int]:
        """The token ids of a conversation, up to where the model goes on.

        Raises:
            EngineError: there is no chat template, or it refuses these messages.
        """
        from jinja2 import TemplateError

        try:
            return self._render(messages)
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

    def _render(self, messages: Sequence[Message]) -> list[int]:
        turns = [{"role": role, "content": encodable(text)} for role, text in messages]
        if self.opening:
            turns.append({"role": "assistant", "content": self.opening})
        ids: list[int] = self.tokenizer.apply_chat_template(
            turns,
            chat_template=self.template,
            add_generation_prompt=not self.opening,
            continue_final_message=bool(self.opening),
            tokenize=True,
            return_dict=False,
            **self.variables,
        )
        return ids

    def opens_with(self, opening: str) -> bool:
        """Whether a rendered conversation can end with the beginning of the reply."""
        from jinja2 import TemplateError

        trial = Chat(self.tokenizer, self.model, self.template, self.variables, opening)
        try:
            text = self.tokenizer.decode(trial._render(_TRIAL))
        except (TemplateError, ValueError):  # this template, or this tokenizer, has no way to
            return False
        return str(text).rstrip().endswith(opening)


def make_chat(
    tokenizer: Any, model: str, *, template: str | None, variables: Mapping[str, Any], begin_with_marker: bool
) -> Chat:
    """How to speak to a model; replies begin with the marker if that is wished and can be done."""
    chat = Chat(tokenizer, model, template, variables)
    if begin_with_marker and chat.opens_with(MARKER):
        return Chat(tokenizer, model, template, variables, MARKER)
    return chat


@dataclass(frozen=True, slots=True)
class RequestMaker:
    """How one loaded model is asked.

    ``longest`` bounds prompt and reply together, in tokens; ``seeded`` tells whether requests may
    carry seeds; ``extra`` are further fields of ``SamplingParams``.
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

        ids = self.chat.ids(prompt.messages)
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
        return TokenRequest(prompt.id, ids, params, self.chat.opening)

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
