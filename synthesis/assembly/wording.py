"""How documents, instruction and answer become a conversation, and where each document then stands.

Plain concatenation: nothing in a document or an instruction is ever read as a placeholder.
Knows nothing of tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from synthesis.data import Message, Pair
from synthesis.tasks import task_of

SEPARATOR: Final = "\n\n"
"""What stands between two documents."""

_DOCUMENTS: Final = "{documents}"
_INSTRUCTION: Final = "{instruction}"


@dataclass(frozen=True, slots=True)
class Layout:
    """A conversation and where the own context stands in it.

    ``span`` is the context's character span in the first (user) message; ``depth`` is the
    share of the other document text that precedes it (0 where there is no other).
    """

    messages: tuple[Message, Message]
    span: tuple[int, int]
    depth: float


def lay_out(pair: Pair, own: str, before: Sequence[str] = (), after: Sequence[str] = ()) -> Layout:
    """The conversation that asks ``pair`` over the documents ``before``, ``own``, ``after``."""
    head = "".join(text + SEPARATOR for text in before)
    tail = "".join(SEPARATOR + text for text in after)
    content, start = _fill(task_of(pair.task).wording, head + own + tail, pair.instruction)
    start += len(head)
    others = len(head) + len(tail)
    return Layout(
        messages=(Message("user", content), Message("assistant", pair.answer)),
        span=(start, start + len(own)),
        depth=len(head) / others if others else 0.0,
    )


def _fill(wording: str, documents: str, instruction: str) -> tuple[str, int]:
    """The filled wording, and where the documents start in it."""
    opening, _, closing = wording.partition(_DOCUMENTS)
    opening = opening.replace(_INSTRUCTION, instruction)
    closing = closing.replace(_INSTRUCTION, instruction)
    return opening + documents + closing, len(opening)
