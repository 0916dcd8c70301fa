"""Options as fields of frozen dataclasses: what a field says of itself, and what follows from it.

A table of plain values, as TOML has them, becomes a dataclass; values are checked, and told apart
by whether they name what is made with them. Knows no option by name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from functools import cache, partial
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from synthesis.errors import ConfigError
from synthesis.keys import misplaced_keys

_DEEPEST = 30  # levels of tables and lists in one another
_SURROGATE = re.compile("[\ud800-\udfff]")
_HALF = (
    "holds bytes that are not UTF-8 (half of a character), which cannot be saved; rename the file or folder, "
    "or give another text"
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What users are told of a field, and what it may hold.

    ``flag`` is how the command line calls it (``--on/--off`` where both are named), by default like
    the field; fields that share a flag are its ``part``s, as in ``--min overall=0.5``. ``default``
    is told where the value itself says too little. Numbers lie from ``low`` (or ``above`` it) to
    ``high``, and ``zero`` says what 0 means where that is allowed as well; texts are among ``choices``;
    ``valid`` judges anything else. ``expected`` is what to give instead of a wrong value, as in an
    ``example``. With ``breaks``, backslash-n on the command line is a line break; with ``counts``, a whole
    number may be written as 100k or 2M, too (see ``parse_count``).

    ``identity`` says when the value is part of the name of what is made with it: ``changed``, where it
    is not the default, so that a new option renames nothing that exists; ``always``, for those hashed
    before that rule; or ``apart``, where it names nothing or is hashed elsewhere.
    """

    help: str
    flag: str = ""
    part: str = ""
    metavar: str = ""
    default: str = ""
    low: float | None = None
    above: float | None = None
    high: float | None = None
    zero: str = ""
    choices: tuple[str, ...] = ()
    valid: Callable[[Any], bool] | None = None
    expected: str = ""
    example: str = ""
    breaks: bool = False
    counts: bool = False
    identity: Literal["changed", "always", "apart"] = "changed"

    def admits(self, value: Any) -> bool:
        """Whether a value of the right type can be used."""
        if self.zero and value == 0:
            return True
        if (self.low is not None and not value >= self.low) or (
            self.above is not None and not value > self.above
        ):
            return False
        if self.high is not None and not value <= self.high:
            return False
        if self.choices and value not in self.choices:
            return False
        return self.valid is None or self.valid(value)

    @property
    def allowed(self) -> str:
        """What may be given, in words; empty where anything may."""
        if self.expected:
            return self.expected
        if self.choices:
            return " or ".join((", ".join(self.choices[:-1]), self.choices[-1]))
        if self.above is not None:
            return f"a number above {self.above:,}, at most {self.high:,}"
        if self.low is None:
            return ""
        least = f"{self.low:,}"
        if self.zero:
            least = f"0 ({self.zero})" + (f", or {least}" if self.low else "")
        return f"{least} or more" if self.high is None else f"{least} to {self.high:,}"


def option(value: Any, help: str, /, **more: Any) -> Any:
    """A field with its default ``value`` and what an ``Option`` says; ``{}`` is made anew each time."""
    about = {"option": Option(help=help, **more)}
    if isinstance(value, dict):
        return field(default_factory=dict, metadata=about)
    return field(default=value, metadata=about)


# Those that name nothing, and those that were part of a name before ``changed`` was the rule.
apart = partial(option, identity="apart")
hashed = partial(option, identity="always")


def table(kind: type[Any], panel: str) -> Any:
    """A field that holds a table; ``--help`` shows its options under ``panel``."""
    return field(default_factory=kind, metadata={"panel": panel})


@dataclass(frozen=True, slots=True)
class Setting:
    """An option in its place: field ``name`` of the table ``table`` ("" is the top of run.toml)."""

    table: str
    name: str
    kind: Any
    default: Any
    panel: str
    option: Option

    @property
    def key(self) -> str:
        """Its name in run.toml, as ``samples.depth``."""
        return f"{self.table}.{self.name}" if self.table else self.name

    @property
    def flag(self) -> str:
        """As the command line calls it, as ``--drop-leaks/--keep-leaks``."""
        return self.option.flag or f"--{self.name.replace('_', '-')}" + (
            f"/--no-{self.name.replace('_', '-')}" if self.kind is bool else ""
        )

    @property
    def parameter(self) -> str:
        """The flag as a name in Python; parts of one flag share it."""
        return self.flag.split("/")[0].removeprefix("--").replace("-", "_")

    @property
    def help(self) -> str:
        """What it is, and its default where that is something."""
        default = self.option.default
        if not default and self.default:
            items = self.default if isinstance(self.default, tuple) else [self.default]
            default = ",".join(map(str, items)) if self.kind is not bool else self.flag.split("/")[0]
            default = default if default.isprintable() else repr(default)
        return self.option.help + (f" Default: {default.rstrip('.')}." if default else "")


@cache
def settings(kind: type[Any], within: str = "", panel: str = "") -> tuple[Setting, ...]:
    """The options of a table and of the tables in it, in order."""
    hints, found = get_type_hints(kind), []
    for one in fields(kind):
        if "option" in one.metadata:
            default = one.default if one.default_factory is MISSING else one.default_factory()
            found.append(Setting(within, one.name, hints[one.name], default, panel, one.metadata["option"]))
        else:
            found += settings(hints[one.name], one.name, one.metadata["panel"])
    return tuple(found)


