"""Coherence of contexts that stand in a file, row by row; with a model at hand, what it says of them.

Reads anything that pairs can be read from; the rows need a context column as well. Knows
nothing of which engine it is.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from builder.job.evidence import known_evidence
from synthesis.coherence import score_context
from synthesis.coherence.gain import Gain, gains_or_errors
from synthesis.data import Context, Pair, Rejected
from synthesis.engines import engine_class, engine_with
from synthesis.engines.base import BaseEngine, Engine, Sampling
from synthesis.errors import SourceError, UsageError
from synthesis.run.judge import GRADES, JUDGING, Verdict, judge_batch
from synthesis.sources.address import address_of
from synthesis.sources.columns import map_row
from synthesis.sources.resolve import tables
from synthesis.sources.values import BadRow

CONTEXT_COLUMNS = ("context", "synthesized_context", "document", "passage", "text")

Line = dict[str, Any]


class Judge(NamedTuple):
    """A model that judges, how its replies are drawn, and how often it is asked again."""

    engine: Engine
    sampling: Sampling = JUDGING
    repairs: int = 2


class _Row(NamedTuple):
    """A line of the result, and the (context, instruction, answer) it is about, if it could be read."""

    line: Line
    triple: tuple[str, str, str] | None


def score_source(
    source: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    split: str = "train",
    reasons: bool = False,
    engine: Engine | None = None,
    windows: bool = False,
    judge: Judge | None = None,
) -> Iterator[Line]:
    """Score every row of a file, folder or dataset.

    Args:
        source: as for ``synthesis.read_pairs``; of a run's folder, the contexts of its dataset.
        columns: ours -> theirs, for ``instruction``, ``answer``, ``context`` and ``evidence`` (a column of
            that name is used by itself; see ``synthesis.score`` for what it may hold).
        split: of a dataset.
        reasons: add ``explain``'s sentences.
        engine: add the gain by this engine's likelihoods (``gain_engine`` makes one): ``gain``,
            ``answer_logprob`` and ``instruction_gain`` (nats per token), ``answer_tokens``; or
            ``gain_error`` for a row it cannot score.
        windows: with an engine, add ``window_gains`` as well.
        judge: add its verdict: ``judge_overall``, ``judge_`` and the name of each grade,
            ``judge_reason``, ``judge_attempts``; or ``judge_error`` for a row without a verdict.

    Yields:
        ``row`` (its place), the score's parts, or ``error`` for a row that cannot be scored.

    Raises:
        SourceError: the source cannot be read, or none of its rows can be scored; behind the last row,
            none has the column named for ``evidence``.
        ConfigError: the engine offers no likelihood, or the judge's is no language model.
        UsageError: both an engine for the gain and a judge; one engine answers at a time.
        EngineError: the engine cannot score one row after the other, or failed as a whole.
    """
    if engine is not None and judge is not None:
        raise UsageError(
            "the gain and the judge each take an engine of their own; "
            "score the file once with --gain and once with --judge, and join the lines by their row"
        )
    rows = _rows(str(source), dict(columns or {}), split, reasons)
    if engine is not None:
        yield from _with_gains(rows, engine, windows)
    elif judge is not None:
        yield from _with_verdicts(rows, judge)
    else:
        yield from (row.line for row in rows)


def gain_engine(name: str, model: str, options: Mapping[str, Any]) -> BaseEngine:
    """An engine for the gain: in float32, unless its options say otherwise.

    Raises:
        ConfigError: unknown engine, model or option.
    """
    takes = inspect.signature(engine_class(name)).parameters
    plain = {"dtype": "float32"} if "dtype" in takes else {}
    return engine_with(name, model, {**plain, **options})


def _rows(source: str, chosen: dict[str, str], split: str, reasons: bool) -> Iterator[_Row]:
    wanted = (chosen.pop("context"),) if "context" in chosen else CONTEXT_COLUMNS
    named = chosen.pop("evidence", "")
    told_in, met = named or "evidence", False
    scored, unusable = False, ""
    at = address_of(source, None, split)
    for table in tables(at.place, at.config, at.split, None):
        for row in table.rows():
            place = f"{table.name}:{row.line}"
            try:
                if row.error:
                    raise BadRow(row.error)
                fields = map_row(row.value, chosen)
            except BadRow as bad:
                unusable = unusable or f"{place}: {bad.reason}"
                yield _Row({"row": place, "error": bad.reason}, None)
                continue
            context = next((fields.metadata[name] for name in wanted if name in fields.metadata), None)
            if not isinstance(context, str):
                if not scored:
                    raise SourceError(
                        f"{place} has no context (looked for {', '.join(wanted)}); "
                        "name its column with --column context=NAME"
                    )
                yield _Row({"row": place, "error": "no context"}, None)
                continue
            scored, met = True, met or told_in in row.value
            triple = (context, fields.instruction, fields.answer)
            try:
                yield _Row(_line(place, *triple, reasons, known_evidence(row.value, told_in)), triple)
            except UsageError as bad:
                yield _Row({"row": place, "error": str(bad)}, None)
    if not scored:
        raise SourceError(
            f"{source} has no row to score: {unusable or 'it is empty'}. Rows need an instruction, an answer "
            "and a context; columns of other names are given as --column instruction=NAME and so on"
        )
    if named and not met:
        raise SourceError(
            f"no row has the column {named!r} that --column evidence={named} names: all were scored without "
            "evidence. Name the column that has it, or leave --column evidence out"
        )


def _line(
    place: str, context: str, instruction: str, answer: str, reasons: bool, evidence: Any = None
) -> Line:
    pair = Pair(place, instruction, answer)
    scored = score_context(pair, Context(place, context), evidence=evidence)
    found = scored.coherence
    line: Line = {
        "row": place,
        "overall": round(found.overall, 4),
        "support": round(found.support, 4),
        "relevance": round(found.relevance, 4),
        "uniqueness": round(found.uniqueness, 4),
        "leaks": found.leaks,
        "kind": found.kind,
        "verified": found.verified,
    }
    if reasons:
        line["explanation"] = scored.explain()
    return line


def _with_gains(rows: Iterator[_Row], engine: Engine, windows: bool) -> Iterator[Line]:
    """The lines with the columns of the gain, in order."""
    ahead: deque[_Row] = deque()

    def triples() -> Iterator[tuple[str, str, str]]:
        for row in rows:
            ahead.append(row)
            if row.triple:
                yield row.triple

    for found in gains_or_errors(triples(), engine, windows=windows):
        yield from _unread(ahead)
        columns = _columns(found, windows) if isinstance(found, Gain) else {"gain_error": str(found)}
        yield ahead.popleft().line | columns
    yield from _unread(ahead)


def _unread(ahead: deque[_Row]) -> Iterator[Line]:
    """Hand out the lines at the front that are about no text."""
    while ahead and ahead[0].triple is None:
        yield ahead.popleft().line


def _columns(found: Gain, windows: bool) -> Line:
    columns: Line = {
        "gain": round(found.answer, 4),
        "answer_logprob": round(found.logprob, 4),
        "instruction_gain": round(found.instruction, 4),
        "answer_tokens": found.tokens,
    }
    if windows:
        columns["window_gains"] = [round(value, 4) for value in found.windows]
    return columns


def _with_verdicts(rows: Iterator[_Row], judge: Judge) -> Iterator[Line]:
    """The lines with what the judge says, in order; what the engine has not answered is kept as a line."""
    ahead: deque[tuple[Line, bool]] = deque()

    def triples() -> Iterator[tuple[str, str, str]]:
        for line, triple in rows:
            ahead.append((line, triple is not None))
            if triple is not None:
                yield triple

    for outcome in judge_batch(triples(), judge.engine, sampling=judge.sampling, repairs=judge.repairs):
        while not ahead[0][1]:
            yield ahead.popleft()[0]
        yield ahead.popleft()[0] | _verdict_columns(outcome)
    yield from (line for line, _ in ahead)


def _verdict_columns(outcome: Verdict | Rejected) -> Line:
    if isinstance(outcome, Rejected):
        return {"judge_error": outcome.reason}
    grades: Line = {f"judge_{name}": getattr(outcome, name) for name in ("overall", *GRADES)}
    return grades | {"judge_reason": outcome.reason, "judge_attempts": outcome.attempts}
