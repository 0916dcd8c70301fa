"""What the card says of rows that were dropped or marked: reasons, filters, contamination.

Reads manifests; the shapes of ``details["filters"]`` and ``details["contamination"]`` are
those of a run's raw config. Anything in them may be text of users: it is escaped where shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from builder.versions import Manifest

_MOST_REASONS = 20


def reasons(manifest: Manifest) -> list[dict[str, Any]]:
    """Stages and reasons of a rejected config, most frequent first; rare ones summed up."""
    counts = manifest.statistics.get("reasons", {})
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [(reason, count) for reason, count in ordered[:_MOST_REASONS]]
    rest = sum(count for _, count in ordered[_MOST_REASONS:])
    lines += [("other reasons", rest)] if rest else []
    return [{"config": manifest.config, "reason": reason, "rows": f"{count:,}"} for reason, count in lines]


def filters(listed: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Per filtered config: its settings, and how many contexts each filter dropped."""
    found = []
    for manifest, details in _with(listed, "filters"):
        dropped = _mapping(details, "dropped")
        found.append(
            {
                "config": manifest.config,
                "settings": ", ".join(
                    f"{name.replace('_', ' ')} {_setting(value)}".rstrip()
                    for name, value in _mapping(details, "settings").items()
                ),
                "contexts": _count(details.get("contexts")),
                "kept": _count(details.get("kept")),
                "dropped": [
                    (name, _count(rows))
                    for name, rows in sorted(dropped.items(), key=lambda d: (-d[1], d[0]))
                ],
            }
        )
    return found


def contamination(listed: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Per checked config: a line for each benchmark."""
    found = []
    for manifest, details in _with(listed, "contamination"):
        benchmarks = details.get("benchmarks")
        lines = (
            [line for line in benchmarks if isinstance(line, Mapping)] if isinstance(benchmarks, list) else []
        )
        found.append(
            {
                "config": manifest.config,
                "ngram": _count(details.get("ngram")),
                "drop": bool(details.get("drop")),
                "contexts": _count(details.get("contexts")),
                "rows": _count(details.get("rows")),
                "dropped": _count(details.get("dropped")),
                "benchmarks": [
                    {"name": str(line.get("name", "")), **{key: _count(line.get(key)) for key in _COUNTED}}
                    for line in lines
                ],
            }
        )
    return found


_COUNTED = ("rows", "skipped", "ngrams", "common", "instruction", "answer", "context", "dropped")


def _with(listed: Sequence[Manifest], name: str) -> list[tuple[Manifest, Mapping[str, Any]]]:
    """Raw configs for which something was asked for, with what came of it."""
    raw = [(manifest, manifest.details.get(name)) for manifest in listed if manifest.kind == "raw"]
    return [(manifest, details) for manifest, details in raw if isinstance(details, Mapping) and details]


def _mapping(details: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = details.get(name)
    return found if isinstance(found, Mapping) else {}


def _setting(value: object) -> str:
    return "" if value is True else str(value)


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"
