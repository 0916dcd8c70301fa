"""The columns of ``export --format rl``: those of an rl config, as the kinds that exports write."""

from __future__ import annotations

from builder.export.files import Kind, Row
from builder.export.source import Conversation
from builder.folder.rl import rl_row as folder_row
from builder.folder.schema import COLUMNS as FOLDER

_KINDS: dict[str, Kind] = {
    "text": "text",
    "long": "text",
    "messages": "turns",
    "texts": "names",
    "numbers": "tokens",
    "number": "number",
    "integer": "integer",
    "placed": "evidence",
    "reward": "reward",
    "extra": "extra",
}
COLUMNS: dict[str, Kind] = {column.name: _KINDS[column.type] for column in FOLDER["rl"]}


def rl_row(sample: Conversation) -> Row:
    """The row of one sample; see ``builder.folder.rl``.

    Raises:
        UsageError: its answer is empty.
    """
    turns = [message._asdict() for message in sample.messages]
    return folder_row({**sample.columns, "id": sample.id, "messages": turns})
