"""Evidence that a row tells of its own context: read from its column, kept where the context bears it out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from synthesis.coherence.pieces import places
from synthesis.data import Context, Evidence, Pair
from synthesis.errors import UsageError

_MOST_HOPS = 99  # more is no number of steps


def known_evidence(row: Mapping[str, Any], column: str) -> Any:
    """The evidence that a row's table gives, else None; what the score itself had located is none."""
    if row.get("evidence_source", "exact") != "exact":
        return None
    value = row.get(column)
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):  # as CSV holds it
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # not JSON, or nested beyond reading
            return value
    return value or None


def with_evidence(context: Context, pair: Pair, row: Mapping[str, Any], column: str, before: int) -> Context:
    """``context`` with the evidence that its row tells of it; without, where a piece of it is not there.

    Args:
        context: as read.
        pair: what is asked of it.
        row: as it stands in the table.
        column: that tells the evidence, in any form that ``synthesis.score`` takes.
        before: how many characters precede the context in the text whose characters are counted.
    """
    told = known_evidence(row, column)
    if told is None:
        return context
    try:
        given = _moved(told, before)
        spans = places(context.text, given)
    except UsageError:  # of another text, or a column that only has this name
        return context
    whats = _whats(given)
    evidence = tuple(
        Evidence(start, end, whats.get((start, end)) or _stated(context.text[start:end], pair))
        for start, end in spans
    )
    if not evidence or any(context.text[piece.start : piece.end].isspace() for piece in evidence):
        return context
    hops = row.get("hops")
    return replace(
        context,
        evidence=evidence,
        evidence_source="exact",
        form=_name(row.get("form")),
        hops=hops if type(hops) is int and 0 <= hops <= _MOST_HOPS else 0,
    )


def _moved(told: Any, before: int) -> Any:
    """The pieces with their characters counted from the context's first."""
    if not before or not isinstance(told, list):
        return told
    return [
        {**one, **{name: one[name] - before for name in ("start", "end")}} if _has_span(one) else one
        for one in told
    ]


def _whats(given: Any) -> dict[tuple[int, int], str]:
    """What is stated by those spans of which it is told."""
    pieces: Iterable[Any] = given if isinstance(given, list) else ()
    return {(one["start"], one["end"]): _name(one.get("what")) for one in pieces if _has_span(one)}


def _name(value: Any) -> str:
    """A short text of a row; "" for what is none, or could not be shown."""
    return value if isinstance(value, str) and value.isprintable() else ""


def _has_span(piece: Any) -> bool:
    return isinstance(piece, Mapping) and all(isinstance(piece.get(name), int) for name in ("start", "end"))


def _stated(text: str, pair: Pair) -> str:
    return pair.answer if pair.answer.casefold() in text.casefold() else "what is asked about"
