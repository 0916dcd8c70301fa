"""Edits of a document in a conversation: what is counted stays counted, and spans stay found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from synthesis.assembly.counting import Gap, Part, Span


class Edit(NamedTuple):
    """``text`` in the place of what a document has from ``start`` to ``end``; ``what`` as in ``Change``."""

    start: int
    end: int
    text: str
    what: str

    @property
    def growth(self) -> int:
        """By how many characters the document becomes longer."""
        return len(self.text) - (self.end - self.start)


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits, which ascend and do not overlap."""
    pieces, at = [], 0
    for edit in edits:
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join((*pieces, text[at:]))


def edited(part: Part, edits: Sequence[Edit]) -> Part:
    """The document with the edits, and what of it still need not be counted."""
    gaps = [
        Gap(gap.start + by, gap.end + by, gap.tokens)
        for gap in _gaps(part, edits)
        for by in (sum(edit.growth for edit in edits if edit.end <= gap.start),)
    ]
    return Part(apply(part.text, edits), gaps)


def _gaps(part: Part, edits: Sequence[Edit]) -> Iterator[Gap]:
    """Those of the document as it was that no edit touches, smaller ones where one does."""
    for gap in part.gaps:
        near = [edit for edit in edits if edit.start <= gap.end + 1 and edit.end >= gap.start - 1]
        if not near:
            yield gap
            continue
        if part.measure is None:
            continue
        # Joints next to an edit are no longer what they were: those behind the next letter are taken.
        bounds = [gap.start - 1, *(place for edit in near for place in (edit.start, edit.end)), gap.end + 1]
        for start, end in list(pairwise(bounds))[::2]:
            first, last = max(start, gap.start - 1) + part.start, min(end, gap.end + 1) + part.start
            found = part.measure.gap(first, last) if first < last - 1 else None
            if found is not None:
                yield Gap(found.start - part.start, found.end - part.start, found.tokens)


def moved(span: Span, edits: Sequence[Edit]) -> Span:
    """Where a span stands afterwards; it grows with the edits inside it."""
    start, end = span
    return (
        start + sum(edit.growth for edit in edits if edit.end <= start),
        end + sum(edit.growth for edit in edits if edit.start < end),
    )
