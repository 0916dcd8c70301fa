"""How documents, instruction and answer become a conversation, and where each document then stands.

Plain concatenation: nothing in a document or an instruction is ever read as a placeholder.
Knows nothing of tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from synthesis.assembly.replying import SaidTurn
from synthesis.data import Message, Pair
from synthesis.errors import UsageError
from synthesis.options import SEPARATOR
from synthesis.tasks import ALONE, GENERIC, task_of

_DOCUMENTS: Final = "{documents}"
_INSTRUCTION: Final = "{instruction}"
_KEY: Final = "{key}"
_NUMBER: Final = "{n}"


@dataclass(frozen=True, slots=True)
class Style:
    """What stands before each document (``{n}`` is its number, from 1) and between two."""

    header: str = ""
    separator: str = SEPARATOR

    def check(self) -> None:
        """Refuse a header with a placeholder that nothing fills.

        Raises:
            UsageError: naming what would be accepted.
        """
        rest = self.header.replace(_NUMBER, "")
        if "{" in rest or "}" in rest:
            raise UsageError(
                f"header {self.header!r} has braces other than {{n}}. Write the document's number as {{n}}, "
                r"as in 'Document {n}:\n'."
            )

    def opening(self, number: int) -> str:
        """What the document of this number starts with."""
        return self.header.replace(_NUMBER, str(number))


PLAIN: Final = Style()


@dataclass(frozen=True, slots=True)
class Layout:
    """A conversation and where the documents stand in it.

    ``starts`` are their first characters in the first (user) message; ``span`` is the own
    context's character span there, (0, 0) where it is left out; ``depth`` is the share of the
    other document text that precedes it (0 where there is no other).
    """

    messages: tuple[Message, Message]
    starts: tuple[int, ...]
    span: tuple[int, int]
    depth: float


def lay_out(
    pair: Pair,
    own: str | None,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
    style: Style = PLAIN,
    key: str = "",
    said: SaidTurn | None = None,
) -> Layout:
    """The conversation that asks ``pair`` over the documents ``before``, ``own``, ``after``.

    ``own`` None leaves the context out. With a ``key`` the instruction is not put: what stands at the
    end of the chain that begins with the key is (see ``synthesis.assembly.keychains``). ``said`` is what
    the assistant says instead of the answer alone, and how the user asks for it.
    """
    texts = [*before, *(() if own is None else (own,)), *after]
    parts = [style.opening(place) + text for place, text in enumerate(texts, 1)]
    kind, documents = task_of(pair.task), style.separator.join(parts)
    wording = (kind.hidden or GENERIC.hidden) if key else kind.wording
    if said is not None and said.asked:
        for alone in ALONE:
            wording = wording.replace(alone, "")
        wording = f"{wording}\n\n{said.asked}"
    content, start = _fill(wording, documents, *((_KEY, key) if key else (_INSTRUCTION, pair.instruction)))
    messages = (Message("user", content), said.turn if said else Message("assistant", pair.answer))
    starts, at = [], start
    for place, text in enumerate(texts, 1):
        starts.append(at + len(style.opening(place)))
        at = starts[-1] + len(text) + len(style.separator)
    if own is None:
        return Layout(messages, tuple(starts), (0, 0), 0.0)
    first = starts[len(before)]
    others = at - len(style.separator) - start - len(own) if len(texts) > 1 else 0
    depth = (first - start) / others if others else 0.0
    return Layout(messages, tuple(starts), (first, first + len(own)), depth)


def _fill(wording: str, documents: str, slot: str, asked: str) -> tuple[str, int]:
    """The filled wording, and where the documents start in it."""
    opening, _, closing = wording.partition(_DOCUMENTS)
    opening = opening.replace(slot, asked)
    closing = closing.replace(slot, asked)
    return opening + documents + closing, len(opening)
