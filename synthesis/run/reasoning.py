"""Asking a model for the steps from a context to its answer: who is asked, and what becomes of a reply.

The work of one context, as conversations have it: a reply, asked for again with what was wrong. Knows nothing
of journals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

from synthesis.data import Completion, Context, Evidence, Pair, Prompt, Reason, Rejected, content_hash
from synthesis.engines import engine_names
from synthesis.engines.base import BaseEngine, Engine, Items, Sampling, adopted
from synthesis.errors import ConfigError
from synthesis.gate.reasons import judged_reasons
from synthesis.options import GenerationConfig, RunConfig
from synthesis.prompts import Template
from synthesis.prompts.reasons import build_reasons_prompt, load_reasons_template
from synthesis.run.conversations import Conversations, Work, converse
from synthesis.run.job import AS_BEFORE, PairMade, tokens_for
from synthesis.run.mix import class_of
from synthesis.run.repair import Checked, ask
from synthesis.run.requirements import HOW

STAGE: Final = "reasons"
WORDS: Final = 120
"""About how many words a reply has."""

DRAWN: Final = Sampling(max_tokens=tokens_for(WORDS, 0))
"""How reasons are drawn from Python, unless told otherwise."""

Begin: TypeAlias = Callable[[Pair, Prompt], Work[PairMade]]

_WHAT: Final = "all steps and the answer"


class Reasoned(NamedTuple):
    """What came of asking: the steps and who wrote them, or why there are none; and the replies it took."""

    reasons: tuple[Reason, ...] = ()
    model: str = ""
    rejected: Rejected | None = None


def reasons_writer(config: RunConfig) -> GenerationConfig:
    """Who writes the reasons: what ``[reasons]`` names, else who writes the contexts.

    Raises:
        ConfigError: that is no language model, or one whose batches would be lost among the run's.
    """
    wanted = config.reasons
    made = config.generation.by(wanted.engine, wanted.model, wanted.options)
    chosen = class_of(made) if made.mix or made.engine in engine_names() else None
    if chosen is None or chosen.free:
        raise ConfigError(
            f"--reasons asks a language model, and engine '{made.engine}' is none; name one with "
            "--reasons-engine: openai, vllm or transformers"
        )
    if chosen.outlives_process and made != config.generation:
        raise ConfigError(
            f"--reasons-engine {made.engine} would send its batches beside those of the run; give openai, "
            "vllm or transformers, or have the contexts written by the same batches"
        )
    return made


@dataclass(frozen=True, slots=True)
class Reasoner:
    """How reasons are asked for; ``by`` is all that a reply depends on besides template and sampling."""

    template: Template
    sampling: Sampling
    repairs: int
    by: tuple[object, ...]

    @classmethod
    def of(cls, config: RunConfig) -> Reasoner:
        """As configured.

        Raises:
            ConfigError: as ``reasons_writer``.
            TemplateError: as ``load_reasons_template``.
        """
        made = reasons_writer(config)
        shaping = {name: value for name, value in sorted(made.options.items()) if name not in HOW}
        sampling = Sampling(made.temperature, made.top_p, made.max_tokens or AS_BEFORE, config.seed)
        by = (made.engine, made.model, made.unpriced_mix, shaping)
        return cls(load_reasons_template(config.reasons.template), sampling, made.repairs, by)

    @property
    def asking(self) -> Sampling:
        """How replies are drawn, and what bounds them."""
        if self.sampling.max_tokens != AS_BEFORE:
            return self.sampling
        return replace(self.sampling, max_tokens=tokens_for(WORDS, 0))

    def prompt(self, pair: Pair, context: Context) -> Prompt:
        """The prompt for a context."""
        asked = (pair.id, pair.instruction, pair.answer, context.text)
        name = content_hash(STAGE, *asked, self.template.text, self.sampling.to_dict(), *self.by)
        return build_reasons_prompt(pair, context, self.template, name)

    @classmethod
    def for_engine(cls, engine: BaseEngine, template: str, repairs: int, sampling: Sampling) -> Reasoner:
        """In memory, by an engine that is there.

        Raises:
            ConfigError: it is no language model.
            TemplateError: as ``load_reasons_template``.
        """
        if engine.free:
            raise ConfigError(
                f"engine '{engine.name}' is no language model and gives no reasons; use openai, vllm or "
                "transformers, for contexts that are there by with_reasons(rows, engine)"
            )
        return cls(load_reasons_template(template), sampling, repairs, (engine.name, engine.model))

    def after(self, begin: Begin, engine: BaseEngine) -> Begin:
        """Works that go on from a context to its reasons."""

        def longer(pair: Pair, prompt: Prompt) -> Work[PairMade]:
            made = yield from begin(pair, prompt)
            if isinstance(made.outcome, Rejected):
                return made
            asked = replace(self.prompt(made.pair, made.outcome), writer=prompt.writer)
            model = engine.part(prompt.writer).model
            found = yield from self.work(made.pair, made.outcome, asked, model)
            return made._replace(outcome=with_steps(made.outcome, found))

        return longer

    def work(self, pair: Pair, context: Context, prompt: Prompt, model: str) -> Work[Reasoned]:
        """The work of one context: a reply, asked for again up to ``repairs`` times.

        The prompts of its repairs have its own prompt's names in theirs.
        """

        def check(reply: Completion) -> Checked[tuple[Reason, ...]]:
            return Checked(*judged_reasons(reply, pair, context))

        answered = yield from ask(prompt, check, self.repairs, _WHAT)
        if answered.value is None:
            return Reasoned(rejected=replace(answered.rejected(prompt), stage=STAGE))
        return Reasoned(answered.value, model)


def with_steps(context: Context, found: Reasoned) -> Context:
    """A context with the reasons that it has; what they quote is evidence, where it has no other."""
    if not found.reasons:
        return context
    context = replace(context, reasons=found.reasons, reasons_model=found.model)
    if not context.evidence:
        steps, count = enumerate(found.reasons, start=1), len(found.reasons)
        evidence = sorted(Evidence(one.start, one.end, f"hop {n} of {count}") for n, one in steps)
        context = replace(context, evidence=tuple(evidence), evidence_source="located")
    return context


def with_reasons(
    rows: Iterable[tuple[Pair, Context]],
    engine: Engine,
    *,
    template: str = "",
    repairs: int = 2,
    sampling: Sampling = DRAWN,
) -> Iterator[tuple[Pair, Context]]:
    """Contexts with the reasons that a model wrote for them, each with its pair, as they are finished.

    Args:
        rows: pairs with their contexts; pulled lazily.
        engine: a language model; the composer is none.
        template: a built-in template's name (``reasons``, ``short``), or a text file's path.
        repairs: how often a reply that cannot be used is asked for again.
        sampling: how replies are drawn, and what bounds them.

    Yields:
        Each row. One whose ``Context.reasons`` are empty got none that hold.

    Raises:
        ConfigError: the engine is no language model.
        EngineError: the engine failed as a whole.
    """
    engine = adopted(engine)
    reasoner = Reasoner.for_engine(engine, template, repairs, sampling)
    open_rows: dict[str, Context] = {}

    def asked() -> Iterator[tuple[Pair, Prompt]]:
        for number, (pair, context) in enumerate(rows):
            prompt = reasoner.prompt(pair, context)
            name = content_hash(prompt.id, number)  # two rows may be the same
            open_rows[name] = context
            yield pair, replace(prompt, id=name)

    def begin(pair: Pair, prompt: Prompt) -> Work[Context]:
        context = open_rows.pop(prompt.id)
        found = yield from reasoner.work(pair, context, prompt, engine.model)
        return with_steps(context, found)

    for pair, context, *_ in converse(engine, Conversations(Items(asked()), begin), sampling):
        yield pair, context
