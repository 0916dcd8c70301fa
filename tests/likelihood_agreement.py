"""Whether two engines give the same text the same log-probabilities; for any pair of engines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from synthesis.engines.base import LikelihoodEngine

# What tends to set tokenizers and servers apart: seams, scripts, lengths, emptiness.
REQUESTS: list[tuple[str, str]] = [
    ("Context: The clock in Varrow was mended by Ilse Brandt.\n\nAnswer:", " Ilse Brandt"),
    ("Answer:", " Ilse Brandt"),
    ("The keeper of the light", "house was called Holm."),  # a word cut in two
    ("The keeper of the light ", "house"),  # a blank before the seam
    ("Im Café las Zoë, daß", " 日本語 gilt: 12,5 %"),
    ("One line\n", "\nand another after a blank one"),
    ("It was late. " * 200, "Nobody had come."),
]


def assert_agree(
    one: LikelihoodEngine,
    other: LikelihoodEngine,
    requests: Sequence[tuple[str, str]] = REQUESTS,
    tolerance: float = 1e-3,
) -> float:
    """Both engines score every request alike, token by token; returns the largest difference in nats.

    An engine that cannot know the ids (a server that only echoes) gives none; then the numbers
    alone are compared. Such an engine tokenizes prefix and continuation jointly: give it requests
    whose seam is the border of a token.
    """
    largest = 0.0
    found = zip(requests, one.loglikelihood(requests), other.loglikelihood(requests), strict=True)
    for request, ours, theirs in found:
        if ours.token_ids and theirs.token_ids:
            assert ours.token_ids == theirs.token_ids, request
        assert len(ours.logprobs) == len(theirs.logprobs), request
        for place, (a, b) in enumerate(zip(ours.logprobs, theirs.logprobs, strict=True)):
            assert math.isfinite(a) and math.isfinite(b), request
            assert abs(a - b) <= tolerance, f"token {place} of {request[1]!r}: {a} and {b}"
            largest = max(largest, abs(a - b))
    return largest
