"""The one loop: pairs -> prompts -> engine -> contexts, journaled as each finishes.

``synthesize`` is the loop in memory, for use from Python; ``generate`` is the same loop
over a run's journal, skipping what is done. Knows nothing of Parquet, cards or the Hub.
Memory holds the prompts an engine has pulled but not answered, and nothing per row
besides the journal's index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from synthesis.coherence import locate
from synthesis.config import RunConfig
from synthesis.data import Context, Pair, Prompt, Rejected, content_hash
from synthesis.engines import make_engine
from synthesis.engines.base import Engine, Sampling
from synthesis.journal import Journal
from synthesis.parsing import parse
from synthesis.prompts import Template, build_prompt, load_template
from synthesis.tokens import Tokenizer, load_tokenizer
from synthesis.work import Conversations, Finished, Replies, Work, converse


@dataclass(frozen=True, slots=True)
class Job:
    """What turns a pair into an outcome, made once per run.

    Without a ``tokenizer`` contexts are not counted (their ``tokens`` is 0): a run leaves
    that to whoever builds the dataset, so that another tokenizer makes nothing stale.
    """

    engine: Engine
    template: Template
    sampling: Sampling
    words: int
    tokenizer: Tokenizer | None = None

    def close(self) -> None:
        """Free the engine."""
        self.engine.close()

    def prompt(self, pair: Pair) -> Prompt:
        """The prompt for a pair."""
        return build_prompt(
            pair,
            self.template,
            words=self.words,
            engine=self.engine.name,
            model=self.engine.model,
            sampling=self.sampling,
            settings=getattr(self.engine, "settings", None),
        )

    def works(self, pairs: Iterable[tuple[Pair, Prompt]], replies: Replies | None = None) -> Conversations:
        """The works of these pairs; ``replies`` holds what earlier runs were told."""
        return Conversations(pairs, self.begin, replies)

    def outcomes(
        self, pairs: Iterable[tuple[Pair, Prompt]], replies: Replies | None = None
    ) -> Iterator[Finished]:
        """What becomes of each pair, in the order the engine finishes them."""
        return converse(self.engine, self.works(pairs, replies), self.sampling)

    def begin(self, pair: Pair, prompt: Prompt) -> Work:
        """The work of one pair: one reply, which is a context or is rejected."""
        completion = yield prompt
        return self._measured(
            pair,
            parse(
                completion,
                prompt,
                engine=self.engine.name,
                model=self.engine.model,
                seed=self.sampling.seed,
            ),
        )

    def _measured(self, pair: Pair, outcome: Context | Rejected) -> Context | Rejected:
        if isinstance(outcome, Rejected):
            return outcome
        if self.tokenizer is not None:
            outcome = replace(outcome, tokens=self.tokenizer.count(outcome.text))
        if outcome.evidence:
            return outcome
        found = tuple(locate(outcome.text, pair.instruction, pair.answer))
        return replace(outcome, evidence=found, evidence_source="located" if found else "none")


@dataclass(frozen=True, slots=True)
class Counts:
    """How the pairs of a run stand. ``settled`` were done before; ``bad`` rows never became pairs."""

    settled: int = 0
    stale: int = 0
    new: int = 0
    bad: int = 0

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
    template = load_template(made.template)
    sampling = Sampling(made.temperature, made.top_p, made.max_tokens, config.seed)
    return Job(make_engine(made.engine, made.model, **made.options), template, sampling, made.words)


def survey(job: Job, pairs: Iterable[Pair | Rejected], journal: Journal) -> Counts:
    """How many rows are settled, stale, new and bad. Writes nothing, asks no engine."""
    return Counts(**Counter(row.state for row in _rows(job, pairs, journal)))


def generate(
    job: Job,
    pairs: Iterable[Pair | Rejected],
    journal: Journal,
    on_outcome: Callable[[Context | Rejected], None] = lambda _: None,
) -> Counts:
    """Write the outcome of every pair that is not settled yet, then mark the set as current.

    Returns how the rows stood before.
    """
    states: Counter[str] = Counter()

    def work(order: Callable[[str], object]) -> Iterator[tuple[Pair, Prompt]]:
        for state, row, prompt, fingerprint in _rows(job, pairs, journal):
            states[state] += 1
            order(fingerprint)
            if isinstance(row, Rejected):
                if fingerprint not in journal.rejected:
                    journal.add(replace(row, fingerprint=fingerprint))
            elif prompt is not None and state != "settled":
                yield row, prompt

    with journal.new_current() as order:
        for pair, outcome, usage in job.outcomes(work(order), journal):
            journal.add(outcome, pair, usage)
            on_outcome(outcome)
    return Counts(**states)


class _Row(NamedTuple):
    """A row of the source: its ``state`` (a field of ``Counts``), and what is known of it."""

    state: str
    row: Pair | Rejected
    prompt: Prompt | None
    fingerprint: str


def _rows(job: Job, pairs: Iterable[Pair | Rejected], journal: Journal) -> Iterator[_Row]:
    for row in pairs:
        if isinstance(row, Rejected):
            yield _Row("bad", row, None, content_hash(row.pair_id, row.stage, row.reason, row.text))
            continue
        prompt = job.prompt(row)
        if journal.is_settled(prompt.fingerprint):
            state = "settled"
        else:
            state = "stale" if journal.knows_pair(row.id) else "new"
        yield _Row(state, row, prompt, prompt.fingerprint)


def synthesize(
    pairs: Iterable[Pair],
    engine: str | Engine = "composer",
    *,
    model: str = "",
    words: int = 2000,
    template: str = "narrative",
    seed: int = 0,
    tokenizer: str | None = None,
    temperature: float = 0.7,
    top_p: float = 0.95,
    max_tokens: int = 8192,
    **options: Any,
) -> Iterator[Context | Rejected]:
    """Write a context for each pair, yielding each outcome as it finishes.

    Args:
        pairs: any iterable; pulled lazily.
        engine: a name (see ``synthesis.engines.engine_names``) or an engine object.
        model: which model the engine runs; empty for its default.
        words: about how many words a context should have.
        template: a built-in template's name or a text file's path.
        seed: with the pair's id, determines every random choice of ours.
        tokenizer: what counts ``Context.tokens``; the embedded one by default.
        temperature: for engines that sample.
        top_p: for engines that sample.
        max_tokens: bound on a reply, for engines that count.
        options: further settings of the engine.

    Yields:
        A ``Context``, or a ``Rejected`` with stage and reason.
    """
    owned = isinstance(engine, str)
    made = make_engine(engine, model, **options) if isinstance(engine, str) else engine
    sampling = Sampling(temperature, top_p, max_tokens, seed)
    job = Job(made, load_template(template), sampling, words, load_tokenizer(tokenizer))
    try:
        for done in job.outcomes((pair, job.prompt(pair)) for pair in pairs):
            yield done.outcome
    finally:
        if owned:
            made.close()
