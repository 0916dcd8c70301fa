"""A twin beside its sample, in lines: what was changed to what, and which replies would be wrong.

Knows nothing of files; the rows of a chat config are handed to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from builder.report.page import plain

_MOST = 160  # characters of a text that are shown
_KINDS = {
    "removed": "without the evidence",
    "changed": "with another answer in its place",
    "decoy": "with a decoy made the answer",
}
_WHAT = {"evidence": "evidence", "answer": "the answer", "decoy": "the decoy", "room": "what fills the room"}


def kind_of(twin: str) -> str:
    """What a kind of twin is, in words."""
    return _KINDS.get(twin, twin)


def changes(twin: Mapping[str, Any], sample: Mapping[str, Any] | None) -> Iterator[str]:
    """A line for each change of a twin; ``sample`` is the row it is made from, where that is at hand."""
    now, was = _asked(twin), _asked(sample or {})
    for change in _listed(twin, "changes"):
        made = _shown(now[change["start"] : change["end"]])
        before = _shown(was[change["was_start"] : change["was_end"]]) if sample else "…"
        what = _WHAT.get(change["what"], str(change["what"]))
        if change["start"] == change["end"]:
            yield f"{what}: {before} is cut out"
        elif change["was_start"] == change["was_end"]:
            yield f"{what}: {made} is put in"
        else:
            yield f"{what}: {before} → {made}"


def wrong(row: Mapping[str, Any]) -> Iterator[str]:
    """A line for each reply that is known to be wrong for a row."""
    for one in _listed(row, "wrong"):
        yield f"{plain(str(one['source']))}: {_shown(str(one['text']))}"


def _listed(row: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return [one for one in row.get(name) or () if isinstance(one, Mapping)]


def _asked(row: Mapping[str, Any]) -> str:
    """The first message of the user's, of which places tell."""
    turns = [one for one in row.get("messages") or () if isinstance(one, Mapping)]
    return next((str(one.get("content") or "") for one in turns if one.get("role") == "user"), "")


def _shown(text: str) -> str:
    told = " ".join(plain(text).split())
    return f"“{told}”" if len(told) <= _MOST else f"“{told[: _MOST // 2]} … {told[-(_MOST // 2) :]}”"
