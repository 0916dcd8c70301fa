"""Replies that cannot be used are asked for again, with what was missing.

``repaired`` is the work of a pair whose context is one reply. A reply is asked for again
when it does not parse, is cut off, refuses, echoes the pair, or misses facts of the answer;
after the last attempt the best that can be used is kept, else the pair is rejected with the
last text (``checks`` has the rule). Engines that record where they put the evidence are
taken at their word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from synthesis.data import Completion, Context, Pair, Prompt, Rejected
from synthesis.repair.asking import Answered, Judged, ask, may_be_asked_again
from synthesis.repair.checks import Fault, fault_of, inspect, is_told
from synthesis.work import Work

__all__ = [
    "Answered",
    "Fault",
    "Judged",
    "Reader",
    "ask",
    "fault_of",
    "faults",
    "inspect",
    "is_told",
    "may_be_asked_again",
    "repaired",
]

Reader: TypeAlias = Callable[[Completion, Prompt], Context | Rejected]
"""Takes a reply for a context, or does not: ``parse`` with its engine's names filled in."""


def faults(pair: Pair, completion: Completion, prompt: Prompt, read: Reader) -> Judged[Context]:
    """The context of a reply, its evidence located, and what is wrong with it."""
    outcome = read(completion, prompt)
    if isinstance(outcome, Rejected):
        return Judged(None, (fault_of(outcome, completion, prompt),))
    if outcome.evidence_source == "exact":
        return Judged(outcome)
    return Judged(*inspect(outcome, pair, prompt))


def repaired(pair: Pair, prompt: Prompt, read: Reader, repairs: int) -> Work:
    """The work of one pair: one reply, asked for again up to ``repairs`` times."""
    what = f"the whole text, about {prompt.variables['words']} words,"
    answered = yield from ask(prompt, lambda reply: faults(pair, reply, prompt, read), repairs, what)
    if answered.value is None:
        return answered.rejected(prompt)
    return replace(answered.value, attempts=answered.attempts)
