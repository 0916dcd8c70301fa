"""From a row's columns to the fields of a pair: named by the user, or guessed.

Judges one row at a time; knows nothing of files, ids of bad rows, or duplicates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from synthesis.errors import SourceError

ROLES = ("instruction", "answer", "task", "id", "input")
GUESSES: Mapping[str, tuple[str, ...]] = {
    "instruction": ("instruction", "question", "query", "prompt", "input"),
    "answer": ("answer", "output", "response", "completion", "target", "answers"),
    "task": ("task", "synthesis_task", "dataset"),
}
_CHAT_COLUMNS = ("messages", "conversations")
_SPEAKERS = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
MAX_CHARS: Mapping[str, int] = {"instruction": 200_000, "answer": 1_000_000, "task": 200, "id": 200}
_SURROGATE = re.compile("[\ud800-\udfff]")


class BadRow(Exception):
    """A row that makes no pair, and why. ``unmapped``: it lacks the columns themselves."""

    def __init__(self, reason: str, *, unmapped: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unmapped = unmapped


class Fields(NamedTuple):
    """What a row holds of a pair; ``task`` and ``id`` are empty where it names none."""

    instruction: str
    answer: str
    task: str
    id: str
    metadata: dict[str, Any]


def check_columns(columns: Mapping[str, str] | None) -> dict[str, str]:
    """The user's mapping (ours -> theirs).

    Raises:
        SourceError: If it names a field that pairs do not have.
    """
    unknown = sorted(set(columns or {}) - set(ROLES))
    if unknown:
        raise SourceError(
            f"--column {unknown[0]}=...: a pair has no field '{unknown[0]}'. Known: {', '.join(ROLES)}. "
            "Other columns are kept as metadata by themselves."
        )
    return dict(columns or {})


@lru_cache(maxsize=256)  # rows of a table differ little in their columns
def find_columns(
    names: tuple[str, ...], filled: tuple[str, ...], chosen: tuple[tuple[str, str], ...]
) -> Mapping[str, str]:
    """Which column plays which role: chosen ones as they are, others by name in any case.

    Of several guesses the first that is ``filled`` (not null) counts, else the first there is.
    """
    found = {role: name for role, name in chosen if name in names}
    folded = {name.strip().casefold(): name for name in reversed(names)}
    taken = {role for role, _ in chosen}
    for role, guesses in GUESSES.items():
        there = [folded[guess] for guess in guesses if guess in folded]
        free = [name for name in there if name not in found.values()]
        if free and role not in taken:
            found[role] = next((name for name in free if name in filled), free[0])
    # Alpaca keeps the material an instruction is about in "input".
    alpaca = "instruction" in folded and found.get("instruction") == folded["instruction"]
    spare = folded.get("input")
    if alpaca and spare and spare not in found.values() and not {"instruction", "input"} & taken:
        found["input"] = spare
    return MappingProxyType(found)


def map_row(row: object, chosen: Mapping[str, str]) -> Fields:
    """The fields of one row.

    Raises:
        BadRow: If it makes no pair.
    """
    if not isinstance(row, Mapping):
        raise BadRow(f"row is not an object but {_kind(row)}")
    filled = tuple(name for name, value in row.items() if value is not None)
    found = find_columns(tuple(row), filled, tuple(chosen.items()))
    for role, name in chosen.items():
        if role not in found:
            raise BadRow(f"{role} is missing (no column '{name}')", unmapped=True)
    chat = next((name for name in _CHAT_COLUMNS if isinstance(row.get(name), list)), "")
    extra: dict[str, Any] = {}
    if chat and not {"instruction", "answer"} <= set(found):
        instruction, answer, extra = exchange(row[chat])
    else:
        _require_columns(found)
        instruction, answer = _instruction(row, found), _answer(row[found["answer"]])
    metadata = extra | _metadata(row, set(found.values()))
    task, name = _label(row, found, "task"), _label(row, found, "id")
    if "id" in chosen and not name:
        raise BadRow(f"id is missing (column '{chosen['id']}')")
    return Fields(checked("instruction", instruction), checked("answer", answer), task, name, metadata)


def unmapped_error(name: str, columns: list[str], chosen: Mapping[str, str]) -> SourceError:
    """The error for a table no row of which has the columns of a pair."""
    shown = ", ".join(repr(column) for column in columns[:40]) or "none"
    more = f" and {len(columns) - 40} more" if len(columns) > 40 else ""
    wanted = {role: ", ".join(GUESSES[role]) for role in ("instruction", "answer")} | dict(chosen)
    tried = "; ".join(f"{role}: {names}" for role, names in wanted.items())
    return SourceError(
        f"{name}: no row has the columns of a pair. Columns found: {shown}{more}. Tried for {tried}. "
        "Say which columns to use: --column instruction=NAME --column answer=NAME."
    )


def checked(role: str, text: str) -> str:
    """``text`` unchanged.

    Raises:
        BadRow: If it is empty, too long, or holds what cannot be stored as text.
    """
    if not text.strip():
        raise BadRow(f"{role} is empty")
    if len(text) > MAX_CHARS[role]:
        raise BadRow(f"{role} is too long: {len(text):,} characters, the limit is {MAX_CHARS[role]:,}")
    if "\0" in text:
        raise BadRow(f"{role} holds a NUL character")
    if _SURROGATE.search(text):
        raise BadRow(f"{role} holds a lone surrogate (half of a character)")
    return text


def _require_columns(found: Mapping[str, str]) -> None:
    for role in ("instruction", "answer"):
        if role not in found:
            raise BadRow(f"{role} is missing (no column {', '.join(GUESSES[role])})", unmapped=True)


def _instruction(row: Mapping[str, Any], found: Mapping[str, str]) -> str:
    value = _unwrapped(row[found["instruction"]])
    if value is None:
        raise BadRow("instruction is missing (null)")
    if not isinstance(value, str):
        raise BadRow(f"instruction is not text but {_kind(value)}")
    more = row.get(found["input"]) if "input" in found else None
    return f"{value}\n\n{more}" if isinstance(more, str) and more.strip() and value.strip() else value


def _answer(value: object) -> str:
    """An answer as text: the first of a list, numbers as written, true and false as yes and no."""
    value = _unwrapped(value)
    if isinstance(value, list):
        if not value:
            raise BadRow("answer is an empty list")
        value = _unwrapped(value[0])
    if value is None:
        raise BadRow("answer is missing (null)")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        if not math.isfinite(value):
            raise BadRow("answer is not a finite number")
        return str(value)
    if not isinstance(value, str):
        raise BadRow(f"answer is not text but {_kind(value)}")
    return value


def _unwrapped(value: object) -> object:
    """SQuAD and its relatives write {"text": ...} around a text or a list of texts."""
    return value["text"] if isinstance(value, Mapping) and "text" in value else value


def exchange(turns: list[Any]) -> tuple[str, str, dict[str, Any]]:
    """The one question and answer of a chat; a system message goes to the metadata.

    Raises:
        BadRow: If it is not one exchange of texts.
    """
    said: list[tuple[str, str]] = []
    for turn in turns:
        if not isinstance(turn, Mapping):
            raise BadRow(f"chat turn is not an object but {_kind(turn)}")
        speaker = turn.get("role", turn.get("from"))
        if not isinstance(speaker, str) or speaker.casefold() not in _SPEAKERS:
            raise BadRow(
                f"chat turn has the role {str(speaker)[:40]!r}; only system, user and assistant are read"
            )
        said.append((_SPEAKERS[speaker.casefold()], _turn_text(turn.get("content", turn.get("value")))))
    system = [text for speaker, text in said if speaker == "system"]
    rest = [turn for turn in said if turn[0] != "system"]
    if [speaker for speaker, _ in rest] != ["user", "assistant"]:
        order = ", ".join(speaker for speaker, _ in rest[:6]) + (", ..." if len(rest) > 6 else "")
        raise BadRow(
            f"chat is not one exchange of user and assistant but {len(rest)} turns ({order or 'none'})"
        )
    return rest[0][1], rest[1][1], {"system": "\n\n".join(system)} if any(system) else {}


def _turn_text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
    if not texts or len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        raise BadRow("chat turn has content that is not text")
    return "".join(str(text) for text in texts)


def _label(row: Mapping[str, Any], found: Mapping[str, str], role: str) -> str:
    value = row.get(found[role]) if role in found else None
    # "dataset" may be anything in somebody's table; only a name can be a task.
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int)
        or (role == "task" and isinstance(value, int))
    ):
        return ""
    return checked(role, str(value)) if str(value).strip() else ""


def _metadata(row: Mapping[str, Any], used: set[str]) -> dict[str, Any]:
    kept = {}
    for column, value in row.items():
        plain = _plain(value)
        if column in used or plain is None:
            continue
        if _SURROGATE.search(column) or (isinstance(plain, str) and _SURROGATE.search(plain)):
            raise BadRow(f"column {column!r:.60} holds a lone surrogate (half of a character)")
        kept[str(column)] = plain
    return kept


def _plain(value: object) -> str | int | float | bool | None:
    """A scalar as JSON can hold it, else None."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int):
        return value
    return value.isoformat() if isinstance(value, datetime | date | time) else None


def _kind(value: object) -> str:
    names = {"NoneType": "null", "dict": "an object", "list": "a list", "str": "text", "bool": "a boolean"}
    named = names.get(type(value).__name__)
    return named or ("a number" if isinstance(value, int | float | Decimal) else type(value).__name__)
