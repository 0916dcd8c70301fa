"""Counts what the engine writes while a run goes on: for the display, and for later plans."""

from __future__ import annotations

import time
from collections.abc import Callable

from builder.job.amounts import budget_of, tell_money, tell_number, tell_tokens, tell_usage
from builder.job.estimate import RunPace
from builder.job.pacing import RecentRate
from builder.job.reporter import Reporter
from synthesis.data import Completion, Context, Rejected, Usage
from synthesis.options import RunConfig
from synthesis.run.journal import Journal


class Meter:
    """Watches one run: ``count`` is called with each outcome, ``reply`` with each reply."""

    def __init__(
        self, config: RunConfig, journal: Journal, reporter: Reporter, trouble: Callable[[], str] = str
    ) -> None:
        """``trouble`` says why no reply comes, if none does; it is told then in place of the rest."""
        self._trouble, self._told = trouble, "no reply yet"
        self._config, self._journal, self._reporter = config, journal, reporter
        self._began = time.monotonic()
        self._before, self._prices = journal.usage, budget_of(config)
        self._paid = self._prices.money(journal.usage_by) or 0.0
        self._contexts = self._words = 0
        self._taken = Usage()
        self._rate = RecentRate(self._began)

    def count(self, outcome: Context | Rejected) -> None:
        """One more pair is done."""
        if isinstance(outcome, Context):
            self._contexts += 1
            self._words += outcome.words
        self._reporter.advance()

    def reply(self, completion: Completion) -> None:
        """One more reply is there, of a pair that may take others."""
        self._taken += Usage.of(completion)
        now = time.monotonic()
        self._rate.add(now, completion.output_tokens)
        count = self._taken.replies
        replies = f"{count:,} replies" if count > 1 else "1 reply"
        rate = self._rate.per_second(now)
        speed = f" ({tell_number(rate)} per second)" if rate else ""
        # Not every server tells what a reply took.
        tokens = f", {self._tell_taken()}{speed}" if self._taken.output_tokens else ""
        self._told = replies + tokens
        self._reporter.note(self.note)

    def _tell_taken(self) -> str:
        if not self._prices.prices:
            return tell_usage(self._taken, self._config)
        # Each model of a mix has its price; which of them a reply was of, the journal knows.
        paid = (self._prices.money(self._journal.usage_by) or self._paid) - self._paid
        return f"{tell_tokens(self._taken)}, {tell_money(paid, self._config.cost)}"

    def note(self) -> str:
        """How the replies come, or why they do not."""
        return self._trouble() or self._told

    def pace(self) -> RunPace | None:
        """How this run went; None if it wrote nothing."""
        if not self._contexts:
            return None
        written = self._journal.usage.output_tokens - self._before.output_tokens
        seconds = time.monotonic() - self._began
        return RunPace(self._contexts, self._words, written, round(seconds, 3))