def _settings_of(of: Any, within: str = "") -> tuple[Setting, ...]:
    kind: Any = type(of)
    return settings(kind, within)


def identity(of: Any) -> dict[str, Any]:
    """What of a table names the things made with it: see ``Option``."""
    ways = {one.name: one.option.identity for one in _settings_of(of)}
    always = {name: getattr(of, name) for name, way in ways.items() if way == "always"}
    return always | changed(of)


def changed(of: Any) -> dict[str, Any]:
    """Those options of a table that are part of an identity only where they are not at their default."""
    return {
        one.name: getattr(of, one.name)
        for one in _settings_of(of)
        if one.option.identity == "changed" and getattr(of, one.name) != one.default
    }


def check(of: Any, within: str | None = None) -> None:
    """Refuse a value that an option of a table does not admit; tables in it are not looked into.

    ``within`` is its name in run.toml ("" is the top), for the message; without one, options are
    called by their names in Python.

    Raises:
        ConfigError: naming the option, the value and what to give.
    """
    for one in _settings_of(of, within or ""):
        value = getattr(of, one.name, None)
        if one.table == (within or "") and not one.option.admits(value):
            named = one.name if within is None else f"'{one.key}' ({one.flag.split('/')[0]})"
            shown = list(value) if isinstance(value, tuple) else value
            raise ConfigError(f"{named} is {shown!r}; give {one.option.allowed}")


def check_saveable(values: Mapping[str, Any]) -> None:
    """Refuse what a configuration cannot, or must not, hold when it is saved as TOML.

    Raises:
        ConfigError: naming the place, and not what stands there.
    """
    for where, why in _unsaveable(values, "", 0):
        raise ConfigError(f"'{where}' {why}")
    for where in misplaced_keys(values):
        raise ConfigError(
            f"'{where}' holds what looks like a key, which would be saved with the run. Put the key into an "
            "environment variable (OPENAI_API_KEY, HF_TOKEN, or one that api_key_env names), and take it out"
        )


def _unsaveable(value: Any, within: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        yield within[:80], f"is nested more than {_DEEPEST} deep; give it with fewer levels"
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            where = f"{within}.{name}" if within else str(name)
            if not isinstance(name, str):
                yield where, f"is called {name!r}; names have to be text"
            elif _SURROGATE.search(name):
                yield where.encode("utf-8", "replace").decode(), _HALF
            else:
                yield from _unsaveable(inner, where, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _unsaveable(inner, within, depth + 1)
    elif isinstance(value, str):
        if _SURROGATE.search(value):
            yield within, _HALF
    elif value is None:
        yield within, "is null, which a run.toml cannot hold; leave it out, and the default holds"
    elif isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        yield within, "is a number of over 64 bits; give a smaller one"
    elif not isinstance(value, bool | int | float | date | time):
        yield within, f"is of the type {type(value).__name__}, which a run.toml cannot hold"


def build(kind: type[_T], table: Mapping[str, Any], prefix: str = "") -> _T:
    """A dataclass from a table of plain values, nested ones by name.

    Raises:
        ConfigError: an unknown key, or a value of another type, named with its ``prefix``.
    """
    hints = get_type_hints(kind)
    known = {f.name: f.metadata.get("option") for f in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{prefix}{key}"
        if key not in known:
            # What belongs into a table may stand above it.
            near = [f"{name}.{key}" for name, hint in hints.items() if _has_field(hint, key)]
            near += difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean '{prefix}{near[0]}'?" if near else f"known keys: {', '.join(sorted(known))}"
            raise ConfigError(f"unknown key '{where}'; {hint}")
        hint_type = hints[key]
        if is_dataclass(hint_type):
            if not isinstance(value, Mapping):
                raise ConfigError(f"'{where}' must be a table, as in [{where}]")
            values[key] = build(cast(type[Any], hint_type), value, f"{where}.")
        else:
            about = known[key]
            counted = about is not None and about.counts and isinstance(value, str)
            values[key] = parse_count(value, f"'{where}'") if counted else _coerce(where, hint_type, value)
    return kind(**values)


def parse_count(text: str, what: str) -> int:
    """A whole number as people write great ones: ``100000``, ``100,000``, ``100k``, ``2.5M``, ``1G``.

    ``k`` is a thousand here: what is counted is spent, not laid out in powers of two. ``what`` is what is
    given, for the message.

    Raises:
        ConfigError: it is no such number.
    """
    found = re.fullmatch(r"(\d{1,15}|\d{1,3}(?:,\d{3}){1,4}|\d{1,9}\.\d{1,9})([kKmMgG]?)", text.strip())
    number = Decimal(found[1].replace(",", "")) * _UNITS[found[2].lower()] if found else None
    if number is None or number != int(number):
        raise ConfigError(f"{what} is {text[:40]!r}; give a whole number, as in 100000, 100k or 2M")
    return int(number)


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def _has_field(kind: Any, name: str) -> bool:
    return is_dataclass(kind) and name in {one.name for one in fields(kind)}


def _coerce(where: str, kind: Any, value: Any) -> Any:
    origin = get_origin(kind) or kind
    if origin is tuple:
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_coerce(where, get_args(kind)[0], item) for item in items)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"'{where}' must be a table")
        return dict(value)
    if origin is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if origin is str and type(value) in (int, float):
        return str(value)
    if type(value) is not origin:
        raise ConfigError(f"'{where}' must be of type {origin.__name__}, not {value!r}")
    return value
