"""The documents of an assembly: one pass over them, and what is remembered of each.

In memory stay some 60 bytes of numbers a document; its text and notes (sentences, joints, token counts) are
in a temporary file, which takes some three times the text: items and corpus are read once, in order.
"""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from typing import Final, NamedTuple, Self, TypeAlias, TypeVar

from synthesis.assembly.prefetch import prefetched
from synthesis.assembly.record_file import RecordFile
from synthesis.assembly.tables import Table, measure
from synthesis.assembly.word_counts import CountsTexts, WordCounts, counter_of
from synthesis.data import Context, Pair
from synthesis.processes import spread
from synthesis.tasks import GENERIC, task_of
from synthesis.text.near_duplicates import sketch
from synthesis.text.numbers import canonical_terms
from synthesis.text.states import AnswerForms, answer_forms, answer_key, haystack
from synthesis.tokens import Tokenizer


@dataclass(frozen=True, slots=True)
class Notes:
    """What is kept on disk of a document: its canonical terms, sketch and table, its name and text.

    ``forms`` is what states its item's answer, pickled; nothing for one that any text may hold, or of
    the corpus.
    """

    words: bytes
    sketch: frozenset[int]
    table: Table | None
    name: str
    forms: bytes
    text: str

    def wanted(self) -> AnswerForms:
        """What states the item's answer."""
        return AnswerForms(*pickle.loads(self.forms)) if self.forms else AnswerForms()  # noqa: S301 - ours

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From the bytes of a record."""
        _, first, second, third, fourth, fifth = accumulate(array("I", data[:_SIZES]), initial=_SIZES)
        return cls(
            data[second:third],
            frozenset(array("I", data[first:second])),
            Table.unpack(data[_SIZES:first]) if first > _SIZES else None,
            data[third:fourth].decode("utf-8", "surrogatepass"),
            data[fourth:fifth],
            data[fifth:].decode("utf-8", "surrogatepass"),
        )


_SIZES: Final = 20  # bytes


def _pack(
    words: bytes, hashes: array[int], table: Table | None, name: str, wanted: AnswerForms, text: str
) -> bytes:
    named = name.encode("utf-8", "surrogatepass")
    forms = pickle.dumps((wanted.wholes, wanted.parts, wanted.counted)) if wanted else b""
    parts = (table.pack() if table else b"", hashes.tobytes(), words, named, forms)
    return b"".join((array("I", map(len, parts)).tobytes(), *parts, text.encode("utf-8", "surrogatepass")))


def _numbers(kind: str) -> array[int]:
    return array(kind)


@dataclass(slots=True)
class Index:
    """Parallel columns, one entry per document; the first ``items`` are the items' contexts.

    ``pools`` numbers the task pool (0: of the corpus; ``tasks`` has one of the pool's labels);
    ``tokens`` counts the text alone (0: it is blank), ``asks`` the item's instruction and answer;
    ``splits`` numbers the split; the rest are 64-bit hashes of the pair's or text's id, the
    instruction (0: of the corpus), the answer (0: too common to tell anything), the text, and of
    id and text.
    """

    records: RecordFile
    items: int = 0
    tasks: dict[int, str] = field(default_factory=dict)
    pools: array[int] = field(default_factory=lambda: _numbers("L"))
    tokens: array[int] = field(default_factory=lambda: _numbers("L"))
    asks: array[int] = field(default_factory=lambda: _numbers("L"))
    splits: array[int] = field(default_factory=lambda: _numbers("L"))
    pairs: array[int] = field(default_factory=lambda: _numbers("Q"))
    questions: array[int] = field(default_factory=lambda: _numbers("Q"))
    answers: array[int] = field(default_factory=lambda: _numbers("Q"))
    texts: array[int] = field(default_factory=lambda: _numbers("Q"))
    keys: array[int] = field(default_factory=lambda: _numbers("Q"))

    def __len__(self) -> int:
        return len(self.tokens)

    def kin(self, item: int, other: int) -> bool:
        """Whether two share the pair, the answer or the text: neither may distract from the other."""
        return (
            self.pairs[item] == self.pairs[other]
            or self.texts[item] == self.texts[other]
            or (self.answers[item] == self.answers[other] != 0)
        )

    def notes(self, document: int) -> Notes:
        """What is kept on disk of a document."""
        return Notes.unpack(self.records[document])

    def add(self, noted: Noted) -> None:
        """Keep what was noted of a text; its other columns are the caller's."""
        self.records.add(noted.record)
        self.tokens.append(noted.tokens)
        self.texts.append(noted.text)
        self.pairs.append(noted.pair)
        self.keys.append(noted.key)


class Noted(NamedTuple):
    """What is remembered of a text: its record, and its entries in the columns of the index."""

    record: bytes
    tokens: int
    text: int
    pair: int
    key: int


def _noted(
    text: str, tokens: int, table: Table | None, name: str, wanted: AnswerForms, kind: str = ""
) -> Noted:
    terms = canonical_terms(text)
    record = _pack(haystack(terms), sketch(terms), table, name, wanted, text)
    mark, known = number(text), kind + name
    return Noted(record, tokens if text.strip() else 0, mark, number(known), number(known, mark))


class _NotedItem(NamedTuple):
    """The same of an item's context, with what its pair adds."""

    context: Noted
    asks: int
    question: int
    answer: int
    pool: str
    task: str


def number(*parts: object) -> int:
    """A stable 64-bit number for strings and numbers."""
    data = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


_PARCEL_ITEMS: Final = 256
_PARCEL_CHARACTERS: Final = 1_000_000
_JOB_ITEMS: Final = 64  # of a process, before it tells what it found
_NO_POOL: Final = 0

Row = TypeVar("Row")
Items = Sequence[tuple[Pair, Context]]
Corpus = Sequence[tuple[str, str]]
"""Texts of the user's own, as (id, text)."""
_Counts: TypeAlias = list[tuple[int, Table | None]]


class Documents:
    """The contexts of ``items``, then the texts of the user's ``corpus``; indexed when first needed.

    ``split_of`` labels the item at a position. ``counted_by`` is the identity of the tokenizer
    whose counts ``Context.tokens`` holds. With several ``workers`` items are read in as many processes.
    """

    def __init__(
        self,
        items: Items,
        tokenizer: Tokenizer,
        corpus: Corpus = (),
        split_of: Callable[[int], str] | None = None,
        counted_by: str | None = None,
        workers: int = 1,
    ) -> None:
        self.items, self.corpus, self.tokenizer = items, corpus, tokenizer
        self.split_of, self.counted_by = split_of, counted_by
        self.workers = workers

    @cached_property
    def index(self) -> Index:
        """What is remembered of each document."""
        return build_index(self)


def build_index(documents: Documents) -> Index:
    """Read every document once and keep what is needed of it."""
    index = Index(RecordFile(), len(documents.items))
    _add_items(index, documents)
    _add_corpus(index, documents)
    index.records.flush()
    return index


def _add_items(index: Index, documents: Documents) -> None:
    pools: dict[str, int] = {}
    splits: dict[str, int] = {}
    places = range(len(documents.items))
    noted = _note_items(documents, places)
    if documents.workers > 1:
        parts = [places[first : first + _JOB_ITEMS] for first in range(0, len(places), _JOB_ITEMS)]
        made = spread(parts, lambda part: list(_note_items(documents, part)), documents.workers)
        noted = (item for part in made for item in part)
    for place, item in enumerate(noted):
        index.asks.append(item.asks)
        index.questions.append(item.question)
        index.answers.append(item.answer)
        index.pools.append(pools.setdefault(item.pool, len(pools) + _NO_POOL + 1))
        index.tasks.setdefault(index.pools[-1], item.task)
        label = documents.split_of(place) if documents.split_of else ""
        index.splits.append(splits.setdefault(label, len(splits)))
        index.add(item.context)


def _note_items(documents: Documents, places: range) -> Iterator[_NotedItem]:
    counter = counter_of(documents.tokenizer)
    counted_here = documents.counted_by == documents.tokenizer.identity

    def count(rows: list[tuple[Pair, Context]]) -> tuple[list[int], _Counts]:
        known = [context.tokens if counted_here else 0 for _, context in rows]
        asked = counter.count_batch([text for pair, _ in rows for text in (pair.instruction, pair.answer)])
        return asked, _count([context.text for _, context in rows], counter, known)

    items = (documents.items[place] for place in places)
    for rows, (asked, counts) in prefetched(_parcels(items, lambda row: row[1].text), count):
        for place, ((pair, context), (tokens, table)) in enumerate(zip(rows, counts, strict=True)):
            key = answer_key(pair.answer)
            wanted = answer_forms(pair.answer) if key else AnswerForms()
            yield _NotedItem(
                _noted(context.text, tokens, table, pair.id, wanted),
                asked[2 * place] + asked[2 * place + 1],
                number("question", *canonical_terms(pair.instruction)),
                number(key) if key else 0,
                _pool(pair.task),
                pair.task,
            )


def _add_corpus(index: Index, documents: Documents) -> None:
    labels, counter = sorted(set(index.splits)), counter_of(documents.tokenizer)

    def count(rows: list[tuple[str, str]]) -> _Counts:
        return _count([text for _, text in rows], counter, [0] * len(rows))

    for rows, counts in prefetched(_parcels(documents.corpus, lambda row: row[1]), count):
        for (name, text), (tokens, table) in zip(rows, counts, strict=True):
            index.add(_noted(text, tokens, table, name, AnswerForms(), "corpus\x1f"))
            index.pools.append(_NO_POOL)
            index.questions.append(0)
            index.answers.append(0)
            # An entry of the corpus serves one split only, whichever its content falls to.
            index.splits.append(labels[index.keys[-1] % len(labels)] if labels else 0)


def _pool(label: str) -> str:
    """Labels of one known kind share a pool; unknown labels each have their own."""
    task = task_of(label)
    return label.casefold() if task is GENERIC else task.name


def _parcels(rows: Iterable[Row], text_of: Callable[[Row], str]) -> Iterator[list[Row]]:
    parcel: list[Row] = []
    size = 0
    for row in rows:
        parcel.append(row)
        size += len(text_of(parcel[-1]))
        if size >= _PARCEL_CHARACTERS or len(parcel) >= _PARCEL_ITEMS:
            yield parcel
            parcel, size = [], 0
    if parcel:
        yield parcel


def _count(texts: Sequence[str], counter: CountsTexts, known: Sequence[int]) -> _Counts:
    """The tokens of each text, with its table where counts of parts can be relied on.

    ``known`` are counts that need not be made again, 0 where there is none.
    """
    if isinstance(counter, WordCounts):
        return [(table.total, table) for table in measure(texts, counter)]
    unknown = [text for text, tokens in zip(texts, known, strict=True) if not tokens]
    counted = iter(counter.count_batch(unknown))
    return [(tokens or next(counted), None) for tokens in known]
