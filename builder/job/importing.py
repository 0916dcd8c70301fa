"""Rows that have a context already -> a run's folder, as if its contexts had been written there.

Reads anything that pairs can be read from. The context stands in a column of its own, or in
the user turn of a chat together with the instruction: then a layout says how the two are
told apart. Knows nothing of Parquet or cards; the folder is built as after any run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from builder.folder.facts import IMPORTED
from builder.job.evidence import with_evidence
from builder.job.execute import Summary, checked_tokenizer, reassemble
from builder.job.origin import Origin, importing_folder, record_origin
from builder.job.pairs import described_source
from builder.job.scoring import CONTEXT_COLUMNS
from synthesis.coherence import locate
from synthesis.data import Context, Pair, Rejected, content_hash
from synthesis.errors import SourceError, UsageError
from synthesis.options import RunConfig
from synthesis.run.journal import Journal
from synthesis.sources.address import address_of
from synthesis.sources.chats import CHAT_COLUMNS, chat_column, exchanges, is_chat
from synthesis.sources.columns import GUESSES, Fields, map_row
from synthesis.sources.resolve import tables
from synthesis.sources.rows import FirstSeen, SourceRow, SourceTable, task_from_name
from synthesis.sources.values import BadRow, answer_text
from synthesis.tasks import TASKS
from synthesis.text.words import count_words

if TYPE_CHECKING:
    from builder.job.reporter import Reporter

LAYOUT = "{context}\n\n{instruction}"
_MOST_CHARACTERS = 20_000_000  # of a context: some five million tokens
_STAGE = "import"
_ASKED = "\0asked"  # a user turn on its way to context and instruction; no column is called that
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TurnLayout:
    """A user turn: ``before``, the context, ``between``, the instruction, ``after``; or the other order."""

    before: str
    between: str
    after: str
    context_first: bool

    def fits(self, turn: str) -> bool:
        """Whether a user turn begins and ends this way, with what stands between in it."""
        text = turn.rstrip()
        return text.startswith(self.before) and text.endswith(self.after.rstrip()) and self.between in text

    def split(self, turn: str) -> tuple[str, str]:
        """Context and instruction of a user turn.

        Of several places to cut, the one that leaves the shorter instruction is taken.

        Raises:
            BadRow: The turn is not made this way.
        """
        text = turn.rstrip()
        after = self.after.rstrip()
        if not text.startswith(self.before) or not text.endswith(after):
            raise BadRow("the user turn does not begin and end as --layout says")
        inner = text[len(self.before) : len(text) - len(after)]
        cut = inner.rpartition if self.context_first else inner.partition
        first, found, second = cut(self.between)
        if not found or not first.strip() or not second.strip():
            raise BadRow(
                "the user turn cannot be split into context and instruction: "
                f"{self.between!r} does not stand between two texts (--layout says what does)"
            )
        return (first, second) if self.context_first else (second, first)

    def before_context(self, instruction: str) -> int:
        """How many characters of a turn stand before its context."""
        other = 0 if self.context_first else len(instruction) + len(self.between)
        return len(self.before) + other


def parse_layout(text: str) -> TurnLayout:
    r"""A layout from text such as ``{context}\n\nQuestion: {instruction}``; ``\n`` is a line break.

    Raises:
        UsageError: It does not name both once, with something between them.
    """
    parts = re.split(r"\{(context|instruction)\}", text.replace("\\n", "\n"))
    if len(parts) != 5 or parts[1] == parts[3] or not parts[2]:
        raise UsageError(
            f"--layout {text!r} is not usable. Write {{context}} and {{instruction}} once each, with what "
            "stands between them, as in '{context}\\n\\nQuestion: {instruction}'."
        )
    return TurnLayout(parts[0], parts[2], parts[4], parts[1] == "context")


def _layouts(asked: object) -> list[tuple[str, TurnLayout]]:
    """The layouts to try in turn, each with the task it stands for; our own wordings unless one is given."""
    if asked is not None:
        return [("", parse_layout(str(asked)))]
    ours = [(task.name, parse_layout(task.wording.replace("{documents}", "{context}"))) for task in TASKS]
    return [*ours, ("", parse_layout(LAYOUT))]


class _Outcome(NamedTuple):
    """A row as it goes to the journal: a pair with its context, or why not."""

    fingerprint: str
    pair: Pair | None = None
    context: Context | None = None
    rejected: Rejected | None = None


def import_contexts(config: RunConfig, reporter: Reporter) -> Summary:
    """Bring the rows of ``config.pairs`` into the run's folder and build its dataset.

    After an interruption, the same call goes on where it stopped; the same rows give the
    same bytes. ``config.generation`` names the model; its ``options`` may hold a ``layout``.

    Raises:
        SourceError: The source cannot be read, or no row of it has a context.
        UsageError: The layout cannot be used.
        FolderError: The folder is in use, is not a run's, or holds contexts that were written.
    """
    started = time.monotonic()
    folder = importing_folder(config)
    checked_tokenizer(config)
    source = described_source(config)
    next(row for row in _Rows(config).read() if row.context)  # before the folder is touched
    rows = _Rows(config).read()
    with folder.locked(), Journal(folder.journal) as journal:
        reporter.stage("importing contexts", None)
        with journal.new_current() as order:
            for outcome in rows:
                order(outcome.fingerprint)
                _record(outcome, journal)
                reporter.advance()
        # Last: where nothing could be imported, the folder is still free for anything.
        folder.write_config(config)
        record_origin(folder, Origin(IMPORTED, config.generation.model, source))
    summary = reassemble(config, reporter)
    return replace(summary, seconds=time.monotonic() - started)


def _record(outcome: _Outcome, journal: Journal) -> None:
    """Write an outcome that is not there yet; only then is evidence looked for that no row tells."""
    pair, context = outcome.pair, outcome.context
    if outcome.rejected is not None:
        if outcome.fingerprint not in journal.rejected:
            journal.add(replace(outcome.rejected, fingerprint=outcome.fingerprint))
    elif pair is not None and context is not None and outcome.fingerprint not in journal.contexts:
        if not context.evidence:
            found = tuple(locate(context.text, pair.instruction, pair.answer))
            context = replace(context, evidence=found, evidence_source="located" if found else "none")
        words = count_words(context.text)
        journal.add(replace(context, words=words, fingerprint=outcome.fingerprint), pair)


class _Rows:
    """One pass over the source; remembers which pairs were there, and nothing else that grows."""

    def __init__(self, config: RunConfig) -> None:
        self._pairs = config.pairs
        self._model = config.generation.model
        self._layouts = _layouts(config.generation.options.get("layout"))
        self._columns = dict(config.pairs.columns)
        chosen = self._columns.pop("context", "")
        self._contexts = (chosen,) if chosen else CONTEXT_COLUMNS
        self._evidence = self._columns.pop("evidence", "evidence")
        self._seen = FirstSeen()
        self._first_bad = ""

    def read(self) -> Iterator[_Outcome]:
        """Every row's outcome, until there are as many contexts as asked for.

        Raises:
            SourceError: There is not one, or the source cannot be read.
        """
        pairs = self._pairs
        kept = 0
        at = address_of(pairs.source, pairs.config or None, pairs.split)
        for table in tables(at.place, at.config, at.split, None):
            self._seen.begin(table)
            for row in table.rows():
                for outcome in self._outcomes(table, row):
                    yield outcome
                    kept += outcome.pair is not None
                    if kept == pairs.limit > 0:
                        return
        if not kept:
            raise SourceError(
                f"{pairs.source} has no row to import: {self._first_bad or 'it is empty'}. Rows need an "
                "instruction, an answer and a context (--column context=NAME), or messages with the context "
                "in the user turn (--layout)."
            )

    def _outcomes(self, table: SourceTable, row: SourceRow) -> Iterator[_Outcome]:
        """Those of a row: one, or one for each exchange of a chat that is wanted."""
        try:
            if row.error:
                raise BadRow(row.error)
            values = self._apart(row.value)
        except BadRow as bad:
            yield self._rejected(table, row, bad)
            return
        for value in values:
            try:
                pair, context = self._read(table, value)
                self._once(pair, row.line)
            except BadRow as bad:
                yield self._rejected(table, row, bad)
                continue
            told = (context.evidence, context.form, context.hops) if context.evidence else ()
            metadata = dict(pair.metadata)
            name = content_hash(IMPORTED, self._model, pair.id, pair.task, metadata, context.text, *told)
            yield _Outcome(name, pair, context)

    def _rejected(self, table: SourceTable, row: SourceRow, bad: BadRow) -> _Outcome:
        place = f"{table.name}:{row.line}"
        self._first_bad = self._first_bad or f"{place}: {bad.reason}"
        rejected = Rejected(place, _STAGE, bad.reason, row.preview())
        return _Outcome(content_hash(place, _STAGE, bad.reason, rejected.text), rejected=rejected)

    def _apart(self, row: object) -> list[object]:
        """A row; of a chat whose user turns hold the contexts, a row of columns for each exchange."""
        if not isinstance(row, Mapping) or any(row.get(name) is not None for name in self._contexts):
            return [row]
        turns, columns = _chat(row)
        if not columns:
            return [row]
        found, extra = exchanges(turns, self._pairs.turns)
        rest = {key: value for key, value in row.items() if key not in (*CHAT_COLUMNS, *columns)} | extra
        apart = [rest | {_ASKED: one.instruction, "answer": one.answer} for one in found]
        for one, each in zip(apart, found, strict=True):
            if each.number > 1:
                one.pop(self._evidence, None)  # it tells places in the first message
        named = self._columns.get("id")
        if named in rest and len(apart) > 1:
            apart = [
                one | {named: f"{rest[named]}-{each.number}"} for one, each in zip(apart, found, strict=True)
            ]
        return list(apart)

    def _read(self, table: SourceTable, value: object) -> tuple[Pair, Context]:
        before = 0
        if isinstance(value, dict) and _ASKED in value:
            turn = value.pop(_ASKED)
            name, layout = next((each for each in self._layouts if each[1].fits(turn)), self._layouts[-1])
            context, instruction = layout.split(turn)
            before = layout.before_context(instruction)
            value |= {"instruction": instruction, self._contexts[0]: context}
            if name and not any(one.strip().casefold() in GUESSES["task"] for one in value):
                value["task"] = name
        fields: Fields = map_row(value, self._columns)
        name = next((name for name in self._contexts if fields.metadata.get(name) is not None), "")
        if not name:
            raise BadRow(f"context is missing (no column {', '.join(self._contexts)}, no chat)")
        text = _checked(fields.metadata[name])
        metadata = {key: value for key, value in fields.metadata.items() if key != name}
        task = self._pairs.task or fields.task or task_from_name(table.label)
        pair = Pair(fields.id, fields.instruction, fields.answer, task, metadata)
        row = value if isinstance(value, Mapping) else {}
        written = Context(pair.id, text, engine=IMPORTED, model=self._model, attempts=0)  # nobody was asked
        return pair, with_evidence(written, pair, row, self._evidence, before)

    def _once(self, pair: Pair, line: int) -> None:
        earlier = self._seen.before(content_hash(pair.id)[:16], line)
        if earlier:
            raise BadRow(f"duplicate of {earlier} (same instruction and answer, or same id)")


def _chat(row: Mapping[str, Any]) -> tuple[list[Any], tuple[str, ...]]:
    """A row's turns and the columns that hold them; no columns where it is no chat."""
    asked, told = row.get("prompt"), row.get("completion")
    if is_chat(asked) and told is not None:
        last = told if is_chat(told) else [{"role": "assistant", "content": answer_text(told)}]
        return [*asked, *last], ("prompt", "completion")
    name = chat_column(row)
    return (row[name], (name,)) if name else ([], ())


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise BadRow("context is not text")
    if not text.strip():
        raise BadRow("context is empty")
    if len(text) > _MOST_CHARACTERS:
        raise BadRow(f"context is too long: {len(text):,} characters, the limit is {_MOST_CHARACTERS:,}")
    if "\0" in text or _SURROGATE.search(text):
        raise BadRow("context holds a NUL character or half of a character (a lone surrogate)")
    return text
