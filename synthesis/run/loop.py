"""The one loop: pairs -> prompts -> engine -> contexts, journaled as each finishes.

``synthesize`` is the loop in memory, for use from Python; ``generate`` is the same loop
over a run's journal, skipping what is done. Knows nothing of Parquet, cards or the Hub.
Memory holds the prompts an engine has pulled but not answered, and nothing per row
besides the journal's index and a few bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from synthesis.data import Completion, Context, Pair, Prompt, Rejected, Usage, content_hash
from synthesis.engines.base import BaseEngine, Engine, Items, Sampling, adopted
from synthesis.errors import ConfigError
from synthesis.gate.parsing import parse
from synthesis.gate.thresholds import NO_THRESHOLDS, Thresholds
from synthesis.options import MAX_WORDS, MIN_WORDS, GenerationConfig, PairsConfig, RunConfig
from synthesis.prompts import Template, build_prompt, step_template
from synthesis.prompts.by_task import TemplatesByTask, load_templates
from synthesis.run.alike import Alike
from synthesis.run.arrivals import Arrivals
from synthesis.run.batches import journaled
from synthesis.run.budget import NO_BUDGET, Budget, Spending, guessed
from synthesis.run.candidates import (
    Mark,
    Together,
    candidate_names,
    candidate_prompts,
    check_candidates,
    marked,
)
from synthesis.run.conversations import Bounds, Conversations, Finished, Replies, ReplyTray, Work, converse
from synthesis.run.expansion import expand, expands, longest_reply, section_count
from synthesis.run.journal import Journal
from synthesis.run.mix import class_of, configured_engine
from synthesis.run.repair import may_be_asked_again, repaired
from synthesis.settings import changed
from synthesis.sources.pairs import read_pairs
from synthesis.tokens import Tokenizer, load_tokenizer

AS_BEFORE = Sampling().max_tokens
"""What fingerprints have for the bound on a reply where it goes by the words: the one there was before."""

# English has 1.3 tokens a word, other languages up to 3; a model that reasons does so before it writes.
_TOKENS_A_WORD, _THINKING_ROOM = 3, 2048
_NAME = 16  # bytes of a fingerprint
_ROW = 2 * _NAME + 1


def tokens_for(words: int, section_words: int) -> int:
    """The bound on a reply for a context of so many words, in sections or (0) as one."""
    most = longest_reply(words, section_words) if expands(words, section_words) else words
    return _TOKENS_A_WORD * most + _THINKING_ROOM


@dataclass(frozen=True, slots=True)
class Job:
    """What turns a pair into an outcome, made once per run.

    A reply with faults is asked for again up to ``repairs`` times. Contexts of over twice
    ``section_words`` are written in sections, unless the engine needs none. Without a ``tokenizer``
    contexts are not counted (their ``tokens`` is 0): a run leaves that to whoever builds the
    dataset, so that another tokenizer makes nothing stale. A reply that scores under ``least`` is asked
    for again, too, and a context that does is rejected; no fingerprint tells of it: what is written passes
    or does not, and is the same. Of ``candidates`` contexts for a pair the best is kept (see
    ``synthesis.run.candidates``). ``further`` are options of contexts that came later: a prompt's
    fingerprint tells of them only where they are used. With ``by_words`` the words asked for bound a
    reply, whatever bound ``sampling`` has; fingerprints tell of the latter, as they did before.
    """

    engine: BaseEngine
    template: Template | TemplatesByTask
    sampling: Sampling
    words: int
    tokenizer: Tokenizer | None = None
    repairs: int = 0
    section_words: int = 0
    least: Thresholds = NO_THRESHOLDS
    candidates: int = 1
    further: Mapping[str, Any] = field(default_factory=dict)
    by_words: bool = False

    def close(self) -> None:
        """Free the engine."""
        self.engine.close()

    @property
    def takes_no_tokens(self) -> bool:
        """Whether the engine is no language model."""
        return self.engine.free

    @property
    def replies_per_pair(self) -> int:
        """How many replies a pair takes if each is as wished."""
        return 1 + section_count(self.words, self.section_words) if self.expands else 1

    @property
    def asking(self) -> Sampling:
        """How replies are drawn, and what bounds them."""
        if not self.by_words:
            return self.sampling
        sections = self.section_words if self.expands else 0
        return replace(self.sampling, max_tokens=tokens_for(self.words, sections))

    def guess(self) -> Usage:
        """Roughly what a pair may take."""
        if self.takes_no_tokens:
            return Usage()
        return guessed(self.prompt(Pair(instruction="?", answer="?")), self.replies_per_pair)

    @property
    def expands(self) -> bool:
        """Whether a context takes an outline and sections."""
        return not self.engine.writes_any_length and expands(self.words, self.section_words)

    def prompt(self, pair: Pair) -> Prompt:
        """The prompt for a pair."""
        writer = self.engine.part_for(pair.id, self.sampling.seed)
        return build_prompt(
            pair,
            self.template.of(pair),
            words=self.words,
            engine=writer.name,
            model=writer.model,
            sampling=self.sampling,
            settings=self._settings(writer),
        )

    def _settings(self, writer: BaseEngine) -> Mapping[str, Any]:
        """What a context depends on besides model and sampling."""
        settings = {**writer.settings, **self.further}
        if not self.expands:
            return settings
        steps = [step_template(name).text for name in ("outline", "section")]
        return {**settings, "section_words": self.section_words, "steps": steps}

    def works(
        self,
        pairs: Iterable[tuple[Pair, Prompt]],
        replies: Replies | None = None,
        bounds: Bounds | None = None,
        tray: ReplyTray | None = None,
    ) -> Conversations[Context | Rejected]:
        """The works of these pairs; ``replies`` and ``tray`` hold what earlier runs were told."""
        return Conversations(Items(pairs), self.begin, replies, bounds, tray)

    def outcomes(
        self,
        pairs: Iterable[tuple[Pair, Prompt]],
        replies: Replies | None = None,
    ) -> Iterator[Finished[Context | Rejected]]:
        """What becomes of each pair, in the order the engine finishes them."""
        return converse(self.engine, self.works(pairs, replies), self.asking)

    def begin(self, pair: Pair, prompt: Prompt) -> Work[Context | Rejected]:
        """The work of one pair, up to its context or its rejection."""
        writer = self.engine.part_for(pair.id, self.sampling.seed)
        read = partial(parse, engine=writer.name, model=writer.model, seed=self.sampling.seed)
        if self.expands:
            part = partial(read, part=True)
            outcome = yield from expand(pair, prompt, part, self.repairs, self.section_words, self.least)
        else:
            outcome = yield from repaired(pair, prompt, read, self.repairs, self.least)
        if isinstance(outcome, Rejected) or self.tokenizer is None:
            return outcome
        return replace(outcome, tokens=self.tokenizer.count(outcome.text))

    def is_settled(self, fingerprint: str, journal: Journal) -> bool:
        """Whether the outcomes of a pair are recorded, and this job has nothing to add to them."""
        names = candidate_names(fingerprint, self.candidates)
        return all(self._is_final(name, journal) for name in names)

    def missing(self, prompt: Prompt, journal: Journal) -> Iterator[Prompt]:
        """The prompts of a pair whose outcome is still to be had: one for each candidate."""
        for one in candidate_prompts(prompt, self.candidates):
            if not self._is_final(one.fingerprint, journal):
                yield one

    def _is_final(self, fingerprint: str, journal: Journal) -> bool:
        if not journal.is_settled(fingerprint):
            return False
        dropped = None if fingerprint in journal.contexts else journal.find_rejected(fingerprint)
        if dropped is None:
            return True
        return not (may_be_asked_again(dropped, self.repairs) or self.least.lets_pass(dropped))

    def has_outcomes(self, fingerprint: str, journal: Journal) -> bool:
        """Whether every candidate of a pair has become something, final or not."""
        names = candidate_names(fingerprint, self.candidates)
        return all(name in journal.contexts or name in journal.rejected for name in names)

    def mark(self, outcome: Context | Rejected, pair: Pair) -> Mark | None:
        """How good a candidate is; None where there is only one."""
        if isinstance(outcome, Rejected) or self.candidates == 1:
            return None
        return marked(outcome, pair, self.prompt(pair))

    def chosen(self, fingerprint: str, journal: Journal) -> str | None:
        """The outcome that stands for a pair: the best of its candidates that are there, if any is."""
        names = list(candidate_names(fingerprint, self.candidates))
        there = [name for name in names if name in journal.contexts]
        if self.candidates > 1 and there:
            return max(there, key=lambda name: self._rank(name, journal))
        return next(iter([*there, *(name for name in names if name in journal.rejected)]), None)

    def _rank(self, name: str, journal: Journal) -> tuple[int, float]:
        pair, context, mark = journal.find_context(name)
        if mark is None:  # it was written before there were others
            mark = marked(context, pair, self.prompt(pair))
            journal.add(context, pair, mark=mark)
        return mark.rank


@dataclass(frozen=True, slots=True)
class Counts:
    """How the pairs of a run stand. ``settled`` were done before; ``bad`` rows never became pairs.

    ``left`` are those of ``stale`` and ``new`` that were not asked for, for lack of a budget or because
    all before them ``failed`` alike, with the reason of the last.
    """

    settled: int = 0
    stale: int = 0
    new: int = 0
    bad: int = 0
    left: int = 0
    failed: str = ""

    @property
    def total(self) -> int:
        """All rows of the source."""
        return self.settled + self.stale + self.new + self.bad

    @property
    def todo(self) -> int:
        """Rows that a run would write."""
        return self.stale + self.new


def make_job(config: RunConfig) -> Job:
    """Engine and template as configured; the cheap checks come first."""
    made = config.generation
    if made.words > MAX_WORDS and class_of(made).writes_any_length:
        raise ConfigError(
            f"'generation.words' (--words) is {made.words}; give {MIN_WORDS} to {MAX_WORDS:,} to engine "
            f"'{made.engine}', which writes no sections"
        )
    template = load_templates(made.template)
    sampling = Sampling(made.temperature, made.top_p, made.max_tokens or AS_BEFORE, config.seed)
    check_candidates(made.candidates, class_of(made), sampling)
    engine = configured_engine(made)
    return Job(
        engine,
        template,
        sampling,
        made.words,
        None,
        made.repairs,
        made.section_words,
        Thresholds.of(config.filters, model=not engine.free),
        made.candidates,
        changed(made),
        not made.max_tokens,
    )


def chosen_pairs(chosen: PairsConfig, source: str | Path) -> Iterator[Pair | Rejected]:
    """The pairs of a source as a configuration wants them read, and rows that are none."""
    return read_pairs(
        source,
        columns=chosen.columns or None,
        task=chosen.task or None,
        config=chosen.config or None,
        split=chosen.split,
        limit=chosen.limit or None,
        turns=chosen.turns,
    )


def survey(job: Job, pairs: Iterable[Pair | Rejected], journal: Journal) -> Counts:
    """How many rows are settled, stale, new and bad. Writes nothing, asks no engine."""
    return Counts(**Counter(row.state for row in standing(job, pairs, journal)), failed="")


def generate(
    job: Job,
    pairs: Iterable[Pair | Rejected],
    journal: Journal,
    on_outcome: Callable[[Context | Rejected], None] = lambda _: None,
    budget: Budget = NO_BUDGET,
    stop_after: int = 0,
    on_reply: Callable[[Completion], object] = lambda _: None,
) -> Counts:
    """Write the outcome of every pair that is not settled yet; see ``carry_out``."""
    return carry_out(job, standing(job, pairs, journal), journal, on_outcome, budget, stop_after, on_reply)


def carry_out(
    job: Job,
    rows: Iterable[Row],
    journal: Journal,
    on_outcome: Callable[[Context | Rejected], None] = lambda _: None,
    budget: Budget = NO_BUDGET,
    stop_after: int = 0,
    on_reply: Callable[[Completion], object] = lambda _: None,
) -> Counts:
    """Write the outcome of every row that is not settled yet, then mark the set as current.

    Returns how the rows stood before, and how many were left for lack of ``budget`` or because so
    many before them (``stop_after``; 0 for any) were rejected alike.
    """
    alike, failed = Alike(stop_after), ""
    states: Counter[str] = Counter()
    job = replace(job, engine=journaled(job.engine, journal.folder))

    def work() -> Iterator[tuple[Pair, Prompt]]:
        for state, row, prompt, fingerprint in rows:
            states[state] += 1
            is_open = prompt is not None and state != "settled"
            asked = prompt.fingerprint if prompt is not None and is_open else fingerprint
            names.extend((*bytes.fromhex(fingerprint + asked), is_open))
            if isinstance(row, Rejected):
                if fingerprint not in journal.rejected:
                    journal.add(replace(row, fingerprint=fingerprint))
            elif row is not None and prompt is not None and state != "settled":
                for one in job.missing(prompt, journal):
                    if asked != fingerprint:
                        again[one.fingerprint] = fingerprint
                    yield row, one

    names = bytearray()  # of each row, in order: its outcome, what is asked for it, whether anything is
    again: dict[str, str] = {}  # what is asked under another name, and what for
    todo = work()
    with _tray(job, journal) as tray:
        works = job.works(todo, journal, Spending(budget, journal, job.guess()), tray)
        with closing(converse(job.engine, works, job.asking, on_reply)) as ended:
            for pair, outcome, usage in ended:
                journal.add(outcome, pair, usage, job.mark(outcome, pair))
                before = again.pop(outcome.fingerprint, "")
                if before and isinstance(outcome, Context):
                    journal.stand_in_for(before, pair.id, outcome.fingerprint)
                on_outcome(outcome)
                if not alike.goes_on(outcome):
                    failed = alike.reason
                    break
        # What is not begun any more is read all the same, so that what is done of it is listed.
        rest = works.waiting + sum(1 for _ in works.finished()) + sum(1 for _ in todo)
        if tray is not None and not rest:
            tray.remove()
    left = 0
    with journal.new_current() as order:
        for place in range(0, len(names), _ROW):
            row = bytes(names[place : place + _ROW])
            name, asked, is_open = row[:_NAME].hex(), row[_NAME:-1].hex(), row[-1]
            kept = job.chosen(asked, journal)
            if asked != name:
                if kept is not None and kept in journal.contexts:
                    journal.stand_in_for(name, "", kept)
                kept = name
            if kept:
                order(journal.stand_in(kept))
            left += is_open and not job.has_outcomes(asked, journal)
    return Counts(**states, left=left, failed=failed)


@contextmanager
def _tray(job: Job, journal: Journal) -> Iterator[Arrivals | None]:
    """Where replies go first, while a run lasts; nowhere if they cost nothing or are kept anyway."""
    if job.engine.free or job.engine.outlives_process:
        yield None
        return
    arrivals = Arrivals(journal.folder)
    try:
        yield arrivals
    finally:
        arrivals.close()


class Row(NamedTuple):
    """A row of the source: its ``state`` (a field of ``Counts``), and what is known of it.

    ``fingerprint`` names its outcome; another than the prompt's where it is asked again, or was.
    """

    state: str
    row: Pair | Rejected | None
    prompt: Prompt | None
    fingerprint: str


def standing(job: Job, pairs: Iterable[Pair | Rejected], journal: Journal) -> Iterator[Row]:
    """Each row of the source and how it stands against what is done."""
    for row in pairs:
        if isinstance(row, Rejected):
            yield Row("bad", row, None, content_hash(row.pair_id, row.stage, row.reason, row.text))
            continue
        prompt = job.prompt(row)
        name = journal.stand_in(prompt.fingerprint)
        if name != prompt.fingerprint or job.is_settled(name, journal):
            state = "settled"
        else:
            state = "stale" if journal.knows_pair(row.id) else "new"
        yield Row(state, row, prompt, name)


def synthesize(
    pairs: Iterable[Pair],
    engine: str | Engine = "composer",
    *,
    model: str = "",
    mix: Mapping[str, Any] | None = None,
    words: int = 2000,
    template: str = "narrative",
    seed: int = 0,
    tokenizer: str | None = None,
    temperature: float = 0.7,
    top_p: float = 0.95,
    max_tokens: int = 0,
    repairs: int = 2,
    candidates: int = 1,
    section_words: int = 1500,
    **options: Any,
) -> Iterator[Context | Rejected]:
    """Write a context for each pair, yielding each outcome as it finishes.

    Args:
        pairs: any iterable; pulled lazily.
        engine: a name (see ``synthesis.engines.engine_names``), or an object that has the methods of
            ``synthesis.engines.base.Engine``.
        model: which model the engine runs; empty for its default.
        mix: several models instead, each with its share, or a table (see ``GenerationConfig``).
        words: about how many words a context should have.
        template: a built-in template's name, a text file's path, or a folder of text files by task.
        seed: with the pair's id, determines every random choice of ours.
        tokenizer: what counts ``Context.tokens``; the embedded one by default.
        temperature: for engines that sample.
        top_p: for engines that sample.
        max_tokens: bound on a reply, for engines that count; 0 goes by the words asked for.
        repairs: how often a reply that cannot be used is asked for again.
        candidates: how many contexts to write for each pair, by different seeds; the best is kept.
        section_words: a context of over twice as many words is written in sections of about
            this length; 0 for never.
        options: further settings of the engine.

    Yields:
        A ``Context``, or a ``Rejected`` with stage and reason.
    """
    owned = isinstance(engine, str)
    if isinstance(engine, str):
        made = configured_engine(GenerationConfig(engine, model, dict(mix or {}), options=options))
    else:
        made = adopted(engine)
    sampling = Sampling(temperature, top_p, max_tokens or AS_BEFORE, seed)
    counter = load_tokenizer(tokenizer)
    job = Job(
        made,
        load_templates(template),
        sampling,
        words,
        counter,
        repairs,
        section_words,
        by_words=not max_tokens,
    )
    check_candidates(candidates, made, sampling)
    together = Together(candidates, lambda context, pair: marked(context, pair, job.prompt(pair)))
    asked = ((pair, one) for pair in pairs for one in candidate_prompts(job.prompt(pair), candidates))
    try:
        for done in job.outcomes(asked):
            if (best := together.add(done.pair, done.outcome)) is not None:
                yield best
    finally:
        if owned:
            made.close()
