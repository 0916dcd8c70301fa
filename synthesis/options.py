"""The configuration of a run: TOML on disk, frozen dataclasses in memory.

Unknown keys and unusable values fail here, before any work, with the key's full name.
Knows nothing of where the values came from (file or command line) and reads no pairs.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from synthesis.errors import ConfigError

_T = TypeVar("_T")

MIN_WORDS, MAX_WORDS = 50, 20_000
# What is written in sections may be longer; a plan of more sections than this is too much for one reply.
MAX_EXPANDED, MAX_SECTIONS = 100_000, 100
MAX_REPAIRS = 10
MIN_NGRAM, MAX_NGRAM = 5, 50
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
WORDS = re.compile(r"[1-9]\d{0,6}|\d{1,4}(?:\.\d{1,3})?%")


@dataclass(frozen=True, slots=True)
class PairsConfig:
    """Where the pairs come from. An empty ``source`` means the bundled examples."""

    source: str = ""
    config: str = ""
    split: str = "train"
    task: str = ""
    limit: int = 0
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """Who writes the contexts, and how. ``options`` go to the engine as they are.

    A reply with faults is asked for again up to ``repairs`` times. Contexts of over twice
    ``section_words`` are written in sections of about that length; 0 means never.
    """

    engine: str = "composer"
    model: str = ""
    template: str = "narrative"
    words: int = 2000
    temperature: float = 0.7
    top_p: float = 0.95
    max_tokens: int = 8192
    repairs: int = 2
    section_words: int = 1500
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SamplesConfig:
    """The chat samples to assemble; see ``synthesis.assemble`` for what each setting does.

    ``lengths`` with shares (``4k:0.2``) make one config of mixed lengths. An empty
    ``tokenizer`` means the engine's own; ``max_reuse`` 0 means no cap; ``corpus`` is where further
    distractors are read from, ``SOURCE[?config=..&split=..&columns=NAME]``.
    """

    lengths: tuple[str, ...] = ("8k",)
    tokenizer: str = ""
    depth: str = "uniform"
    distractors: str = "same-task"
    corpus: str = ""
    max_reuse: int = 0
    header: str = ""
    separator: str = "\n\n"
    abstain: float = 0.0
    oversize: str = "reject"
    repeat_questions: bool = False


@dataclass(frozen=True, slots=True)
class FiltersConfig:
    """Which contexts stay in the dataset; see ``synthesis.gate.filtering``. As it is, all of them do.

    The ``min_`` scores and ``near_duplicates`` (a share of trigrams in common) are from 0 to 1;
    ``min_words`` and ``max_words`` are numbers, or shares of the words asked for, as ``80%``;
    ``language`` is ``same`` (as the instruction) or codes with commas between them.
    """

    min_overall: float = 0.0
    min_support: float = 0.0
    min_relevance: float = 0.0
    min_uniqueness: float = 0.0
    drop_leaks: bool = False
    near_duplicates: float = 0.0
    min_words: str = ""
    max_words: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class ContaminationConfig:
    """Benchmarks that rows are checked against: name -> ``SOURCE[?config=..&split=..&columns=a,b]``.

    Rows that share too much are marked, and with ``drop`` left out; see ``synthesis.gate.contamination``.
    """

    benchmarks: dict[str, str] = field(default_factory=dict)
    ngram: int = 13
    drop: bool = False


@dataclass(frozen=True, slots=True)
class CostConfig:
    """What replies cost, for ``plan`` and the totals of a run; nothing is made from it.

    ``price`` is for a million tokens in and a million out, in ``currency``; ``rate`` is output
    tokens per second. Empty and 0 mean unknown.
    """

    price: tuple[float, ...] = ()
    currency: str = "USD"
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """The dataset folder. An empty ``name`` is made from the engine and model."""

    name: str = ""
    language: tuple[str, ...] = ("en",)
    license: str = ""
    rejected: bool = True


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that determines a run."""

    out: str = ""
    seed: int = 0
    pairs: PairsConfig = field(default_factory=PairsConfig)
    generation: GenerationConfig = field(default_factory=GenerationConfig)
    samples: SamplesConfig = field(default_factory=SamplesConfig)
    filters: FiltersConfig = field(default_factory=FiltersConfig)
    contamination: ContaminationConfig = field(default_factory=ContaminationConfig)
    cost: CostConfig = field(default_factory=CostConfig)
    dataset: DatasetSettings = field(default_factory=DatasetSettings)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def name(self) -> str:
        """The base name of the dataset's configs."""
        given = self.dataset.name or self.generation.model.rsplit("/", 1)[-1] or self.generation.engine
        return re.sub(r"[^a-z0-9._-]+", "-", given.casefold()).strip("-.") or "contexts"

    @property
    def out_dir(self) -> Path:
        """The run's folder; ``runs/<name>`` unless one was given."""
        return Path(self.out or f"runs/{self.name}")

    def to_dict(self) -> dict[str, Any]:
        """Plain nested values, ready for TOML."""
        return asdict(self)


