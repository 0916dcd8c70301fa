"""What a model is tuned on: conversations from a chat config or a file, and short ones mixed in.

A source is a run's folder, a dataset folder or ``OWNER/NAME`` on the Hub (one of its chat configs), or a
file: an export, or whatever ``context-synthesis run --pairs`` reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from builder.export.source import Conversation, choose_config, conversations
from builder.folder.place import find_place
from synthesis.data import Message, content_hash
from synthesis.errors import SourceError, UsageError
from synthesis.sources import resolve
from synthesis.sources.columns import map_row
from synthesis.sources.values import BadRow

_ROLES = {"system": "system", "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant"}


class Mix(NamedTuple):
    """Where short samples come from, and what share of all samples they are to be."""

    source: str
    share: float


def parse_mix(text: str) -> Mix:
    """``FILE:0.3``.

    Raises:
        UsageError: the share is missing, or not between 0 and 1.
    """
    source, separator, share = text.rpartition(":")
    try:
        number = float(share)
    except ValueError:
        number = 0.0
    if not separator or not source or not 0 < number < 1:
        raise UsageError(f"--mix {text}: give a source and its share of all samples, as in short.jsonl:0.3.")
    return Mix(source, number)


def read_conversations(source: str, config: str | None) -> Iterator[Conversation]:
    """The conversations of a source, in order.

    Raises:
        SourceError: it cannot be read, or a row of it holds no conversation; says which.
    """
    if not Path(source).expanduser().is_file():
        place = find_place(source)
        yield from conversations(place, choose_config(place, config), "train")
        return
    for table in resolve.tables(source, None, "train", None):
        for row in table.rows():
            try:
                if row.error:
                    raise BadRow(row.error)
                yield _conversation(row.value)
            except BadRow as bad:
                raise SourceError(
                    f"{table.name}, row {row.line}: {bad}. Mend or remove the row; what is tuned on has "
                    "'messages' that end with the assistant's, 'prompt' and 'completion', or a pair."
                ) from None


def _conversation(row: Any) -> Conversation:
    if not isinstance(row, Mapping):
        raise BadRow("it is not an object")
    if "input_ids" in row:
        raise BadRow("it is tokens already, which are packed anew here: give the config, or messages")
    turns = next(
        (row[name] for name in ("messages", "conversations") if isinstance(row.get(name), list)), None
    )
    prompt, completion = row.get("prompt"), row.get("completion")
    if turns is None and isinstance(prompt, list) and isinstance(completion, list):
        turns = [*prompt, *completion]
    if turns is None:
        pair = map_row(row, {})
        turns = [
            {"role": "user", "content": pair.instruction},
            {"role": "assistant", "content": pair.answer},
        ]
    messages = tuple(map(_message, turns))
    if len(messages) < 2 or messages[-1].role != "assistant":
        raise BadRow("it does not end with an answer by the assistant, so there is nothing to learn")
    return Conversation(str(row.get("id") or content_hash(messages)), messages)


def _message(turn: Any) -> Message:
    if isinstance(turn, Mapping):
        role, said = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
        if role in _ROLES and isinstance(said, str):
            return Message(_ROLES[role], said)
    raise BadRow("its turns are not all a role (system, user, assistant) with a text")


def mixed(long: Sequence[Conversation], mixes: Sequence[Mix], seed: int) -> list[Conversation]:
    """All of ``long``, with as many of each mix as make its share of the whole; shuffled by ``seed``.

    Raises:
        UsageError: the shares leave nothing for ``long``, or a mix has too few conversations.
    """
    rest = 1.0 - sum(one.share for one in mixes)
    if rest <= 0:
        raise UsageError("The shares of --mix add up to the whole. Leave room for the samples themselves.")
    everything = list(long)
    for number, mix in enumerate(mixes):
        wanted = round(len(long) * mix.share / rest)
        found = list(read_conversations(mix.source, None))
        if len(found) < wanted:
            most = len(found) * (rest + mix.share) / (len(found) + len(long))
            raise UsageError(
                f"--mix {mix.source}:{mix.share:g} takes {wanted} conversations beside {len(long)} samples, "
                f"and there are {len(found)}. Give more, or a smaller share "
                f"({math.floor(100 * most) / 100} at most)."
            )
        everything += Random(f"mix {seed} {number}").sample(found, wanted)
    Random(f"order {seed}").shuffle(everything)
    return everything
