"""A tokenizer of single characters with a chat template, for what engines do with those of real models."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError


class Letters:
    """Turns are tags around their text.

    ``prefills`` tells whether the template takes a beginning of the reply; ``refuses`` is a role that it
    does not know; ``thoughts`` stand between the assistant's tag and a beginning, ``silence`` between the
    tag and what the model is free to begin, where the variable ``thinking`` is False.
    """

    chat_template = "tags"

    def __init__(
        self, prefills: bool = True, refuses: str = "", thoughts: str = "", silence: str = ""
    ) -> None:
        self.prefills, self.refuses = prefills, refuses
        self.thoughts, self.silence = thoughts, silence

    def apply_chat_template(
        self, turns: Any, *, continue_final_message: bool, add_generation_prompt: bool, **more: Any
    ) -> list[int]:
        if self.refuses in [turn["role"] for turn in turns]:
            raise TemplateError(f"no {self.refuses} turns")
        if continue_final_message and not self.prefills:
            raise ValueError("the final message does not appear in the chat")
        text = "".join(f"<{turn['role']}>{self._inside(turn)}</>" for turn in turns)
        if continue_final_message:
            text = text.removesuffix("</>")
        if add_generation_prompt:
            text += "<assistant>" + (self.silence if more.get("thinking") is False else "")
        return [ord(letter) for letter in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))

    def _inside(self, turn: dict[str, str]) -> str:
        return (self.thoughts if turn["role"] == "assistant" else "") + turn["content"]
