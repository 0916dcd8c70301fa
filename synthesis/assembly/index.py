"""What assembly remembers of each document: some 60 bytes of numbers in memory, notes on disk.

Documents are the items' contexts, then the texts of the user's corpus. One pass over them, in
parcels, tokenizing each once. Which items fit their budget at all is known, exactly, when the
pass ends.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Self, TypeVar

from synthesis.assembly.additive import adds_up
from synthesis.assembly.canonical import canonical_words
from synthesis.assembly.leaks import answer_key, haystack
from synthesis.assembly.shelf import Shelf
from synthesis.assembly.tables import Table, measure
from synthesis.assembly.twins import sketch
from synthesis.assembly.wording import Style, lay_out
from synthesis.data import Context, Pair
from synthesis.tasks import GENERIC, task_of
from synthesis.tokens import Tokenizer

Items = Sequence[tuple[Pair, Context]]
Corpus = Sequence[tuple[str, str]]
"""Texts of the user's own, as (id, text)."""

_PARCEL_ITEMS: Final = 256
_PARCEL_CHARACTERS: Final = 1_000_000
# Summed counts of parts can differ from the count of the whole by a few tokens; nearer to
# the budget than this, the whole is counted.
_DOUBT_TOKENS: Final = 64
NO_POOL: Final = 0

First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True, slots=True)
class Notes:
    """What is kept on disk of a document: its canonical words, its sketch and its table."""

    words: bytes
    sketch: frozenset[int]
    table: Table | None

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From the bytes of a record on the shelf."""
        table, hashes = array("I", data[:8])
        end = 8 + table
        packed = Table.unpack(data[8:end]) if table else None
        return cls(data[end + hashes :], frozenset(array("I", data[end : end + hashes])), packed)


def _pack(words: bytes, hashes: array[int], table: Table | None) -> bytes:
    packed = table.pack() if table else b""
    sizes = array("I", (len(packed), len(hashes) * hashes.itemsize))
    return sizes.tobytes() + packed + hashes.tobytes() + words


def _numbers(kind: str) -> array[int]:
    return array(kind)


@dataclass(slots=True)
class Index:
    """Parallel columns, one entry per document; the first ``items`` are the items' contexts.

    ``pools`` numbers the task pool (0: of the corpus); ``tokens`` counts the text alone (0: it is
    blank); ``needs`` counts the item's whole conversation with no other document; ``splits``
    numbers the split; the rest are 64-bit hashes of the pair's or text's id, the answer
    (0: too common to tell anything), the text, and of id and text.
    """

    shelf: Shelf
    items: int = 0
    pools: array[int] = field(default_factory=lambda: _numbers("L"))
    tokens: array[int] = field(default_factory=lambda: _numbers("L"))
    needs: array[int] = field(default_factory=lambda: _numbers("Q"))
    splits: array[int] = field(default_factory=lambda: _numbers("L"))
    pairs: array[int] = field(default_factory=lambda: _numbers("Q"))
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
        return Notes.unpack(self.shelf[document])

    def add(self, text: str, tokens: int, table: Table | None, name: object) -> None:
        """Note a text; its other columns are the caller's."""
        words = haystack(canonical_words(text))
        self.shelf.add(_pack(words, sketch(words), table))
        self.tokens.append(tokens if text.strip() else 0)
        self.texts.append(number(text))
        self.pairs.append(number(name))
        self.keys.append(number(name, self.texts[-1]))


def number(*parts: object) -> int:
    """A stable 64-bit number for strings and numbers."""
    data = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True)
class Source:
    """What an index is made from. ``split_of`` labels the item at a position.

    ``counted_by`` is the identity of the tokenizer whose counts ``Context.tokens`` holds.
    """

    items: Items
    corpus: Corpus = ()
    split_of: Callable[[int], str] | None = None
    counted_by: str | None = None

    def document(self, place: int) -> tuple[str, str]:
        """Name and text of a document: a pair's id and its context, or an entry of the corpus."""
        if place < len(self.items):
            pair, context = self.items[place]
            return pair.id, context.text
        return self.corpus[place - len(self.items)]


