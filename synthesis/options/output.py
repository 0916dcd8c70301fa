"""What a run costs, and the dataset it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.settings import apart

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class CostConfig:
    """What replies cost, for ``plan`` and the totals of a run, and how much they may.

    ``price`` is for a million tokens in and a million out, in ``currency``; ``rate`` is output
    tokens per second. Empty and 0 mean unknown. ``max_cost`` and ``max_total_tokens`` bound all that
    the runs of a folder take together; ``stop_after`` ends a run in which everything fails alike.
    """

    price: tuple[float, ...] = apart(
        (),
        "What a million tokens cost, in and out, as in 0.15,0.60.",
        metavar="IN,OUT",
        valid=lambda prices: len(prices) in (0, 2) and all(price >= 0 for price in prices),
        expected="two prices for a million tokens, in and out, as in 0.15,0.60",
    )
    currency: str = apart("USD", "What prices are in.")
    max_cost: float = apart(
        0.0, "Begin no more pairs when so much is spent in the folder.", low=0, zero="no limit"
    )
    max_total_tokens: int = apart(
        0,
        "Begin no more pairs when so many tokens, in and out, are spent, as in 100k or 2M.",
        low=0,
        zero="no limit",
        counts=True,
    )
    rate: float = apart(
        0.0, "Output tokens per second, to foresee the time.", low=0, expected="output tokens per second"
    )
    stop_after: int = apart(20, "Stop when so many pairs in a row were rejected alike.", low=1, zero="never")


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """The dataset folder. An empty ``name`` is made from the engine and model."""

    name: str = apart(
        "",
        "Base name of the dataset's configs.",
        default="the model's, else the engine's",
        valid=lambda name: not name or _NAME.fullmatch(name) is not None,
        expected="lower-case letters, digits, '.', '_' and '-'",
    )
    language: tuple[str, ...] = apart(
        ("en",), "Languages named in the card, as in en,fr.", flag="--dataset-language"
    )
    license: str = apart("", "Licence named in the card, as in cc-by-4.0.")
    rejected: bool = apart(
        True, "Publish what was rejected, as a config of its own.", flag="--rejected/--no-rejected"
    )
