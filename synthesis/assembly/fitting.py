"""From a plan to a sample whose rendered length is counted, not estimated.

Plans are handed out to be counted many at a time; those that miss the budget are planned again
with the error taken into account. What is kept has been counted exactly. Knows nothing of
how it is counted, or when.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final

from synthesis.assembly.budget import Plan, Room, Stock, fill
from synthesis.assembly.counting import Counted, Part, Trial
from synthesis.assembly.documents import Documents
from synthesis.assembly.index import Notes
from synthesis.assembly.leaks import needles, states
from synthesis.assembly.pieces import Cutter, Document, Piece
from synthesis.assembly.selectors import Selector
from synthesis.assembly.twins import Seen
from synthesis.assembly.wording import Style
from synthesis.data import Context, Pair

FILL: Final = 0.995
"""Share of the budget that a sample fills wherever there is enough text."""

_ROUNDS: Final = 6
_CHARACTERS_PER_TOKEN: Final = 12
_WORD = re.compile(r"\s*\S+")
_CHARACTER = re.compile(r".", re.DOTALL)
# Numbers in headers mostly have two digits.
_USUAL_NUMBER: Final = 10


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything the samples of one call have in common."""

    documents: Documents
    selector: Selector
    style: Style

    def joint(self) -> int:
        """About how many tokens one more document costs beyond its text."""
        return self.documents.tokenizer.count(self.style.separator + self.style.opening(_USUAL_NUMBER))

    def stock(self, item: int, own: Notes, answer: str) -> Iterator[Document]:
        """The documents that may stand beside an item's context, in the selector's order.

        None gives the answer away, and no two of them, nor one and the context, are nearly the same.
        """
        index, wanted = self.documents.index, needles(answer)
        texts = {index.texts[item]}
        seen = Seen()
        seen.add(own.sketch)
        for other in self.selector.candidates(item):
            text_key = index.texts[other]
            if text_key in texts or index.kin(item, other):
                continue
            notes = index.notes(other)
            if states(notes.words, wanted) or seen.near(notes.sketch):
                continue
            texts.add(text_key)
            seen.add(notes.sketch)
            name, text = self.documents.document(other)
            yield Document(other, name, text, index.tokens[other], notes.table)


@dataclass(slots=True)
class Draft:
    """One sample in the making. ``counted`` and ``plan`` are the best so far.

    ``id`` is the sample's; ``pair`` has the answer it gives; ``context`` is what it shows, ``own``
    the same with its gaps, None where it is left out. ``need`` counts the conversation without
    other documents.
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


def fitting(shop: Workshop, drafts: Sequence[Draft]) -> Generator[list[Trial], list[Counted], None]:
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
        counts = yield [_trial(drafts[number], shop.style) for number in pending]
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


def _keep(made: Draft, counted: Counted) -> None:
    """Take a counted trial where it is the best so far and within the budget."""
    tokens = counted.tokens
    if made.tokens < tokens <= made.budget:
        made.counted, made.plan = counted, made.trial
    if tokens <= made.budget and (tokens >= made.budget - made.free or made.trial.exhausted):
        made.done = True


def _tried(shop: Workshop, made: Draft) -> Generator[list[Trial], list[Counted], int]:
    """Have one trial counted; its tokens."""
    (counted,) = yield [_trial(made, shop.style)]
    _keep(made, counted)
    return counted.tokens


def _trial(made: Draft, style: Style) -> Trial:
    before, after = (
        [Part(piece.text, (piece.gap,) if piece.gap else ()) for piece in side]
        for side in (made.trial.before, made.trial.after)
    )
    evidence = [] if made.own is None else [(piece.start, piece.end) for piece in made.context.evidence]
    return Trial(made.pair, made.own, before, after, style, evidence)


def _recounted(plan: Plan, cutter: Cutter, joint: int) -> Plan:
    before = tuple(map(cutter.recounted, plan.before))
    after = tuple(map(cutter.recounted, plan.after))
    return Plan(before, after, sum(piece.tokens + joint for piece in (*before, *after)), plan.exhausted)


def _lengthened(shop: Workshop, made: Draft) -> Generator[list[Trial], list[Counted], None]:
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
