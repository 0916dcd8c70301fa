"""Datasets built by this tool, looked into: their configs, light columns of their rows, one row's texts.

Only what is shown is read: some columns of at most ``MOST_ROWS`` rows, and one row group when a row is
opened. Where the files lie is a matter of ``places``. Knows nothing of Gradio and HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from builder.folder.place import Place
from builder.folder.reading import group_of, group_size, row_at
from builder.folder.versions import Manifest
from space.datasets.location import newest_manifests, opened
from space.making import processes
from synthesis.data import Context, Evidence
from synthesis.errors import SourceError
from synthesis.tasks import task_of

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MOST_ROWS: Final = 2_000
MOST_FILES: Final = 200
MOST_GROUP: Final = 64 * 2**20
"""Bytes of the row group a row is read from; this tool writes groups of 8 MiB."""
MOST_COLUMN: Final = 4 * 2**20
"""Bytes of a column in a row group; one that takes more is left out of the list."""
MOST_TEXT: Final = 2 * 2**20
"""Characters of a row that is opened; a sample of 128k tokens has a third of it."""
_CUT: Final = {"id": 80, "pair_id": 80, "task": 80, "instruction": 300}


class ListedRow(NamedTuple):
    """What the list shows of a row. ``file`` and ``place`` are where it is in its config."""

    file: int
    place: int
    id: str
    title: str
    task: str
    tokens: int
    depth: float | None
    coherence: float | None


@dataclass(frozen=True, slots=True)
class ListedConfig:
    """A config's first rows. ``total`` counts all of them; ``kind`` is ``raw`` or ``chat``."""

    place: Place
    config: str
    version: str
    kind: str
    files: tuple[str, ...]
    rows: tuple[ListedRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class RowTexts:
    """One row's texts. ``own``, ``asked`` and ``evidence`` are places in ``text``, as in a ``Result``.

    ``evidence_source`` is as in ``Context``; rows of earlier versions lack it where they are samples.
    """

    instruction: str
    answer: str
    task: str
    text: str
    own: tuple[int, int]
    asked: int
    evidence: tuple[Evidence, ...]
    evidence_source: str
    chat: bool

    def context(self, first: int, last: int) -> Context:
        """What of the row's own context stands in ``text[first:last]``, with the evidence there."""
        start, end = max(self.own[0], first), min(self.own[1], last)
        inside = (one for one in self.evidence if start <= one.start and one.end <= end)
        evidence = tuple(Evidence(one.start - start, one.end - start, one.what) for one in inside)
        return Context("", self.text[start:end], evidence, evidence_source=self.evidence_source)


@lru_cache(maxsize=16)
def configs(place: Place) -> tuple[Manifest, ...]:
    """The newest version of each raw and chat config that has rows, by name; without its statistics.

    Raises:
        SourceError, FolderError: this tool did not build the dataset, or a manifest cannot be read.
    """
    newest = tuple(
        replace(one, schema={}, statistics={}, facts={}, details={}, files=one.files[:MOST_FILES])
        for one in newest_manifests(place)
        if one.kind in ("raw", "chat") and one.rows
    )
    if not newest:
        raise SourceError(
            f"{place.name} holds no dataset that context-synthesis built, or only empty ones. "
            "Name another, or leave the field blank for the example."
        )
    return newest


@lru_cache(maxsize=16)
def table(place: Place, config: str) -> ListedConfig:
    """The first ``MOST_ROWS`` rows of a config, in light columns.

    Raises:
        ContextSynthesisError: there is no such config, or its files cannot be read.
    """
    return processes.call(_read_table, place, config)


def _read_table(place: Place, config: str) -> ListedConfig:
    manifest = next((one for one in configs(place) if one.config == config), None)
    if manifest is None:
        known = ", ".join(one.config for one in configs(place))
        raise SourceError(f"{place.name} has no config {config[:80]!r}. Choose one of: {known}.")
    # A manifest from elsewhere must not lead out of its own dataset.
    files = tuple(f"{manifest.directory}/{PurePosixPath(one.path).name}" for one in manifest.files)
    titles = _titles_of_pairs(place, manifest)
    rows: list[ListedRow] = []
    for number, path in enumerate(files):
        with opened(place, path) as file:
            rows += _light(file, number, manifest.kind, titles, MOST_ROWS - len(rows))
        if len(rows) >= MOST_ROWS:
            break
    return ListedConfig(place, config, manifest.version, manifest.kind, files, tuple(rows), manifest.rows)


def entry(found: ListedConfig, number: int) -> RowTexts:
    """The texts of one row.

    Raises:
        ContextSynthesisError: there is no such row, or it is too large to be read here.
    """
    return processes.call(_read_entry, found, number)


def _read_entry(found: ListedConfig, number: int) -> RowTexts:
    if not 0 <= number < len(found.rows):
        raise SourceError(f"There is no row {number + 1} in the list. Choose one that is.")
    row = found.rows[number]
    wanted = ["evidence", "evidence_source", "task", "answer"]
    wanted += (
        ["instruction", "context"] if found.kind == "raw" else ["messages", "evidence_start", "evidence_end"]
    )
    with opened(found.place, found.files[row.file]) as file:
        size = group_size(file, _group_of(file, row.place), wanted)
        if size > MOST_GROUP:
            raise SourceError(
                f"Row {number + 1} lies in a block of {size / 2**20:.0f} MB, too large for this page. "
                "Load the dataset with datasets.load_dataset to read it."
            )
        values = row_at(file, row.place, wanted)
    size = len(str(values))
    if size > MOST_TEXT:
        raise SourceError(
            f"Row {number + 1} has {size:,} characters, too many for this page. "
            "Load the dataset with datasets.load_dataset to read it."
        )
    return _raw_entry(values) if found.kind == "raw" else _chat_entry(values)


def _raw_entry(values: Mapping[str, Any]) -> RowTexts:
    text = values["context"] or ""
    return RowTexts(
        instruction=values["instruction"] or "",
        answer=values["answer"] or "",
        task=task_of(values["task"] or "").name,
        text=text,
        own=(0, len(text)),
        asked=len(text),
        evidence=_evidence(values, len(text)),
        evidence_source=values.get("evidence_source") or "none",
        chat=False,
    )


def _chat_entry(values: Mapping[str, Any]) -> RowTexts:
    said = {one["role"]: one["content"] for one in reversed(values["messages"] or [])}
    text, kind = said.get("user", ""), task_of(values["task"] or "")
    start, end = values["evidence_start"] or 0, values["evidence_end"] or 0
    own = (start, end) if 0 <= start < end <= len(text) else (0, len(text))
    # The instruction closes the message, after words that depend on the task; nothing marks where
    # it begins, so one of several paragraphs without such words is seen in part.
    _, _, closing = kind.wording.partition("{documents}")
    before, _, after = closing.partition("{instruction}")
    open_end = len(text) - len(after) if after and text.endswith(after) else len(text)
    asked = text.rfind(before, own[1] if own[1] < len(text) else 0, open_end)
    asked = len(text) if asked < 0 else asked
    instruction = text[asked + len(before) : open_end]
    return RowTexts(
        instruction,
        values.get("answer") or said.get("assistant", ""),
        kind.name,
        text,
        own,
        asked,
        _evidence(values, len(text)),
        values.get("evidence_source") or "none",
        True,
    )


def _evidence(values: Mapping[str, Any], size: int) -> tuple[Evidence, ...]:
    found = (Evidence(one["start"], one["end"], one["what"] or "") for one in values.get("evidence") or [])
    return tuple(sorted(one for one in found if 0 <= one.start < one.end <= size))


def _titles_of_pairs(place: Place, manifest: Manifest) -> Mapping[str, str]:
    """The instructions by pair that the raw config beside a chat config has in its list."""
    raw, mark, _ = manifest.config.rpartition("-chat-")
    if manifest.kind != "chat" or not mark or all(one.config != raw for one in configs(place)):
        return {}
    return {row.id: row.title for row in table(place, raw).rows}


def _light(
    file: ParquetFile, number: int, kind: str, titles: Mapping[str, str], most: int
) -> Iterator[ListedRow]:
    names = set(file.schema_arrow.names)
    light = [*(["instruction"] if kind == "raw" else []), *_LIGHT]
    index = 0
    for group in range(file.num_row_groups):
        # A column that takes more than light ones do is not read, whatever it is called.
        wanted = [name for name in light if name in names and group_size(file, group, [name]) <= MOST_COLUMN]
        rows = file.metadata.row_group(group).num_rows
        # In pieces: what is not shown is not even decoded.
        for batch in file.iter_batches(_PIECE, row_groups=[group], columns=wanted) if wanted else ():
            for values in batch.slice(0, most - index).to_pylist():
                yield _listed(number, index, values, titles)
                index += 1
            if index >= most:
                return
        if not wanted:
            for _ in range(min(rows, most - index)):
                yield _listed(number, index, {}, titles)
                index += 1


_LIGHT: Final = ("id", "pair_id", "task", "tokens", "depth", "coherence")
_PIECE: Final = 500


def _listed(number: int, index: int, values: Mapping[str, Any], titles: Mapping[str, str]) -> ListedRow:
    def word(name: str) -> str:
        value = values.get(name)
        return value[: _CUT[name]] if isinstance(value, str) else ""

    return ListedRow(
        number,
        index,
        word("id"),
        word("instruction") or titles.get(word("pair_id"), ""),
        word("task"),
        int(_number(values.get("tokens")) or 0),
        _number(values.get("depth")),
        _number(values.get("coherence")),
    )


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and math.isfinite(value)
    return cast(float, value) if known else None


def _group_of(file: ParquetFile, place: int) -> int:
    try:
        return group_of(file, place)[0]
    except IndexError:
        raise SourceError("The dataset has changed since it was listed. Open it again.") from None
