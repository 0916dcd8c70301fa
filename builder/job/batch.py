"""A run through the Batch API, step by step: submit, status, fetch, cancel; each on any day.

Its pairs as they were when they were submitted are kept in its journal.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from builder.job.amounts import budget_of
from builder.job.execute import Summary, checked_tokenizer, reassemble
from builder.job.origin import Origin, record_origin, writing_folder
from builder.job.pairs import PairsCopy
from builder.job.reporter import Reporter
from synthesis.data import Completion, Pair, Prompt, Rejected
from synthesis.engines import engine_class
from synthesis.errors import ConfigError, EngineError, UsageError
from synthesis.options import RunConfig, override
from synthesis.run.batches import BatchLog, JournaledBatches, clear_up
from synthesis.run.conversations import Conversations
from synthesis.run.folder import RunFolder
from synthesis.run.job import Job, make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import Row, generate, standing
from synthesis.run.reasoning import Reasoner, reasons_writer
from synthesis.run.reasons import Asking, Reasons, lacking
from synthesis.storage import in_shell

if TYPE_CHECKING:
    from synthesis.engines.openai.batch import BatchEngine, BatchJob, BatchStatus


_REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Left:
    """Prompts without a reply: ``in_flight`` in a batch, ``to_send`` in none."""

    in_flight: int = 0
    to_send: int = 0

    def __bool__(self) -> bool:
        return bool(self.in_flight or self.to_send)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a submission sent.

    ``before`` counts requests in flight already; ``found`` are batches among them that had
    gone unheard; ``stale`` says that the source is gone and the copy of its pairs was used.
    """

    sent: list[BatchJob]
    found: list[BatchJob]
    before: int
    host: str
    stale: bool

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return sum(len(batch.prompt_ids) for batch in self.sent)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched: batches, replies in them, and why others have none yet."""

    batches: int
    replies: int
    lost: Counter[str]
    left: Left


class Look(NamedTuple):
    """A batch and how it stands; None if that is known without asking (``fetched`` or ``unheard``)."""

    batch: BatchJob
    status: BatchStatus | None
    note: str


@dataclass(frozen=True, slots=True)
class _OpenRun:
    """A run's folder opened for work on its batches."""

    folder: RunFolder
    job: Job
    engine: BatchEngine
    journal: Journal
    log: BatchLog
    pairs: PairsCopy = field(hash=False)
    reasoner: Reasoner | None = None

    def advance(self, rows: Iterable[Pair | Rejected]) -> Iterator[Prompt]:
        """Put the replies at hand through, as a run does; yield the prompts without one.

        A pair at a time, so that memory holds none of those that wait.
        """
        for row in standing(self.job, rows, self.journal):
            for pair, prompt in row.missing(self.job, self.journal):
                yield from self._advance_one(pair, prompt)
            if self.reasoner is not None and row.prompts and self.job.has_outcomes(row.asked, self.journal):
                yield from self._advance_reasons(self.reasoner, row)

    def _advance_reasons(self, reasoner: Reasoner, row: Row) -> Iterator[Prompt]:
        """The same for the reasons of the contexts that were written for a row."""
        kept = self.job.chosen(row.asked, self.journal)
        if kept is None or (kept := self.journal.stand_in(kept)) not in self.journal.contexts:
            return
        reasons = Reasons(self.journal)
        for name in (kept, *self.job.others(row.asked, kept, self.journal)):
            own = [self.journal.find_context(name)[:2]]
            asking = Asking(reasoner, self.engine, lacking(reasoner, own, reasons), reasons)
            works = asking.works()
            yield from self._replied(works)
            for ended in works.finished():
                asking.record(ended)

    def _advance_one(self, pair: Pair, prompt: Prompt) -> Iterator[Prompt]:
        works = self.job.works([(pair, prompt)], self.journal)
        yield from self._replied(works)
        for made, outcome, usage, writer in self.job.ended(works.finished()):
            # A request that fails for good is never settled, and recorded once all the same.
            if outcome != self.journal.find_rejected(prompt.fingerprint):
                self.journal.add(outcome, made, usage, self.job.mark(outcome, made), writer)

    def _replied(self, works: Conversations[Any]) -> Iterator[Prompt]:
        """Give works the replies that are there; the request that waits for one that is not, if any does."""
        while (asked := works.pull()) is not None:
            reply = self.log.find(asked.id)
            if reply is None:
                yield asked
                return
            works.take(reply)

    def ended(self) -> list[tuple[BatchJob, BatchStatus]]:
        """The batches whose replies can be taken."""
        looks = [(batch, self.engine.status(batch)) for batch in self.log.in_flight()]
        return [(batch, status) for batch, status in looks if status.ended]

    def collect(self, batch: BatchJob, status: BatchStatus, reporter: Reporter) -> Counter[str]:
        """Keep the replies of a batch; how many there were, and how many prompts got none and why."""
        ends: Counter[str] = Counter()
        for end in self.log.collected(batch, self.engine.fetch(batch, self.job.asking, status)):
            reporter.advance()
            ends[_REPLY if isinstance(end, Completion) else end.failure.kind.value] += 1
        return ends

    def left(self) -> Left:
        """What is still without a reply, after those at hand were put through."""
        flying = {prompt_id for batch in self.log.in_flight() for prompt_id in batch.prompt_ids}
        found = Counter(prompt.id in flying for prompt in self.advance(self.pairs.rows()))
        return Left(found[True], found[False])


