"""From a plan to a sample whose rendered length is counted, not estimated.

A number of tokens is filled with other documents, so many before the own context, so many after.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil
from typing import Final

from synthesis.assembly.choosing import Selector
from synthesis.assembly.counting import Counted, Part, Trial
from synthesis.assembly.cutting import Cutter, Document, Piece, whole
from synthesis.assembly.documents import Documents, Notes
from synthesis.assembly.keychains import Keychain, Keychains
from synthesis.assembly.rendering import Style
from synthesis.assembly.replying import Reply
from synthesis.data import Context, Pair
from synthesis.text.near_duplicates import Seen
from synthesis.text.states import stated_in

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
    for cut in (partial(cutter.sentences, slack=slack), cutter.words, cutter.characters):
        for number in range(_TRIES):
            document = offer(number)
            if document is None:
                break
            part = cut(document, tokens)
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


FILL: Final = 0.995
"""Share of the budget that a sample fills wherever there is enough text."""

_ROUNDS: Final = 6
_CHARACTERS_PER_TOKEN: Final = 12
_WORD = re.compile(r"\s*\S+")
_CHARACTER = re.compile(r".", re.DOTALL)
# Numbers in headers mostly have two digits.
_USUAL_NUMBER: Final = 10


@dataclass(frozen=True)
class Workshop:
    """Everything the samples of one call have in common."""

    documents: Documents
    selector: Selector
    style: Style
    keychains: Keychains | None = None

    def joint(self) -> int:
        """About how many tokens one more document costs beyond its text."""
        return self.documents.tokenizer.count(self.style.separator + self.style.opening(_USUAL_NUMBER))

    def stock(self, item: int, own: Notes) -> Iterator[Document]:
        """The documents that may stand beside an item's context, in the selector's order.

        None gives the answer away, and no two of them, nor one and the context, are nearly the same.
        """
        index = self.documents.index
        texts, pairs = {index.texts[item]}, {index.pairs[item]}
        wanted = own.wanted()
        seen = Seen()
        seen.add(own.sketch)
        for other in self.selector.candidates(item):
            text_key = index.texts[other]
            # Of several contexts for one pair no two stand together.
            if text_key in texts or index.pairs[other] in pairs or index.kin(item, other):
                continue
            notes = index.notes(other)
            if stated_in(notes.words, wanted) or seen.near(notes.sketch):
                continue
            texts.add(text_key)
            pairs.add(index.pairs[other])
            seen.add(notes.sketch)
            yield Document(other, notes.name, notes.text, index.tokens[other], notes.table)


@dataclass(slots=True)
class SampleDraft:
    """One sample in the making. ``counted`` and ``plan`` are the best so far.

    ``id`` is the sample's; ``pair`` has the answer it gives; ``context`` is what it shows, ``own``
    the same with its gaps, None where it is left out. ``need`` counts the conversation without
    other documents. ``keychain`` is what hides the question, if it is hidden; ``reply`` words the
    answer, where it is not given alone.
    """

    id: str
    pair: Pair
    context: Context
    own: Part | None
    need: int
    budget: int
    depth: float
    stock: Stock
    cutter: Cutter
    keychain: Keychain | None = None
    reply: Reply | None = None
    trial: Plan = field(default_factory=Plan)
    plan: Plan = field(default_factory=Plan)
    counted: Counted | None = None
    done: bool = False

    @property
    def free(self) -> int:
        """How many tokens may stay empty."""
        return self.budget - ceil(FILL * self.budget)

    @property
    def tokens(self) -> int:
        """Those of the best so far."""
        return 0 if self.counted is None else self.counted.tokens


def fitting(shop: Workshop, drafts: Sequence[SampleDraft]) -> Generator[list[Trial], list[Counted], None]:
    """Give each draft the fullest conversation found that keeps the budget.

    Yields what is to be counted and is sent the counts. A draft whose context does not fit even
    alone is left uncounted.
    """
    joint = shop.joint()
    errors = dict.fromkeys(range(len(drafts)), 0)
    for turn in range(_ROUNDS):
        pending = [number for number in errors if not drafts[number].done]
        if not pending:
            break
        for number in pending:
            made = drafts[number]
            # A third of the permitted gap is left against joints that cost more than estimated, a third
            # may stay empty so that sentences stay whole. Stubborn drafts aim at the gap's middle.
            guard, slack = (made.free // 3, made.free // 3) if turn < _ROUNDS // 2 else (made.free // 2, 0)
            tokens = made.budget - made.need - errors[number] - guard
            made.trial = fill(made.stock, Room(tokens, made.depth, joint, slack), made.cutter)
        counts = yield [trial_of(drafts[number], drafts[number].trial, shop.style) for number in pending]
        for number, counted in zip(pending, counts, strict=True):
            made = drafts[number]
            _keep(made, counted)
            if not made.done and not made.cutter.exact:
                made.trial, made.cutter.exact = _recounted(made.trial, made.cutter, joint), True
            error = counted.tokens - made.need - made.trial.tokens
            # Where the same error was allowed for already, one more token is, so that turns differ.
            errors[number] = max(error, errors[number] + 1) if counted.tokens > made.budget else error
    for made in drafts:
        if made.counted is None:
            made.trial = Plan(exhausted=True)  # the last resort: the own context alone
            yield from _tried(shop, made)
        elif not made.done:
            yield from _lengthened(shop, made)


def _keep(made: SampleDraft, counted: Counted) -> None:
    """Take a counted trial where it is the best so far and within the budget."""
    tokens = counted.tokens
    if made.tokens < tokens <= made.budget:
        made.counted, made.plan = counted, made.trial
    if tokens <= made.budget and (tokens >= made.budget - made.free or made.trial.exhausted):
        made.done = True


def _tried(shop: Workshop, made: SampleDraft) -> Generator[list[Trial], list[Counted], int]:
    """Have one trial counted; its tokens."""
    (counted,) = yield [trial_of(made, made.trial, shop.style)]
    _keep(made, counted)
    return counted.tokens


def trial_of(made: SampleDraft, plan: Plan, style: Style) -> Trial:
    """The conversation that a sample becomes by a plan."""
    before, after = (
        [Part(piece.text, (piece.gap,) if piece.gap else (), piece.table, piece.start) for piece in side]
        for side in (plan.before, plan.after)
    )
    evidence = [] if made.own is None else [(piece.start, piece.end) for piece in made.context.evidence]
    steps = [one[:2] for one in made.context.reasons] if made.reply and made.reply.says else []
    trial = Trial(made.pair, made.own, before, after, style, evidence, reply=made.reply, steps=steps)
    return trial if made.keychain is None else made.keychain.hide(trial)


def _recounted(plan: Plan, cutter: Cutter, joint: int) -> Plan:
    before = tuple(map(cutter.recounted, plan.before))
    after = tuple(map(cutter.recounted, plan.after))
    return Plan(before, after, sum(piece.tokens + joint for piece in (*before, *after)), plan.exhausted)


def _lengthened(shop: Workshop, made: SampleDraft) -> Generator[list[Trial], list[Counted], None]:
    """Add to a sample that stayed too short the words, or characters, that follow one of its parts.

    For tokenizers whose counts add up so badly that no plan hits the budget: every attempt is
    counted as a whole.
    """
    texts = {document.item: document.text for document in made.stock.drawn()}
    for unit in (_WORD, _CHARACTER):
        for piece in (*made.plan.after, *made.plan.before):
            end = texts[piece.item].find(piece.text) + len(piece.text)
            rest = texts[piece.item][end : end + _CHARACTERS_PER_TOKEN * (made.budget - made.tokens)]
            extents = [match.end() for match in unit.finditer(rest)]
            plan, low, high = made.plan, 0, len(extents)
            while low < high and not made.done:
                middle = (low + high) // 2
                made.trial = _replaced(plan, piece, piece.text + rest[: extents[middle]])
                if (yield from _tried(shop, made)) <= made.budget:
                    low = middle + 1
                else:
                    high = middle
            if made.done or made.plan is not plan:
                break
        if made.done:
            break


def _replaced(plan: Plan, piece: Piece, text: str) -> Plan:
    longer = replace(piece, text=text)
    before = tuple(longer if each is piece else each for each in plan.before)
    after = tuple(longer if each is piece else each for each in plan.after)
    return replace(plan, before=before, after=after)
