"""Between datatrove's documents and our records.

A document that comes in is a row: its text is the instruction, its metadata holds the answer
and may hold the task and more, under the names that columns of a file may have. A document
that goes out is a context. Knows nothing of journals and engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol

from synthesis.data import Context, Pair, Rejected
from synthesis.errors import ConfigError, SourceError
from synthesis.options import PairsConfig
from synthesis.sources.columns import check_columns, map_row
from synthesis.sources.files import suffix_of
from synthesis.sources.rows import SourceRow, task_from_name
from synthesis.sources.values import BadRow

_FILE = "file_path"  # where a reader notes which file a document is from


class ReadDocument(Protocol):
    """What is read of a document."""

    text: str
    id: str
    metadata: dict[str, Any]


def read_documents(documents: Iterable[ReadDocument], chosen: PairsConfig) -> Iterator[Pair | Rejected]:
    """The pairs that documents stand for; what stands for none, or was there before, is rejected.

    They are those that ``read_pairs`` makes of the same rows: ``chosen.columns`` names columns as
    it does there, and a task that nothing names comes from the file's name. A document's own id
    is used only if ``chosen.columns`` names a column for ``id``.

    Raises:
        ConfigError: ``chosen`` has a limit, which no task could keep on its own.
        SourceError: no document has what a pair needs.
    """
    if chosen.limit:
        raise ConfigError(
            f"'pairs.limit' (--limit) is {chosen.limit}, but the pairs come from a reader; "
            "give the limit to the reader"
        )
    columns = check_columns(chosen.columns)
    seen: set[str] = set()
    usable, missing = False, ""
    for document in documents:
        row = _row(document, columns)
        try:
            pair = _pair(document, row, columns, chosen.task)
            if pair.id in seen:
                raise BadRow("duplicate: an earlier document of this task is the same pair")
        except BadRow as bad:
            usable = usable or not bad.unmapped
            missing = missing or f"{document.id}: {bad.reason}; its metadata has {_names(document.metadata)}"
            yield Rejected(document.id, "pairs", bad.reason, SourceRow(0, row).preview())
            continue
        usable = True
        seen.add(pair.id)
        yield pair
    if missing and not usable:
        raise SourceError(
            f"no document can be read as a pair. The first is {missing}. The document's text is the "
            "instruction (give the reader its column as text_key), the metadata holds the answer; "
            "name other columns in [pairs] columns"
        )


def metadata_of(pair: Pair, context: Context, tokens: int) -> dict[str, Any]:
    """What a document says of the context that is its text; columns of the source stay beside it."""
    return {
        **pair.metadata,
        "instruction": pair.instruction,
        "answer": pair.answer,
        "task": pair.task,
        "evidence": [span._asdict() for span in context.evidence],
        "evidence_source": context.evidence_source,
        "form": context.form,
        "hops": context.hops,
        "words": context.words,
        "token_count": tokens,
        "engine": context.engine,
        "model": context.model,
        "template": context.template,
        "attempts": context.attempts,
        "seed": context.seed,
    }


def _row(document: ReadDocument, columns: Mapping[str, str]) -> dict[str, Any]:
    row = {name: value for name, value in document.metadata.items() if name != _FILE}
    row[columns.get("instruction", "instruction")] = document.text
    if "id" in columns:
        row.setdefault(columns["id"], document.id)
    return row


def _pair(document: ReadDocument, row: dict[str, Any], columns: Mapping[str, str], task: str) -> Pair:
    fields = map_row(row, columns)
    file = PurePosixPath(str(document.metadata.get(_FILE, ""))).name
    label = file[: len(file) - len(suffix_of(file))]
    named = task or fields.task or task_from_name(label)
    return Pair(fields.id, fields.instruction, fields.answer, named, fields.metadata)


def _names(metadata: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in list(metadata)[:20]) or "nothing"
