"""Chat templates: tried once, then rendered as training code renders them. Knows nothing of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from synthesis.data import Message
from synthesis.errors import TokenizerError
from synthesis.tokens.template_code import write_turns
from synthesis.tokens.template_trial import TemplateTrial, as_parts, try_template


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template's source and the special tokens it may print (``bos_token``, ...)."""

    source: str
    special_tokens: Mapping[str, str] = field(default_factory=dict, hash=False)

    def trial(self) -> TemplateTrial:
        """What came of trying it, once per process.

        Raises:
            TokenizerError: it takes more time or memory than is reasonable.
        """
        return try_template(self.source, tuple(sorted(self.special_tokens.items())))

    def render(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> str:
        """The text of a conversation; turns are given as text, or in parts where the template wants that.

        Raises:
            TokenizerError: the template is malformed, refuses these messages, or takes too much.
        """
        parts = self.trial().parts
        turns: list[dict[str, Any]] = [
            {"role": turn.role, "content": as_parts(turn.content) if parts else turn.content}
            for turn in messages
        ]
        try:
            return write_turns(self.source, self.special_tokens, turns, add_generation_prompt)
        except TokenizerError as error:
            roles = ", ".join(message.role for message in messages)
            raise TokenizerError(
                f"the chat template cannot render the turns [{roles}]: {error}. "
                "Choose a tokenizer whose template accepts a user turn followed by an assistant turn."
            ) from error

    def thoughts(self) -> tuple[str, str] | None:
        """What stands before and behind thoughts at the beginning of an answer's content.

        None where the template does not render ``reasoning_content``, or renders content with thoughts in it
        in another way: a turn that holds them is to be learnt as one that gives them apart.
        """
        return _thoughts(self)


_THOUGHT: Final = "Quillon weighs the ledger."
_ANSWERED: Final = "Ostrava has it."
_USUAL: Final = (("<think>\n", "\n</think>\n\n"), ("<think>", "</think>"), ("<think>", "</think>\n\n"))


@cache
def _thoughts(template: ChatTemplate) -> tuple[str, str] | None:
    asked = {"role": "user", "content": "Who?"}
    turn = {"role": "assistant", "content": _ANSWERED, "reasoning_content": _THOUGHT}
    if template.trial().parts:
        return None
    try:
        apart = write_turns(template.source, template.special_tokens, [asked, turn])
        if _THOUGHT not in apart:
            return None
        for before, behind in _USUAL:
            inside = {"role": "assistant", "content": f"{before}{_THOUGHT}{behind}{_ANSWERED}"}
            if write_turns(template.source, template.special_tokens, [asked, inside]) == apart:
                return before, behind
    except TokenizerError:
        return None
    return None
