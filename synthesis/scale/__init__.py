"""The same run as a datatrove pipeline step: many processes, Slurm, Ray.

Each task writes the contexts of its share of the pairs into a journal of its own in the run's
folder. ``context-synthesis run`` on that folder reads them all and builds the dataset. Knows
nothing of samples or datasets; datatrove is imported when a step is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthesis.engines import engine_class
from synthesis.errors import ConfigError, MissingExtraError
from synthesis.options import RunConfig, load_config
from synthesis.prompts.by_task import load_templates
from synthesis.run.folder import RunFolder

if TYPE_CHECKING:
    from synthesis.scale.step import ContextStep

__all__ = ["context_step"]


def context_step(config: RunConfig | str | Path) -> ContextStep:
    """A step for a datatrove executor that writes contexts; see ``ContextStep`` for what it does.

    Args:
        config: what to run, or its TOML file. Only what says how contexts are written matters
            here; lengths, filters and the like are for the run that builds the dataset.

    Raises:
        ConfigError: the file is missing or wrong, or the engine is not for many processes.
        TemplateError: the template cannot be used.
        FolderError: the run's folder holds something else.
        MissingExtraError: datatrove is not installed.
    """
    made = config if isinstance(config, RunConfig) else load_config(config)
    if engine_class(made.generation.engine).outlives_process:
        raise ConfigError(
            f"the engine '{made.generation.engine}' leaves the work to the provider: tasks have nothing to "
            "share; use context-synthesis batch submit, or another engine (generation.engine)"
        )
    if made.cost.max_cost or made.cost.max_total_tokens:
        raise ConfigError(
            "a budget (cost.max_cost, cost.max_total_tokens) is one of a single process: tasks do not see "
            "what the others spend; bound the pairs with pairs.limit instead"
        )
    try:
        import datatrove  # noqa: F401
    except ImportError:
        raise MissingExtraError("datatrove", "scale", "a step of a datatrove pipeline") from None
    from synthesis.scale.step import ContextStep

    step = ContextStep(made)
    # Better told here, in one line, than by each task after it has loaded a model.
    RunFolder(step.folder).check()
    load_templates(made.generation.template)
    return step
