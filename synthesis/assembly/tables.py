"""A document's sentences, its joints and its tokens, counted once when the document is first read.

With a table, any run of sentences has a known count without tokenizing again, and the middle
of a document can be left out of a text that is to be counted. Only for tokenizers that add up
(see ``additive``). Knows nothing of budgets.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import NamedTuple, Self

from synthesis.assembly.additive import JOINT
from synthesis.assembly.sentences import sentence_spans
from synthesis.tokens import Tokenizer


class Gap(NamedTuple):
    """``text[start:end]`` has ``tokens`` tokens wherever it stands, and counts apart from the rest."""

    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Table:
    """Sentence k is ``text[starts[k]:ends[k]]`` and has about ``tokens[k]`` tokens.

    ``joints`` are the positions where the text may be parted, ``sums`` the exact number of
    tokens before each.
    """

    starts: array[int]
    ends: array[int]
    tokens: array[int]
    joints: array[int]
    sums: array[int]
    total: int

    def gap(self, start: int, end: int) -> Gap | None:
        """The largest part of ``text[start:end]`` that need not be counted again."""
        first = bisect_right(self.joints, start)
        last = bisect_left(self.joints, end - 1) - 1  # the letter behind the blank must be there
        if last <= first:
            return None
        return Gap(self.joints[first], self.joints[last], self.sums[last] - self.sums[first])

    def pack(self) -> bytes:
        """As bytes."""
        sizes = array("I", (len(self.starts), len(self.joints), self.total))
        columns = (sizes, self.starts, self.ends, self.tokens, self.joints, self.sums)
        return b"".join(column.tobytes() for column in columns)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From the bytes of ``pack``."""
        numbers = array("I", data)
        sentences, joints, total = numbers[:3]
        bounds = accumulate((sentences, sentences, sentences, joints, joints), initial=3)
        starts, ends, tokens, places, sums = (numbers[start:end] for start, end in pairwise(bounds))
        return cls(starts, ends, tokens, places, sums, total)


@dataclass(frozen=True, slots=True)
class Measured:
    """Texts with their joints and the tokens of each part between joints: what tables are made of."""

    texts: Sequence[str]
    joints: list[list[int]]
    counts: list[int]

    def tables(self) -> Iterator[Table]:
        """The table of each text."""
        at = 0
        for text, places in zip(self.texts, self.joints, strict=True):
            yield _table(text, places, self.counts[at : at + len(places) + 1])
            at += len(places) + 1


def measure(texts: Sequence[str], tokenizer: Tokenizer) -> Measured:
    """Count texts, each once, by a tokenizer that adds up."""
    joints = [[match.start() for match in JOINT.finditer(text)] for text in texts]
    parts = (
        text[start:end]
        for text, places in zip(texts, joints, strict=True)
        for start, end in pairwise((0, *places, len(text)))
    )
    return Measured(texts, joints, tokenizer.count_batch(list(parts)))


def _table(text: str, joints: list[int], counts: list[int]) -> Table:
    sums = list(accumulate(counts))
    spans = list(sentence_spans(text))
    starts, ends = array("I", (start for start, _ in spans)), array("I", (end for _, end in spans))
    # A sentence reaches to the next one's start; a count between two joints is shared by length.
    edges = _tokens_before([*starts[1:], len(text)][: len(starts)], joints, sums, len(text))
    tokens = array("I", (max(0, end - start) for start, end in pairwise(chain((0,), edges))))
    return Table(starts, ends, tokens, array("I", joints), array("I", sums[:-1]), sums[-1])


def _tokens_before(places: list[int], joints: list[int], sums: list[int], length: int) -> list[int]:
    """About how many tokens stand before each of the ascending ``places``."""
    found, part = [], 0
    bounds, totals = [0, *joints, length], [0, *sums]
    for place in places:
        while part + 2 < len(bounds) and place > bounds[part + 1] + 1:
            part += 1
        start, end = bounds[part], bounds[part + 1]
        share = min(1.0, (place - start) / (end - start)) if end > start else 1.0
        # A sentence that starts right behind a joint's blank starts at the joint.
        share = 1.0 if end - place <= 1 and place >= end - 1 else share
        found.append(totals[part] + round(share * (totals[part + 1] - totals[part])))
    return found
