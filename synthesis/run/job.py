"""What a run does with one pair, made once: its prompts, what becomes of its replies, and when it is done.

Everything that is the same for all pairs of a run is in ``Job``; ``make_job`` makes it of a configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from synthesis.coherence import SCORE_VERSION, score_context
from synthesis.data import Completion, Context, Pair, Prompt, Rejected, Usage
from synthesis.engines.base import BaseEngine, Items, Sampling
from synthesis.errors import ConfigError
from synthesis.gate.parsing import parse
from synthesis.gate.questions import judged
from synthesis.gate.thresholds import NO_THRESHOLDS, Thresholds
from synthesis.options import MAX_WORDS, MIN_WORDS, GenerationConfig, RunConfig
from synthesis.prompts import Template, build_prompt, step_template
from synthesis.prompts.by_task import TemplatesByTask, load_templates
from synthesis.prompts.questions import WORDS, build_question_prompt, load_question_template
from synthesis.run.budget import guessed
from synthesis.run.candidates import Mark, candidate_names, candidate_prompts, check_candidates, marked
from synthesis.run.conversations import Bounds, Conversations, Finished, Replies, ReplyTray, Work, converse
from synthesis.run.expansion import expand, expands, longest_reply, section_count
from synthesis.run.journal import Journal
from synthesis.run.mix import class_of, configured_engine, models_of_a_pair
from synthesis.run.repair import Checked, ask, may_be_asked_again, repaired
from synthesis.run.windows import answered, asked_of, request_again
from synthesis.settings import changed
from synthesis.text.words import count_words
from synthesis.tokens import Tokenizer

AS_BEFORE = Sampling().max_tokens
"""What fingerprints have for the bound on a reply where it goes by the words: the one there was before."""

# English has 1.3 tokens a word, other languages up to 3; a model that reasons does so before it writes.
_TOKENS_A_WORD, _THINKING_ROOM = 3, 2048
_GUESSED_PROMPT = 5000  # tokens of a request that nobody has seen
_WHAT = "the question, its answer and its evidence"


def tokens_for(words: int, section_words: int) -> int:
    """The bound on a reply for a context of so many words, in sections or (0) as one."""
    most = longest_reply(words, section_words) if expands(words, section_words) else words
    return _TOKENS_A_WORD * most + _THINKING_ROOM


class PairMade(NamedTuple):
    """What became of a pair, and the pair itself: of a request, the question and answer that came of it."""

    pair: Pair
    outcome: Context | Rejected


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
    reply, whatever bound ``sampling`` has; fingerprints tell of the latter, as they did before. With
    ``keeps`` the candidates that are not the best are current, too.
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
    keeps: bool = False

    def close(self) -> None:
        """Free the engine."""
        self.engine.close()

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
        if self.engine.free:
            return Usage()
        return guessed(self.prompt(Pair(instruction="?", answer="?")), self.replies_per_pair)

    @property
    def expands(self) -> bool:
        """Whether a context takes an outline and sections."""
        return not self.engine.writes_any_length and expands(self.words, self.section_words)

    def prompt(self, pair: Pair) -> Prompt:
        """The first prompt for a pair."""
        return self.prompt_for(pair, self.engine.writers(pair.id, self.sampling.seed)[0])

    def prompts(self, pair: Pair) -> tuple[Prompt, ...]:
        """The prompts for a pair, one for each model that writes for it."""
        return tuple(
            self.prompt_for(pair, writer) for writer in self.engine.writers(pair.id, self.sampling.seed)
        )

    def prompt_for(self, pair: Pair, writer: str) -> Prompt:
        """The prompt that one of the engine's ``writers`` has for a pair."""
        engine = self.engine.part(writer)
        return build_prompt(
            pair,
            self.template.of(pair),
            words=self.words,
            engine=engine.name,
            model=engine.model,
            sampling=self.sampling,
            settings=self._settings(engine),
            writer=writer,
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
    ) -> Conversations[PairMade]:
        """The works of these pairs; ``replies`` and ``tray`` hold what earlier runs were told."""
        return Conversations(Items(pairs), self.begin, replies, bounds, tray)

    def outcomes(
        self,
        pairs: Iterable[tuple[Pair, Prompt]],
        replies: Replies | None = None,
    ) -> Iterator[Finished[Context | Rejected]]:
        """What becomes of each pair, in the order the engine finishes them."""
        return self.ended(converse(self.engine, self.works(pairs, replies), self.asking))

    @staticmethod
    def ended(works: Iterable[Finished[PairMade]]) -> Iterator[Finished[Context | Rejected]]:
        """Works that have ended, each with the pair that it made or had."""
        return (Finished(made.pair, made.outcome, usage, writer) for _, made, usage, writer in works)

    def begin(self, pair: Pair, prompt: Prompt) -> Work[PairMade]:
        """The work of one pair, up to its context or its rejection."""
        writer = self.engine.part(prompt.writer)
        read = partial(parse, engine=writer.name, model=writer.model, seed=self.sampling.seed)
        if self.expands:
            part = partial(read, part=True)
            outcome = yield from expand(pair, prompt, part, self.repairs, self.section_words, self.least)
        else:
            outcome = yield from repaired(pair, prompt, read, self.repairs, self.least)
        return PairMade(pair, self._counted(outcome))

    def _counted(self, outcome: Context | Rejected) -> Context | Rejected:
        if isinstance(outcome, Rejected) or self.tokenizer is None:
            return outcome
        return replace(outcome, tokens=self.tokenizer.count(outcome.text))

    def again(self, pair: Pair, text: str | None) -> Pair:
        """What is to be asked again for a pair, which has a context (``text``) or None."""
        return pair

    def names(self, first: Sequence[str]) -> Iterator[str]:
        """The fingerprints of all candidates of a pair, of which ``first`` are those of its prompts."""
        return candidate_names(first, self.engine.turns(self.candidates))

    def candidate_prompts(self, prompts: Sequence[Prompt]) -> Iterator[Prompt]:
        """The prompts of a pair, one for each candidate."""
        return candidate_prompts(prompts, self.engine.turns(self.candidates))

    def is_settled(self, first: Sequence[str], journal: Journal) -> bool:
        """Whether the outcomes of a pair are recorded, and this job has nothing to add to them."""
        return all(self._is_final(name, journal) for name in self.names(first))

    def missing(self, prompts: Sequence[Prompt], journal: Journal) -> Iterator[Prompt]:
        """The prompts of a pair whose outcome is still to be had: one for each candidate."""
        for one in self.candidate_prompts(prompts):
            if not self._is_final(one.fingerprint, journal):
                yield one

    def _is_final(self, fingerprint: str, journal: Journal) -> bool:
        if not journal.is_settled(fingerprint):
            return False
        dropped = None if fingerprint in journal.contexts else journal.find_rejected(fingerprint)
        if dropped is None:
            return True
        return not (may_be_asked_again(dropped, self.repairs) or self.least.lets_pass(dropped))

    def has_outcomes(self, first: Sequence[str], journal: Journal) -> bool:
        """Whether every candidate of a pair has become something, final or not."""
        return all(name in journal.contexts or name in journal.rejected for name in self.names(first))

    def mark(self, outcome: Context | Rejected, pair: Pair) -> Mark | None:
        """How good an outcome is, to be recorded with it; None for one that is compared with no others."""
        if isinstance(outcome, Rejected) or self.candidates == 1:
            return None
        return self.rate(outcome, pair)

    def rate(self, context: Context, pair: Pair) -> Mark:
        """How good a context is among those written for a pair."""
        return marked(context, pair, self.prompt(pair))

    def contexts(self, first: Sequence[str], journal: Journal) -> list[str]:
        """The candidates of a pair that are contexts."""
        return [name for name in self.names(first) if name in journal.contexts]

    def chosen(self, first: Sequence[str], journal: Journal) -> str | None:
        """The outcome that stands for a pair: the best of its candidates that are there, if any is."""
        if made := self.contexts(first, journal):
            return made[0] if self.candidates == 1 else max(made, key=lambda name: self._rank(name, journal))
        return next((name for name in self.names(first) if name in journal.rejected), None)

    def others(self, first: Sequence[str], chosen: str, journal: Journal) -> list[str]:
        """The other candidates of a pair that are contexts, where all are kept."""
        made = self.contexts(first, journal) if self.keeps else []
        return [name for name in made if name != chosen]

    def _rank(self, name: str, journal: Journal) -> tuple[int, float]:
        pair, context, mark = journal.find_context(name)
        if mark is None or mark.scoring != SCORE_VERSION:  # written before there were others, or this score
            mark = self.rate(context, pair)
            journal.add(context, pair, mark=mark)
        return mark.rank


