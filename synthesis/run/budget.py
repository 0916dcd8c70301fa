"""A budget in tokens or money: which pairs may still be begun, and when a run leaves what is open.

Knows what replies took and what they cost; knows nothing of how they are had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synthesis.data import Prompt, Usage
from synthesis.run.journal import Journal

MARGIN = 0.1
"""What is open is finished, unless that exceeds the budget by this share of it."""

_MILLION = 1_000_000
# A rough guess until the first pairs have told: characters of a prompt and words of a reply per token.
_CHARACTERS_PER_TOKEN, _TOKENS_PER_WORD = 4, 1.5


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that the replies of a folder may take, all its runs together; 0 means no limit.

    ``cost`` is in the currency of ``price``, which is for a million tokens in and a million out; ``prices``
    are those of models of a mix that have their own.
    """

    tokens: int = 0
    cost: float = 0.0
    price: tuple[float, ...] = ()
    prices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tokens or self.cost)

    def money(self, usages: Mapping[str, Usage]) -> float | None:
        """What replies cost, by who wrote them; None where that is not known of all."""
        costs = [
            price_of(usage, self.prices.get(writer, self.price))
            for writer, usage in usages.items()
            if usage.replies or usage.prompt_tokens
        ]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) and (costs or self.price or self.prices) else None

    def share(self, usages: Mapping[str, Usage]) -> float:
        """How much of it the replies of each writer take together: 1 is all of it."""
        usage, shares = sum(usages.values(), Usage()), [0.0]
        if self.tokens:
            shares.append((usage.prompt_tokens + usage.output_tokens) / self.tokens)
        if self.cost:
            shares.append((self.money(usages) or 0.0) / self.cost)
        return max(shares)

    def most(self, usage: Usage) -> float:
        """How much of it replies take, whoever wrote them, at most."""
        return max(self.share({writer: usage}) for writer in ("", *self.prices))


NO_BUDGET = Budget()


class Spending:
    """How a run stands against its budget; what earlier runs of the folder took counts as well."""

    def __init__(self, budget: Budget, journal: Journal, guess: Usage) -> None:
        """Watch a journal.

        Args:
            budget: what bounds it. Where replies are recorded without their tokens, the guess counts.
            journal: where the run's replies are recorded.
            guess: what a pair may take, until some have told.
        """
        self._budget, self._journal, self._guess = budget, journal, guess
        self._rejected = len(journal.rejected)

    def may_begin(self, open: int) -> bool:
        """Whether there is enough for another pair, if those that are ``open`` take what others took."""
        return not self._budget or self._spent + (open + 1) * self._each <= 1

    def may_go_on(self) -> bool:
        """Whether pairs that were begun are still to be finished."""
        return not self._budget or self._spent <= 1 + MARGIN

    @property
    def _spent(self) -> float:
        usages = self._journal.usage_by
        usage = sum(usages.values(), Usage())
        if usage.replies and not usage.output_tokens and self._guess.replies:
            # A server that tells no numbers is not free.
            replies = usage.replies / self._guess.replies
            return replies * self._budget.most(self._guess)
        return self._budget.share(usages)

    @property
    def _each(self) -> float:
        ended = len(self._journal.contexts) + len(self._journal.rejected) - self._rejected
        if not ended:
            return self._budget.most(self._guess)
        # Of several models that differ, any may be whose turn it is, and the dear ones may be the slow ones.
        usages = self._journal.usage_by
        writers = {*self._budget.prices, *usages} - {""}
        return max(self._spent / ended, *(self._each_of(writer, usages) for writer in writers), 0.0)

    def _each_of(self, writer: str, usages: Mapping[str, Usage]) -> float:
        ended = sum(
            log.usages[writer].replies
            for log in (self._journal.contexts, self._journal.rejected)
            if writer in log.usages
        )
        if not ended:
            return self._budget.share({writer: self._guess})
        return self._budget.share({writer: usages[writer]}) / ended


def price_of(usage: Usage, price: tuple[float, ...]) -> float | None:
    """What tokens cost at the prices for a million in and a million out; None without prices."""
    if not price:
        return None
    price_in, price_out = price
    return (usage.prompt_tokens * price_in + usage.output_tokens * price_out) / _MILLION


def guessed(prompt: Prompt, replies: int) -> Usage:
    """What a pair may take whose context is written in so many replies."""
    characters = sum(len(message.content) for message in prompt.messages)
    words = int(prompt.variables["words"])
    return Usage(replies, replies * characters // _CHARACTERS_PER_TOKEN, round(words * _TOKENS_PER_WORD))
