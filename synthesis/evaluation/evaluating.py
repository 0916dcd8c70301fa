"""``evaluate``: questions of any form to any engine, and each answer with its scores as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthesis.data import Completion, Rejected
from synthesis.engines import make_engine
from synthesis.engines.base import BaseEngine, Engine, Sampling, adopted
from synthesis.errors import EngineError, UsageError
from synthesis.evaluation.answering import CaseReply, Questioner
from synthesis.evaluation.asking import Cases, Conditions, conditions_of
from synthesis.evaluation.forms import form_of
from synthesis.evaluation.likelihood import likelihoods
from synthesis.evaluation.questions import ContextQuestion, Prediction, QuestionSource, Variant
from synthesis.evaluation.replies import ReplyLog, reply_log
from synthesis.evaluation.scoring import answer_in, check_metrics, scored
from synthesis.evaluation.store import QuestionStore
from synthesis.run.alike import Alike
from synthesis.run.budget import NO_BUDGET, Budget
from synthesis.tokens import Tokenizer, load_tokenizer
from synthesis.wording import counted

MOST_TOKENS = 512
"""How long a reply may be, where neither the question nor the user says."""
NOTHING_ASKED = "nothing is asked for: leave out --no-replies, or add --likelihood"
_STOP_AFTER = 20


def evaluate(
    questions: str | Path | QuestionSource | Iterable[ContextQuestion],
    engine: str | Engine,
    *,
    model: str = "",
    conditions: str = "full",
    lengths: str = "own",
    depth: str = "uniform",
    distractors: str = "same-task",
    window: int = 0,
    tokenizer: Tokenizer | str | None = None,
    temperature: float = 0.0,
    max_tokens: int = 0,
    seed: int = 0,
    metrics: Sequence[str] = (),
    likelihood: bool = False,
    replies: bool = True,
    limit: int = 0,
    form: str = "",
    folder: str | Path | None = None,
    **options: Any,
) -> Iterator[Prediction]:
    """Ask an engine questions over their contexts; yield each answered question as it comes.

    Args:
        questions: a source in any form that is known (see ``synthesis.evaluation.forms``), or questions.
        engine: a name (see ``synthesis.engines.engine_names``), or an object that is an engine.
        model: which model the engine runs.
        conditions: what is shown: some of ``full`` (the context), ``closed`` (no context), ``oracle`` (the
            evidence alone) and ``none-evidence`` (the context without its evidence, and without any
            sentence that states an answer), with commas.
        lengths: tokens of the prompt with its answer, as in ``own,4k,8k``: ``own`` is the context as it
            is; in a longer one it stands among other questions' documents, in a shorter one it is cut in the
            middle.
        depth: where it stands there: ``uniform``, or each of ``0,0.5,1``.
        distractors: whose documents it stands among, as for ``synthesis.assemble``.
        window: prompts of more tokens are cut in the middle, where the form has it so; 0 for never.
        tokenizer: what counts; a name is loaded, None is the embedded one.
        temperature: 0 takes the likeliest token each time.
        max_tokens: the longest reply; 0 goes by the question, which mostly says it.
        seed: with the contents, determines every choice of ours.
        metrics: further ones of ``synthesis.evaluation.metrics``; by default those usual for short answers.
        likelihood: add the answer's log-likelihood, from engines that offer it.
        replies: ask for replies; without, only likelihoods are asked for.
        limit: ask only the first so many questions; 0 for all.
        form: the form of the source, if it cannot be told.
        folder: where replies are recorded as they arrive, so that none is asked for twice.
        options: further settings of the engine.

    Yields:
        A ``Prediction``; one whose ``finish_reason`` is ``error`` has no reply and no scores.

    Raises:
        UsageError: an option cannot be used, or no question's evidence is known well enough.
        SourceError: the source cannot be read.
        EngineError: the engine failed as a whole, or everything failed alike.
    """
    told = conditions_of(conditions, lengths, depth, distractors, window, seed)
    further = check_metrics(metrics)
    with ExitStack() as stack:
        owned = isinstance(engine, str)

        def made() -> BaseEngine:
            return make_engine(engine, model, **options) if isinstance(engine, str) else adopted(engine)

        counting = tokenizer if isinstance(tokenizer, Tokenizer) else load_tokenizer(tokenizer)
        sampling = Sampling(temperature, 1.0, max_tokens or MOST_TOKENS, seed)
        given = (
            read_questions(questions, form, limit)
            if isinstance(questions, str | Path | QuestionSource)
            else questions
        )
        work = Evaluation(made, given, told, counting, sampling, max_tokens, further)
        if owned:
            stack.callback(work.engine.close)
        log = stack.enter_context(reply_log(Path(folder) if folder is not None else None))
        yield from work.predictions(log, likelihood=likelihood, replies=replies)


def read_questions(
    source: str | Path | QuestionSource,
    form: str = "",
    limit: int = 0,
    on_bad: Callable[[Rejected], object] = lambda _: None,
) -> Iterator[ContextQuestion]:
    """The questions of a source; rows that are none are handed to ``on_bad``.

    Raises:
        UsageError: its form is not known.
        SourceError: it cannot be read, or has no question.
    """
    place = source if isinstance(source, QuestionSource) else QuestionSource(str(source))
    found = form_of(place, form).read(place)
    count = 0
    first: Rejected | None = None
    for row in found:
        if isinstance(row, Rejected):
            first = first or row
            on_bad(row)
            continue
        count += 1
        yield row
        if count == limit:
            return
    if not count:
        why = f"; the first row that is none: {first.pair_id}: {first.reason}" if first else ""
        raise UsageError(f"{place.place} has no question that can be asked{why}")


@dataclass
class Evaluation:
    """Questions, how they are asked, and who is asked: what ``evaluate`` does, step by step.

    The engine is made when the questions were read: what is wrong with them is said before a model is loaded.
    ``most_tokens`` above 0 bounds every reply, whatever its question says.
    """

    make_engine: Callable[[], BaseEngine]
    questions: Iterable[ContextQuestion]
    conditions: Conditions
    tokenizer: Tokenizer
    sampling: Sampling
    most_tokens: int = 0
    metrics: Sequence[str] = ()
    store: QuestionStore = field(init=False)
    cases: Cases = field(init=False)
    engine: BaseEngine = field(init=False)
    questioner: Questioner = field(init=False)

    def __post_init__(self) -> None:
        """Read all questions, and make the engine; whoever makes this closes it.

        Raises:
            UsageError, SourceError, ConfigError: see ``evaluate``.
        """
        default = self.most_tokens or MOST_TOKENS
        self.store = QuestionStore(self.questions, lambda one: self.most_tokens or one.most_tokens or default)
        self.cases = Cases(self.store, self.conditions, self.tokenizer)
        self.engine = self.make_engine()
        self.questioner = Questioner(self.engine, self.sampling)

    def predictions(
        self,
        log: ReplyLog | None = None,
        *,
        likelihood: bool = False,
        replies: bool = True,
        budget: Budget = NO_BUDGET,
        stop_after: int = _STOP_AFTER,
        on_reply: Callable[[Completion], object] = lambda _: None,
        on_likelihood: Callable[[], object] = lambda: None,
    ) -> Iterator[Prediction]:
        """Each answered question as it comes; see ``evaluate``.

        Raises:
            EngineError: the engine failed as a whole, or so many questions in a row (``stop_after``; 0 for
                any) failed alike.
        """
        if not (likelihood or replies):
            raise UsageError(NOTHING_ASKED)
        likely: dict[tuple[int, Variant], tuple[float, int]] = {}
        if likelihood:
            for found in likelihoods(self.engine, self.store, self.cases, log):
                likely[found.place, found.variant] = found.total, found.tokens
                on_likelihood()
        if not replies:
            for cases in self.cases.of(range(len(self.store))):
                for case in cases:
                    how = likely.get((case.place, case.variant))
                    yield Prediction(
                        case.question,
                        case.variant,
                        "",
                        depth=case.depth,
                        loglikelihood=how,
                        place=self.store.given_as(case.place),
                    )
            return
        alike = Alike(stop_after)
        for reply in self.questioner.replies(self.store, self.cases, log, budget, on_reply):
            yield from self._predicted(reply, likely)
            # Those that share a reply fail by one and the same failure.
            if not reply.known and not alike.goes_on(_outcome(reply)):
                raise EngineError(
                    f"{counted(alike.count, 'question')} in a row failed alike ({alike.reason}); mend the "
                    "cause and run the same command again: what is answered is kept"
                )

    def _predicted(
        self, reply: CaseReply, likely: dict[tuple[int, Variant], tuple[float, int]]
    ) -> Iterator[Prediction]:
        said = reply.completion
        answer = answer_in(said.text)
        failed = said.finish_reason == "error"
        scores: dict[str, float] | None = {} if failed else None
        for case in reply.cases:
            if scores is None:  # the same question, the same reply
                scores = scored(case.question, answer, self.metrics)
            yield Prediction(
                case.question,
                case.variant,
                answer,
                said.text,
                said.finish_reason,
                said.detail,
                case.depth,
                said.prompt_tokens,
                scores,
                likely.get((case.place, case.variant)),
                reply.fingerprint,
                self.store.given_as(case.place),
            )


def _outcome(reply: CaseReply) -> Any:
    from synthesis.data import Context

    said = reply.completion
    if said.finish_reason != "error":
        return Context(said.prompt_id, said.text)
    return Rejected(said.prompt_id, "generate", said.detail or "no detail given")
