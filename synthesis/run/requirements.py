"""What a model must make of a context for it to stay: that it is needed, and that it suffices.

Asked once for each context, and recorded in the run's journal as each answer comes: numbers and replies,
not verdicts, so that other thresholds ask for nothing. Knows nothing of files and datasets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from synthesis.coherence.gain import gains_or_errors
from synthesis.data import Completion, Context, Message, Pair, Prompt, Usage, content_hash
from synthesis.engines import engine_class
from synthesis.engines.base import BaseEngine, Sampling
from synthesis.errors import ConfigError, EngineError
from synthesis.gate.answering import gives
from synthesis.options import GenerationConfig, RequireConfig, RunConfig
from synthesis.run.journal import Journal
from synthesis.tasks import task_of

STAGE: Final = "require"
BY_LIKELIHOOD: Final = ("gain", "evidence")
BY_REPLY: Final = ("closed-book", "open-book")
_CLOSED: Final = (
    "Answer from what you know, in as few words as it takes. There is nothing to look it up in; guess where "
    "you have to.\n\n{instruction}"
)
HOW: Final = frozenset(
    ("base_url", "api_key_env", "concurrency", "timeout", "retries", "device", "batch_size", "batch_tokens")
    + ("max_num_seqs", "tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    + ("gpu_memory_utilization", "engine_arguments")
)
"""Options of engines by which a reply is had, not those by which it is what it is."""

_SHOWN: Final = 60  # characters of a reply in a reason
_HOPELESS: Final = 20  # failures in a row: then it is not the rows


def examiner(config: RunConfig) -> GenerationConfig:
    """Who is asked: what ``[require]`` names, else what writes the contexts.

    Raises:
        ConfigError: that is several models or none.
    """
    wanted = config.require
    made = config.generation.by(wanted.engine, wanted.model, wanted.options)
    if made.mix:
        raise ConfigError("--require asks one model, and --mix names several; name one with --require-model")
    if engine_class(made.engine).free or engine_class(made.engine).outlives_process:
        raise ConfigError(
            f"--require asks a language model, and engine '{made.engine}' is none that answers at once; "
            "name one with --require-engine: openai, vllm or transformers"
        )
    return made


def wanted_kinds(config: RequireConfig) -> tuple[str, ...]:
    """What has to be asked, in order; nothing where nothing is required."""
    on = (config.gain, config.evidence, config.closed_book, config.open_book)
    return tuple(kind for kind, one in zip((*BY_LIKELIHOOD, *BY_REPLY), on, strict=True) if one)


@dataclass(frozen=True, slots=True)
class _Question:
    """One thing to be asked about a context: its ``kind``, and the name it is recorded under."""

    kind: str
    name: str
    pair: Pair
    context: Context


class Requirements:
    """What a configuration requires, against what is recorded in a journal."""

    def __init__(self, config: RunConfig, journal: Journal) -> None:
        """Raises as ``examiner``."""
        self.config = config.require
        self.asked = examiner(config)
        self.kinds = wanted_kinds(config.require)
        self._journal = journal
        shaping = {name: value for name, value in sorted(self.asked.options.items()) if name not in HOW}
        self._by = (self.asked.engine, self.asked.model, shaping)
        self._failed: dict[str, str] = {}

    def lacking(self, rows: Iterable[tuple[Pair, Context]]) -> Iterator[_Question]:
        """What is still to be asked about some contexts, each thing once."""
        seen = set()
        for pair, context in rows:
            for question in self._questions(pair, context):
                if question.name not in seen and self._journal.find_required(question.name) is None:
                    seen.add(question.name)
                    yield question

    def ask(
        self,
        rows: Iterable[tuple[Pair, Context]],
        make: Callable[[GenerationConfig], BaseEngine],
        tick: Callable[[], None] = lambda: None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Ask what is still to be asked, if anything is, and record each answer as it comes.

        What cannot be answered for one context is told by ``reason`` and asked again another time; so is
        what ``may_go_on`` has left.

        Raises:
            ConfigError: the engine offers no likelihood, and a gain is required.
            EngineError: it failed as a whole.
        """
        todo = list(self.lacking(rows))
        if not todo:
            return
        engine = make(self.asked)
        try:
            likely = [one for one in todo if one.kind in BY_LIKELIHOOD]
            if likely:
                self._measure(likely, engine, tick, may_go_on)
            told = [one for one in todo if one.kind in BY_REPLY]
            if told:
                sampling = Sampling(0.0, 1.0, self.config.max_tokens)
                source = _Asking(told, self._record, may_go_on)
                for completion in engine.complete(source, sampling):
                    source.arrived(completion)
                    tick()
                    if source.in_a_row >= _HOPELESS:
                        raise EngineError(f"what --require asks fails again and again: {completion.detail}")
                self._failed.update(source.failed)
        finally:
            engine.close()

    def reason(self, pair: Pair, context: Context) -> str | None:
        """Why a context is dropped, as ``gain: 0.12 under 0.50``; None if it is all that is required."""
        for question in self._questions(pair, context):
            found = self._journal.find_required(question.name)
            if found is None:
                why = self._failed.get(question.name, "the budget ended before; a higher one asks")
                return f"unanswered: {question.kind}: {why}"
            if (missed := self._missed(question, found)) is not None:
                return f"{question.kind}: {missed}"
        return None

    def _missed(self, question: _Question, found: Mapping[str, Any]) -> str | None:
        if question.kind in BY_LIKELIHOOD:
            least = getattr(self.config, question.kind)
            value = float(found["value"])
            return f"{value:.2f} under {least:.2f}" if value < least else None
        given = gives(str(found["reply"]), question.pair.answer, question.pair.instruction)
        shown = " ".join(str(found["reply"]).split())
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}\u2026"
        if question.kind == "closed-book":
            return f"known without the context: {shown!r}" if given else None
        return None if given else f"not answered with the context: {shown!r}"

    def _questions(self, pair: Pair, context: Context) -> Iterator[_Question]:
        for kind in self.kinds:
            about: tuple[object, ...] = (kind, *self._by, pair.instruction)
            if kind in BY_LIKELIHOOD:
                about = (*about, pair.answer, context.text)
                if kind == "evidence":
                    about = (*about, [tuple(piece[:2]) for piece in context.evidence])
            else:
                about = (*about, self.config.max_tokens)
                if kind == "open-book":
                    about = (*about, pair.task, context.text)
            yield _Question(kind, content_hash(STAGE, *about), pair, context)

    def _record(self, question: _Question, body: dict[str, Any], usage: Usage | None = None) -> None:
        self._journal.keep_required(question.name, question.pair.id, {"kind": question.kind, **body}, usage)

    def _measure(
        self,
        todo: list[_Question],
        engine: BaseEngine,
        tick: Callable[[], None],
        may_go_on: Callable[[], bool],
    ) -> None:
        """The gain of each context, and what is left of it without its evidence."""
        done: list[_Question] = []

        def triples() -> Iterator[tuple[str, str, str]]:
            for question in todo:
                if not may_go_on():
                    return
                pair, context = question.pair, question.context
                done.append(question)
                yield context.text, pair.instruction, pair.answer
                if question.kind == "evidence":
                    yield without_evidence(context), pair.instruction, pair.answer

        found = gains_or_errors(triples(), engine)
        for place, whole in enumerate(found):
            question = done[place]
            bare = next(found) if question.kind == "evidence" else None
            failed = next((one for one in (whole, bare) if isinstance(one, EngineError)), None)
            if failed is not None or isinstance(whole, EngineError) or isinstance(bare, EngineError):
                self._failed[question.name] = str(failed)
            elif bare is None:
                self._record(question, {"value": round(whole.answer, 6)})
            else:
                self._record(question, {"value": round(whole.logprob - bare.logprob, 6)})
            tick()


