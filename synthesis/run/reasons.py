"""The reasons of a run's contexts: journaled as each comes, found again, and asked for where they lack.

A work for each context that is there, in the same conversations as contexts are asked for: replies that are
to be repaired and what came of them are in ``reasons.jsonl``. A context is neither lost for want of reasons
nor written again because some are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from synthesis.data import Completion, Context, Pair, Prompt, Reason, Rejected, Usage, content_hash
from synthesis.engines.base import BaseEngine, Items
from synthesis.lazy_sequence import OnDemand
from synthesis.options import GenerationConfig, RunConfig
from synthesis.run.alike import Alike
from synthesis.run.arrivals import tray_for
from synthesis.run.batches import journaled
from synthesis.run.budget import NO_BUDGET, Budget, Spending
from synthesis.run.conversations import Bounds, Conversations, Finished, ReplyTray, Work, converse
from synthesis.run.journal import Journal
from synthesis.run.mix import configured_engine
from synthesis.run.reasoning import STAGE, WORDS, Reasoned, Reasoner, reasons_writer, with_steps
from synthesis.run.records import understood
from synthesis.run.repair import may_be_asked_again


class Reasons:
    """The reasons in a journal: which contexts have some, and which are still to be asked for."""

    def __init__(self, journal: Journal) -> None:
        self._log = journal.reasons

    def find(self, pair: Pair, context: Context) -> Reasoned | None:
        """What was last written for a context; None if nothing ever was."""
        name = _name(pair, context)
        if name not in self._log:
            return None
        with understood(self._log.path):
            return self._read(self._log.read(name)["of"])

    def lacks(self, reasoner: Reasoner, prompt: Prompt) -> bool:
        """Whether a prompt is still to be asked: it never was, its engine failed, or it may be repaired."""
        known = self._read(_outcome(prompt))
        if known is None or known.rejected is None:
            return known is None
        failed = known.rejected.reason.startswith("error")
        return failed or may_be_asked_again(known.rejected, reasoner.repairs)

    def add(
        self, pair: Pair, context: Context, prompt: Prompt, found: Reasoned, usage: Usage | None = None
    ) -> None:
        """Record what came of a prompt. What holds is never given up for what does not."""
        body: dict[str, object] = {"reasons": found.reasons, "model": found.model}
        if (dropped := found.rejected) is not None:
            known = self._read(_outcome(prompt))
            # A request that fails for good is never settled, and recorded once all the same.
            if known and known.rejected and known.rejected.reason == dropped.reason:
                return
            body = {"reason": dropped.reason, "text": dropped.text, "attempts": dropped.attempts}
        self._log.append(_outcome(prompt), pair.id, body, usage, prompt.writer)
        self.settle(pair, context, prompt)

    def settle(self, pair: Pair, context: Context, prompt: Prompt) -> None:
        """Make what is recorded for a prompt that which counts, unless it failed and the other did not."""
        found, before = self._read(_outcome(prompt)), self.find(pair, context)
        if found is None or found == before or (before and before.reasons and not found.reasons):
            return
        self._log.append(_name(pair, context), pair.id, {"of": _outcome(prompt)})

    def find_reply(self, prompt: Prompt) -> Completion | None:
        """The reply recorded for a prompt whose work went on after it."""
        if prompt.fingerprint not in self._log:
            return None
        record = self._log.read(prompt.fingerprint)
        with understood(self._log.path):
            _, asked, given = record.get("usage", (0, 0, 0))
            return Completion(prompt.id, record["text"], record["finish_reason"], asked, given)

    def keep_reply(self, prompt: Prompt, completion: Completion) -> None:
        """Record a reply whose work goes on."""
        body = {"text": completion.text, "finish_reason": completion.finish_reason}
        self._log.append(prompt.fingerprint, prompt.pair_id, body, Usage.of(completion), prompt.writer)

    def _read(self, name: str) -> Reasoned | None:
        if name not in self._log:
            return None
        record = self._log.read(name)
        with understood(self._log.path):
            if "reasons" in record:
                return Reasoned(tuple(Reason(*one) for one in record["reasons"]), record["model"])
            told = (record["reason"], record["text"], name, record["attempts"])
            return Reasoned(rejected=Rejected(record["pair_id"], STAGE, *told))


@dataclass(frozen=True, slots=True)
class _Kept:
    """The replies of works that go on, as conversations look for them."""

    reasons: Reasons

    def find(self, prompt: Prompt) -> Completion | None:
        return self.reasons.find_reply(prompt)

    def keep(self, prompt: Prompt, completion: Completion) -> None:
        self.reasons.keep_reply(prompt, completion)


def _outcome(prompt: Prompt) -> str:
    """What the outcome of a prompt is found by; its own name is that of its reply."""
    return content_hash(STAGE, prompt.fingerprint)


def _name(pair: Pair, context: Context) -> str:
    """What the reasons that count for a context are found by, whoever wrote them."""
    return content_hash(STAGE, pair.id, pair.instruction, pair.answer, context.text)


def lacking(
    reasoner: Reasoner, rows: Iterable[tuple[Pair, Context]], reasons: Reasons
) -> Iterator[tuple[Pair, Context, Prompt]]:
    """The contexts whose reasons are still to be asked for, each once."""
    seen = set()
    for pair, context in rows:
        prompt = reasoner.prompt(pair, context)
        if prompt.id not in seen and reasons.lacks(reasoner, prompt):
            seen.add(prompt.id)
            yield pair, context, prompt


def reasons_to_write(config: RunConfig, journal: Journal) -> int:
    """How many of a run's contexts lack the reasons that are wanted; what is there counts from now on."""
    if not config.reasons.wanted:
        return 0
    reasoner, reasons, todo = Reasoner.of(config), Reasons(journal), 0
    for pair, context in journal.current_contexts():
        prompt = reasoner.prompt(pair, context)
        if reasons.lacks(reasoner, prompt):
            todo += 1
        else:
            reasons.settle(pair, context, prompt)
    return todo


