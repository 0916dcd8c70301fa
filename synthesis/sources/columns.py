"""From a row's columns to the fields of a pair: named by the user, or guessed.

Judges one row at a time; knows nothing of files, ids of bad rows, or duplicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from synthesis.errors import SourceError
from synthesis.sources.chats import Exchange, chat_column, exchanges, is_chat, with_history
from synthesis.sources.values import (
    CHOICE_COLUMNS,
    SURROGATE,
    BadRow,
    answer_text,
    choices_in,
    chosen_text,
    input_text,
    instruction_text,
    kind_of_value,
    plain,
    remains,
)

ROLES = ("instruction", "answer", "task", "id", "input")
GUESSES: Mapping[str, tuple[str, ...]] = {
    "instruction": ("instruction", "question", "query", "prompt", "input"),
    "answer": ("answer", "output", "response", "completion", "target", "answers"),
    "task": ("task", "synthesis_task", "dataset"),
}
MAX_CHARS: Mapping[str, int] = {"instruction": 200_000, "answer": 1_000_000, "task": 200, "id": 200}


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


def map_rows(row: object, chosen: Mapping[str, str], take: str = "one") -> list[Fields | BadRow]:
    """The fields of one row; of several pairs where it is a chat and ``take`` says so (see ``chats``).

    One of several that cannot be used is a ``BadRow`` among them.

    Raises:
        BadRow: If the row makes no pair at all.
    """
    if not isinstance(row, Mapping):
        raise BadRow(f"row is not an object but {kind_of_value(row)}")
    filled = tuple(name for name, value in row.items() if value is not None)
    found = find_columns(tuple(row), filled, tuple(chosen.items()))
    for role, name in chosen.items():
        if role not in found:
            raise BadRow(f"{role} is missing (no column '{name}')", unmapped=True)
    chat = chat_of(row, found)
    if chat is not None:
        said, extra = exchanges(chat, take)
    else:
        said, extra = _asked(row, found, take)
    metadata = extra | _metadata(row, set(found.values()))
    task, name = _label(row, found, "task"), _label(row, found, "id")
    if "id" in chosen and not name:
        raise BadRow(f"id is missing (column '{chosen['id']}')")
    made: list[Fields | BadRow] = []
    for one in said:
        own = f"{name}-{one.number}" if name and len(said) > 1 else name
        try:
            asked, told = checked("instruction", one.instruction), checked("answer", one.answer)
            made.append(Fields(asked, told, task, own, metadata))
        except BadRow as bad:
            made.append(bad)
    return made


def map_row(row: object, chosen: Mapping[str, str]) -> Fields:
    """The fields of a row that makes one pair.

    Raises:
        BadRow: If it makes none, or several.
    """
    (made,) = map_rows(row, chosen)
    if isinstance(made, BadRow):
        raise made
    return made


def chat_of(row: Mapping[str, Any], found: Mapping[str, str]) -> list[Any] | None:
    """The turns of a row that is a chat: in a column of its own, or parted into prompt and completion."""
    asked, told = (row.get(found[role]) if role in found else None for role in ("instruction", "answer"))
    if is_chat(asked):
        return [*asked, *(told if is_chat(told) else [{"role": "assistant", "content": answer_text(told)}])]
    name = chat_column(row)
    return row[name] if name and not {"instruction", "answer"} <= set(found) else None


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
    if SURROGATE.search(text):
        raise BadRow(f"{role} holds a lone surrogate (half of a character)")
    return text


def _require_columns(found: Mapping[str, str]) -> None:
    for role in ("instruction", "answer"):
        if role not in found:
            raise BadRow(f"{role} is missing (no column {', '.join(GUESSES[role])})", unmapped=True)


def _asked(
    row: Mapping[str, Any], found: Mapping[str, str], take: str
) -> tuple[list[Exchange], dict[str, Any]]:
    """What a row asks and answers in columns of their own, and what remains of these."""
    _require_columns(found)
    instruction, answer = instruction_text(row[found["instruction"]]), row[found["answer"]]
    more = input_text(row[found["input"]]) if "input" in found else ""
    if more.strip() and instruction.strip():
        instruction = f"{instruction}\n\n{more}"
    folded = {name.strip().casefold(): name for name in map(str, row)}
    options = next((folded[name] for name in CHOICE_COLUMNS if name in folded), None)
    choices = choices_in(row[options]) if options is not None else None
    picked = chosen_text(answer, choices) if choices is not None else None
    if choices is not None and picked is not None:
        instruction = f"{instruction}\n\n{choices.spelled_out()}"
    last = Exchange(instruction, answer_text(answer) if picked is None else picked)
    left = {found[role]: remains(row[found[role]]) for role in ("instruction", "answer")}
    extra = {name: text for name, text in left.items() if text is not None}
    earlier = row.get(folded["history"]) if "history" in folded else None
    return ([last] if earlier in (None, [], "") else with_history(earlier, last, take)), extra


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
        kept_as = plain(value)
        if column in used or kept_as is None:
            continue
        if SURROGATE.search(str(column)) or (isinstance(kept_as, str) and SURROGATE.search(kept_as)):
            raise BadRow(f"column {column!r:.60} holds a lone surrogate (half of a character)")
        kept[str(column)] = kept_as
    return kept
