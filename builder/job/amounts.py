"""Amounts in plain words: tokens, money, bytes; and the budget that a configuration sets."""

from __future__ import annotations

from collections.abc import Mapping

from synthesis.data import Usage
from synthesis.options import CostConfig, RunConfig
from synthesis.run.budget import Budget


def budget_of(config: RunConfig) -> Budget:
    """The budget of a configuration; none unless it has one."""
    cost = config.cost
    return Budget(cost.max_total_tokens, cost.max_cost, cost.price, config.generation.prices)


def tell_usage(usage: Usage, config: RunConfig, writer: str = "") -> str:
    """Tokens in and out, and what they cost if that is known of their writer."""
    return tell_usages({writer: usage}, config)


def tell_usages(usages: Mapping[str, Usage], config: RunConfig) -> str:
    """The same of several writers together."""
    text, money = tell_tokens(sum(usages.values(), Usage())), budget_of(config).money(usages)
    return text if money is None else f"{text}, {tell_money(money, config.cost)}"


def tell_tokens(usage: Usage) -> str:
    """Tokens in and out."""
    return f"{tell_number(usage.prompt_tokens)} tokens in, {tell_number(usage.output_tokens)} out"


def tell_money(money: float, cost: CostConfig) -> str:
    """An amount with its currency; small ones keep their digits."""
    return f"{money:.4f} {cost.currency}" if 0 < money < 0.1 else f"{money:,.2f} {cost.currency}"


def tell_number(number: float) -> str:
    """An amount in three digits: 0.25, 950, 12.3k, 4.56M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{unit}"
    return f"{number:.2g}" if 0 < number < 1 else f"{number:.0f}"


def tell_bytes(size: float) -> str:
    """A size in decimal units."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= limit:
            return f"{size / limit:.3g} {unit}"
    return f"{size / 1e3:.3g} kB"
