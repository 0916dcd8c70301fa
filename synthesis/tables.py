"""Tables of plain values, as TOML has them, to dataclasses. Knows no configuration."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from synthesis.errors import ConfigError

_T = TypeVar("_T")


def build(kind: type[_T], table: Mapping[str, Any], prefix: str = "") -> _T:
    """A dataclass from a table of plain values, nested ones by name.

    Raises:
        ConfigError: an unknown key, or a value of another type, named with its ``prefix``.
    """
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{prefix}{key}"
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean '{prefix}{near[0]}'?" if near else f"known keys: {', '.join(sorted(known))}"
            raise ConfigError(f"unknown key '{where}'; {hint}")
        hint_type = hints[key]
        if is_dataclass(hint_type):
            if not isinstance(value, Mapping):
                raise ConfigError(f"'{where}' must be a table, as in [{where}]")
            values[key] = build(cast(type[Any], hint_type), value, f"{where}.")
        else:
            values[key] = _coerce(where, hint_type, value)
    return kind(**values)


def _coerce(where: str, kind: Any, value: Any) -> Any:
    origin = get_origin(kind) or kind
    if origin is tuple:
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_coerce(where, get_args(kind)[0], item) for item in items)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"'{where}' must be a table")
        return dict(value)
    if origin is float and type(value) is int:
        return float(value)
    if origin is str and type(value) in (int, float):
        return str(value)
    if type(value) is not origin:
        raise ConfigError(f"'{where}' must be of type {origin.__name__}, not {value!r}")
    return value
