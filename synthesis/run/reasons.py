"""Reasons: the steps from a context to its answer, written by a model, each with a quotation that was checked.

A work for each context that is there, asked in the same conversations as contexts are and journaled as they
are: replies that are to be repaired among the steps, what came of it in ``reasons.jsonl``. A context is never
lost for want of reasons, and never written again because some are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, NamedTuple

from synthesis.data import Completion, Context, Pair, Prompt, Reason, Rejected, Usage, content_hash
from synthesis.engines.base import BaseEngine, Items, Sampling
from synthesis.gate.reasons import judged_reasons
from synthesis.lazy_sequence import OnDemand
from synthesis.prompts import Template
from synthesis.prompts.reasons import build_reasons_prompt
from synthesis.run.alike import Alike
from synthesis.run.conversations import Bounds, Conversations, Finished, Replies, ReplyTray, Work, converse
from synthesis.run.journal import Journal
from synthesis.run.records import understood
from synthesis.run.repair import Checked, ask, may_be_asked_again

STAGE: Final = "reasons"
WORDS: Final = 90
"""About how many words a reply has."""

_WHAT: Final = "all steps and the answer"


class Reasoned(NamedTuple):
    """What came of asking: the context with its reasons, or why it has none."""

    context: Context
    rejected: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Reasoner:
    """How reasons are asked for; ``by`` is all besides template and sampling that a reply depends on."""

    template: Template
    sampling: Sampling
    repairs: int
    by: tuple[object, ...]
    model: str

    def prompt(self, pair: Pair, context: Context) -> Prompt:
        """The prompt for a context."""
        asked = (pair.instruction, pair.answer, context.text)
        shaped = (self.template.text, self.sampling.to_dict(), self.by)
        return build_reasons_prompt(pair, context, self.template, content_hash(STAGE, *asked, *shaped))

    def work(self, pair: Pair, context: Context) -> Work[Reasoned]:
        """The work of one context: a reply, asked for again up to ``repairs`` times."""
        prompt = self.prompt(pair, context)

        def check(reply: Completion) -> Checked[tuple[Reason, ...]]:
            return Checked(*judged_reasons(reply, pair, context))

        answered = yield from ask(prompt, check, self.repairs, _WHAT)
        if answered.value is None:
            return Reasoned(context, replace(answered.rejected(prompt), stage=STAGE))
        return Reasoned(replace(context, reasons=answered.value, reasons_model=self.model))


def name_of(context: Context, pair: Pair) -> str:
    """What the reasons of a context are found by, whoever wrote them."""
    return content_hash(STAGE, pair.instruction, pair.answer, context.text)
