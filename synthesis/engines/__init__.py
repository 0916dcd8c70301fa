"""Engines by name. Each module is imported only when its engine is asked for."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from synthesis.engines.base import Engine
from synthesis.errors import ConfigError

# name -> (module, class)
_ENGINES = {
    "batch": ("synthesis.engines.openai.batch", "BatchEngine"),
    "composer": ("synthesis.engines.composer", "Composer"),
    "openai": ("synthesis.engines.openai", "OpenAIEngine"),
    "transformers": ("synthesis.engines.transformers", "TransformersEngine"),
    "vllm": ("synthesis.engines.vllm", "VLLMEngine"),
}


def engine_names() -> list[str]:
    """The names ``make_engine`` knows."""
    return sorted(_ENGINES)


def make_engine(name: str, model: str = "", **options: Any) -> Engine:
    """The engine of that name, ready to use.

    Args:
        name: one of ``engine_names()``.
        model: which model it should run; empty for the engine's default.
        options: further arguments of the engine, from ``[generation.options]``.

    Raises:
        ConfigError: unknown engine, model or option.
    """
    if name not in _ENGINES:
        near = difflib.get_close_matches(name, _ENGINES, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known engines: {', '.join(engine_names())}"
        raise ConfigError(f"there is no engine '{name}' (generation.engine, --engine); {hint}")
    module, attribute = _ENGINES[name]
    engine_class = getattr(importlib.import_module(module), attribute)
    if model:
        options["model"] = model
    try:
        engine: Engine = engine_class(**options)
    except TypeError as error:
        given = ", ".join(sorted(options))
        raise ConfigError(
            f"engine '{name}' does not take these settings ({given}): {error}; "
            "check --model and [generation.options]"
        ) from None
    return engine
