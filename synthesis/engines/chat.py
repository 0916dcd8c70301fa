"""Chats for engines that hold the model's tokenizer, and the beginning that a reply is given.

A prompt may say how its reply has to begin (``Prompt.opening``). Put at the end of what the model
reads, it decides that the reply begins so, which is more than asking for it. Knows the
``apply_chat_template`` of the transformers library's tokenizers; knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar

from synthesis.data import Message
from synthesis.engines.base import encodable

T = TypeVar("T")

TRIAL = "Context:"
"""The opening that templates are tried with: the one that most prompts have; a test compares them."""

_WRITE = (Message("user", "Write."),)


def chat_ids(
    tokenizer: Any,
    messages: Sequence[Message],
    opening: str = "",
    *,
    template: str | None = None,
    variables: Mapping[str, Any],
) -> list[int]:
    """The token ids of a conversation up to where the model goes on: after ``opening``, if there is one.

    Where the template knows no system, its part stands at the head of the first turn of the user's.

    Args:
        tokenizer: of the transformers library.
        messages: the turns so far.
        opening: what the reply begins with.
        template: a chat template instead of the tokenizer's own.
        variables: further ones of the template.

    Raises:
        TemplateError, ValueError: the template refuses the messages, or there is none.
    """
    from jinja2 import TemplateError

    if any(turn.role == "system" for turn in messages):
        try:
            return _ids(tokenizer, messages, opening, template, variables)
        except (TemplateError, ValueError):
            messages = folded(messages)
    return _ids(tokenizer, messages, opening, template, variables)


def _ids(
    tokenizer: Any,
    messages: Sequence[Message],
    opening: str,
    template: str | None,
    variables: Mapping[str, Any],
) -> list[int]:
    turns = [{"role": role, "content": encodable(text)} for role, text in messages]
    if opening:
        turns.append({"role": "assistant", "content": opening})
    ids: list[int] = tokenizer.apply_chat_template(
        turns,
        chat_template=template,
        add_generation_prompt=not opening,
        continue_final_message=bool(opening),
        tokenize=True,
        return_dict=False,
        **variables,
    )
    return ids


def folded(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with what the system says at the head of the first turn of the user's."""
    said = [text for role, text in messages if role == "system"]
    turns = [turn for turn in messages if turn.role != "system"]
    if said and turns and turns[0].role == "user":
        turns[0] = Message("user", "\n\n".join([*said, turns[0].content]))
    return tuple(turns)


def may_open(
    tokenizer: Any, wished: bool | None, *, template: str | None = None, variables: Mapping[str, Any]
) -> bool:
    """Whether replies are to be given their beginning.

    Args:
        tokenizer: of the transformers library.
        wished: True where the template can, False never, None where the beginning comes to stand
            exactly where the model itself would begin. The template of a model that thinks first
            puts its thoughts, or their absence, between the two; such a model is left to think.
        template: as for ``chat_ids``.
        variables: as for ``chat_ids``; those that switch thinking off count.
    """
    from jinja2 import TemplateError

    if wished is False:
        return False
    try:
        free, opened = (
            "".join(str(tokenizer.decode(ids)).split())
            for ids in (
                chat_ids(tokenizer, _WRITE, text, template=template, variables=variables)
                for text in ("", TRIAL)
            )
        )
    except (TemplateError, ValueError):  # this template, or this tokenizer, has no way to
        return False
    return opened.endswith(TRIAL) and (wished is True or opened == free + TRIAL)


def restored(text: str, opening: str) -> str:
    """A whole reply from what came of asking with an opening; some servers give it back, some do not."""
    return text if text.lstrip().startswith(opening) else opening + text


def restored_pieces(pieces: Generator[str | T, None, None], opening: str) -> Generator[str | T, None, None]:
    """``restored`` for the pieces of a stream; pieces are held back until it is clear.

    What is no text among them (how it ended) is handed on.
    """
    with closing(pieces):
        head, ending = "", list[str | T]()
        for piece in pieces:
            if not isinstance(piece, str):
                ending.append(piece)
                break
            head += piece
            begun = head.lstrip()
            if len(begun) >= len(opening) or not opening.startswith(begun):
                break
        if head:
            yield restored(head, opening)
        yield from ending
        yield from pieces
