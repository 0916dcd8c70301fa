"""A whole run: its tables, from TOML and back."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from synthesis.errors import ConfigError
from synthesis.options.contexts import GenerationConfig, check_words
from synthesis.options.filters import ContaminationConfig, FiltersConfig, RequireConfig, check_shares
from synthesis.options.methods import METHODS, check_method
from synthesis.options.output import CostConfig, DatasetSettings
from synthesis.options.reasons import ReasonsConfig
from synthesis.options.samples import SamplesConfig
from synthesis.options.sources import PairsConfig, QuestionsConfig
from synthesis.settings import Setting, apart, build, check, check_saveable, settings, table


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that determines a run."""

    out: str = apart("", "The run's folder.", default="runs/<name>")
    seed: int = apart(0, "Seed of every random choice.", default="0")
    method: str = apart(
        "context",
        "What is written: context (for pairs), or instruction (questions and answers for long texts).",
        choices=METHODS,
    )
    pairs: PairsConfig = table(PairsConfig, "Pairs")
    questions: QuestionsConfig = table(QuestionsConfig, "Questions (--method instruction)")
    generation: GenerationConfig = table(GenerationConfig, "Contexts")
    reasons: ReasonsConfig = table(ReasonsConfig, "Reasons: the steps from a context to its answer")
    samples: SamplesConfig = table(SamplesConfig, "Samples")
    filters: FiltersConfig = table(
        FiltersConfig, "Filters: what they drop becomes a row of the rejected config"
    )
    require: RequireConfig = table(
        RequireConfig, "Filters: what they drop becomes a row of the rejected config"
    )
    contamination: ContaminationConfig = table(
        ContaminationConfig, "Filters: what they drop becomes a row of the rejected config"
    )
    cost: CostConfig = table(CostConfig, "Cost")
    dataset: DatasetSettings = table(DatasetSettings, "Output")

    def __post_init__(self) -> None:
        check(self, "")
        for name, held in self._tables.items():
            check(held, name)
        check_method(self.method, self._tables)
        check_words(self.generation)
        if self.samples.all_candidates and not self.generation.keep_candidates:
            raise ConfigError(
                "'samples.all_candidates' (--all-candidates) makes samples of every context of a pair, and "
                "one is kept; add --candidates 2 or more with --keep-candidates, or leave it out"
            )
        check_shares(self.filters, self.generation.words)
        check_saveable(
            {
                one.name: {each.name: getattr(held, each.name) for each in fields(held)}
                if (held := self._tables.get(one.name)) is not None
                else getattr(self, one.name)
                for one in fields(self)
            }
        )
        made = self.generation
        own = made.mix and made.prices.keys() == made.mix.keys()
        if self.cost.max_cost and not self.cost.price and not own:
            raise ConfigError(
                "'cost.max_cost' (--max-cost) needs to know the prices; give --price IN,OUT, for a million "
                "tokens in and out, or bound the tokens with --max-total-tokens"
            )

    @property
    def _tables(self) -> dict[str, Any]:
        return {one.name: held for one in fields(self) if is_dataclass(held := getattr(self, one.name))}

    @property
    def name(self) -> str:
        """The base name of the dataset's configs."""
        made = self.generation
        models = [model.rsplit("/", 1)[-1] for model in ([made.model] if made.model else made.mix)]
        given = self.dataset.name or "-".join(models) or made.engine
        if self.asks and not self.dataset.name:
            given += "-instruction"
        return re.sub(r"[^a-z0-9._-]+", "-", given.casefold()).strip("-.") or "contexts"

    @property
    def asks(self) -> bool:
        """Whether questions and answers are written, for contexts that are there."""
        return self.method == "instruction"

    @property
    def out_dir(self) -> Path:
        """The run's folder; ``runs/<name>`` unless one was given."""
        return Path(self.out or f"runs/{self.name}")

    def to_dict(self) -> dict[str, Any]:
        """Plain nested values, ready for TOML."""
        return asdict(self)


def run_settings() -> tuple[Setting, ...]:
    """All options of a run."""
    return settings(RunConfig, panel="Output")


def load_config(path: str | Path) -> RunConfig:
    """Read a TOML file.

    Raises:
        ConfigError: the file is missing, is not TOML, or has an unknown key or bad value.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"there is no configuration file {path}; check the path") from None
    except IsADirectoryError:
        inside = path / "run.toml"
        advice = f"give {inside}" if inside.is_file() else "give a TOML file"
        raise ConfigError(f"{path} is a folder, and a configuration is a file; {advice}") from None
    except RecursionError:
        raise ConfigError(f"{path} cannot be read as TOML: it is nested too deeply") from None
    except (OSError, ValueError) as error:  # not UTF-8, not TOML, a number of thousands of digits
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
