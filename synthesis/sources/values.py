"""What stands in a cell -> the text of an instruction or answer, and what then remains of the cell.

Judges one value at a time; knows nothing of which column it is in.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from string import ascii_uppercase
from typing import Any, Final, NamedTuple

CHOICE_COLUMNS: Final = ("choices", "options", "endings", "candidates")
SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LABELLED: Final = re.compile(r"\(?([A-Za-z0-9]{1,3})[).]?")


class BadRow(Exception):
    """A row that makes no pair, and why. ``unmapped``: it lacks the columns themselves."""

    def __init__(self, reason: str, *, unmapped: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unmapped = unmapped


class Choices(NamedTuple):
    """What a question lets choose from, and what each choice is called; whether they were ``numbers``."""

    labels: Sequence[str]
    texts: Sequence[str]
    numbers: bool = False

    def spelled_out(self) -> str:
        """A line for each."""
        return "\n".join(f"{label}. {text}" for label, text in zip(self.labels, self.texts, strict=True))


def instruction_text(value: object) -> str:
    """An instruction as text.

    Raises:
        BadRow: It is none.
    """
    value = unwrapped(value)
    if value is None:
        raise BadRow("instruction is missing (null)")
    if not isinstance(value, str):
        raise BadRow(f"instruction is not text but {kind_of_value(value)}")
    return value


def input_text(value: object) -> str:
    """What an instruction is about, as text: numbers as written, the items of a list a line each.

    Raises:
        BadRow: It is an object, or a list of more than texts and numbers.
    """
    value = unwrapped(value)
    if value is None:
        return ""
    items = value if isinstance(value, list) else [value]
    texts = [text_of(item) for item in items]
    if any(text is None for text in texts):
        what = "a list of other lists or objects" if isinstance(value, list) else kind_of_value(value)
        raise BadRow(f"input is not text but {what}")
    return "\n".join(text for text in texts if text)


def answer_text(value: object) -> str:
    """An answer as text: the first of a list, numbers as written, true and false as yes and no.

    Raises:
        BadRow: It is none.
    """
    value = unwrapped(value)
    if isinstance(value, list):
        if not value:
            raise BadRow("answer is an empty list")
        value = unwrapped(value[0])
    if value is None:
        raise BadRow("answer is missing (null)")
    if isinstance(value, int | float | Decimal) and not math.isfinite(value):
        raise BadRow("answer is not a finite number")
    text = text_of(value)
    if text is None:
        raise BadRow(f"answer is not text but {kind_of_value(value)}")
    return text


def text_of(value: object) -> str | None:
    """A scalar as text; None for anything else."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float | Decimal) else None


def unwrapped(value: object) -> object:
    """SQuAD and its relatives write {"text": ...} around a text or a list of texts."""
    return value["text"] if isinstance(value, Mapping) and "text" in value else value


def remains(value: object) -> str | None:
    """As JSON, what of a cell is not in its text: further answers, where they stand; None for nothing."""
    left: object = None
    if isinstance(value, Mapping):
        inside = value.get("text")
        left = {key: one for key, one in value.items() if key != "text" and one not in (None, [], {}, "")}
        if isinstance(inside, list) and len(inside) > 1:
            left["text"] = inside[1:]
    elif isinstance(value, list):
        first = remains(value[0]) if value else None
        left = value[1:] if first is None else [json.loads(first), *value[1:]]
    try:
        return json.dumps(left, ensure_ascii=False, default=_json, allow_nan=False) if left else None
    except (TypeError, ValueError, RecursionError):  # bytes, no number; nothing that can be kept
        return None


def choices_in(value: object) -> Choices | None:
    """What a column of choices holds: texts, texts with labels (ARC's), or an object of label and text."""
    labels: object = None
    texts: object = value
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), list):
            texts, labels = value["text"], value.get("label")
        else:
            labels, texts = list(value), list(value.values())
    if not isinstance(texts, list) or not 2 <= len(texts) <= len(ascii_uppercase):
        return None
    found = [text_of(unwrapped(one)) for one in texts]
    if any(text is None or not text.strip() for text in found):
        return None
    if not isinstance(labels, list) or len(labels) != len(texts):
        labels = list(ascii_uppercase[: len(texts)])
    numbers = any(isinstance(one, int | float | Decimal) for one in texts)
    return Choices([str(one) for one in labels], [str(text) for text in found], numbers)


def chosen_text(answer: object, choices: Choices) -> str | None:
    """The text of the choice that an answer names by its number (from 0) or label; None if it is a text.

    Raises:
        BadRow: The answer names a choice that there is not, or several.
    """
    answer = unwrapped(answer)
    if isinstance(answer, list):
        if len(answer) > 1 and all(_names_choice(one, choices) for one in answer):
            raise BadRow(f"answer names {len(answer)} choices; only one can be the answer")
        answer = answer[0] if answer else None
    if not _names_choice(answer, choices):
        return None
    written = str(answer).strip()
    label = _LABELLED.fullmatch(written)
    labels = [one.casefold() for one in choices.labels]
    if label and label[1].casefold() in labels:
        return choices.texts[labels.index(label[1].casefold())]
    if written.lstrip("-").isdecimal() and 0 <= int(written) < len(choices.texts):
        return choices.texts[int(written)]
    raise BadRow(f"answer {written!r} names none of the {len(choices.texts)} choices")


def _names_choice(answer: object, choices: Choices) -> bool:
    if isinstance(answer, bool) or not isinstance(answer, str | int):
        return False
    text = str(answer).strip()
    # A number beside texts is a place among them, even where one of them reads like it.
    if (isinstance(answer, str) or choices.numbers) and text in (one.strip() for one in choices.texts):
        return False
    label = _LABELLED.fullmatch(text)
    labelled = label is not None and label[1].casefold() in (one.casefold() for one in choices.labels)
    return isinstance(answer, int) or labelled or (text.isdecimal() and text.isascii() and len(text) < 3)


def plain(value: object) -> str | int | float | bool | None:
    """A scalar as JSON can hold it, else None."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int):
        return value
    return value.isoformat() if isinstance(value, datetime | date | time) else None


def kind_of_value(value: object) -> str:
    """What a value is, in words."""
    names = {"NoneType": "null", "dict": "an object", "list": "a list", "str": "text", "bool": "a boolean"}
    named = names.get(type(value).__name__)
    return named or ("a number" if isinstance(value, int | float | Decimal) else type(value).__name__)


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError
