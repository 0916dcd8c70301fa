"""What is known of a document's tokens before it is cut: of its sentences, and of the parts between joints.

For tokenizers whose counts of parts add up (``synthesis.assembly.joints``).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Self

from synthesis.assembly.counting import Gap
from synthesis.assembly.word_counts import Parted, WordCounts
from synthesis.text.sentences import sentence_spans


@dataclass(frozen=True, slots=True)
class Table:
    """Sentence k is ``text[starts[k]:ends[k]]`` and has about ``tokens[k]`` tokens.

    ``joints`` are the positions where the text may be parted, ``sums`` the exact number of
    tokens before each, ``bare`` those of the part behind it without the blank that it begins with.
    ``total`` are the tokens of the text, ``length`` its characters.
    """

    starts: array[int]
    ends: array[int]
    tokens: array[int]
    joints: array[int]
    sums: array[int]
    bare: array[int]
    total: int
    length: int

    def gap(self, start: int, end: int) -> Gap | None:
        """The largest part of ``text[start:end]`` that need not be counted again."""
        first = bisect_right(self.joints, start)
        last = bisect_left(self.joints, end - 1) - 1  # the letter behind the blank must be there
        if last <= first:
            return None
        return Gap(self.joints[first], self.joints[last], self.sums[last] - self.sums[first])

    def count(self, text: str, start: int, short: Callable[[str], int]) -> int:
        """The exact tokens of ``text``, which starts in the document at ``start``.

        Only what stands before its first joint and behind its last is given to ``short`` to count, unless
        that begins where a part begins, or ends where one ends.
        """
        joints, sums = self.joints, self.sums
        end = start + len(text)
        first = bisect_right(joints, start)
        last = bisect_left(joints, end - 1) - 1
        before = joints[first - 1] if first else -1
        whole = end == (joints[last + 1] if last + 1 < len(joints) else self.length)
        if last < first:
            return self.bare[first - 1] if whole and first and before == start - 1 else short(text)
        if start == 0 or (first and before == start):
            head = sums[first] - (sums[first - 1] if first else 0)
        elif first and before == start - 1:
            head = self.bare[first - 1]
        else:
            head = short(text[: joints[first] - start])
        if whole:
            tail = (sums[last + 1] if last + 1 < len(joints) else self.total) - sums[last]
        else:
            tail = short(text[joints[last] - start :])
        return head + sums[last] - sums[first] + tail

    def pack(self) -> bytes:
        """As bytes."""
        sizes = array("I", (len(self.starts), len(self.joints), self.total, self.length))
        columns = (sizes, self.starts, self.ends, self.tokens, self.joints, self.sums, self.bare)
        return b"".join(column.tobytes() for column in columns)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From the bytes of ``pack``."""
        numbers = array("I", data)
        sentences, joints, total, length = numbers[:4]
        second, third = 4 + sentences, 4 + 2 * sentences
        fourth = third + sentences
        fifth, sixth = fourth + joints, fourth + 2 * joints
        sentences_of = (numbers[4:second], numbers[second:third], numbers[third:fourth])
        return cls(*sentences_of, numbers[fourth:fifth], numbers[fifth:sixth], numbers[sixth:], total, length)


def measure(texts: Sequence[str], counter: WordCounts) -> Iterator[Table]:
    """The tables of texts."""
    return map(_table, texts, counter.parted(texts))


def _table(text: str, parted: Parted) -> Table:
    spans = list(sentence_spans(text))
    starts, ends = array("I", (start for start, _ in spans)), array("I", (end for _, end in spans))
    # A sentence reaches to the next one's start; a count between two joints is shared by length.
    joints, total = parted.joints, parted.total
    edges = _tokens_before([*starts[1:], len(text)][: len(starts)], joints, [*parted.sums, total], len(text))
    tokens = array("I", (max(0, end - start) for start, end in pairwise(chain((0,), edges))))
    columns = (array("I", joints), array("I", parted.sums), array("I", parted.bare))
    return Table(starts, ends, tokens, *columns, total, len(text))


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
