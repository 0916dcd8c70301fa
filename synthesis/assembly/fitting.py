"""From a plan to a sample whose rendered length is counted, not estimated.

Plans are rendered and counted many at a time; those that miss the budget are planned again
with the error taken into account. What is kept has been counted as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final

from synthesis.assembly.budget import Plan, Room, Stock, fill
from synthesis.assembly.distractors import Selector
from synthesis.assembly.index import Index, Items
from synthesis.assembly.leaks import finder
from synthesis.assembly.pieces import Cutter, Document, Piece
from synthesis.assembly.wording import SEPARATOR, Layout, lay_out
from synthesis.data import Context, Pair
from synthesis.tokens import Tokenizer

FILL: Final = 0.995
"""Share of the budget that a sample fills wherever there is enough text."""

_ROUNDS: Final = 6
_CHARACTERS_PER_TOKEN: Final = 12
_WORD = re.compile(r"\s*\S+")
_CHARACTER = re.compile(r".", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything the samples of one call have in common."""

    items: Items
    index: Index
    tokenizer: Tokenizer
    selector: Selector
    budget: int

    def stock(self, item: int, answer: str) -> Iterator[Document]:
        """The documents that may stand beside an item's context, in the selector's order."""
        gives_away = finder(answer)
        seen = {self.index.texts[item]}
        for other in self.selector.candidates(item):
            text_key = self.index.texts[other]
            if text_key in seen or self.index.kin(item, other):
                continue
            pair, context = self.items[other]
            if gives_away(context.text):
                continue
            seen.add(text_key)
            yield Document(other, pair.id, context.text, self.index.tokens[other])


@dataclass(slots=True)
class Draft:
    """One sample in the making. ``layout``, ``plan`` and ``tokens`` are the best so far."""

    item: int
    pair: Pair
    context: Context
    depth: float
    stock: Stock
    cutter: Cutter
    trial: Plan = field(default_factory=Plan)
    layout: Layout | None = None
    plan: Plan = field(default_factory=Plan)
    tokens: int = 0
    done: bool = False


def draft(shop: Workshop, item: int, depth: float) -> Draft:
    """A sample not yet planned."""
    pair, context = shop.items[item]
    stock = Stock(shop.stock(item, pair.answer))
    return Draft(item, pair, context, depth, stock, Cutter(shop.tokenizer))


def fit(shop: Workshop, drafts: Sequence[Draft]) -> None:
    """Give each draft the fullest layout found that keeps the budget.

    A draft whose context does not fit even alone is left without a layout.
    """
    free = shop.budget - ceil(FILL * shop.budget)
    joint = shop.tokenizer.count(SEPARATOR)
    errors = dict.fromkeys(range(len(drafts)), 0)
    for turn in range(_ROUNDS):
        pending = [number for number in errors if not drafts[number].done]
        # A third of the permitted gap is left against joints that cost more than estimated, a third
        # may stay empty so that sentences stay whole. Stubborn drafts aim at the gap's middle.
        guard, slack = (free // 3, free // 3) if turn < _ROUNDS // 2 else (free // 2, 0)
        for number in pending:
            made = drafts[number]
            tokens = shop.budget - shop.index.needs[made.item] - errors[number] - guard
            made.trial = fill(made.stock, Room(tokens, made.depth, joint, slack), made.cutter)
        for number, counted in zip(pending, _judge(shop, [drafts[n] for n in pending], free), strict=True):
            made = drafts[number]
            if not made.done and not made.cutter.exact:
                made.trial, made.cutter.exact = _recounted(made.trial, made.cutter, joint), True
            error = counted - shop.index.needs[made.item] - made.trial.tokens
            # Where the same error was allowed for already, one more token is, so that turns differ.
            errors[number] = max(error, errors[number] + 1) if counted > shop.budget else error
    for made in drafts:
        if made.layout is None:
            made.trial = Plan(exhausted=True)  # the last resort: the own context alone
            _judge(shop, [made], free)
        elif not made.done:
            _lengthen(shop, made, free)


def _judge(shop: Workshop, drafts: Sequence[Draft], free: int) -> list[int]:
    """Count each trial; keep it where it is the best so far and within the budget."""
    layouts = [_layout(made) for made in drafts]
    rendered = [shop.tokenizer.render(layout.messages) for layout in layouts]
    counts = shop.tokenizer.count_batch(rendered)
    for made, layout, tokens in zip(drafts, layouts, counts, strict=True):
        if made.tokens < tokens <= shop.budget:
            made.layout, made.plan, made.tokens = layout, made.trial, tokens
        if tokens <= shop.budget and (tokens >= shop.budget - free or made.trial.exhausted):
            made.done = True
    return counts


def _recounted(plan: Plan, cutter: Cutter, joint: int) -> Plan:
    before = tuple(map(cutter.recounted, plan.before))
    after = tuple(map(cutter.recounted, plan.after))
    return Plan(before, after, sum(piece.tokens + joint for piece in (*before, *after)), plan.exhausted)


def _lengthen(shop: Workshop, made: Draft, free: int) -> None:
    """Add to a sample that stayed too short the words, or characters, that follow one of its parts.

    For tokenizers whose counts add up so badly that no plan hits the budget: every attempt is
    counted as a whole.
    """
    texts = {document.item: document.text for document in made.stock.drawn()}
    for unit in (_WORD, _CHARACTER):
        for piece in (*made.plan.after, *made.plan.before):
            end = texts[piece.item].find(piece.text) + len(piece.text)
            rest = texts[piece.item][end : end + _CHARACTERS_PER_TOKEN * (shop.budget - made.tokens)]
            extents = [match.end() for match in unit.finditer(rest)]
            plan, low, high = made.plan, 0, len(extents)
            while low < high and not made.done:
                middle = (low + high) // 2
                made.trial = _replaced(plan, piece, piece.text + rest[: extents[middle]])
                if _judge(shop, [made], free)[0] <= shop.budget:
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


def _layout(made: Draft) -> Layout:
    before = [piece.text for piece in made.trial.before]
    after = [piece.text for piece in made.trial.after]
    return lay_out(made.pair, made.context.text, before, after)
