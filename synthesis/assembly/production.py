"""The loop: documents -> index -> what each item is to become -> samples, batch by batch.

In memory stay some numbers per document and the few samples being worked on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from synthesis.assembly.budget import Stock
from synthesis.assembly.counting import Part
from synthesis.assembly.depth import assign_depths
from synthesis.assembly.distractors import make_selector
from synthesis.assembly.fitting import Draft, Workshop, fit
from synthesis.assembly.index import Index, Source, build_index, number
from synthesis.assembly.mixture import assign
from synthesis.assembly.options import Options
from synthesis.assembly.pieces import Cutter
from synthesis.assembly.shelf import Shelf
from synthesis.assembly.spans import evidence_in
from synthesis.assembly.tables import Gap
from synthesis.assembly.trimming import trim
from synthesis.assembly.wording import lay_out
from synthesis.data import Rejected, Sample
from synthesis.tokens import Tokenizer, format_length

# So many samples, or so many tokens of samples, are counted in one go.
_BATCH_SAMPLES: Final = 32
_BATCH_TOKENS: Final = 262_144


@dataclass(frozen=True, slots=True)
class _Orders:
    """What each item is to become: its budget, whether it leaves its context out, its depth."""

    budgets: array[int]
    abstaining: frozenset[int]
    depths: dict[int, float]


def produce(
    source: Source, options: Options, tokenizer: Tokenizer, coherence: Callable[[int], float | None]
) -> Iterator[Sample | Rejected]:
    """A sample, or why there is none, for each item in order."""
    with Shelf() as shelf:
        lengths = [length for length, _ in options.lengths]
        index = build_index(source, tokenizer, lengths, options.style, shelf)
        orders = _orders(index, options)
        rooms = _rooms(index, orders)
        selector = make_selector(options.choice, index, source.items, rooms, options.seed, options.max_reuse)
        shop = Workshop(source, index, tokenizer, selector, options.style)
        for rows in _batches(orders.budgets):
            drafts = {item: _draft(shop, options, orders, item) for item in rows}
            fit(shop, [draft for draft in drafts.values() if draft is not None])
            for item, draft in drafts.items():
                if draft is None or draft.layout is None or not (draft.own or draft.plan.after):
                    yield _rejected(shop, orders, item)
                else:
                    yield _sample(shop, options, orders, item, draft, coherence(item))


def _orders(index: Index, options: Options) -> _Orders:
    keys = index.keys[: index.items]
    shares = [share for _, share in options.lengths]
    ranks = [number("length", options.seed, key) for key in keys]
    lengths = assign(index.pools[: index.items], ranks, shares)
    budgets = array("Q", (options.lengths[part][0] for part in lengths))
    by_chance = sorted(range(index.items), key=lambda item: number("abstain", options.seed, keys[item]))
    abstaining = frozenset(by_chance[: round(options.abstain * index.items)])
    depths: dict[int, float] = {}
    for part, (budget, _) in enumerate(options.lengths):
        members = [
            item
            for item in range(index.items)
            if lengths[item] == part
            and item not in abstaining
            and index.tokens[item]
            and (index.needs[item] <= budget or options.oversize == "trim")
        ]
        chances = [number("depth", options.seed, budget, keys[item]) for item in members]
        depths.update(zip(members, assign_depths(options.depths, chances), strict=True))
    return _Orders(budgets, abstaining, depths)


def _rooms(index: Index, orders: _Orders) -> array[int]:
    """About how many tokens each item has for other documents; 0 for items that become nothing."""
    rooms = array("q", bytes(8 * index.items))
    for item in range(index.items):
        if item in orders.abstaining:
            rooms[item] = orders.budgets[item]
        elif item in orders.depths:
            rooms[item] = max(0, orders.budgets[item] - index.needs[item])
    return rooms


def _batches(budgets: Sequence[int]) -> Iterator[range]:
    start = 0
    size = 0
    for item, budget in enumerate(budgets):
        if item > start and (item - start >= _BATCH_SAMPLES or size + budget > _BATCH_TOKENS):
            yield range(start, item)
            start, size = item, 0
        size += budget
    if start < len(budgets):
        yield range(start, len(budgets))


def _draft(shop: Workshop, options: Options, orders: _Orders, item: int) -> Draft | None:
    """A sample not yet planned; ``None`` where it cannot become one."""
    budget, tokenizer = orders.budgets[item], shop.tokenizer
    if not shop.index.tokens[item] or not (item in orders.abstaining or item in orders.depths):
        return None
    pair, context = shop.source.items[item]
    stock, cutter = Stock(shop.stock(item, pair.answer)), Cutter(tokenizer)
    if item in orders.abstaining:
        pair = replace(pair, answer=options.refusal)
        need = tokenizer.count_chat(lay_out(pair, None).messages)
        return Draft(pair, None, need, budget, 0.0, stock, cutter)
    need, own = shop.index.needs[item], Part(context.text, _own_gap(shop, item, len(context.text)))
    if need > budget:
        trimmed = trim(pair, context, budget, tokenizer, options.style)
        if trimmed is None:
            return None
        need = tokenizer.count_chat(lay_out(pair, trimmed.text, style=options.style).messages)
        own = Part(trimmed.text)
    return Draft(pair, own, need, budget, orders.depths[item], stock, cutter)


def _own_gap(shop: Workshop, item: int, length: int) -> Gap | None:
    table = shop.index.notes(item).table
    return table.gap(0, length) if table else None


def _sample(
    shop: Workshop, options: Options, orders: _Orders, item: int, made: Draft, coherence: float | None
) -> Sample:
    assert made.layout is not None
    pair, context = shop.source.items[item]
    own = () if made.own is None else (pair.id,)
    before, after = ([piece.name for piece in side] for side in (made.plan.before, made.plan.after))
    sample = Sample(
        id=options.identity(pair.id, context.text, pair.task, made.budget, shop.tokenizer.identity),
        pair_id=pair.id,
        messages=made.layout.messages,
        tokens=made.tokens,
        budget=made.budget,
        depth=round(made.layout.depth, 6),
        evidence_span=made.layout.span,
        documents=(*before, *own, *after),
        distractors=f"{options.choice}{'' if made.own else '+abstain'}",
        task=pair.task,
        coherence=coherence,
    )
    return replace(sample, evidence=evidence_in(sample, context))


def _rejected(shop: Workshop, orders: _Orders, item: int) -> Rejected:
    pair, context = shop.source.items[item]
    budget = orders.budgets[item]
    if not shop.index.tokens[item]:
        reason = "the context is blank: generate it again"
    elif item in orders.abstaining:
        reason = (
            f"no other document fits a sample of {budget:,} tokens ({format_length(budget)}) that leaves its "
            "context out: ask for a greater length, other distractors or more pairs"
        )
    elif item in orders.depths:
        reason = (
            f"the context's evidence with its question and answer takes more than the budget of {budget:,} "
            f"tokens ({format_length(budget)}): ask for a greater length or a shorter context"
        )
    else:
        reason = (
            f"the context with its question and answer takes {shop.index.needs[item]:,} tokens and the "
            f"budget is {budget:,} ({format_length(budget)}): ask for a greater length or a shorter context, "
            "or have it trimmed"
        )
    return Rejected(pair.id, "assembly", reason, fingerprint=context.fingerprint)