class _Asking:
    """The prompts of some questions; records each reply as soon as it arrives."""

    def __init__(
        self,
        todo: Iterable[_Question],
        record: Callable[[_Question, dict[str, Any], Usage], None],
        may_go_on: Callable[[], bool],
    ) -> None:
        self._todo, self._record, self._may_go_on = iter(todo), record, may_go_on
        self._open: dict[str, _Question] = {}
        self._lock = threading.Lock()  # replies arrive in an engine's thread
        self.failed: dict[str, str] = {}
        self.in_a_row = 0

    def pull(self) -> Prompt | None:
        """The next question as a prompt."""
        if not self._may_go_on() or (question := next(self._todo, None)) is None:
            return None
        with self._lock:
            self._open[question.name] = question
        pair, text = question.pair, question.context.text
        variables = {"instruction": pair.instruction, "answer": pair.answer, "words": 0}
        message = Message("user", asked_about(pair, "" if question.kind == "closed-book" else text))
        return Prompt(question.name, pair.id, STAGE, variables, (message,), question.name)

    def arrived(self, completion: Completion) -> None:
        """Record a reply; the second time that one is told of it is passed over."""
        with self._lock:
            question = self._open.pop(completion.prompt_id, None)
            if question is None:
                return
            if completion.finish_reason == "error":
                self.failed[question.name] = completion.detail
                self.in_a_row += 1
                return
            self.in_a_row = 0
            self._record(question, {"reply": completion.text}, Usage.of(completion))


def asked_about(pair: Pair, text: str) -> str:
    """What a model is asked: the pair's question about a text, worded as its samples are, or without any."""
    if not text:
        return _CLOSED.replace("{instruction}", pair.instruction)
    opening, _, closing = task_of(pair.task).wording.partition("{documents}")
    return f"{opening}{text}{closing.replace('{instruction}', pair.instruction)}"


def without_evidence(context: Context) -> str:
    """The text of a context without its pieces of evidence."""
    kept, at = [], 0
    for piece in sorted(context.evidence):
        kept.append(context.text[at : piece.start])
        at = max(at, piece.end)
    return "".join((*kept, context.text[at:]))


def told(config: RunConfig) -> dict[str, Any]:
    """What is required, and of whom it is asked, for the card: names and values in words."""
    if not wanted_kinds(config.require):
        return {}
    asked, require = examiner(config), config.require
    values: dict[str, Any] = {"gain": require.gain, "evidence": require.evidence}
    values |= {"closed-book": require.closed_book, "open-book": require.open_book}
    named = {f"required {kind}": value for kind, value in values.items() if value}
    return named | {"asked of": asked.model or asked.engine}
