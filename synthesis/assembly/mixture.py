"""Several lengths at once: how they are written, and which item gets which.

Knows nothing of texts: an item is its task and a random key.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from math import floor, fsum, isfinite
from typing import Final, TypeAlias

from synthesis.errors import UsageError
from synthesis.tokens import parse_length

Length: TypeAlias = int | str | Mapping[int | str, float] | Mapping[str, float]
"""Tokens, as 8192 or ``8k``, or shares of several lengths, as ``4k:0.2,32k:0.8`` or a mapping."""

_NEAR_ONE: Final = 1e-9


def parse_lengths(lengths: str) -> list[tuple[int, float | None]]:
    """Tokens and share of each length in ``4k:0.2,32k:0.5,128k:0.3`` or ``4k,8k`` (shares None).

    Shares are proportions: they are scaled to sum to 1 where they do not.

    Raises:
        UsageError: a length or share is unusable, a length stands twice, or only some have shares.
    """
    parts = [part.strip() for part in lengths.split(",")]
    named = [part.partition(":") for part in parts if part]
    with_share = [bool(colon) for _, colon, _ in named]
    tokens = [parse_length(length.strip()) for length, _, _ in named]
    if not named or len(set(tokens)) < len(tokens) or any(with_share) != all(with_share):
        raise UsageError(
            f"lengths {lengths!r} cannot be used. Name each length once, and give a share to all or to none, "
            "as in 4k,8k or 4k:0.2,32k:0.8."
        )
    if not with_share[0]:
        return [(length, None) for length in tokens]
    shares = _scaled(
        {length: _share(share, lengths) for length, (_, _, share) in zip(tokens, named, strict=True)}
    )
    return [(length, share) for length, share in shares.items()]


def parse_mixture(length: Length) -> dict[int, float]:
    """Shares, summing to 1, by tokens; one length has all of it.

    Raises:
        UsageError: as ``parse_lengths``, there is no length, or there are several without shares.
    """
    if isinstance(length, Mapping):
        shares = {parse_length(one): _share(share, length) for one, share in length.items()}
        if not shares or len(shares) < len(length):
            raise UsageError(f"lengths {length!r} cannot be used. Name each length once, with its share.")
        return _scaled(shares)
    parsed = parse_lengths(length) if isinstance(length, str) else [(parse_length(length), None)]
    if len(parsed) > 1 and parsed[0][1] is None:
        raise UsageError(
            f"lengths {length!r} have no shares. Write 4k:0.5,8k:0.5 for samples of mixed lengths, "
            "or call once for each length."
        )
    return {tokens: share or 1.0 for tokens, share in parsed}


def _share(share: object, whole: object) -> float:
    try:
        value = float(share) if isinstance(share, str | int | float) else 0.0
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0.0) or isinstance(share, bool):
        raise UsageError(
            f"{whole!r}: the share {share!r} is not a number above 0. Write it as in 4k:0.2,32k:0.8."
        )
    return value


def _scaled(shares: dict[int, float]) -> dict[int, float]:
    total = fsum(shares.values())
    if abs(total - 1.0) < _NEAR_ONE:
        return shares
    return {length: share / total for length, share in shares.items()}


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """``total`` divided by ``shares`` into whole numbers (largest remainders first)."""
    exact = [total * share for share in shares]
    counts = [floor(value + _NEAR_ONE) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda part: (counts[part] - exact[part], part))
    for part in by_remainder[: total - sum(counts)]:
        counts[part] += 1
    return counts


def assign(groups: Sequence[int], keys: Sequence[int], shares: Sequence[float]) -> array[int]:
    """Which share each item falls to: exactly proportional in all, nearly so in every group.

    Items are lined up by group and random key, and the shares dealt out along the line so that
    none ever lags far behind (largest deficit first). An item's share depends on the set of items,
    not on their order.
    """
    line = sorted(range(len(keys)), key=lambda item: (groups[item], keys[item]))
    counts = apportion(len(line), shares)
    given = [0] * len(shares)
    assigned = array("L", [0]) * len(line)
    for rank, item in enumerate(line, 1):
        open_ones = [part for part in range(len(shares)) if given[part] < counts[part]]
        part = max(open_ones, key=lambda each: (counts[each] * rank / len(line) - given[each], -each))
        given[part] += 1
        assigned[item] = part
    return assigned
