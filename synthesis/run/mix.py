"""The engine that a configuration asks for: one, or several by share (``[generation.mix]``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthesis.engines import engine_class, engine_with
from synthesis.engines.base import BaseEngine
from synthesis.engines.mixed import Member, MixedEngine
from synthesis.errors import ConfigError
from synthesis.options import GenerationConfig

_KEYS = ("share", "engine", "model", "options", "price")


def configured_engine(made: GenerationConfig) -> BaseEngine:
    """The engine, ready to use.

    Raises:
        ConfigError: unknown engine, model or option, or a mix that cannot be.
    """
    if not made.mix:
        if made.mix_by != "pair":
            raise ConfigError(
                f"'generation.mix_by' (--mix-by) is {made.mix_by}, and there is one model; name several with "
                "--mix, as in --mix org/a=1 --mix org/b=1"
            )
        return engine_with(made.engine, made.model, made.options)
    if made.model:
        raise ConfigError(
            f"'generation.model' (--model) is {made.model!r} beside a mix; give it a share there, as in "
            f"--mix {made.model}=0.5"
        )
    entries = {name: _entry(name, given, made) for name, given in made.mix.items()}
    _check(entries)
    if made.mix_by == "candidate" and made.candidates < len(entries):
        raise ConfigError(
            "'generation.mix_by' (--mix-by) is candidate, so that each of the models writes for every pair: "
            f"'generation.candidates' (--candidates) is {made.candidates}, and there are {len(entries)}; "
            f"give --candidates {len(entries)} or more"
        )
    parts: list[Member] = []
    try:
        for name, entry in entries.items():
            engine = engine_with(entry["engine"], entry["model"], entry["options"])
            parts.append(Member(name, entry["share"], engine))
    except BaseException:
        for part in parts:
            part.engine.close()
        raise
    return MixedEngine(parts, by_candidate=made.mix_by == "candidate")


def class_of(made: GenerationConfig) -> type[BaseEngine]:
    """The class of that engine, for its traits; makes none."""
    return MixedEngine if made.mix else engine_class(made.engine)


def models_of_a_pair(made: GenerationConfig) -> int:
    """How many models write for each pair."""
    return len(made.mix) if made.mix_by == "candidate" else 1


def _entry(name: str, given: Any, made: GenerationConfig) -> dict[str, Any]:
    """A model of the mix: a share, or a table in which what is not said is as for the run."""
    table = given if isinstance(given, Mapping) else {"share": given}
    where = f"generation.mix.{name}"
    if unknown := sorted(table.keys() - set(_KEYS)):
        raise ConfigError(f"unknown key '{where}.{unknown[0]}'; known keys: {', '.join(_KEYS)}")
    entry = {"engine": made.engine, "model": name, **table}
    share = entry.get("share")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < float("inf"):
        raise ConfigError(f"{where} (--mix) has the share {share!r}; give a number above 0, as in {name}=0.3")
    for key in ("engine", "model"):
        if not isinstance(entry[key], str):
            raise ConfigError(f"{where}.{key} is {entry[key]!r}; it must be text")
    options = entry.get("options", {})
    if not isinstance(options, Mapping):
        raise ConfigError(f"'{where}.options' must be a table")
    price = entry.pop("price", [0, 0])
    if (
        not isinstance(price, list | tuple)
        or len(price) != 2
        or not all(isinstance(one, int | float) and not isinstance(one, bool) and one >= 0 for one in price)
    ):
        raise ConfigError(
            f"{where}.price is {price!r}; give two prices for a million tokens, in and out, as in [0.15, 0.6]"
        )
    # The options of the run are for its engine; a table adds to them, or replaces them for another.
    common = made.options if entry["engine"] == made.engine else {}
    return {**entry, "share": float(share), "options": {**common, **options}}


def _check(entries: Mapping[str, Mapping[str, Any]]) -> None:
    if len(entries) < 2:
        raise ConfigError("a mix (generation.mix, --mix) is of two models or more; for one, give --model")
    holding = []
    for name, entry in entries.items():
        chosen = engine_class(entry["engine"])
        if chosen.free or chosen.outlives_process:
            raise ConfigError(
                f"generation.mix.{name} (--mix): the engine '{entry['engine']}' does not go with others; "
                "choose another with --engine, or write with it in a run of its own"
            )
        if chosen.in_process:
            holding.append(name)
    if len(holding) > 1:
        raise ConfigError(
            f"{' and '.join(holding)} would both be loaded into this process, where there is room for one; "
            'serve the others (vllm serve) and give them engine = "openai" with their base_url'
        )
