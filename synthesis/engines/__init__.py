"""Engines by name. Each module is imported only when its engine is asked for."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Collection, Mapping, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from synthesis.engines.base import BaseEngine
from synthesis.errors import ConfigError

# name -> (module, class)
_ENGINES = {
    "batch": ("synthesis.engines.openai.batch", "BatchEngine"),
    "composer": ("synthesis.engines.composer", "Composer"),
    "openai": ("synthesis.engines.openai", "OpenAIEngine"),
    "transformers": ("synthesis.engines.transformers", "TransformersEngine"),
    "vllm": ("synthesis.engines.vllm", "VLLMEngine"),
}
_MIXED = ("synthesis.engines.mixed", "MixedEngine")


def engine_names() -> list[str]:
    """The names ``make_engine`` knows."""
    return sorted(_ENGINES)


def engine_class(name: str) -> type[BaseEngine]:
    """The class of the engine of that name, for its traits. Loads no model, and nothing heavy.

    Names with ``+`` between them are those of a ``MixedEngine``.

    Raises:
        ConfigError: there is no such engine.
    """
    if "+" in name:
        name = "+"
    if name not in _ENGINES and name != "+":
        near = difflib.get_close_matches(name, _ENGINES, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known engines: {', '.join(engine_names())}"
        raise ConfigError(f"there is no engine '{name}'; {hint}")
    module, attribute = _ENGINES.get(name, _MIXED)
    found: type[BaseEngine] = getattr(importlib.import_module(module), attribute)
    return found


def make_engine(name: str, /, model: str = "", **options: Any) -> BaseEngine:
    """The engine of that name, ready to use.

    Args:
        name: one of ``engine_names()``.
        model: which model it should run; empty for the engine's default.
        options: further arguments of the engine.

    Raises:
        ConfigError: unknown engine, model or option.
    """
    return engine_with(name, model, options)


def engine_with(name: str, model: str, options: Mapping[str, Any]) -> BaseEngine:
    """The same of a configuration, whose ``options`` (``[generation.options]``) may hold anything."""
    return engine_class(name)(**check_settings(name, model, options))


def check_settings(name: str, model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an engine, which takes all of them, the model among them. Makes none.

    Raises:
        ConfigError: unknown engine or option, or an option of another type.
    """
    if "model" in options:
        raise ConfigError(
            "the options of an engine hold no model; give it as --model (generation.model), --require-model "
            "or --reasons-model"
        )
    chosen = engine_class(name)
    options = {**options, **({"model": model} if model else {})}
    taken = inspect.signature(chosen).parameters
    unknown = sorted(options.keys() - taken.keys())
    if unknown and not any(one.kind is one.VAR_KEYWORD for one in taken.values()):
        raise ConfigError(f"engine '{name}' does not take these settings: {_told(unknown, taken)}")
    kinds = get_type_hints(chosen.__init__)
    for option, value in options.items():
        if option in kinds and not _fits(value, kinds[option]):
            wanted = taken[option].annotation
            # A shell takes the quotes out of JSON that has none around it.
            eaten = isinstance(value, str) and value.startswith(("{", "[")) and kinds[option] is not str
            hint = (
                f"; JSON is given in single quotes, as in --option '{option}={{\"a\": 1}}'" if eaten else ""
            )
            raise ConfigError(f"generation.options.{option} is {value!r}; it must be of type {wanted}{hint}")
    return options


def _told(unknown: Sequence[str], taken: Collection[str]) -> str:
    """Each setting that is none, with what may have been meant."""
    told = []
    for option in unknown:
        near = difflib.get_close_matches(option, taken, n=1) if option != "model" else []
        told.append(f"'{option}'" + (f" (did you mean '{near[0]}'?)" if near else ""))
    where = ("--model and " if "model" in unknown else "") + "--option ([generation.options] of a file)"
    known = ", ".join(one for one in taken if one != "model")
    return f"{', '.join(told)}; check {where}, which may hold: {known}"


def _fits(value: object, kind: Any) -> bool:
    """Whether a value as TOML has it is of the kind that a parameter is declared with."""
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(kind))
    kind = get_origin(kind) or kind
    if kind is Any or isinstance(value, bool):
        return kind in (Any, bool)
    return isinstance(value, (int, float) if kind is float else kind)
