"""Chats in rows: where the turns stand, what is said in them, and which exchanges they hold.

A chat of several exchanges makes one pair or several, as the option ``turns`` says; a history before an
instruction (Alpaca's) is a chat as well. Knows nothing of other columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeGuard

from synthesis.sources.values import BadRow, kind_of_value
from synthesis.wording import counted

CHAT_COLUMNS: Final = ("messages", "conversations")

_SPEAKERS: Final = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
_HINT: Final = "; --turns first, last or every takes one of its exchanges, or each"


class Exchange(NamedTuple):
    """What a user asked and the assistant answered; ``number`` counts a chat's from 1, of ``among``."""

    instruction: str
    answer: str
    number: int = 1
    among: int = 1


def is_chat(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a list of turns, each saying who speaks."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, Mapping) and ("role" in turn or "from" in turn) for turn in value)
    )


def chat_column(row: Mapping[str, Any]) -> str:
    """The column of a row that holds its chat; empty where none does."""
    return next((name for name in CHAT_COLUMNS if isinstance(row.get(name), list)), "")


def exchanges(turns: Sequence[Any], take: str = "one") -> tuple[list[Exchange], dict[str, Any]]:
    """Those exchanges of a chat that ``take`` says, and its system message as metadata.

    With several, a last turn of the user without an answer is none.

    Raises:
        BadRow: The turns are no exchanges of user and assistant, or are several and one was wished.
    """
    said = [_turn(turn) for turn in turns]
    system = [text for speaker, text in said if speaker == "system"]
    rest = [turn for turn in said if turn[0] != "system"]
    found = [Exchange(asked[1], told[1]) for asked, told in zip(rest[::2], rest[1::2], strict=False)]
    even = len(rest) - (len(rest) % 2 if take != "one" and len(rest) > 1 else 0)
    speakers = [speaker for speaker, _ in rest]
    in_turn = speakers == ["user", "assistant"] * (len(rest) // 2) + ["user"] * (len(rest) % 2)
    if not found or even != 2 * len(found) or not in_turn or (take == "one" and len(found) > 1):
        order = ", ".join(speakers[:6]) + (", ..." if len(speakers) > 6 else "")
        raise BadRow(
            f"chat is not one exchange of user and assistant but {counted(len(rest), 'turn')} "
            f"({order or 'none'})" + (_HINT if in_turn and len(found) > 1 else "")
        )
    return taken(found, take), {"system": "\n\n".join(system)} if any(system) else {}


def taken(found: Sequence[Exchange], take: str) -> list[Exchange]:
    """Of several exchanges those that were wished, each knowing its place; the same one once only."""
    numbered = [one._replace(number=place, among=len(found)) for place, one in enumerate(found, 1)]
    if take == "every":
        first: dict[tuple[str, str], Exchange] = {}
        for one in numbered:
            first.setdefault((one.instruction, one.answer), one)
        return list(first.values())
    return [numbered[-1 if take == "last" else 0]]


def with_history(history: object, last: Exchange, take: str) -> list[Exchange]:
    """The exchanges of an instruction and answer that earlier ones stand before.

    Raises:
        BadRow: The history is no list of exchanges, or one exchange was wished.
    """
    earlier = [_earlier(one) for one in history] if isinstance(history, list) else None
    if earlier is None:
        raise BadRow(f"history is not a list of exchanges but {kind_of_value(history)}")
    if earlier and take == "one":
        raise BadRow(f"instruction has a history of {counted(len(earlier), 'exchange')} before it{_HINT}")
    return taken([*earlier, last], take)


def _earlier(one: object) -> Exchange:
    if isinstance(one, list) and len(one) == 2 and all(isinstance(text, str) for text in one):
        return Exchange(one[0], one[1])
    raise BadRow("history is not a list of exchanges of two texts")


def _turn(turn: object) -> tuple[str, str]:
    if not isinstance(turn, Mapping):
        raise BadRow(f"chat turn is not an object but {kind_of_value(turn)}")
    speaker = turn.get("role", turn.get("from"))
    if not isinstance(speaker, str) or speaker.casefold() not in _SPEAKERS:
        raise BadRow(
            f"chat turn has the role {str(speaker)[:40]!r}; only system, user and assistant are read"
        )
    return _SPEAKERS[speaker.casefold()], _said(turn.get("content", turn.get("value")))


def _said(content: object) -> str:
    if isinstance(content, str):
        return content
    return "".join(map(_part, content if isinstance(content, list) and content else [content]))


def _part(part: object) -> str:
    """The text of one part of a turn, which interfaces write as text, value or content."""
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping) and "text" in str(part.get("type", "text")):
        text = next((part[key] for key in ("text", "value", "content") if part.get(key) is not None), None)
        if isinstance(text, Mapping):
            text = text.get("value")
        if isinstance(text, str):
            return text
    raise BadRow("chat turn has content that is not text")
