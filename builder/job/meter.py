"""Counts what the engine writes while a run goes on: for the display, and for later plans."""

from __future__ import annotations

import time

from builder.job.estimate import RunPace, tell_money, tell_number
from builder.job.reporter import Reporter
from synthesis.data import Context, Rejected, Usage
from synthesis.options import CostConfig, RunConfig
from synthesis.run.budget import price_of
from synthesis.run.journal import Journal


class Meter:
    """Watches the outcomes of one run; ``count`` is called with each."""

    def __init__(self, config: RunConfig, journal: Journal, reporter: Reporter) -> None:
        self._cost, self._journal, self._reporter = config.cost, journal, reporter
        self._began = time.monotonic()
        self._before = journal.usage
        self._contexts = self._words = 0

    def count(self, outcome: Context | Rejected) -> None:
        """One more pair is done."""
        if isinstance(outcome, Context):
            self._contexts += 1
            self._words += outcome.words
        self._reporter.advance()
        usage = self._journal.usage
        if usage.output_tokens:
            self._reporter.note(tell_usage(usage, self._cost))

    def pace(self) -> RunPace | None:
        """How this run went; None if it wrote nothing."""
        if not self._contexts:
            return None
        written = self._journal.usage.output_tokens - self._before.output_tokens
        seconds = time.monotonic() - self._began
        return RunPace(self._contexts, self._words, written, round(seconds, 3))


def tell_usage(usage: Usage, cost: CostConfig) -> str:
    """Tokens in and out, and what they cost if that is known."""
    text = f"{tell_number(usage.prompt_tokens)} tokens in, {tell_number(usage.output_tokens)} out"
    money = price_of(usage, cost.price)
    return text if money is None else f"{text}, {tell_money(money, cost)}"
