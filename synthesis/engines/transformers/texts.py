"""Text to token ids and back: what is asked of the model, and what it wrote.

Knows the tokenizer and its chat template; knows nothing of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthesis.data import Prompt, content_hash
from synthesis.engines.base import Sampling, encodable
from synthesis.engines.chat import chat_ids, may_open
from synthesis.errors import ConfigError, EngineError

_UNFINISHED = "\ufffd"  # what a decoder shows for bytes that are no character yet


@dataclass(frozen=True, slots=True)
class Request:
    """One reply to write: after ``ids``, at most ``limit`` tokens, drawn with ``seed``.

    ``opening`` is the beginning of the reply that ``ids`` end with.
    """

    prompt_id: str
    ids: tuple[int, ...]
    limit: int
    seed: int
    opening: str = ""


class Encoder:
    """Text to token ids, as this model's tokenizer has them.

    Args:
        tokenizer: of the transformers library.
        model: its name, for messages.
        longest: tokens of prompt and reply together, None where nothing bounds them.
        chat: further variables of the chat template.
        begin: whether a reply is given the beginning that its prompt asks for; see ``may_open``.
    """

    def __init__(
        self,
        tokenizer: Any,
        model: str,
        longest: int | None,
        chat: Mapping[str, Any],
        begin: bool | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._longest = longest
        self._chat = dict(chat)
        self._opens = tokenizer.chat_template is not None and may_open(tokenizer, begin, variables=self._chat)

    def request(self, prompt: Prompt, sampling: Sampling) -> Request | str:
        """The request of a prompt, or why there can be none.

        Raises:
            ConfigError: the model has no chat template.
            EngineError: its chat template refuses the messages.
        """
        opening = prompt.opening if self._opens else ""
        ids = self._chat_ids(prompt, opening)
        room = sampling.max_tokens if self._longest is None else self._longest - len(ids)
        if room < 1:
            return (
                f"too long: the prompt has {len(ids):,} tokens, and prompt and reply share the "
                f"{self._longest:,} of generation.options.max_model_len (by default the model's own window); "
                "raise it if the model reads more, choose a model that does, or shorten the pair"
            )
        seed = int(content_hash(sampling.seed, prompt.id)[:16], 16)
        return Request(prompt.id, tuple(ids), min(sampling.max_tokens, room), seed, opening)

    def pieces(self, prefix: str, continuation: str) -> tuple[list[int], list[int]]:
        """Token ids of both, tokenized apart: special tokens that open a text go before the prefix.

        Raises:
            EngineError: the prefix is empty, or both together are too long for the model.
        """
        if not prefix:
            raise EngineError("a log-likelihood needs a prefix: the first token of a text has no probability")
        before = self._ids(prefix, special=True)
        after = self._ids(continuation, special=False)
        if self._longest is not None and len(before) + len(after) > self._longest:
            raise EngineError(
                f"a text of {len(before) + len(after):,} tokens cannot be scored with model '{self._model}', "
                f"which reads {self._longest:,} (option max_model_len): choose a model with a larger window, "
                "or score shorter contexts"
            )
        return before, after

    def _ids(self, text: str, *, special: bool) -> list[int]:
        ids: list[int] = self._tokenizer(encodable(text), add_special_tokens=special)["input_ids"]
        return ids

    def _chat_ids(self, prompt: Prompt, opening: str) -> list[int]:
        from jinja2 import TemplateError

        if self._tokenizer.chat_template is None:
            raise ConfigError(
                f"model '{self._model}' has no chat template (a base model, perhaps); "
                "name its chat or instruct version with --model"
            )
        try:
            return chat_ids(self._tokenizer, prompt.messages, opening, variables=self._chat)
        except TemplateError as error:
            raise EngineError(
                f"the chat template of '{self._model}' refuses the prompt ({error}); use a --template "
                f"without the roles it does not know (here: {', '.join(role for role, _ in prompt.messages)})"
            ) from error


def decode(tokenizer: Any, ids: list[int]) -> str:
    """The text of tokens, without special ones and exactly as written."""
    text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


class Pieces:
    """Text deltas: what is given out, joined, is the text of all tokens.

    A token's text can depend on the one before it (a leading space, bytes of one character),
    so each delta is the difference of two decodings that share the last delta's tokens.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._context: list[int] = []  # the tokens of the last delta
        self._fresh: list[int] = []  # those after it

    def add(self, token: int) -> str:
        """What a further token adds; empty while a character is unfinished."""
        self._fresh.append(token)
        delta = self._delta()
        if not delta or delta.endswith(_UNFINISHED):
            return ""
        self._context, self._fresh = self._fresh, []
        return delta

    def rest(self) -> str:
        """What was held back, at the end."""
        delta = self._delta()
        self._context, self._fresh = self._fresh, []
        return delta

    def _delta(self) -> str:
        known = decode(self._tokenizer, self._context)
        return decode(self._tokenizer, self._context + self._fresh)[len(known) :]
