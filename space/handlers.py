"""What happens when a visitor presses a button, as plain functions that know nothing of Gradio.

Streaming: a handler yields ``Moment``s, about twenty a run, each everything the page shows at that
moment; a tab draws them (``space.view.drawing``). Errors: whatever is the visitor's to mend becomes a moment
of stage ``problem`` whose note says what to do; nothing else is caught. State: the last moment's
``Result`` is all that is kept of a session. ``synthesize_once`` and ``score_once`` are what the
named endpoints call.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from space.making import models, processes
from space.making.engines import EMBEDDED
from space.making.inputs import (
    MOST_ANSWER,
    MOST_CONTEXT,
    MOST_INSTRUCTION,
    TASKS,
    InputError,
    Inputs,
    bounded,
    read_inputs,
)
from space.making.results import Assessment, Result, Span, as_record, assess, make_result, spans
from space.making.sessions import Run
from space.making.writing import Unmade, bundled, counted, surround, written
from synthesis.coherence import locate
from synthesis.data import Completion, Context, Evidence, Pair, Prompt, Rejected
from synthesis.engines.base import Sampling
from synthesis.errors import ContextSynthesisError
from synthesis.gate.parsing import parse
from synthesis.gate.replies import find_body

STEPS: Final = 14
"""Moments in which the composer's text, which is there at once, is shown."""

OPENING: Final = 47
"""Which bundled pair is on show when the page opens: its evidence stands in three places."""

STEP: Final = 0.03
"""Seconds between two of them, so that the eye can follow; long runs are not slowed by it."""

PAUSE: Final = 0.3
"""Seconds between two moments of a model's text."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a run. ``stage`` is ``writing``, ``assembling``, ``done``, ``stopped`` or ``problem``.

    ``note`` is a plain sentence for the status line; ``share`` how much of the text is there;
    ``marks`` the evidence in ``text``. ``result`` comes with the last moment, also of a stopped run.
    """

    stage: str
    note: str
    text: str = ""
    marks: tuple[Span, ...] = ()
    share: float = 0.0
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class OwnScore:
    """A visitor's own context with its verdict, or the ``problem`` that kept it from one."""

    text: str = ""
    evidence: tuple[Evidence, ...] = ()
    verdict: Assessment | None = None
    problem: str = ""


def synthesize(given: Mapping[str, Any], run: Run, token: str | None = None) -> Generator[Moment, None, None]:
    """Everything a run shows, from the first words to the verdict.

    Args:
        given: fields of ``Inputs``, unchecked.
        run: asked between two pieces whether to go on.
        token: the visitor's own, for Inference Providers.
    """
    started = time.perf_counter()
    if run.stopped:
        yield Moment("stopped", "Taken out of the line before its turn: nothing was written.")
        return
    try:
        inputs = read_inputs(**given)
        if not inputs.asks_model:
            yield from _composed(inputs, run, started)
        else:
            yield from _modelled(models.settled_model(inputs), run, token, started)
    except ContextSynthesisError as error:
        yield Moment("problem", str(error))


def score_own(instruction: Any, answer: Any, context: Any) -> OwnScore:
    """The coherence of a visitor's own context, with the places that support the answer."""
    try:
        asked = bounded(instruction, "instruction", MOST_INSTRUCTION)
        said = bounded(answer, "answer", MOST_ANSWER)
        text = bounded(context, "context", MOST_CONTEXT)
    except InputError as error:
        return OwnScore(problem=str(error))
    try:
        return processes.call(_own_score, text, asked, said)
    except ContextSynthesisError as error:
        return OwnScore(problem=str(error))


def _own_score(text: str, asked: str, said: str) -> OwnScore:
    pair = Pair(instruction=asked, answer=said)
    return OwnScore(text, tuple(locate(text, asked, said)), assess(pair, Context(pair.id, text)))


def synthesize_once(**given: Any) -> dict[str, Any]:
    """The record of a finished run with the composer, for the endpoint ``/synthesize``.

    Raises:
        ContextSynthesisError: the input cannot be used, or nothing came of it.
    """
    started = time.perf_counter()
    inputs = read_inputs(engine=EMBEDDED, **given)
    return as_record(_made(inputs, processes.call(written, inputs), started))


def score_once(context: str, instruction: str, answer: str) -> dict[str, Any]:
    """The verdict on a context, for the endpoint ``/score``.

    Raises:
        InputError: a text is missing or too long.
    """
    scored = score_own(instruction, answer, context)
    if scored.verdict is None:
        raise InputError(scored.problem)
    coherence = scored.verdict.coherence
    names = ("overall", "support", "relevance", "uniqueness", "leaks", "kind", "verified")
    return {name: getattr(coherence, name) for name in names} | {
        "windows": list(coherence.windows),
        "evidence": spans(scored.evidence),
        "explanation": list(scored.verdict.notes),
    }


def opening() -> Result:
    """The sample on show when the page opens, made when the server starts.

    Made with the code that visitors run, so that its "reproduce" holds and it never grows stale.
    """
    pair = bundled()[OPENING]
    inputs = read_inputs(
        instruction=pair.instruction, answer=pair.answer, task=pair.task, length="8k", depth=0.4
    )
    started = time.perf_counter()
    return _made(inputs, processes.call(written, inputs), started)


