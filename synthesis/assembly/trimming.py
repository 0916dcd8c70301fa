"""A context cut down to its evidence and the sentences around it.

Whole sentences only; what is kept stands in its old order, and every evidence span is found
again at its new place. Knows nothing of other documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from synthesis.assembly.sentences import sentence_spans
from synthesis.assembly.wording import Style, lay_out
from synthesis.data import Context, Evidence, Pair
from synthesis.tokens import Tokenizer

_ROUNDS: Final = 8


def trim(pair: Pair, context: Context, budget: int, tokenizer: Tokenizer, style: Style) -> Context | None:
    """The context with as many sentences as the budget takes; ``None`` if its evidence alone is too long.

    Sentences nearest to evidence are kept first. Without evidence the opening is.
    """
    spans = list(sentence_spans(context.text))
    needed = _needed(spans, context.evidence)
    following = [*(start for start, _ in spans[1:]), len(context.text)]
    sizes = tokenizer.count_batch(
        [context.text[start:end] for (start, _), end in zip(spans, following, strict=True)]
    )
    order = _by_nearness(len(spans), needed)
    aim = budget - tokenizer.count_chat(lay_out(pair, "", style=style).messages)
    best: Context | None = None
    reached = 0
    for _ in range(_ROUNDS):
        kept = needed | _taken(order, sizes, aim - sum(sizes[place] for place in needed))
        shorter = _only(context, spans, sorted(kept))
        need = tokenizer.count_chat(lay_out(pair, shorter.text, style=style).messages)
        if reached < need <= budget:
            best, reached = shorter, need
        if kept == needed or 0 <= budget - need <= budget // 200:
            break
        # Sizes of sentences do not quite sum to the size of the whole: aim beside it by the error.
        aim -= max(1, need - budget) if need > budget else need - budget
        if need <= budget and best is not None and len(kept) == len(spans):
            break
    return best


def _needed(spans: Sequence[tuple[int, int]], evidence: Sequence[Evidence]) -> frozenset[int]:
    if not evidence:
        return frozenset((0,))
    kept: set[int] = set()
    for piece in evidence:
        kept.update(
            place for place, (start, end) in enumerate(spans) if start < piece.end and piece.start < end
        )
    return frozenset(kept)


def _by_nearness(sentences: int, needed: frozenset[int]) -> list[int]:
    """The other sentences, the nearest to a needed one first, of equally near ones the earlier."""
    far = [sentences] * sentences
    for places in (range(sentences), range(sentences - 1, -1, -1)):
        distance = sentences
        for place in places:
            distance = 0 if place in needed else distance + 1
            far[place] = min(far[place], distance)
    return sorted((place for place in range(sentences) if place not in needed), key=lambda at: (far[at], at))


def _taken(order: Sequence[int], sizes: Sequence[int], room: int) -> frozenset[int]:
    taken = set()
    for place in order:
        if sizes[place] <= room:
            taken.add(place)
            room -= sizes[place]
    return frozenset(taken)


def _only(context: Context, spans: Sequence[tuple[int, int]], kept: Sequence[int]) -> Context:
    """The context of the ``kept`` sentences, each with the white space that followed it."""
    text = context.text
    starts: dict[int, int] = {}
    parts: list[str] = []
    size = 0
    for place in kept:
        start, end = spans[place]
        after = spans[place + 1][0] if place + 1 < len(spans) else end
        starts[place] = size
        parts.append(text[start:end] if place == kept[-1] else text[start:after])
        size += len(parts[-1])
    moved = (_moved(piece, spans, starts) for piece in context.evidence)
    evidence = tuple(piece for piece in moved if piece is not None)
    joined = "".join(parts)
    return replace(context, text=joined, evidence=evidence, words=len(joined.split()), tokens=0)


def _moved(piece: Evidence, spans: Sequence[tuple[int, int]], starts: dict[int, int]) -> Evidence | None:
    inside = [place for place in starts if spans[place][0] < piece.end and piece.start < spans[place][1]]
    if not inside:
        return None  # a span of nothing but white space
    first, last = inside[0], inside[-1]
    start = starts[first] + max(0, piece.start - spans[first][0])
    end = starts[last] + min(piece.end, spans[last][1]) - spans[last][0]
    return Evidence(start, end, piece.what)