def load_config(path: str | Path) -> RunConfig:
    """Read a TOML file.

    Raises:
        ConfigError: the file is missing, is not TOML, or has an unknown key or bad value.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no configuration file {path}; check the path") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}") from None
    try:
        return from_dict(table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def dump_config(config: RunConfig) -> str:
    """The configuration as TOML text that ``load_config`` reads back to an equal object."""
    import tomli_w

    return tomli_w.dumps(config.to_dict())


def from_dict(table: Mapping[str, Any]) -> RunConfig:
    """A configuration from nested plain values."""
    return build(RunConfig, table)


def override(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """A copy with dotted keys replaced, as ``{"generation.words": 500}``; ``None`` means keep."""
    nested: dict[str, dict[str, Any]] = {}
    for dotted, value in changes.items():
        if value is None:
            continue
        section, _, key = dotted.rpartition(".")
        nested.setdefault(section, {})[key] = value
    top = nested.pop("", {})
    for section, values in nested.items():
        top[section] = replace(getattr(config, section), **values)
    return replace(config, **top)


def _check(config: RunConfig) -> None:
    made, pairs = config.generation, config.pairs
    sections = made.words > 2 * made.section_words > 0
    most = MAX_EXPANDED if sections else MAX_WORDS
    more = "" if made.section_words else ", or more in sections (generation.section_words)"
    _require(
        MIN_WORDS <= made.words <= most,
        f"'generation.words' (--words) is {made.words}; give {MIN_WORDS} to {most:,}{more}",
    )
    least = max(MIN_WORDS, made.words // MAX_SECTIONS)
    _require(
        made.section_words == 0 or least <= made.section_words <= MAX_WORDS,
        f"'generation.section_words' (--section-words) is {made.section_words}; give 0 (never), or "
        f"{least} to {MAX_WORDS:,} for {made.words:,} words",
    )
    _require(pairs.limit >= 0, f"'pairs.limit' (--limit) is {pairs.limit}; give 0 (all) or more")
    _require(0 <= made.temperature <= 2, f"'generation.temperature' is {made.temperature}; give 0 to 2")
    _require(0 < made.top_p <= 1, f"'generation.top_p' is {made.top_p}; give a number above 0, at most 1")
    _require(made.max_tokens > 0, f"'generation.max_tokens' is {made.max_tokens}; give 1 or more")
    _require(
        0 <= made.repairs <= MAX_REPAIRS,
        f"'generation.repairs' (--repairs) is {made.repairs}; give 0 to {MAX_REPAIRS}",
    )
    _check_filters(config.filters, config.contamination)
    cost = config.cost
    _require(
        len(cost.price) in (0, 2) and all(price >= 0 for price in cost.price),
        f"'cost.price' (--price) is {list(cost.price)}; give two prices for a million tokens, in and out, "
        "as in 0.15,0.60",
    )
    _require(cost.rate >= 0, f"'cost.rate' (--rate) is {cost.rate}; give output tokens per second")
    name = config.dataset.name
    _require(
        not name or NAME.fullmatch(name) is not None,
        f"'dataset.name' (--name) is {name!r}; use lower-case letters, digits, '.', '_' and '-'",
    )


def _check_filters(filters: FiltersConfig, contamination: ContaminationConfig) -> None:
    for part in ("min_overall", "min_support", "min_relevance", "min_uniqueness"):
        value = getattr(filters, part)
        _require(0 <= value <= 1, f"'filters.{part}' (--min) is {value}; give 0 (off) to 1")
    near = filters.near_duplicates
    _require(
        near == 0 or 0.2 <= near <= 1,
        f"'filters.near_duplicates' (--near-duplicates) is {near}; give 0 (off), or 0.2 to 1",
    )
    for key in ("min_words", "max_words"):
        text = getattr(filters, key)
        _require(
            not text or WORDS.fullmatch(text) is not None,
            f"'filters.{key}' (--{key.replace('_', '-')}) is {text!r}; "
            "give a number of words, or a share of those asked for, as 80%",
        )
    size = contamination.ngram
    _require(
        MIN_NGRAM <= size <= MAX_NGRAM,
        f"'contamination.ngram' (--ngram) is {size}; give {MIN_NGRAM} to {MAX_NGRAM} words",
    )
    sources = contamination.benchmarks.values()
    _require(
        all(isinstance(source, str) for source in sources),
        "'contamination.benchmarks' must name a source for each benchmark, as in longbench = \"FILE\"",
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


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
