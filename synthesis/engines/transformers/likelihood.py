"""Log-probabilities of given text, in memory that does not grow with its length times the vocabulary.

A text is read in pieces over the cache; logits are made for the continuation's positions
only, some at a time. What a request shares with the one before it, from the start, is not
read again: requests about one context cost little more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from synthesis.engines.transformers.decoder import Decoder
from synthesis.errors import EngineError

_READING = 2048  # tokens read in one go
_LOGITS = 2**25  # entries of logits at once (128 MiB in float32)


class Scorer:
    """Scores one request after the other, keeping the cache of the last."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._reading = _READING
        self._forget()

    def score(self, prefix: Sequence[int], continuation: Sequence[int]) -> tuple[float, ...]:
        """Log-probability (nats) of each token of ``continuation`` after ``prefix`` and those before it.

        Raises:
            EngineError: out of memory however small the pieces, or the model gave no numbers.
        """
        import torch

        if not continuation:
            return ()
        while True:
            try:
                return tuple(self._score(list(prefix), list(continuation)))
            except torch.OutOfMemoryError:
                pass  # dealt with below, where the failed call's tensors are gone
            self._forget()
            torch.cuda.empty_cache()
            if self._reading == 1:
                raise EngineError(
                    f"out of memory while scoring {len(prefix) + len(continuation):,} tokens: score shorter "
                    "contexts, use a smaller model or dtype bfloat16, or the engine 'vllm'"
                )
            self._reading = max(1, self._reading // 4)

    def _score(self, prefix: list[int], continuation: list[int]) -> Iterator[float]:
        # The last token is predicted but never read.
        ids, first = [*prefix, *continuation[:-1]], len(prefix) - 1
        self._keep(min(_shared(self._held, ids), first))
        for start, end in self._pieces(len(self._held), first, len(ids)):
            wanted = max(start, first)
            keep = max(end - wanted, 0)
            logits = self._read(ids[start:end], max(keep, 1))
            if keep:
                yield from _picked(logits, continuation[wanted - first : end - first])

    def _pieces(self, start: int, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Spans to read from ``start`` to ``end``; positions from ``first`` on need logits."""
        scored = max(1, min(self._reading, _LOGITS // self._decoder.vocabulary))
        while start < end:
            stop = min(start + self._reading, max(start, first) + scored, end)
            yield start, stop
            start = stop

    def _read(self, ids: list[int], keep: int) -> Any:
        import torch

        logits = self._decoder.read(torch.tensor([ids], device=self._decoder.device), self._cache, keep=keep)
        self._held += ids
        return logits[0]

    def _keep(self, count: int) -> None:
        """Keep the first ``count`` positions of the cache, or none where a layer cannot go back."""
        from transformers.cache_utils import DynamicLayer

        surplus = len(self._held) - count
        if surplus and count and all(type(layer) is DynamicLayer for layer in self._cache.layers):
            self._cache.crop(-surplus)
            del self._held[count:]
        elif surplus:
            self._forget()

    def _forget(self) -> None:
        self._cache: Any = self._decoder.new_cache()
        self._held: list[int] = []


def _picked(logits: Any, ids: list[int]) -> list[float]:
    """Log-probability of token ``ids[i]`` under row ``i`` of the logits."""
    import torch

    with torch.inference_mode():
        chosen = logits.gather(1, torch.tensor(ids, device=logits.device).unsqueeze(1))[:, 0]
        values: list[float] = (chosen - logits.logsumexp(-1)).tolist()
    return values


def _shared(held: list[int], ids: list[int]) -> int:
    """Length of the common beginning."""
    for place, (one, other) in enumerate(zip(held, ids, strict=False)):
        if one != other:
            return place
    return min(len(held), len(ids))
