"""The loop: documents -> what each item is to become -> samples, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from math import nan
from typing import Final

from synthesis.assembly.choosing import make_selector
from synthesis.assembly.counting import Counted, Gap, Part, Trial, count_trials
from synthesis.assembly.cutting import Cutter, trim
from synthesis.assembly.documents import Documents
from synthesis.assembly.fitting import SampleDraft, Stock, Workshop, fitting
from synthesis.assembly.keychains import Keychains
from synthesis.assembly.options import Options
from synthesis.assembly.orders import Orders, give_orders, reply_of, tokens_alone, uses_reasons
from synthesis.assembly.prefetch import prefetched
from synthesis.assembly.rendering import lay_out
from synthesis.assembly.replying import PLAIN
from synthesis.assembly.tables import Table
from synthesis.data import Context, Evidence, Reason, Rejected, Sample
from synthesis.processes import spread
from synthesis.tokens import format_length

# So many samples, or so many tokens of samples, are counted in one go.
_BATCH_SAMPLES: Final = 32
_BATCH_TOKENS: Final = 262_144
_JOB_BATCHES: Final = 4


@dataclass(frozen=True, slots=True)
class _Batch:
    """Items being worked on: their drafts, and the first trials of these, to be counted."""

    drafts: dict[int, SampleDraft | None]
    fitting: Generator[list[Trial], list[Counted], None]
    trials: list[Trial]


class Assembly:
    """The samples that documents make under some options, by position; any part of them can be asked for."""

    def __init__(
        self, documents: Documents, options: Options, coherence: Callable[[int], float | None]
    ) -> None:
        """``coherence`` gives the score of the item at a position."""
        self._documents, self._options, self._coherence = documents, options, coherence

    @cached_property
    def _made(self) -> tuple[Workshop, Orders]:
        options, documents = self._options, self._documents
        keychains = Keychains(documents, options) if options.samples.keychain else None
        orders = give_orders(documents, options, keychains)
        selector = make_selector(options, documents, orders.rooms())
        return Workshop(documents, selector, options.style, keychains), orders

    def prepare(self) -> None:
        """Index the documents now, so that processes forked from this one need not."""
        _ = self._made

    def outcomes(
        self, start: int = 0, stop: int | None = None, workers: int = 1
    ) -> Iterator[Sample | Rejected]:
        """A sample, or why there is none, for each item from ``start`` to ``stop``, in order.

        Each sample's twins, or why there are none, stand behind it. With several ``workers`` in
        processes of their own, scores are still asked for in this one.
        """
        wanted = range(len(self._made[1].budgets))[start:stop]
        if workers < 2:
            yield from (outcome for _, outcome in self._numbered(wanted, self._coherence))
            return

        def work(rows: range) -> list[tuple[int, Sample | Rejected]]:
            return list(self._numbered(rows, lambda _: nan))

        for made in spread(list(_jobs(self._made[1].budgets, wanted)), work, workers):
            for item, outcome in made:
                if isinstance(outcome, Sample) and outcome.coherence is not None:
                    yield replace(outcome, coherence=self._coherence(item))
                else:
                    yield outcome

    def _numbered(
        self, wanted: range, coherence: Callable[[int], float | None]
    ) -> Iterator[tuple[int, Sample | Rejected]]:
        """The outcomes, each with its item."""
        shop, orders = self._made
        tokenizer = self._documents.tokenizer
        begun = (self._begun(rows) for rows in _batches(orders.budgets, wanted))
        for batch, counts in prefetched(begun, lambda batch: count_trials(batch.trials, tokenizer)):
            with suppress(StopIteration):
                while True:
                    counts = count_trials(batch.fitting.send(counts), tokenizer)
            for item, draft in batch.drafts.items():
                if draft is None or draft.counted is None or not (draft.own or draft.plan.after):
                    yield item, _rejected(shop, orders, item)
                    continue
                made = _sample(self._options, draft, draft.counted, coherence(item))
                if draft.own is not None and self._options.samples.twins:
                    from synthesis.assembly.twins.making import Twins

                    twins = Twins(shop, self._options, draft, made)
                    yield from ((item, outcome) for outcome in twins.outcomes())
                else:
                    yield item, made

    def _begun(self, rows: range) -> _Batch:
        shop, orders = self._made
        drafts = {item: _draft(shop, self._options, orders, item) for item in rows}
        fit = fitting(shop, [draft for draft in drafts.values() if draft is not None])
        return _Batch(drafts, fit, next(fit, []))


def _jobs(budgets: Sequence[int], wanted: range) -> Iterator[range]:
    """What a process does at a time: some batches each, so that little is waited for, and little held."""
    batches = list(_batches(budgets, wanted))
    for first in range(0, len(batches), _JOB_BATCHES):
        job = batches[first : first + _JOB_BATCHES]
        yield range(job[0].start, job[-1].stop)


def _batches(budgets: Sequence[int], wanted: range) -> Iterator[range]:
    start, size = wanted.start, 0
    for item in wanted:
        if item > start and (item - start >= _BATCH_SAMPLES or size + budgets[item] > _BATCH_TOKENS):
            yield range(start, item)
            start, size = item, 0
        size += budgets[item]
    if start < wanted.stop:
        yield range(start, wanted.stop)


def _draft(shop: Workshop, options: Options, orders: Orders, item: int) -> SampleDraft | None:
    """A sample not yet planned; ``None`` where it cannot become one."""
    budget, tokenizer = orders.budgets[item], shop.documents.tokenizer
    if not shop.documents.index.tokens[item] or not (item in orders.abstaining or orders.keeps(item)):
        return None
    pair, context = shop.documents.items[item]
    if not uses_reasons(options):
        context = replace(context, reasons=())
    notes = shop.documents.index.notes(item)
    name = options.identity(pair.id, context.text, pair.task, budget, tokenizer.identity)
    stock, cutter = Stock(shop.stock(item, notes)), Cutter(tokenizer)
    keychain = shop.keychains.of(item) if shop.keychains else None
    if item in orders.abstaining:
        pair = replace(pair, answer=options.samples.refusal)
        need = tokenizer.count_chat(lay_out(pair, None, key=keychain.key if keychain else "").messages)
        if keychain:
            need += sum(tokenizer.count_batch([f" {one.text}" for one in keychain.sentences]))
        return SampleDraft(name, pair, context, None, need, budget, 0.0, stock, cutter, keychain)
    need, own = orders.needs[item], Part(context.text, _own_gaps(context, notes.table), notes.table)
    if need > budget:

        def need_of(shorter: Context) -> int:
            reply = reply_of(pair, shorter, options, tokenizer, keychain)
            return tokens_alone(pair, shorter, tokenizer, options.style, keychain, reply)

        trimmed = trim(context, budget, tokenizer, need_of)
        if trimmed is None:
            return None
        need = need_of(trimmed)
        context, own = trimmed, Part(trimmed.text)
    depth, reply = orders.depths[item], reply_of(pair, context, options, tokenizer, keychain)
    return SampleDraft(name, pair, context, own, need, budget, depth, stock, cutter, keychain, reply)


def _own_gaps(context: Context, table: Table | None) -> list[Gap]:
    """What of a context need not be counted again: all but its evidence, whose tokens are to be told."""
    if table is None:
        return []
    gaps, at = [], 0
    for piece in (*sorted(context.evidence), Evidence(len(context.text), len(context.text), "")):
        gap = table.gap(at, piece.start) if piece.start > at else None
        if gap is not None:
            gaps.append(gap)
        at = max(at, piece.end)
    return gaps


def _sample(options: Options, made: SampleDraft, counted: Counted, coherence: float | None) -> Sample:
    own = () if made.own is None else (made.pair.id,)
    before, after = ([piece.name for piece in side] for side in (made.plan.before, made.plan.after))
    whats = [] if made.own is None else [piece.what for piece in made.context.evidence]
    if made.own is not None and made.keychain is not None:
        whats += made.keychain.evidence
    said = counted.layout.messages[-1].content
    says = made.reply.says if made.reply and made.own is not None else ()
    return Sample(
        id=made.id,
        pair_id=made.pair.id,
        messages=counted.layout.messages,
        tokens=counted.tokens,
        budget=made.budget,
        depth=round(counted.layout.depth, 6),
        evidence_span=counted.layout.span,
        token_span=counted.own,
        documents=(*before, *own, *after),
        distractors=f"{options.choice}{'' if made.own else '+abstain'}",
        task=made.pair.task,
        coherence=coherence,
        evidence=tuple(Evidence(*place, what) for place, what in zip(counted.places, whats, strict=True)),
        evidence_source=made.context.evidence_source if made.own else "none",
        evidence_tokens=counted.evidence,
        form=made.context.form if made.own else "",
        hops=made.context.hops if made.own else 0,
        rings=made.keychain.rings if made.keychain else 0,
        answer=made.pair.answer,
        answer_form=made.reply.answers if made.reply and said != made.pair.answer else PLAIN,
        evidence_documents=counted.numbers,
        model=made.context.model if made.own else "",
        reasons=tuple(Reason(*place, step) for place, step in zip(counted.steps, says, strict=True)),
        reasons_model=made.context.reasons_model if says else "",
    )


def _rejected(shop: Workshop, orders: Orders, item: int) -> Rejected:
    pair, context = shop.documents.items[item]
    budget = orders.budgets[item]
    if not shop.documents.index.tokens[item]:
        reason = "the context is blank: generate it again"
    elif item in orders.abstaining:
        reason = (
            f"no other document fits a sample of {budget:,} tokens ({format_length(budget)}) that leaves its "
            "context out: ask for a greater length, other distractors or more pairs"
        )
    elif orders.keeps(item):
        reason = (
            f"the context's evidence with its question and answer takes more than the budget of {budget:,} "
            f"tokens ({format_length(budget)}): ask for a greater length or a shorter context"
        )
    else:
        beside = "question, its chains of keys" if shop.keychains else "question"
        reason = (
            f"the context with its {beside} and answer takes {orders.needs[item]:,} tokens and the "
            f"budget is {budget:,} ({format_length(budget)}): ask for a greater length or a shorter context, "
            "or have it trimmed"
        )
    return Rejected(pair.id, "assembly", reason, fingerprint=context.fingerprint)