class QuestionJob(Job):
    """The same for requests (see ``synthesis.run.windows``): what comes of one is a pair with its context.

    The context is the document that was asked about.
    """

    __slots__ = ()

    @property
    def expands(self) -> bool:
        """A question takes one reply."""
        return False

    def prompt_for(self, pair: Pair, writer: str) -> Prompt:
        """The prompt that one of the engine's ``writers`` has for a request."""
        engine = self.engine.part(writer)
        return build_question_prompt(
            pair,
            asked_of(pair),
            self.template.of(pair),
            engine=engine.name,
            model=engine.model,
            sampling=self.sampling,
            settings=self._settings(engine),
            writer=writer,
        )

    def guess(self) -> Usage:
        """Roughly what a request may take: known once some were asked."""
        return Usage() if self.engine.free else Usage(1, _GUESSED_PROMPT, 2 * WORDS)

    def begin(self, pair: Pair, prompt: Prompt) -> Work[PairMade]:
        """The work of one request, up to its pair and context or its rejection."""
        writer = self.engine.part(prompt.writer)
        found = yield from ask(prompt, partial(self._checked, pair, prompt, writer), self.repairs, _WHAT)
        if found.value is None:
            return PairMade(pair, found.rejected(prompt))
        made, context = found.value
        assert isinstance(context, Context)
        return PairMade(made, self._counted(replace(context, attempts=found.attempts)))

    def _checked(
        self, request: Pair, prompt: Prompt, writer: BaseEngine, reply: Completion
    ) -> Checked[PairMade]:
        """The pair and context of a reply, and what is wrong with them."""
        asked = asked_of(request)
        written, evidence, faults = judged(reply, asked)
        if written is None:
            return Checked(None, faults)
        kind, text = reply.form or str(asked["kind"]), str(asked["text"])
        pair = answered(request, written.question, written.answer)
        context = Context(
            pair.id,
            text,
            evidence,
            words=count_words(text),
            engine=writer.name,
            model=writer.model,
            template=prompt.template,
            seed=self.sampling.seed,
            evidence_source="exact",
            fingerprint=prompt.fingerprint,
            form=kind,
            hops={"multi-hop": 2, "summary": 0}.get(kind, 1),
        )
        found = 0.0
        if any(self.least) and not any(fault.fatal for fault in faults):
            coherence = score_context(pair, context).coherence
            found = coherence.overall
            if low := self.least.fault(coherence):
                faults += (low,)
        return Checked(PairMade(pair, context), faults, found)

    def rate(self, context: Context, pair: Pair) -> Mark:
        """How good a pair is among those written for a request: by its score alone."""
        return Mark(0, round(score_context(pair, context).coherence.overall, 6))

    def again(self, pair: Pair, text: str | None) -> Pair:
        """The request that a pair came of."""
        return pair if text is None else request_again(pair, text)


