"""The options of a run: a table of run.toml is the frozen dataclass that holds it.

Each field carries its help, flag and bounds. Reading TOML, the checks and their messages, the
command line, ``--help``, docs/options.md and what of an option names the rows made with it are all
derived from the fields, by ``synthesis.settings``. To add an option is to add a field and use it.
"""

from synthesis.options.contexts import MAX_WORDS, MIN_WORDS, GenerationConfig
from synthesis.options.filters import (
    BY_ENGINE,
    MODEL_LEAST,
    ContaminationConfig,
    FiltersConfig,
    RequireConfig,
)
from synthesis.options.output import CostConfig, DatasetSettings
from synthesis.options.reasons import REASONS, ReasonsConfig
from synthesis.options.run import RunConfig, dump_config, from_dict, load_config, override, run_settings
from synthesis.options.samples import ANSWERS, KINDS, REFUSAL, SEPARATOR, TWINS, SamplesConfig
from synthesis.options.sources import QUESTIONS, TURNS, PairsConfig, QuestionsConfig

__all__ = [
    "ANSWERS",
    "BY_ENGINE",
    "ContaminationConfig",
    "CostConfig",
    "DatasetSettings",
    "FiltersConfig",
    "GenerationConfig",
    "KINDS",
    "MAX_WORDS",
    "MIN_WORDS",
    "MODEL_LEAST",
    "PairsConfig",
    "QUESTIONS",
    "QuestionsConfig",
    "REASONS",
    "REFUSAL",
    "ReasonsConfig",
    "RequireConfig",
    "RunConfig",
    "SEPARATOR",
    "SamplesConfig",
    "TURNS",
    "TWINS",
    "dump_config",
    "from_dict",
    "load_config",
    "override",
    "run_settings",
]
