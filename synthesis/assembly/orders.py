"""What each item is to become: its budget and depth, and whether its context is left out.

Decided for all items before any sample is made, from numbers alone. Knows nothing of how other
documents are chosen.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

from synthesis.assembly.depth import assign_depths
from synthesis.assembly.documents import Documents
from synthesis.assembly.index import number
from synthesis.assembly.mixture import assign
from synthesis.assembly.options import Options
from synthesis.assembly.wording import Style, lay_out
from synthesis.data import Pair

# Summed counts of parts can differ from the count of the whole by a few tokens; nearer to
# the budget than this, the whole is counted.
_DOUBT_TOKENS: Final = 64


@dataclass(frozen=True, slots=True)
class Orders:
    """Of each item its budget and how many tokens it needs with no other document.

    ``depths`` are of the items that keep their context and become a sample; the items
    ``abstaining`` leave it out.
    """

    budgets: array[int]
    needs: array[int]
    abstaining: frozenset[int]
    depths: dict[int, float]

    def rooms(self) -> array[int]:
        """About how many tokens each item has for other documents; 0 for items that become nothing."""
        rooms = array("q", bytes(8 * len(self.budgets)))
        for item, budget in enumerate(self.budgets):
            if item in self.abstaining:
                rooms[item] = budget
            elif item in self.depths:
                rooms[item] = max(0, budget - self.needs[item])
        return rooms


def give_orders(documents: Documents, options: Options) -> Orders:
    """The orders that content and seed determine, whatever the order of the items."""
    index = documents.index
    keys = index.keys[: index.items]
    shares = [share for _, share in options.lengths]
    ranks = [number("length", options.seed, key) for key in keys]
    lengths = assign(index.pools[: index.items], ranks, shares)
    budgets = array("Q", (options.lengths[part][0] for part in lengths))
    needs = _needs(documents, budgets, options.style)
    by_chance = sorted(range(index.items), key=lambda item: number("abstain", options.seed, keys[item]))
    abstaining = frozenset(by_chance[: round(options.abstain * index.items)])
    depths: dict[int, float] = {}
    for part, (budget, _) in enumerate(options.lengths):
        members = [
            item
            for item in range(index.items)
            if lengths[item] == part
            and item not in abstaining
            and index.tokens[item]
            and (needs[item] <= budget or options.oversize == "trim")
        ]
        chances = [number("depth", options.seed, budget, keys[item]) for item in members]
        depths.update(zip(members, assign_depths(options.depths, chances), strict=True))
    return Orders(budgets, needs, abstaining, depths)


def _needs(documents: Documents, budgets: array[int], style: Style) -> array[int]:
    """Tokens of each item's conversation with its own context alone, exact where that decides anything."""
    index, tokenizer = documents.index, documents.tokenizer
    frames = {
        pool: tokenizer.count_chat(lay_out(Pair(task=task), "", style=style).messages)
        for pool, task in index.tasks.items()
    }
    needs = array("Q")
    for item, budget in enumerate(budgets):
        need = frames[index.pools[item]] + index.tokens[item] + index.asks[item]
        if abs(need - budget) <= _DOUBT_TOKENS:
            pair, context = documents.items[item]
            need = tokenizer.count_chat(lay_out(pair, context.text, style=style).messages)
        needs.append(need)
    return needs
