"""Which depth each sample is asked for: 0 puts its own context first, 1 puts it last.

Depths follow from content and seed, never from a sample's position or a worker's share.
Knows nothing of texts; what depth is achieved is measured when the documents are laid out.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from synthesis.errors import UsageError

DepthSpec = str | float | Sequence[float]

_NAMED: Final = {"start": 0.0, "middle": 0.5, "end": 1.0}
_FRACTION_BITS: Final = 20


def parse_depth(depth: DepthSpec) -> tuple[float, ...] | None:
    """The depths to take in turn, or ``None`` for depths spread evenly over [0, 1].

    Accepts ``uniform``, ``start``, ``middle``, ``end``, a number, a sequence of numbers, or
    their text (``"0.25"``, ``"0,0.5,1"``).

    Raises:
        UsageError: it is none of these, or a number lies outside [0, 1].
    """
    if depth == "uniform":
        return None
    if isinstance(depth, str):
        parts: Sequence[object] = depth.split(",")
    else:
        parts = list(depth) if isinstance(depth, Sequence) else [depth]
    values = tuple(_value(part) for part in parts)
    if not values or any(value is None for value in values):
        raise UsageError(
            f"depth {depth!r} is not usable. Write uniform, start, middle, end, a number from 0 to 1, "
            "or several such numbers."
        )
    return tuple(value for value in values if value is not None)


def _value(part: object) -> float | None:
    if isinstance(part, str) and part.strip() in _NAMED:
        return _NAMED[part.strip()]
    if isinstance(part, bool) or not isinstance(part, str | int | float):
        return None
    try:
        value = float(part)
    except ValueError:
        return None
    return value if 0.0 <= value <= 1.0 else None


def assign_depths(values: tuple[float, ...] | None, keys: Sequence[int]) -> array[float]:
    """A depth for each sample, from its 64-bit random ``key``.

    Samples are ranked by key. Without ``values`` the sample of rank r among n gets a depth
    inside the r-th of n equal strata, so every interval of depths receives its exact share;
    with them, the values are dealt out in turn, so each is used equally often.
    """
    depths = array("d", bytes(8 * len(keys)))
    for rank, sample in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
        if values is None:
            # The rank uses a key's high bits; its low bits are free to place it in its stratum.
            within = (keys[sample] % (1 << _FRACTION_BITS)) / (1 << _FRACTION_BITS)
            depths[sample] = (rank + within) / len(keys)
        else:
            depths[sample] = values[rank % len(values)]
    return depths