def build_index(
    source: Source, tokenizer: Tokenizer, budgets: Sequence[int], style: Style, shelf: Shelf
) -> Index:
    """Read every document once and keep what is needed of it."""
    index = Index(shelf, len(source.items))
    _add_items(index, source, tokenizer, budgets, style)
    labels = sorted(set(index.splits))
    for names, texts in _parcels(source.corpus, lambda row: row[1]):
        for name, text, (tokens, table) in zip(names, texts, _measured(texts, tokenizer, ()), strict=True):
            index.add(text, tokens, table, f"corpus\x1f{name}")
            index.pools.append(NO_POOL)
            index.answers.append(0)
            # An entry of the corpus serves one split only, whichever its content falls to.
            index.splits.append(labels[index.keys[-1] % len(labels)] if labels else 0)
    return index


def _add_items(
    index: Index, source: Source, tokenizer: Tokenizer, budgets: Sequence[int], style: Style
) -> None:
    pools: dict[str, int] = {}
    frames: dict[str, int] = {}
    splits: dict[str, int] = {}
    for pairs, contexts in _parcels(source.items, lambda row: row[1].text):
        texts = [context.text for context in contexts]
        believed = [source.counted_by == tokenizer.identity and context.tokens for context in contexts]
        asked = tokenizer.count_batch([text for pair in pairs for text in (pair.instruction, pair.answer)])
        for row, (tokens, table) in enumerate(_measured(texts, tokenizer, believed)):
            pair = pairs[row]
            kind = task_of(pair.task).name
            if kind not in frames:
                frames[kind] = tokenizer.count_chat(lay_out(Pair(task=pair.task), "", style=style).messages)
            need = frames[kind] + tokens + asked[2 * row] + asked[2 * row + 1]
            if any(abs(need - budget) <= _DOUBT_TOKENS for budget in budgets):
                need = tokenizer.count_chat(lay_out(pair, texts[row], style=style).messages)
            index.needs.append(need)
            key = answer_key(pair.answer)
            index.answers.append(number(key) if key else 0)
            index.pools.append(pools.setdefault(_pool(pair.task), len(pools) + 1))
            label = source.split_of(len(index)) if source.split_of else ""
            index.splits.append(splits.setdefault(label, len(splits)))
            index.add(texts[row], tokens, table, pair.id)


def _pool(label: str) -> str:
    """Labels of one known kind share a pool; unknown labels each have their own."""
    task = task_of(label)
    return label.casefold() if task is GENERIC else task.name


def _parcels(
    rows: Sequence[tuple[First, Second]], text_of: Callable[[tuple[First, Second]], str]
) -> Iterator[tuple[list[First], list[Second]]]:
    firsts: list[First] = []
    seconds: list[Second] = []
    size = 0
    for place in range(len(rows)):
        row = rows[place]
        firsts.append(row[0])
        seconds.append(row[1])
        size += len(text_of(row))
        if size >= _PARCEL_CHARACTERS or len(firsts) >= _PARCEL_ITEMS:
            yield firsts, seconds
            firsts, seconds, size = [], [], 0
    if firsts:
        yield firsts, seconds


def _measured(
    texts: Sequence[str], tokenizer: Tokenizer, believed: Sequence[int]
) -> Iterator[tuple[int, Table | None]]:
    """Each text's tokens, with its table where counts of parts can be relied on."""
    if adds_up(tokenizer):
        yield from ((table.total, table) for table in measure(texts, tokenizer))
        return
    known = believed or [0] * len(texts)
    counted = iter(
        tokenizer.count_batch([text for text, tokens in zip(texts, known, strict=True) if not tokens])
    )
    yield from ((tokens or next(counted), None) for tokens in known)