def submit(config: RunConfig, reporter: Reporter) -> Submitted:
    """Send every prompt that is neither done nor in flight.

    Raises:
        ConfigError: a budget is given, which nothing of what is sent could be held against.
    """
    if budget_of(config):
        raise ConfigError(
            "what a batch takes is known only when it is back, so that --max-cost and --max-total-tokens "
            "bound nothing here; send fewer pairs with --limit, and see with plan what they would cost"
        )
    writing_folder(config)
    checked_tokenizer(config)  # before anything is paid
    with _opened(config) as run:
        run.folder.write_config(config)
        found = clear_up(run.engine, run.log)
        reporter.stage("reading pairs", None)
        fresh = run.pairs.take(config, reporter.advance)
        taken = {prompt_id for batch in run.log.in_flight() for prompt_id in batch.prompt_ids}
        before = len(taken)

        def pending() -> Iterator[Prompt]:
            for prompt in run.advance(run.pairs.rows()):
                if prompt.id not in taken:
                    taken.add(prompt.id)
                    reporter.advance()
                    yield prompt

        reporter.stage("submitting", None)
        sent = list(run.engine.submit(pending(), run.job.asking, run.log.record))
        return Submitted(sent, found, before, run.engine.host, not fresh)


def status(folder: Path) -> Iterator[Look]:
    """How each batch of a run stands. Writes nothing."""
    config = saved_config(folder)
    with closing(make_job(config)) as job:
        log = BatchLog(RunFolder(folder).journal, writable=False)
        in_flight, unheard = log.in_flight(), log.unheard()
        for batch in log.jobs:
            if batch in unheard:
                yield Look(batch, None, "unheard")
            elif batch in in_flight:
                yield Look(batch, _engine(job).status(batch), "")
            else:
                yield Look(batch, None, "fetched")


def fetch(folder: Path, reporter: Reporter, *, wait: bool = False) -> Fetched:
    """Take the replies of every batch that has ended; with ``wait``, until all have."""
    config = saved_config(folder)
    with _opened(config) as run:
        run.pairs.ensure(config)
        clear_up(run.engine, run.log)
        reporter.stage("fetching replies", sum(len(batch.prompt_ids) for batch in run.log.in_flight()))
        ends: Counter[str] = Counter()
        batches = 0
        troubles: list[EngineError] = []
        while True:
            for batch, state in run.ended():
                try:
                    ends += run.collect(batch, state, reporter)
                    batches += 1
                except EngineError as error:  # the other batches are no worse for it
                    troubles.append(error)
            if troubles or not wait or not run.log.in_flight():
                break
            time.sleep(run.engine.poll_seconds)
        run.log.learn(run.engine.dialect)
        if troubles:
            raise troubles[0]
        reporter.stage("writing contexts", None)
        return Fetched(batches, ends.pop(_REPLY, 0), ends, run.left())


def finish(config: RunConfig, reporter: Reporter) -> Summary:
    """Build the dataset as ``run`` does at its end; nothing may be left."""
    with _opened(config) as run:
        run.pairs.ensure(config)
        at_hand = JournaledBatches(run.engine, run.folder.journal)
        generate(replace(run.job, engine=at_hand), run.pairs.rows(), run.journal)
        record_origin(run.folder, Origin(run.engine.name, run.engine.model, run.pairs.source()))
    return reassemble(config, reporter)


def cancel(folder: Path) -> list[BatchJob]:
    """End the batches in flight; what they have answered is there to be fetched."""
    with _opened(saved_config(folder)) as run:
        clear_up(run.engine, run.log)
        ended = [batch for batch in run.log.in_flight() if not run.engine.status(batch).ended]
        for batch in ended:
            run.engine.cancel(batch)
        return ended


def saved_config(folder: Path) -> RunConfig:
    """The configuration of a run that was submitted.

    Raises:
        UsageError: the folder holds none.
    """
    run = RunFolder(folder)
    config = run.read_config("batch submit")
    through_batches = engine_class(config.generation.engine).outlives_process
    if not through_batches or not BatchLog.in_folder(run.journal):
        raise UsageError(
            f"nothing was submitted from {folder}; do it with: "
            f"context-synthesis batch submit {in_shell(run.config)}"
        )
    return override(config, {"out": str(folder)})


@contextmanager
def _opened(config: RunConfig) -> Iterator[_OpenRun]:
    folder = RunFolder(config.out_dir)
    folder.check()
    with (
        closing(make_job(config)) as job,
        folder.locked(),
        Journal(folder.journal) as journal,
        BatchLog(folder.journal) as log,
    ):
        # What another engine is asked for comes when the replies of this one are there.
        asks = config.reasons.wanted and reasons_writer(config) == config.generation
        reasoner = Reasoner.of(config) if asks else None
        yield _OpenRun(folder, job, _engine(job), journal, log, PairsCopy(folder.journal), reasoner)


def _engine(job: Job) -> BatchEngine:
    from synthesis.engines.openai.batch import BatchEngine

    assert isinstance(job.engine, BatchEngine)  # the configuration says so
    return job.engine
