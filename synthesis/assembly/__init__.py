"""Contexts -> chat samples of a token length.

The pair's own context, whole, at a chosen depth among other contexts. In memory stay some
numbers per item and the few samples being worked on; texts are read from ``items`` when
needed. Knows nothing of files: what ``items`` is and where samples go is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from synthesis.assembly.depth import DepthSpec, assign_depths, parse_depth
from synthesis.assembly.distractors import SELECTORS, check_distractors
from synthesis.assembly.fitting import Draft, Workshop, draft, fit
from synthesis.assembly.index import Index, Items, build_index, number
from synthesis.data import Context, Pair, Rejected, Sample, content_hash
from synthesis.tokens import Tokenizer, format_length, load_tokenizer, parse_length

__all__ = ["SELECTORS", "assemble"]

# So many samples, or so many tokens of samples, are counted in one go.
_BATCH_SAMPLES: Final = 32
_BATCH_TOKENS: Final = 262_144


@dataclass(frozen=True, slots=True)
class _Options:
    """What, besides the texts, determines a sample."""

    budget: int
    depths: tuple[float, ...] | None
    distractors: str
    seed: int
    max_reuse: int | None
    counted_by: str | None


def assemble(
    items: Sequence[tuple[Pair, Context]],
    length: int | str,
    *,
    tokenizer: Tokenizer | str | None = None,
    depth: DepthSpec = "uniform",
    distractors: str = "same-task",
    seed: int = 0,
    max_reuse: int | None = None,
    coherence: Callable[[int], float | None] | None = None,
    counted_by: str | None = None,
) -> Iterator[Sample | Rejected]:
    """One sample of ``length`` tokens for each item, in the items' order.

    A sample never exceeds its length, counted over the rendered conversation with the answer,
    and fills at least 99.5 % of it wherever other contexts suffice; where they do not, it is
    shorter, as its ``tokens`` say. (Length by concatenation: Zhu et al., 2025, arXiv 2502.15592.)

    Args:
        items: pairs with their contexts, in any order; may read from disk, as only numbers
            are kept of each. Read once for counting, then at random.
        length: tokens, such as 8192 or ``"8k"``.
        tokenizer: what counts, with its chat template; a name is loaded, None is the embedded one.
        depth: where the own context stands among the others: ``uniform`` (stratified over all
            samples of the call), ``start``, ``middle``, ``end``, a number from 0 to 1, or several.
        distractors: whose contexts surround it: ``same-task``, ``random`` or ``none``. Never one
            that shares the pair, the answer or the text, nor one that contains the answer.
        seed: with the contents, determines every choice.
        max_reuse: how often at most a context serves as a distractor; None for as often as
            filling takes. Either way reuse is even.
        coherence: the score of the item at a position, copied into the sample.
        counted_by: identity of the tokenizer that counted ``Context.tokens``; where it is this
            tokenizer's, contexts are not counted again.

    Yields:
        A ``Sample``; or a ``Rejected`` of stage ``assembly`` where the context is blank or does
        not fit even alone.

    Raises:
        UsageError: an option is not usable.
        TokenizerError: the tokenizer cannot be loaded, or has no usable chat template.
    """
    options = _Options(parse_length(length), parse_depth(depth), distractors, seed, max_reuse, counted_by)
    check_distractors(distractors, max_reuse)
    loaded = tokenizer if isinstance(tokenizer, Tokenizer) else load_tokenizer(tokenizer)
    return _assemble(items, options, loaded, coherence or _unscored)


def _assemble(
    items: Items, options: _Options, tokenizer: Tokenizer, coherence: Callable[[int], float | None]
) -> Iterator[Sample | Rejected]:
    budget = options.budget
    index = build_index(items, tokenizer, budget, options.counted_by)
    selector = SELECTORS[options.distractors](index, options.seed, options.max_reuse)
    shop = Workshop(items, index, tokenizer, selector, budget)
    fitting = [item for item in range(len(index)) if index.tokens[item] and index.needs[item] <= budget]
    keys = [number("depth", options.seed, budget, index.keys[item]) for item in fitting]
    depths = dict(zip(fitting, assign_depths(options.depths, keys), strict=True))
    size = max(1, min(_BATCH_SAMPLES, _BATCH_TOKENS // budget))
    for start in range(0, len(index), size):
        rows = range(start, min(start + size, len(index)))
        drafts = {item: draft(shop, item, depths[item]) for item in rows if item in depths}
        fit(shop, list(drafts.values()))
        for item in rows:
            made = drafts.get(item)
            if made is None or made.layout is None:
                yield _rejected(index, item, items[item], budget)
            else:
                yield _sample(made, options, tokenizer.identity, coherence(item))


def _sample(made: Draft, options: _Options, identity: str, coherence: float | None) -> Sample:
    assert made.layout is not None
    pieces = (*made.plan.before, None, *made.plan.after)
    return Sample(
        id=content_hash(
            *(made.pair.id, made.context.text, made.pair.task, options.budget, options.depths),
            *(options.distractors, options.seed, options.max_reuse, identity),
        ),
        pair_id=made.pair.id,
        messages=made.layout.messages,
        tokens=made.tokens,
        budget=options.budget,
        depth=round(made.layout.depth, 6),
        evidence_span=made.layout.span,
        documents=tuple(made.pair.id if piece is None else piece.pair_id for piece in pieces),
        distractors=options.distractors,
        task=made.pair.task,
        coherence=coherence,
    )


def _rejected(index: Index, item: int, row: tuple[Pair, Context], budget: int) -> Rejected:
    pair, context = row
    if not index.tokens[item]:
        reason = "the context is blank: generate it again"
    else:
        reason = (
            f"the context with its question and answer takes {index.needs[item]:,} tokens and the budget is "
            f"{budget:,} ({format_length(budget)}): ask for a greater length or a shorter context"
        )
    return Rejected(pair.id, "assembly", reason, fingerprint=context.fingerprint)


def _unscored(_: int) -> None:
    return None
