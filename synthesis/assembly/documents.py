"""The documents of an assembly, and the one pass over them that makes their index.

In parcels, each document tokenized once, in another thread while the parcel before is noted.
Knows nothing of lengths and options: assemblies of any may share the documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

from synthesis.assembly.additive import adds_up
from synthesis.assembly.ahead import ahead
from synthesis.assembly.canonical import canonical_words
from synthesis.assembly.index import Index, number
from synthesis.assembly.leaks import answer_key
from synthesis.assembly.shelf import Shelf
from synthesis.assembly.tables import Measured, Table, measure
from synthesis.data import Context, Pair
from synthesis.tasks import GENERIC, task_of
from synthesis.tokens import Tokenizer

_PARCEL_ITEMS: Final = 256
_PARCEL_CHARACTERS: Final = 1_000_000
_NO_POOL: Final = 0

Row = TypeVar("Row")
Items = Sequence[tuple[Pair, Context]]
Corpus = Sequence[tuple[str, str]]
"""Texts of the user's own, as (id, text)."""
_Counts: TypeAlias = Measured | list[int]


class Documents:
    """The contexts of ``items``, then the texts of the user's ``corpus``; indexed when first needed.

    ``split_of`` labels the item at a position. ``counted_by`` is the identity of the tokenizer
    whose counts ``Context.tokens`` holds.
    """

    def __init__(
        self,
        items: Items,
        tokenizer: Tokenizer,
        corpus: Corpus = (),
        split_of: Callable[[int], str] | None = None,
        counted_by: str | None = None,
    ) -> None:
        self.items, self.corpus, self.tokenizer = items, corpus, tokenizer
        self.split_of, self.counted_by = split_of, counted_by

    @cached_property
    def index(self) -> Index:
        """What is remembered of each document."""
        return build_index(self)

    def document(self, place: int) -> tuple[str, str]:
        """Name and text of a document: a pair's id and its context, or an entry of the corpus."""
        if place < len(self.items):
            pair, context = self.items[place]
            return pair.id, context.text
        return self.corpus[place - len(self.items)]


def build_index(documents: Documents) -> Index:
    """Read every document once and keep what is needed of it."""
    index = Index(Shelf(), len(documents.items))
    _add_items(index, documents)
    _add_corpus(index, documents)
    index.shelf.flush()
    return index


def _add_items(index: Index, documents: Documents) -> None:
    tokenizer = documents.tokenizer
    pools: dict[str, int] = {}
    splits: dict[str, int] = {}
    counted_here = documents.counted_by == tokenizer.identity

    def count(rows: list[tuple[Pair, Context]]) -> tuple[list[int], _Counts]:
        known = [context.tokens if counted_here else 0 for _, context in rows]
        asked = tokenizer.count_batch([text for pair, _ in rows for text in (pair.instruction, pair.answer)])
        return asked, _count([context.text for _, context in rows], tokenizer, known)

    for rows, (asked, counts) in ahead(_parcels(documents.items, lambda row: row[1].text), count):
        for place, ((pair, context), (tokens, table)) in enumerate(zip(rows, _sizes(counts), strict=True)):
            index.asks.append(asked[2 * place] + asked[2 * place + 1])
            index.questions.append(number("question", *canonical_words(pair.instruction)))
            key = answer_key(pair.answer)
            index.answers.append(number(key) if key else 0)
            index.pools.append(pools.setdefault(_pool(pair.task), len(pools) + _NO_POOL + 1))
            index.tasks.setdefault(index.pools[-1], pair.task)
            label = documents.split_of(len(index)) if documents.split_of else ""
            index.splits.append(splits.setdefault(label, len(splits)))
            index.add(context.text, tokens, table, pair.id)


def _add_corpus(index: Index, documents: Documents) -> None:
    labels = sorted(set(index.splits))

    def count(rows: list[tuple[str, str]]) -> _Counts:
        return _count([text for _, text in rows], documents.tokenizer, [0] * len(rows))

    for rows, counts in ahead(_parcels(documents.corpus, lambda row: row[1]), count):
        for (name, text), (tokens, table) in zip(rows, _sizes(counts), strict=True):
            index.add(text, tokens, table, f"corpus\x1f{name}")
            index.pools.append(_NO_POOL)
            index.questions.append(0)
            index.answers.append(0)
            # An entry of the corpus serves one split only, whichever its content falls to.
            index.splits.append(labels[index.keys[-1] % len(labels)] if labels else 0)


def _pool(label: str) -> str:
    """Labels of one known kind share a pool; unknown labels each have their own."""
    task = task_of(label)
    return label.casefold() if task is GENERIC else task.name


def _parcels(rows: Sequence[Row], text_of: Callable[[Row], str]) -> Iterator[list[Row]]:
    parcel: list[Row] = []
    size = 0
    for place in range(len(rows)):
        parcel.append(rows[place])
        size += len(text_of(parcel[-1]))
        if size >= _PARCEL_CHARACTERS or len(parcel) >= _PARCEL_ITEMS:
            yield parcel
            parcel, size = [], 0
    if parcel:
        yield parcel


def _count(texts: Sequence[str], tokenizer: Tokenizer, known: Sequence[int]) -> _Counts:
    """The tokens of texts, part by part where counts of parts can be relied on.

    ``known`` are counts that need not be made again, 0 where there is none.
    """
    if adds_up(tokenizer):
        return measure(texts, tokenizer)
    unknown = [text for text, tokens in zip(texts, known, strict=True) if not tokens]
    counted = iter(tokenizer.count_batch(unknown))
    return [tokens or next(counted) for tokens in known]


def _sizes(counts: _Counts) -> Iterator[tuple[int, Table | None]]:
    """Each text's tokens, with its table if there is one."""
    if isinstance(counts, Measured):
        yield from ((table.total, table) for table in counts.tables())
    else:
        yield from ((tokens, None) for tokens in counts)
