"""What assembly remembers of each document: some 60 bytes of numbers in memory, notes on disk.

Documents are the items' contexts, then the texts of the user's corpus. Knows nothing of how the
numbers are come by (see ``documents``).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Self

from synthesis.assembly.canonical import canonical_words
from synthesis.assembly.leaks import haystack
from synthesis.assembly.shelf import Shelf
from synthesis.assembly.tables import Table
from synthesis.assembly.twins import sketch


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

    ``pools`` numbers the task pool (0: of the corpus; ``tasks`` has one of the pool's labels);
    ``tokens`` counts the text alone (0: it is blank), ``asks`` the item's instruction and answer;
    ``splits`` numbers the split; the rest are 64-bit hashes of the pair's or text's id, the
    instruction (0: of the corpus), the answer (0: too common to tell anything), the text, and of
    id and text.
    """

    shelf: Shelf
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
