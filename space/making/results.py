"""What a run gave: one frozen record that everything on the page is drawn from.

Also what visitors take away: the record as JSON and as a chat sample. Knows nothing of HTML.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from builder.folder.schema import chat_row
from space.making.inputs import Inputs
from synthesis import __version__
from synthesis.assembly.rendering import lay_out
from synthesis.coherence import score, score_context, window_spans
from synthesis.data import Coherence, Context, Evidence, Pair, Sample

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Assessment:
    """A text scored for a pair.

    ``cells`` are the windows of the text with the support each gives, 0..1; ``notes`` are
    ``explain``'s sentences, most important first.
    """

    coherence: Coherence
    notes: tuple[str, ...]
    cells: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A context, the sample around it if one was asked for, and its verdict.

    ``text`` is what the page shows: the sample's user message, or the context alone. ``own`` is
    the context's span in it, ``evidence`` its evidence's, ``asked`` where the documents end and
    the instruction follows. ``stopped`` marks a context the visitor cut short.
    """

    inputs: Inputs
    context: Context
    sample: Sample | None
    verdict: Assessment
    text: str
    own: Span
    asked: int
    evidence: tuple[Evidence, ...]
    seconds: float
    stopped: bool = False


def assess(pair: Pair, context: Context, shown: str | None = None) -> Assessment:
    """The verdict on a context; its cells are those of ``shown``, where that is a longer text around it."""
    scored = score_context(pair, context)
    longer, windows = context.text, scored.coherence.windows
    if shown is not None:
        longer, windows = shown, score(shown, pair.instruction, pair.answer).windows
    cells = tuple(
        (start, end, value) for (start, end), value in zip(window_spans(longer), windows, strict=True)
    )
    return Assessment(scored.coherence, tuple(scored.explain()), cells)


def make_result(
    inputs: Inputs, context: Context, sample: Sample | None, started: float, stopped: bool = False
) -> Result:
    """The record of a finished run that began at ``started`` (``time.perf_counter``)."""
    if sample is None:
        verdict = assess(inputs.pair, context)
        text, own, asked, evidence = context.text, (0, len(context.text)), len(context.text), context.evidence
    else:
        text, own = sample.messages[0].content, sample.evidence_span
        evidence = sample.evidence
        # The instruction closes the message and, speaking of itself, would score best of all.
        asked = max(own[1], text.rfind("\n\n", own[1], text.rfind(inputs.instruction)))
        verdict = assess(inputs.pair, context, text[:asked])
    seconds = time.perf_counter() - started
    return Result(inputs, context, sample, verdict, text, own, asked, tuple(evidence), seconds, stopped)


def as_record(result: Result) -> dict[str, Any]:
    """Everything about a result as JSON-able values, with the fields the dataset uses."""
    context, coherence = result.context, result.verdict.coherence
    record: dict[str, Any] = {
        "id": context.pair_id,
        "task": result.inputs.task,
        "instruction": result.inputs.instruction,
        "answer": result.inputs.answer,
        "context": context.text,
        "evidence": spans(context.evidence),
        "evidence_source": context.evidence_source,
        "form": context.form,
        "hops": context.hops,
        "words": context.words,
        "tokens": context.tokens,
        "coherence": {
            name: getattr(coherence, name)
            for name in ("overall", "support", "relevance", "uniqueness", "leaks", "kind", "verified")
        },
        "engine": context.engine,
        "model": context.model,
        "seed": result.inputs.seed,
        "stopped": result.stopped,
        "made_with": f"context-synthesis {__version__}",
        "request": asdict(result.inputs),
    }
    if result.sample is not None:
        record["sample"] = chat_record(result)
    return record


def chat_record(result: Result) -> dict[str, Any]:
    """The chat sample as one row of a training file, with the columns of the dataset.

    Where only a context was asked for, it is the only document.
    """
    inputs, sample = result.inputs, result.sample
    if sample is None:
        alone = lay_out(inputs.pair, result.context.text).messages
        return {"messages": [turn._asdict() for turn in alone], "id": inputs.pair.id, "task": inputs.task}
    return {**chat_row(sample), "coherence": result.verdict.coherence.overall}


def spans(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Evidence as JSON-able values."""
    return [{"start": start, "end": end, "what": what} for start, end, what in evidence]


def json_text(value: dict[str, Any], *, indent: int | None = None) -> str:
    """JSON that any reader takes: a lone surrogate, which UTF-8 has no bytes for, becomes U+FFFD."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
