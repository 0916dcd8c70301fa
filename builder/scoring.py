"""Coherence of contexts that stand in a file, row by row.

Reads anything that pairs can be read from; the rows need a context column as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synthesis.coherence import explain, score
from synthesis.errors import SourceError
from synthesis.sources.columns import BadRow, map_row
from synthesis.sources.resolve import tables

CONTEXT_COLUMNS = ("context", "synthesized_context", "document", "passage", "text")


def score_source(
    source: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    split: str = "train",
    reasons: bool = False,
) -> Iterator[dict[str, Any]]:
    """Score every row of a file, folder or dataset.

    Args:
        source: as for ``synthesis.read_pairs``.
        columns: ours -> theirs, for ``instruction``, ``answer`` and ``context``.
        split: of a dataset.
        reasons: add ``explain``'s sentences.

    Yields:
        ``row`` (its place), the score's parts, or ``error`` for a row that cannot be scored.

    Raises:
        SourceError: the source cannot be read, or its rows have no context.
    """
    chosen = dict(columns or {})
    wanted = (chosen.pop("context"),) if "context" in chosen else CONTEXT_COLUMNS
    scored = False
    for table in tables(str(source), None, split, None):
        for row in table.rows():
            place = f"{table.name}:{row.line}"
            try:
                if row.error:
                    raise BadRow(row.error)
                fields = map_row(row.value, chosen)
            except BadRow as bad:
                yield {"row": place, "error": bad.reason}
                continue
            context = next((fields.metadata[name] for name in wanted if name in fields.metadata), None)
            if not isinstance(context, str):
                if not scored:
                    raise SourceError(
                        f"{place} has no context (looked for {', '.join(wanted)}); "
                        "name its column with --column context=NAME"
                    )
                yield {"row": place, "error": "no context"}
                continue
            scored = True
            yield _line(place, context, fields.instruction, fields.answer, reasons)


def _line(place: str, context: str, instruction: str, answer: str, reasons: bool) -> dict[str, Any]:
    found = score(context, instruction, answer)
    line: dict[str, Any] = {
        "row": place,
        "overall": round(found.overall, 4),
        "support": round(found.support, 4),
        "relevance": round(found.relevance, 4),
        "uniqueness": round(found.uniqueness, 4),
        "kind": found.kind,
        "verified": found.verified,
    }
    if reasons:
        line["explanation"] = explain(context, instruction, answer)
    return line
