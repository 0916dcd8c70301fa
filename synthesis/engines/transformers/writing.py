"""Replies, token by token, for a batch of requests; those that are done leave the batch.

Every request draws with a random generator of its own, so what it gets depends neither on its
neighbours nor on torch's global state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from synthesis.engines.base import Sampling
from synthesis.engines.transformers.decoder import Decoder
from synthesis.engines.transformers.drawing import PLAIN, Shaping, choose
from synthesis.engines.transformers.texts import Request

_PREFILL = 4096  # tokens of all rows together that are read in one go


def take_batch(waiting: list[Request], rows: int, tokens: int) -> list[Request]:
    """Remove a batch from ``waiting``: the first come and those closest to it in length.

    Neighbours in length need little padding; building around the first keeps any from
    waiting forever while others come in.

    Args:
        waiting: what there is, the first come first; not empty.
        rows: the most requests of a batch.
        tokens: the most tokens of a batch, padding and longest possible replies included. A
            single request is taken however long it is.
    """
    first, *others = waiting
    near = sorted(others, key=lambda request: abs(len(request.ids) - len(first.ids)))
    batch = [first]
    for request in near[: rows - 1]:
        if cost([*batch, request]) > tokens:
            break
        batch.append(request)
    taken = {id(request) for request in batch}
    waiting[:] = [request for request in waiting if id(request) not in taken]
    return batch


def cost(batch: list[Request]) -> int:
    """Tokens that the cache of a batch holds at most."""
    longest = max(len(request.ids) for request in batch)
    return len(batch) * (longest + max(request.limit for request in batch))


class Step(NamedTuple):
    """The next token of request ``row``; ``last`` if no more follow."""

    row: int
    token: int
    last: bool


def write(
    decoder: Decoder,
    batch: Sequence[Request],
    sampling: Sampling,
    ends: frozenset[int],
    shaping: Shaping = PLAIN,
) -> Iterator[list[Step]]:
    """For each position: the new token of every request that still writes.

    Args:
        decoder: the model.
        batch: requests; ``Step.row`` counts in it.
        sampling: ``temperature`` 0 takes the likeliest token and draws nothing.
        ends: tokens that end a reply; they are given out, too.
        shaping: what else shapes the draw.

    Raises:
        EngineError: the model gave no numbers.
    """
    import torch

    streams = [torch.Generator(decoder.device).manual_seed(request.seed) for request in batch]
    written = [0] * len(batch)
    active = list(range(len(batch)))
    cache = decoder.new_cache()
    mask, logits = _read_prompts(decoder, batch, cache)
    seen = _seen(batch, logits) if shaping.repetition_penalty != 1 else None
    while True:
        draws = [streams[row] for row in active]
        tokens = choose(logits, draws, sampling.temperature, sampling.top_p, shaping, seen)
        steps = []
        for row, token in zip(active, tokens, strict=True):
            written[row] += 1
            steps.append(Step(row, token, token in ends or written[row] >= batch[row].limit))
        yield steps
        stay = [place for place, step in enumerate(steps) if not step.last]
        if not stay:
            return
        if len(stay) < len(steps):
            decoder.keep_rows(cache, stay)
            mask = None if mask is None else mask[stay]
            seen = None if seen is None else seen[stay]
            active = [active[place] for place in stay]
        if mask is not None:
            mask = torch.cat([mask, mask.new_ones(len(stay), 1)], dim=1)
        ids = torch.tensor([[steps[place].token] for place in stay], device=decoder.device)
        if seen is not None:
            seen.scatter_(1, ids.to(seen.device), True)
        logits = decoder.read(ids, cache, mask=mask)[:, 0]


def _read_prompts(decoder: Decoder, batch: Sequence[Request], cache: Any) -> tuple[Any, Any]:
    """The padding mask (None without padding) and the logits after each prompt, padded on the left."""
    import torch

    width = max(len(request.ids) for request in batch)
    gaps = [width - len(request.ids) for request in batch]
    ids = torch.tensor([[0] * gap + list(request.ids) for gap, request in zip(gaps, batch, strict=True)])
    mask = None
    if any(gaps):
        mask = (torch.arange(width) >= torch.tensor(gaps).unsqueeze(1)).long().to(decoder.device)
    ids = ids.to(decoder.device)
    step = max(1, _PREFILL // len(batch))
    for start in range(0, width, step):
        end = min(start + step, width)
        logits = decoder.read(ids[:, start:end], cache, mask=None if mask is None else mask[:, :end])
    return mask, logits[:, 0]


def _seen(batch: Sequence[Request], logits: Any) -> Any:
    """Which tokens each prompt holds, in the shape of the logits and where they are."""
    import torch

    seen = torch.zeros_like(logits, dtype=torch.bool)
    for row, request in zip(seen, batch, strict=True):
        row[torch.tensor(request.ids, device=row.device)] = True
    return seen
