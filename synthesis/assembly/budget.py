"""Filling a number of tokens with other documents, so many before the own context, so many after.

Integer packing over counts that are known; that the sum of the parts is the count of the
whole is an estimate, which ``fitting`` checks and corrects. Knows nothing of conversations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from synthesis.assembly.pieces import Cutter, Document, Piece, whole

# Fewer tokens than this on one side are not worth a document of their own.
_SMALLEST_SIDE: Final = 32
# How many documents are tried for a run of sentences that fits, before words are cut.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Room:
    """Tokens to fill: ``tokens`` in all, ``depth`` of them before the own context.

    ``joint`` is what a separator costs; up to ``slack`` tokens may stay empty.
    """

    tokens: int
    depth: float
    joint: int
    slack: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The documents of a sample, in order. ``exhausted``: there was not enough to fill the room."""

    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()
    tokens: int = 0
    exhausted: bool = False


class Stock:
    """The documents one sample may use: drawn once, in order, remembered for the next plan."""

    def __init__(self, source: Iterator[Document]) -> None:
        """Draw from ``source`` as needed."""
        self._source = source
        self._drawn: list[Document] = []

    def get(self, number: int) -> Document | None:
        """The document of that number, or ``None`` past the last."""
        while len(self._drawn) <= number:
            document = next(self._source, None)
            if document is None:
                return None
            self._drawn.append(document)
        return self._drawn[number]

    def drawn(self) -> Sequence[Document]:
        """Every document drawn so far."""
        return self._drawn


def fill(stock: Stock, room: Room, cutter: Cutter) -> Plan:
    """The best plan for ``room``: never more tokens than it has.

    Each side takes whole documents and at most one part, which stands outermost. Where the
    stock runs out that way, every document is used as it is, as near the depth as whole
    documents allow.
    """
    if room.tokens <= room.joint or stock.get(0) is None:
        return Plan(exhausted=stock.get(0) is None)
    return _Sides(stock, room, cutter).fill() or _everything(stock, room, cutter)


class _Sides:
    """The state of filling the two sides (0 before, 1 after) of one sample."""

    def __init__(self, stock: Stock, room: Room, cutter: Cutter) -> None:
        self.stock, self.room, self.cutter = stock, room, cutter
        before = round(room.tokens * room.depth)
        smallest = min(_SMALLEST_SIDE, room.tokens // 2)
        before = 0 if before < smallest else before
        before = room.tokens if room.tokens - before < smallest else before
        self.left = [before, room.tokens - before]
        self.wholes: tuple[list[Piece], list[Piece]] = ([], [])
        self.parts: list[Piece | None] = [None, None]
        self.next = 0

    def fill(self) -> Plan | None:
        """Fill the side with more room left until both are closed; ``None`` if the stock runs out."""
        while sum(self.left) > self.room.slack:
            side = 0 if self.left[0] > self.left[1] else 1
            document = self.stock.get(self.next)
            if document is None:
                return None
            if document.tokens + self.room.joint <= self.left[side]:
                self.wholes[side].append(whole(document))
                self.left[side] -= document.tokens + self.room.joint
                self.next += 1
                continue
            if self.left[1 - side] > 0:
                self._close(side, document)
                continue
            self._finish(side)
            break
        return self._plan()

    def _close(self, side: int, document: Document) -> None:
        """End this side with a part of ``document``; the other side gets what it leaves empty."""
        part = self.cutter.sentences(document, self.left[side] - self.room.joint, self.room.slack)
        if part is not None:
            self._end(side, part)
            self.next += 1
        self.left[1 - side] += self.left[side]
        self.left[side] = 0

    def _finish(self, side: int) -> None:
        """End the last side so that, if at all possible, no more than the slack stays empty."""
        room = self.left[side] - self.room.joint
        part = best_part(lambda place: self.stock.get(self.next + place), room, self.room.slack, self.cutter)
        if part is not None:
            self._end(side, part)

    def _end(self, side: int, part: Piece) -> None:
        self.parts[side] = part
        self.left[side] -= part.tokens + self.room.joint

    def _plan(self) -> Plan:
        before = [*(part for part in self.parts[:1] if part), *self.wholes[0]]
        after = [*self.wholes[1], *(part for part in self.parts[1:] if part)]
        return Plan(tuple(before), tuple(after), self.room.tokens - sum(self.left))


def best_part(
    offer: Callable[[int], Document | None], tokens: int, slack: int, cutter: Cutter
) -> Piece | None:
    """The part of one of the documents on offer that comes nearest to ``tokens`` without exceeding them.

    Whole sentences of the first document where they come within ``slack``; else of another;
    only where no document has such sentences, words, and at last characters. ``offer`` gives the
    document of a number, None past the last; only a few are looked at.
    """
    best: Piece | None = None
    for cut in (cutter.sentences, cutter.words, cutter.characters):
        for number in range(_TRIES):
            document = offer(number)
            if document is None:
                break
            part = cut(document, tokens, slack)
            if part is not None and (best is None or part.tokens > best.tokens):
                best = part
            if best is not None and best.tokens >= tokens - slack:
                return best
    return best


def _everything(stock: Stock, room: Room, cutter: Cutter) -> Plan:
    """All documents of a stock that has run out; the last that does not fit is cut."""
    left = room.tokens
    chosen: list[Piece] = []
    over: list[Document] = []
    for document in stock.drawn():
        if document.tokens + room.joint <= left:
            chosen.append(whole(document))
            left -= document.tokens + room.joint
        else:
            over.append(document)
    if left > room.slack and over:
        offer = dict(enumerate(over)).get
        part = best_part(offer, left - room.joint, room.slack, cutter)
        if part is not None:
            chosen.append(part)
            left -= part.tokens + room.joint
    before, after = _divided(chosen, room)
    return Plan(before, after, room.tokens - left, exhausted=left > room.slack)


def _divided(pieces: Sequence[Piece], room: Room) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Whole pieces on the two sides, largest first to the side that lacks more; order is kept."""
    total = sum(piece.tokens + room.joint for piece in pieces)
    lack = [total * room.depth, total * (1.0 - room.depth)]
    sides: list[int] = [0] * len(pieces)
    for place in sorted(range(len(pieces)), key=lambda place: -pieces[place].tokens):
        side = 0 if lack[0] > lack[1] else 1
        sides[place] = side
        lack[side] -= pieces[place].tokens + room.joint
    return (
        tuple(piece for piece, side in zip(pieces, sides, strict=True) if side == 0),
        tuple(piece for piece, side in zip(pieces, sides, strict=True) if side == 1),
    )
