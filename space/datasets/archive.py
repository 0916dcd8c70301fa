"""Rows that are done as a dataset folder, and as one zip archive for the visitor to take away.

The folder is the one ``context-synthesis run`` builds: card, manifests, Parquet. It lies on disk only
while it is packed; the archive lives in memory. The same rows give the same bytes. Knows nothing of pages.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from builder.folder.build import ConfigData, build_folder
from builder.folder.facts import measured_by
from builder.folder.schema import Kind, chat_row, raw_row, rejected_row
from space.making.results import json_text
from space.making.rows import BatchRow, Made
from space.making.writing import tokenizer
from synthesis.data import Rejected, content_hash
from synthesis.storage import scratch_folder

NAME: Final = "composer"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the least a zip archive can say: equal rows, equal bytes


def write_folder(
    folder: Path, made: Sequence[Made], rejected: Sequence[Rejected] = (), **facts: Any
) -> list[str]:
    """Build a dataset folder from finished rows; the names of its configs.

    Args:
        folder: created; must not hold anything else.
        made: at least one.
        rejected: become the ``-rejected`` config, if there are any.
        facts: how the rows were made, besides engine, tokenizer and versions; for manifests and card.
    """
    samples = [one.sample for one in made if one.sample is not None]
    tables: list[tuple[str, Kind, list[Mapping[str, Any]]]] = [
        (NAME, "raw", [raw_row(one.pair, one.context, one.coherence) for one in made])
    ]
    if samples:
        label = f"{samples[0].budget // 1024}k"
        tables.append((f"{NAME}-chat-{label}", "chat", [chat_row(sample) for sample in samples]))
    if rejected:
        tables.append((f"{NAME}-rejected", "rejected", [rejected_row(one) for one in rejected]))
    known = {
        "engine": made[0].context.engine,
        "template": made[0].context.template,
        **measured_by(tokenizer()),
    }
    build_folder(folder, [_config(*table) for table in tables], facts=known | facts)
    return [name for name, *_ in tables]


def pack(lines: Sequence[BatchRow]) -> bytes:
    """The archive of a batch; empty where no row is done.

    ``dataset/`` is the folder; ``samples.jsonl`` holds the same samples (or, where no length in tokens was
    asked for, contexts) as lines; ``not-done.jsonl`` the rows that were left when the visitor stopped.
    """
    made = [line.made for line in lines if line.made is not None]
    if not made:
        return b""
    inputs = next(line.inputs for line in lines if line.made is not None)
    facts = {"words": inputs.words, "seed": inputs.seed} if inputs else {}
    rejected = [line.rejected for line in lines if line.rejected is not None]
    left = [line.source for line in lines if line.stage == "left"]
    packed = io.BytesIO()
    with (
        scratch_folder() as place,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        folder = Path(place) / "dataset"
        write_folder(folder, made, rejected, **facts, pretty_name="Contexts from the page's batch")
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(_entry(f"dataset/{path.relative_to(folder).as_posix()}"), path.read_bytes())
        archive.writestr(_entry("samples.jsonl"), "".join(map(_json_line, _plain(made))))
        if left:
            archive.writestr(_entry("not-done.jsonl"), "".join(f"{source}\n" for source in left))
    return packed.getvalue()


def _plain(made: Sequence[Made]) -> Iterator[dict[str, Any]]:
    for one in made:
        row = raw_row(one.pair, one.context, one.coherence) if one.sample is None else chat_row(one.sample)
        yield dict(row)


def _config(name: str, kind: Kind, rows: list[Mapping[str, Any]]) -> ConfigData:
    return ConfigData(name, kind, lambda: iter(rows), content_hash(rows))


def _json_line(row: dict[str, Any]) -> str:
    return json_text(json.loads(json.dumps(row))) + "\n"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