def make_job(config: RunConfig) -> Job:
    """Engine and template as configured; the cheap checks come first."""
    made = config.generation
    if not config.asks and made.words > MAX_WORDS and class_of(made).writes_any_length:
        raise ConfigError(
            f"'generation.words' (--words) is {made.words}; give {MIN_WORDS} to {MAX_WORDS:,} to engine "
            f"'{made.engine}', which writes no sections"
        )
    if config.asks:
        _check_asking(made)
    own = "" if made.template == GenerationConfig().template else made.template
    template = load_question_template(own) if config.asks else load_templates(made.template)
    sampling = Sampling(made.temperature, made.top_p, made.max_tokens or AS_BEFORE, config.seed)
    models = models_of_a_pair(made)
    check_candidates(made.candidates, class_of(made), sampling, made.keep_candidates, models)
    engine = configured_engine(made)
    return (QuestionJob if config.asks else Job)(
        engine,
        template,
        sampling,
        WORDS if config.asks else made.words,
        None,
        0 if config.asks and engine.free else made.repairs,
        made.section_words,
        Thresholds.of(config.filters, model=not engine.free),
        made.candidates,
        changed(made),
        not made.max_tokens,
        made.keep_candidates,
    )


def _check_asking(made: GenerationConfig) -> None:
    """An engine may have settings that have no meaning where questions are written."""
    idle = [name for name in made.options if name in class_of(made).for_contexts]
    if idle:
        named = " and ".join(f"'generation.options.{name}' (--option {name}=...)" for name in idle)
        raise ConfigError(
            f"{named} has no meaning where questions are written (--method instruction), where the text is "
            "the context; leave it out"
        )
