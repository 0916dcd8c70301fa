"""A chat config -> one file in the form that a trainer reads.

A row is in memory only while it is written (packing holds the packs that are still open).
Knows the shapes that trainers expect; finding samples, masks, packs with their weights and
writing files are in ``builder.export``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

from builder.export.files import Kind, Row, check_target, write_rows
from builder.export.packing import encode_chats, pack, pack_row
from builder.export.preference import COLUMNS as PREFERENCE
from builder.export.preference import preference_rows, read_guesses
from builder.export.rl import COLUMNS as RL
from builder.export.rl import rl_row
from builder.export.source import (
    Conversation,
    choose_config,
    conversations,
    measured_with,
    shuffled,
)
from builder.folder.place import find_place
from synthesis.data import Message
from synthesis.errors import UsageError
from synthesis.tokens import load_tokenizer, parse_length

_SPEAKERS = {"user": "human", "assistant": "gpt", "system": "system"}


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written: rows (lines), the files, and their size in bytes.

    ``samples`` is the number of conversations, which is not that of ``rows`` where they are
    packed. ``config`` is the one that was read.
    """

    rows: int
    files: tuple[Path, ...]
    bytes: int
    samples: int
    config: str


def export(
    source: Path | str,
    target: Path | str,
    *,
    config: str | None = None,
    format: str,
    length: int | str | None = None,
    tokenizer: str | None = None,
    split: str = "train",
    seed: int = 0,
    limit: int | None = None,
    shuffle: bool = False,
    overwrite: bool = False,
    guesses: Path | str | None = None,
) -> ExportResult:
    """Write the samples of a chat config in the form that a trainer reads.

    Formats, and what a row has:

    * ``messages``: ``id`` and ``messages`` (role, content), for TRL and most others.
    * ``prompt-completion``: ``id``, and ``prompt`` and ``completion``, which are lists of turns;
      TRL then learns the completion only.
    * ``longalign``: ``messages`` alone, user and assistant in turn, JSON lines: what LongAlign reads.
    * ``sharegpt``: ``id`` and ``conversations`` (from: human or gpt, value), for Axolotl.
    * ``rl``: the conversation without its answer, the answer with its checker, gold documents and
      evidence, for TRL's GRPO, verl and verifiers; ``synthesis.evaluation.rewards`` has the checkers.
    * ``preference``: for each reply that is known to be wrong, as samples with twins know them, ``prompt``,
      ``chosen`` and ``rejected``, which are lists of turns, for TRL's DPO and its like.
    * ``packed``: token packs with loss weights, see ``builder.export.packing.pack_row``.

    Args:
        source: A run's folder, a dataset folder, or ``ORG/NAME[@REVISION]`` on the Hub.
        target: The file to write, ``.jsonl`` or ``.parquet``; folders above it are made.
        config: The chat config. May be left out where there is only one.
        format: One of the above.
        length: Most tokens of a pack, as 32768 or ``32k``; for ``packed`` only, which needs it.
        tokenizer: That of the model to train, as ``load_tokenizer`` takes it; for ``packed`` only.
            Without it, the one that the samples of a local folder were measured with.
        split: Split of the source.
        seed: Of ``shuffle``.
        limit: Use only the first so many samples.
        shuffle: Mix the order within a window of some 64 million characters. Without it the
            order is the source's; that of packs is always the one in which they fill up.
        overwrite: Replace ``target`` if it exists.
        guesses: What ``evaluate`` wrote of a model without a context (``predictions.jsonl``), for
            ``preference`` only: its wrong answers are rejected beside the samples of their pairs.

    Raises:
        UsageError: An argument cannot be used, or a sample is longer than a pack.
        SourceError: The source, config or split cannot be read, or holds no conversations.
        TokenizerError: The tokenizer cannot be loaded, or cannot render the samples.
        FolderError: The target exists, or cannot be written.
        StorageError: Writing failed. Nothing is left behind.
    """
    target = Path(target)
    chosen = _format(format, length, tokenizer)
    if limit is not None and limit < 1:
        raise UsageError(f"A limit of {limit} leaves nothing to export. Give a positive number, or none.")
    check_target(target, chosen.suffixes, overwrite)
    rows_of = chosen.rows
    if guesses is not None:
        if format != "preference":
            raise UsageError(f"Guesses are for the format 'preference'; '{format}' has no use for them.")
        rows_of = partial(preference_rows, guesses=read_guesses(Path(guesses)))
    found = find_place(source)
    name = choose_config(found, config)
    count = 0

    def counted() -> Iterator[Conversation]:
        nonlocal count
        for sample in islice(conversations(found, name, split), limit):
            count += 1
            yield sample

    samples = shuffled(counted(), seed) if shuffle else counted()
    if chosen.row is not None:
        rows: Iterable[Row] = map(chosen.row, samples)
    elif rows_of is not None:
        rows = _some(chain.from_iterable(map(rows_of, samples)), name, format)
    else:
        rows = _packs(samples, tokenizer or measured_with(found, name), parse_length(length or 0))
    written, size = write_rows(target, rows, chosen.columns)
    return ExportResult(written, (target,), size, count, name)