@contextmanager
def reasons_engine(
    config: RunConfig, writing: BaseEngine | None, made: GenerationConfig | None = None
) -> Iterator[BaseEngine]:
    """Who is asked for reasons: the engine that is ``writing`` if it is the same, else one of its own.

    The other is freed first, for its room. ``made`` is how it was made, by default as the run says.
    """
    wanted = reasons_writer(config)
    if writing is not None and wanted == (made or config.generation):
        yield writing
        return
    if writing is not None:
        writing.close()
    with closing(configured_engine(wanted)) as engine:
        yield engine


def write_reasons(
    reasoner: Reasoner,
    engine: BaseEngine,
    journal: Journal,
    budget: Budget = NO_BUDGET,
    stop_after: int = 0,
    on_reply: Callable[[Completion], object] = lambda _: None,
    tick: Callable[[], object] = lambda: None,
) -> str:
    """Have the reasons written that a journal's contexts lack, each recorded as it is finished.

    Returns why it was ended early (``stop_after`` failed alike in a row); else nothing. What a ``budget``
    does not reach is left for another time.

    Raises:
        EngineError: the engine failed as a whole.
    """
    engine, reasons = journaled(engine, journal.folder), Reasons(journal)
    alike = Alike(stop_after)
    todo = lacking(reasoner, journal.current_contexts(), reasons)
    with tray_for(engine, journal.folder) as tray:
        asking = Asking(reasoner, engine, todo, reasons)
        works = asking.works(Spending(budget, journal, Usage(1, 0, 3 * WORDS)), tray)
        with closing(converse(engine, works, reasoner.asking, on_reply)) as ended:
            for one in ended:
                found, context = asking.record(one), one.outcome.context
                tick()
                if not alike.goes_on(found.rejected or context):
                    return alike.reason
        if tray is not None and not works.waiting and tray.is_settled:
            tray.remove()
    return ""


class _Ended(NamedTuple):
    """A work that has ended."""

    context: Context
    prompt: Prompt
    found: Reasoned


class Asking:
    """The works of contexts that lack reasons, and the record of what came of them."""

    def __init__(
        self,
        reasoner: Reasoner,
        engine: BaseEngine,
        rows: Iterable[tuple[Pair, Context, Prompt]],
        reasons: Reasons,
    ) -> None:
        self._reasoner, self._engine, self._rows, self._reasons = reasoner, engine, rows, reasons
        self._open: dict[str, Context] = {}

    def works(self, bounds: Bounds | None = None, tray: ReplyTray | None = None) -> Conversations[_Ended]:
        """The works, as an engine is given them."""
        return Conversations(Items(self._prompts()), self._begin, _Kept(self._reasons), bounds, tray)

    def record(self, ended: Finished[_Ended]) -> Reasoned:
        """Record what came of a work; what it was."""
        context, prompt, found = ended.outcome
        self._reasons.add(ended.pair, context, prompt, found, ended.usage)
        return found

    def _prompts(self) -> Iterator[tuple[Pair, Prompt]]:
        for pair, context, prompt in self._rows:
            self._open[prompt.id] = context
            writers = self._engine.writers(pair.id, self._reasoner.sampling.seed)
            # Of several models the one that wrote the context, if it is known.
            own = (name for name in writers if self._engine.part(name).model == context.model)
            yield pair, replace(prompt, writer=next(own, writers[0]))

    def _begin(self, pair: Pair, prompt: Prompt) -> Work[_Ended]:
        context = self._open.pop(prompt.id)
        model = self._engine.part(prompt.writer).model
        found = yield from self._reasoner.work(pair, context, prompt, model)
        return _Ended(context, prompt, found)


class ReasonedRows(OnDemand[tuple[Pair, Context]]):
    """Contexts with the reasons that a journal has for them.

    What a model's reasons quote is evidence, where a context has no other.
    """

    def __init__(self, rows: Sequence[tuple[Pair, Context]], reasons: Reasons) -> None:
        self._rows, self._reasons = rows, reasons

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, place: int) -> tuple[Pair, Context]:
        """A pair with its context."""
        pair, context = self._rows[place]
        found = self._reasons.find(pair, context)
        return pair, with_steps(context, found) if found else context