def _composed(inputs: Inputs, run: Run, started: float) -> Iterator[Moment]:
    context = processes.call(written, inputs)
    for shown in _growing(context):
        if run.stopped:
            yield _stopped(inputs, shown, started)
            return
        marks = tuple((start, end) for start, end, _ in shown.evidence)
        share = len(shown.text) / len(context.text)
        yield Moment("writing", _writing(shown, inputs), shown.text, marks, share)
        run.wait(STEP)
    yield from _finished(inputs, context, run, started)


def _modelled(inputs: Inputs, run: Run, token: str | None, started: float) -> Iterator[Moment]:
    sampling = Sampling(max_tokens=models.MOST_REPLY, seed=inputs.seed)
    prompt = models.prompt_for(inputs, sampling)
    models.check_login(inputs, token)
    yield Moment("writing", f"Asking {inputs.model} for about {inputs.words:,} words.")
    text, said, trouble = "", time.perf_counter(), ""
    try:
        for piece in models.stream(inputs, prompt, sampling, token):
            text += piece
            if run.stopped:
                break
            if time.perf_counter() - said >= PAUSE:
                said = time.perf_counter()
                words = len(text.split())
                note = f"{inputs.model} is writing: {words:,} of about {inputs.words:,} words."
                body = find_body(text)
                yield Moment("writing", note, text[body.start : body.end], share=words / inputs.words)
    except ContextSynthesisError as error:
        if not text.strip():
            raise
        trouble = f"{error} "
    cut = run.stopped or bool(trouble)
    context = processes.call(_read, inputs, prompt, text, not cut)
    if cut:
        yield _stopped(inputs, context, started, trouble)
    else:
        yield from _finished(inputs, context, run, started)


def _read(inputs: Inputs, prompt: Prompt, text: str, whole: bool) -> Context:
    """The context in a model's reply, its evidence located; part of a reply may be of any length."""
    if not whole:
        prompt = replace(prompt, variables={**prompt.variables, "words": 0})
    made = parse(
        Completion(prompt.id, text), prompt, engine=inputs.engine, model=inputs.model, seed=inputs.seed
    )
    if isinstance(made, Rejected):
        raise Unmade(f"{inputs.model} wrote no context ({made.reason}). Try another seed or model.")
    found = tuple(locate(made.text, inputs.instruction, inputs.answer))
    return counted(replace(made, evidence=found, evidence_source="located" if found else "none"))


def _finished(inputs: Inputs, context: Context, run: Run, started: float) -> Iterator[Moment]:
    marks = tuple((start, end) for start, end, _ in context.evidence)
    if inputs.budget is not None:
        note = f"Placing the context in a sample of {inputs.budget:,} tokens."
        yield Moment("assembling", note, context.text, marks, 1.0)
        if run.stopped:
            yield _stopped(inputs, context, started)
            return
    result = _made(inputs, context, started)
    marks = tuple((start, end) for start, end, _ in result.evidence)
    note = f"{described(result)[:-1]}, in {result.seconds:.1f} s. Task: {TASKS[inputs.task]}."
    if result.context.form == "quoted":
        note += " A pair of this kind needs a model: without one it can only be quoted."
    yield Moment("done", note, result.text, marks, 1.0, result)


def _made(inputs: Inputs, context: Context, started: float) -> Result:
    return _timed(processes.call(_placed, inputs, context), started)


def _placed(inputs: Inputs, context: Context) -> Result:
    return make_result(inputs, context, surround(inputs, context), 0.0)


def _timed(result: Result, started: float) -> Result:
    """Clocks of other processes are none of ours."""
    return replace(result, seconds=time.perf_counter() - started)


def _stopped(inputs: Inputs, context: Context, started: float, trouble: str = "") -> Moment:
    marks = tuple((start, end) for start, end, _ in context.evidence)
    note = (
        f"{trouble}The {context.words:,} words written by then are kept and can be downloaded; "
        "Synthesize starts again."
    )
    result = _timed(processes.call(make_result, inputs, context, None, started, True), started)
    return Moment("stopped", note, context.text, marks, 1.0, result)


def described(result: Result) -> str:
    """One sentence on what was made."""
    context, sample = result.context, result.sample
    if sample is None:
        return f"{context.words:,} words, {context.tokens:,} tokens."
    around = len(sample.documents) - 1
    company = f"among {around} other document{'s' if around > 1 else ''}" if around else "alone"
    short = "" if sample.tokens >= 0.995 * sample.budget else f" of {sample.budget:,}"
    return (
        f"{sample.tokens:,}{short} tokens: a context of {context.words:,} words {company}, "
        f"at depth {sample.depth:.2f}."
    )


def _writing(shown: Context, inputs: Inputs) -> str:
    return f"Writing the context: {shown.words:,} of {inputs.words:,} words."


def _growing(context: Context) -> Iterator[Context]:
    """A finished context as it grows by paragraphs, in about ``STEPS`` steps."""
    step = max(1, len(context.text) // STEPS)
    end = 0
    while end < len(context.text):
        end = context.text.find("\n\n", min(end + step, len(context.text)))
        end = len(context.text) if end < 0 else end
        text = context.text[:end]
        evidence = tuple(piece for piece in context.evidence if piece.end <= end)
        yield replace(context, text=text, evidence=evidence, words=len(text.split()))