def _format(name: str, length: int | str | None, tokenizer: str | None) -> _Format:
    """The format called ``name``, if the other two go with it."""
    if name not in _FORMATS:
        raise UsageError(f"There is no format '{name}'. Choose one of: {', '.join(FORMATS)}.")
    chosen = _FORMATS[name]
    if chosen.packs and length is None:
        raise UsageError(
            f"The format '{name}' needs the length of a pack in tokens. Give it, as in --length 32k."
        )
    if not chosen.packs and (length is not None or tokenizer is not None):
        raise UsageError(
            f"A length and a tokenizer are for the format 'packed'; '{name}' writes every sample as it is. "
            "Leave them out."
        )
    if length is not None:
        parse_length(length)  # a wrong one is refused before any work
    return chosen


def _packs(samples: Iterable[Conversation], tokenizer: str, length: int) -> Iterator[Row]:
    counts = load_tokenizer(tokenizer)
    counts.check_chat()
    named = ((sample.id, sample.messages) for sample in samples)
    return map(pack_row, pack(encode_chats(named, counts), length))


def _some(rows: Iterable[Row], config: str, format: str) -> Iterator[Row]:
    """The rows, of which there must be one."""
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last is the number of rows
        yield row
    if not count:
        raise UsageError(
            f"No sample of '{config}' has what the format '{format}' is made of. Make samples with twins: "
            "context-synthesis assemble DIR --twins removed,changed,decoy."
        )


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [message._asdict() for message in messages]


def _messages(sample: Conversation) -> Row:
    return {"id": sample.id, "messages": _turns(sample.messages)}


def _prompt_completion(sample: Conversation) -> Row:
    *before, answer = sample.messages
    return {"id": sample.id, "prompt": _turns(before), "completion": _turns([answer])}


def _longalign(sample: Conversation) -> Row:
    # It takes turns two by two and looks at no roles: a system turn would be read as the user's.
    if any(turn.role != ("user", "assistant")[n % 2] for n, turn in enumerate(sample.messages)):
        roles = ", ".join(turn.role for turn in sample.messages)
        raise UsageError(
            f"Sample {sample.id} has the turns [{roles}], but LongAlign takes user and assistant in turn. "
            "Export it in another format, such as messages."
        )
    return {"messages": _turns(sample.messages)}


def _sharegpt(sample: Conversation) -> Row:
    turns = [{"from": _SPEAKERS[turn.role], "value": turn.content} for turn in sample.messages]
    return {"id": sample.id, "conversations": turns}


@dataclass(frozen=True, slots=True)
class _Format:
    """Columns of a format, how to make a row of a sample or all its ``rows`` (neither: packs), suffixes."""

    columns: Mapping[str, Kind]
    row: Callable[[Conversation], Row] | None = None
    suffixes: tuple[str, ...] = (".jsonl", ".parquet")
    rows: Callable[[Conversation], Iterable[Row]] | None = None

    @property
    def packs(self) -> bool:
        """Whether rows are packs of several samples."""
        return self.row is None and self.rows is None


PACK: dict[str, Kind] = {
    "input_ids": "tokens",
    "labels": "tokens",
    "position_ids": "tokens",
    "weights": "weights",
    "cu_seqlens": "tokens",
    "ids": "names",
}
_PROMPT: dict[str, Kind] = {"id": "text", "prompt": "turns", "completion": "turns"}
_FORMATS = {
    "messages": _Format({"id": "text", "messages": "turns"}, _messages),
    "prompt-completion": _Format(_PROMPT, _prompt_completion),
    "longalign": _Format({"messages": "turns"}, _longalign, (".jsonl",)),
    "sharegpt": _Format({"id": "text", "conversations": "from-turns"}, _sharegpt),
    "rl": _Format(RL, rl_row),
    "preference": _Format(PREFERENCE, rows=preference_rows),
    "packed": _Format(PACK, None),
}
FORMATS = tuple(_FORMATS)
