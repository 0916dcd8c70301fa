"""Which waiting requests go to the model together. Knows nothing of the model."""

from __future__ import annotations

from synthesis.engines.transformers.requests import Request


def take(waiting: list[Request], rows: int, tokens: int) -> list[Request]:
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
