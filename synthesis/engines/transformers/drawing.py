"""The draw of a token: logits, what shapes their distribution, and a stream of random numbers each.

A draw is a race (the Gumbel-max trick: the token with the largest log-probability plus Gumbel noise is
a draw from the distribution): padding changes the last bits of the logits, and only where two tokens
come in that close can the winner change. A walk along cumulated probabilities would turn with every
boundary that rounding moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from synthesis.errors import ConfigError

_LIKELIEST = 1024  # tokens that the nucleus is looked for among first; far cheaper than sorting all


@dataclass(frozen=True, slots=True)
class Shaping:
    """What shapes the distribution besides temperature and top-p; each at a value that changes nothing.

    Attributes:
        top_k: only so many likeliest tokens are drawn from; 0 for all.
        min_p: only tokens at least so likely, as a share of the likeliest one's probability.
        repetition_penalty: what the logits of tokens are divided by (multiplied below 0) that were read
            or written before.
    """

    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    @staticmethod
    def wished(top_k: int | None, min_p: float | None, repetition_penalty: float | None) -> dict[str, Any]:
        """Those that are set.

        Raises:
            ConfigError: one cannot be used.
        """
        for name, value, sound, what in (
            ("top_k", top_k, top_k is None or (type(top_k) is int and top_k >= 0), "a whole number from 0"),
            ("min_p", min_p, min_p is None or 0 <= min_p <= 1, "a share from 0 to 1"),
            (
                "repetition_penalty",
                repetition_penalty,
                repetition_penalty is None or repetition_penalty > 0,
                "a number above 0",
            ),
        ):
            if not sound:
                raise ConfigError(f"generation.options.{name} is {value!r}; give {what}")
        given = {"top_k": top_k, "min_p": min_p, "repetition_penalty": repetition_penalty}
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def of(cls, own: Any, wished: dict[str, Any]) -> Shaping:
        """What is wished, else what the model's makers set (``own``: its ``GenerationConfig``)."""
        # Not its attributes: those have defaults of the library's, which nobody chose.
        known = own.to_diff_dict()
        made = {name: known[name] for name in asdict(cls()) if known.get(name) is not None}
        return cls(**{**made, **wished})


PLAIN = Shaping()


def choose(
    logits: Any,
    streams: Sequence[Any],
    temperature: float,
    top_p: float,
    shaping: Shaping = PLAIN,
    seen: Any = None,
) -> list[int]:
    """A token for each row.

    Args:
        logits: shape (rows, vocabulary), float32.
        streams: a ``torch.Generator`` for each row, on the logits' device; not used at temperature 0.
        temperature: 0 for the likeliest token.
        top_p: only the smallest set of likeliest tokens with at least this probability is drawn
            from (the nucleus of Holtzman et al., 2020).
        shaping: what else shapes the draw.
        seen: which tokens were read or written before, shape (rows, vocabulary), boolean; wanted
            for a repetition penalty only.
    """
    import torch

    with torch.inference_mode():
        if seen is not None and shaping.repetition_penalty != 1:
            by = shaping.repetition_penalty
            logits = logits.where(~seen, torch.where(logits < 0, logits * by, logits / by))
        if temperature > 0:
            noise = [
                torch.empty_like(row).exponential_(generator=g)
                for row, g in zip(logits, streams, strict=True)
            ]
            logits = logits / temperature
            if 0 < shaping.top_k < logits.shape[-1]:
                least = logits.topk(shaping.top_k).values[:, -1:]
                logits = logits.where(logits >= least, -torch.inf)
            allowed = _nucleus(logits, top_p)
            if shaping.min_p > 0:
                share = (logits - logits.max(-1, keepdim=True).values).exp()
                allowed &= share >= shaping.min_p
            # Minus the logarithm of exponential noise is Gumbel noise.
            logits = logits.where(allowed, -torch.inf) - torch.stack(noise).log()
        tokens: list[int] = logits.argmax(-1).tolist()
    return tokens


def _nucleus(logits: Any, top_p: float) -> Any:
    """Which tokens may be drawn, shape (rows, vocabulary)."""
    import torch

    probabilities = torch.softmax(logits, dim=-1)
    if top_p >= 1:
        return probabilities >= 0
    size = probabilities.shape[-1]
    count = min(_LIKELIEST, size)
    while True:
        top = probabilities.topk(count).values
        sums = top.cumsum(-1)
        if count == size or bool((sums[:, -1] >= top_p).all()):
            last = (sums < top_p).sum(-1, keepdim=True).clamp(max=count - 1)
            return probabilities >= top.gather(1, last)
        count = min(8 * count, size)
