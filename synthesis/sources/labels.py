"""Labels that a table holds as numbers, and their names (``ClassLabel`` of ``datasets``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Names = Mapping[str, Sequence[str]]


def label_names(features: Mapping[str, Any] | None) -> Names:
    """Column -> the names of its labels, for those that hold labels or lists of them."""
    found = {}
    for column, feature in (features or {}).items():
        names = getattr(getattr(feature, "feature", feature), "names", None)
        if isinstance(names, Sequence) and not isinstance(names, str):
            found[column] = tuple(map(str, names))
    return found


def written_names(metadata: Mapping[bytes, bytes] | None) -> Names:
    """The same from the metadata that ``datasets`` writes into a Parquet file; none where there is none."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        kinds = {name: kind.get("feature", kind) for name, kind in features.items()}
        return {
            name: tuple(map(str, kind["names"]))
            for name, kind in kinds.items()
            if isinstance(kind, Mapping) and kind.get("_type") == "ClassLabel" and kind.get("names")
        }
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return {}


def with_names(row: dict[str, Any], named: Names) -> dict[str, Any]:
    """A row with names in place of the numbers of its labels; a label that is unknown (-1) is null."""
    return row | {column: _named(row[column], names) for column, names in named.items() if column in row}


def _named(value: object, names: Sequence[str]) -> object:
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    return names[value] if 0 <= value < len(names) else None
