"""Messages to token ids, with the model's own tokenizer and chat template.

Knows the opening of a reply (the ``Context:`` marker that our prompts ask for) and how to put it
into the model's mouth; knows nothing of vLLM beyond the tokenizer it hands out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthesis.data import Message
from synthesis.engines.base import encodable
from synthesis.errors import EngineError

MARKER = "Context:"  # the one that prompts ask for and parsing looks for; a test compares them
_TRIAL = (Message("user", "Write."),)


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
