"""Any source of instruction-answer pairs, as a stream of ``Pair`` and ``Rejected``.

Reads files (JSON Lines, JSON, CSV, TSV, Parquet, packed ones), chat-format rows, folders, globs,
``hf://`` paths and Hub datasets. A bad row is a ``Rejected`` with its line number and
reading goes on; a source that cannot be used at all is a ``SourceError``. Knows nothing
of prompts, engines or where a run keeps its files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synthesis.data import Pair, Rejected, content_hash
from synthesis.errors import SourceError
from synthesis.options import TURNS
from synthesis.sources import resolve
from synthesis.sources.address import address_of
from synthesis.sources.columns import Fields, check_columns, map_rows, unmapped_error
from synthesis.sources.parts import Division, divide
from synthesis.sources.rows import FirstSeen, SourceRow, SourceTable, task_from_name
from synthesis.sources.values import BadRow

_STAGE = "pairs"
# So many rows without usable columns are held back until one with them is seen: who
# forgot --column gets one error, not a journal full of rejections.
_HELD = 1_000


def read_pairs(
    source: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    task: str | None = None,
    config: str | None = None,
    split: str = "train",
    limit: int | None = None,
    turns: str = "one",
    token: str | None = None,
) -> Iterator[Pair | Rejected]:
    """Stream the pairs of a source, and every row that makes none.

    Texts are kept untouched. A number as an answer is written as text, ``true`` and
    ``false`` as ``yes`` and ``no``; of a list of answers the first is taken, the others stand in
    the metadata. Where a row has choices and its answer is the number or label of one, the answer
    is that choice's text, and the instruction lists them. A pair that was there before (same
    instruction and answer) is rejected.

    Args:
        source: A file, folder, glob, ``hf://datasets/ORG/NAME/PATH`` or ``ORG/NAME``; a
            local path wins over a Hub dataset of the same name. ``?config=NAME&split=NAME`` may stand
            behind it.
        columns: Ours -> theirs, for ``instruction``, ``answer``, ``task``, ``id``, ``input``;
            what it leaves out is guessed from the usual names.
        task: The task of all pairs; otherwise a column, the file's stem, or ``generic``.
        config: Config of a Hub dataset or dataset folder.
        split: Split of a Hub dataset or a folder, whose files are told apart by their names.
        turns: What to take of a chat of several exchanges: ``first``, ``last`` or ``every``;
            with ``one`` it is rejected.
        limit: Stop after so many pairs (rejected rows do not count).
        token: Hub token; without one, the environment's login is used.

    Raises:
        SourceError: If the source cannot be found, opened or decoded, no row has the
            columns of a pair, or there is no pair in it. Problems with the source as a
            whole are raised by the call itself, others while reading.
    """
    chosen = check_columns(columns)
    if limit is not None and limit < 0:
        raise SourceError(f"--limit {limit} is negative. Give the number of pairs to read.")
    if task is not None and not task.strip():
        raise SourceError("--task is empty. Give the task's name, or leave the option out.")
    if turns not in TURNS:
        raise SourceError(f"--turns {turns!r} is not known. Give one, first, last or every.")
    at = address_of(source, config, split)
    tables = resolve.tables(at.place, at.config, at.split, token)
    return _Reader(at.place, chosen, task, turns).read(tables, limit)


def read_part(
    source: str | Path,
    rank: int,
    tasks: int,
    *,
    columns: Mapping[str, str] | None = None,
    task: str | None = None,
    config: str | None = None,
    split: str = "train",
    turns: str = "one",
    token: str | None = None,
) -> tuple[str, Iterator[Pair | Rejected]]:
    """What of a source falls to task ``rank`` of ``tasks``, reading as little else as its format allows.

    All tasks together have what ``read_pairs`` gives, in its order. A pair that stands in the
    parts of two tasks is one of each, as neither can know; so is a chosen id.

    Returns:
        A hash of how the source is divided (under an equal one each row falls to the same task; it
        does not tell what the rows are), and the rows.

    Raises:
        SourceError: as ``read_pairs``, whose other arguments these are.
    """
    chosen = check_columns(columns)
    at = address_of(source, config, split)
    tables = resolve.tables(at.place, at.config, at.split, token)
    division = divide(tables, rank, tasks)

    def reader() -> _Reader:
        return _Reader(at.place, chosen, task, turns)

    def rows() -> Iterator[Pair | Rejected]:
        own = reader()
        yield from own.read_parts(division)
        if not own.pairs:  # whether there are any at all
            next((one for one in reader().read(tables, None) if isinstance(one, Pair)), None)

    return division.name, rows()


def describe_source(
    source: str | Path, *, config: str | None = None, split: str = "train", token: str | None = None
) -> dict[str, Any]:
    """What a source is, for a run's manifest; never holds a token.

    Returns:
        ``kind`` and ``name``; for local sources (``files``, ``dataset-folder``) also
        ``files``, each with ``path`` as given, ``sha256`` and ``bytes``, and ``left_out``, the
        files of a folder that are not of the split; for ``hub`` the
        ``revision`` (commit) read, and ``config`` and ``split``, or ``path``.

    Raises:
        SourceError: If the source cannot be found or read.
    """
    at = address_of(source, config, split)
    return resolve.describe(at.place, at.config, at.split, token)


def is_local(source: str | Path) -> bool:
    """Whether a source lies on this machine, so that reading it twice is cheap."""
    return resolve.hub_of(address_of(source).place) is None


class _Reader:
    """One pass over a source: remembers which pairs were seen, and nothing else that grows."""

    def __init__(self, source: str, chosen: Mapping[str, str], task: str | None, turns: str) -> None:
        self.source, self.chosen, self.task, self.turns = source, chosen, task, turns
        self.seen = FirstSeen()
        self.ids: set[int] = set()
        self.pairs = self.rejected = 0
        self.first = ""

    def read(self, tables: list[SourceTable], limit: int | None) -> Iterator[Pair | Rejected]:
        """All outcomes, table by table, until ``limit`` pairs."""
        if limit == 0:
            return
        for table in tables:
            for outcome in self._table(table):
                yield outcome
                if self.pairs == limit:
                    return
        if not self.pairs:
            raise self._nothing()

    def read_parts(self, division: Division) -> Iterator[Pair | Rejected]:
        """All outcomes of the parts of a source that are a task's."""
        for part in division.parts:
            for outcome in self._table(part.table, part.whole):
                if part.takes(outcome.id if isinstance(outcome, Pair) else outcome.pair_id):
                    yield outcome

    def _is_mapped(self, table: SourceTable) -> bool:
        """Whether some row of a table has the columns of a pair."""
        other = _Reader(self.source, self.chosen, self.task, self.turns)
        other.seen.begin(table)
        return any(not _unmapped(row, other._outcomes(table, row)[1]) for row in table.rows())

    def _table(self, table: SourceTable, whole: SourceTable | None = None) -> Iterator[Pair | Rejected]:
        """The outcomes of a table, which may be a part of a ``whole``."""
        self.seen.begin(table)
        held: list[Rejected] = []
        columns: dict[str, None] = {}
        mapped = False
        for row in table.rows():
            outcomes, bad = self._outcomes(table, row)
            if not _unmapped(row, bad):
                mapped = True
            elif bad and bad.unmapped:
                columns |= dict.fromkeys(map(str, list(row.value)[:200])) if len(columns) < 200 else {}
                if table.uniform:
                    raise unmapped_error(table.name, list(columns), self.chosen) from None
            if not mapped and len(held) < _HELD:
                held += [one for one in outcomes if isinstance(one, Rejected)]
                continue
            yield from map(self._counted, held)
            held.clear()
            yield from map(self._counted, outcomes)
        if columns and not mapped and not (whole and self._is_mapped(whole)):
            raise unmapped_error(table.name, list(columns), self.chosen)
        yield from map(self._counted, held)

    def _outcomes(self, table: SourceTable, row: SourceRow) -> tuple[list[Pair | Rejected], BadRow | None]:
        """What a row makes: a pair, several of a chat, or a rejection, and why."""
        made: list[Pair | Rejected] = []
        bad = None
        try:
            if row.error:
                raise BadRow(row.error)
            found = map_rows(row.value, self.chosen, self.turns)
        except BadRow as why:
            return [_rejected(table, row, why)], why
        for fields in found:
            try:
                if isinstance(fields, BadRow):
                    raise fields
                made.append(self._pair(table, fields, row.line))
            except BadRow as why:
                bad = why
                made.append(_rejected(table, row, why))
        return made, bad

    def _pair(self, table: SourceTable, fields: Fields, line: int) -> Pair:
        digest = content_hash(fields.instruction, fields.answer)[:16]  # what Pair would take as its id
        self._once(fields, digest, line)
        task = self.task or fields.task or task_from_name(table.label)
        return Pair(fields.id or digest, fields.instruction, fields.answer, task, fields.metadata)

    def _once(self, fields: Fields, digest: str, line: int) -> None:
        """Refuse a pair, or a chosen id, that was there before."""
        earlier = self.seen.before(digest, line)
        if earlier:
            raise BadRow(f"duplicate of {earlier} (same instruction and answer)")
        if not fields.id:
            return
        id_key = int(content_hash(fields.id)[:16], 16)
        if id_key in self.ids:
            raise BadRow(f"duplicate id '{fields.id}': an earlier row has it")
        self.ids.add(id_key)

    def _counted(self, outcome: Pair | Rejected) -> Pair | Rejected:
        if isinstance(outcome, Pair):
            self.pairs += 1
        else:
            self.rejected += 1
            self.first = self.first or f"{outcome.pair_id}: {outcome.reason}"
        return outcome

    def _nothing(self) -> SourceError:
        if not self.rejected:
            return SourceError(f"{self.source} is empty: it has no rows. Give a source with pairs in it.")
        return SourceError(
            f"{self.source} has no usable pair: all {self.rejected} rows were rejected, the first being "
            f"{self.first}. Correct the rows, or say which columns to use with --column."
        )


def _unmapped(row: SourceRow, bad: BadRow | None) -> bool:
    """Whether a row lacks the columns of a pair, or cannot tell."""
    return bad is not None and (bad.unmapped or not isinstance(row.value, Mapping) or bool(row.error))


def _rejected(table: SourceTable, row: SourceRow, why: BadRow) -> Rejected:
    return Rejected(f"{table.name}:{table.before() + row.line}", _STAGE, why.reason, row.preview())
