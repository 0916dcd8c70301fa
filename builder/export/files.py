"""Rows -> one JSONL or Parquet file that appears complete or not at all.

Knows the types of the columns and nothing of what they mean; pyarrow is imported only for
Parquet. The same rows give the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from builder.folder.parquet import ZSTD_LEVEL
from builder.folder.schema import arrow_types
from synthesis.errors import FolderError, UsageError
from synthesis.storage import written_whole

# What a column holds: a string; turns as {"role", "content"} or {"from", "value"}; a list of
# small integers, of loss weights, or of names;
# single numbers; evidence, changes of a twin, character spans; what a reward is by, and what goes with it.
Kind: TypeAlias = Literal[
    "text",
    "turns",
    "from-turns",
    "tokens",
    "weights",
    "names",
    "integer",
    "number",
    "evidence",
    "changes",
    "spans",
    "reward",
    "extra",
]
Row: TypeAlias = Mapping[str, Any]

GROUP_BYTES = 8 * 2**20  # of text or numbers in a row group: the bound on memory


def check_target(target: Path, suffixes: tuple[str, ...], overwrite: bool) -> None:
    """Refuse a target that cannot be written, before any work.

    Raises:
        UsageError: Its suffix is none of ``suffixes``.
        FolderError: There is something of that name already.
    """
    if target.is_dir():
        name = target / f"train{suffixes[0]}"
        raise FolderError(f"{target} is a folder. Give the name of a file, such as {name}.")
    if target.suffix.lower() not in suffixes:
        raise UsageError(
            f"{target} must end in {' or '.join(suffixes)} for this format. Give the file another name."
        )
    if target.exists() and not overwrite:
        raise FolderError(f"{target} exists already. Give another name, or ask to overwrite it.")


def write_rows(target: Path, rows: Iterable[Row], columns: Mapping[str, Kind]) -> tuple[int, int]:
    """Write rows to ``target``, whose suffix says how; returns their number and the file's bytes.

    Until the last row is written they are in a file beside it, which is removed on failure.

    Raises:
        FolderError: Writing is not permitted there.
        StorageError: Writing failed.
    """
    write = _parquet if target.suffix.lower() == ".parquet" else _jsonl
    # Two exports to one place must not write into one another's file.
    with written_whole(target, target.with_name(f"{target.name}.{os.getpid()}.part")) as staging:
        count = write(staging, rows, columns)
        size = staging.stat().st_size
    return count, size


def _jsonl(path: Path, rows: Iterable[Row], columns: Mapping[str, Kind]) -> int:
    count = 0
    with path.open("wb") as file:
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last is the number of rows
            ordered = {name: row[name] for name in columns}
            file.write(json.dumps(ordered, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    return count


def _parquet(path: Path, rows: Iterable[Row], columns: Mapping[str, Kind]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    pq: Any = parquet  # its stubs lag behind what it takes
    types = _arrow_types()
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    count, size = 0, 0
    group: list[Row] = []
    with pq.ParquetWriter(path.absolute(), schema, **_options(columns)) as writer:
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last is the number of rows
            group.append(row)
            size += sum(map(_size, row.values()))
            if size >= GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(group, schema), row_group_size=len(group))
                group, size = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema), row_group_size=len(group))
    return count


def _options(columns: Mapping[str, Kind]) -> dict[str, Any]:
    """Packs are mostly runs and steps: a dictionary or differences all but remove them."""
    options = {"compression": "zstd", "compression_level": ZSTD_LEVEL, "write_statistics": False}
    if "position_ids" not in columns:
        return options | {"use_dictionary": False}
    return options | {
        "use_dictionary": ["input_ids.list.element", "labels.list.element", "weights.list.element"],
        "column_encoding": {"position_ids.list.element": "DELTA_BINARY_PACKED"},
    }


def _arrow_types() -> dict[Kind, Any]:
    import pyarrow as pa

    shared = arrow_types()  # as the configs of a dataset folder have them
    # "long": 64-bit offsets, as a row group of very long texts may pass 2 GiB.
    long = pa.large_string()
    return {
        "text": pa.string(),
        "turns": pa.list_(pa.struct([("role", pa.string()), ("content", long)])),
        "from-turns": pa.list_(pa.struct([("from", pa.string()), ("value", long)])),
        "tokens": pa.list_(pa.int32()),
        "weights": pa.list_(pa.float32()),
        "names": pa.list_(pa.string()),
        "integer": pa.int64(),
        "number": pa.float64(),
        "evidence": shared["placed"],
        "changes": shared["changes"],
        "spans": pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64())])),
        "reward": shared["reward"],
        "extra": shared["extra"],
    }


def _size(value: object) -> int:
    """Bytes of a value, roughly: characters of text, four for a number."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    if isinstance(value, list):
        return sum(map(_size, value)) if value and isinstance(value[0], Mapping | str) else 4 * len(value)
    return 4
