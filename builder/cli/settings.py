"""From the command line's options to a ``RunConfig``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from synthesis.assembly.options import parse_distractors
from synthesis.errors import UsageError
from synthesis.options import RunConfig, load_config, override

# option -> key of the configuration
_KEYS = {
    "pairs": "pairs.source",
    "task": "pairs.task",
    "config": "pairs.config",
    "split": "pairs.split",
    "limit": "pairs.limit",
    "engine": "generation.engine",
    "model": "generation.model",
    "words": "generation.words",
    "template": "generation.template",
    "temperature": "generation.temperature",
    "top_p": "generation.top_p",
    "max_tokens": "generation.max_tokens",
    "repairs": "generation.repairs",
    "section_words": "generation.section_words",
    "tokenizer": "samples.tokenizer",
    "depth": "samples.depth",
    "distractors": "samples.distractors",
    "corpus": "samples.corpus",
    "max_reuse": "samples.max_reuse",
    "header": "samples.header",
    "abstain": "samples.abstain",
    "oversize": "samples.oversize",
    "repeat_questions": "samples.repeat_questions",
    "drop_leaks": "filters.drop_leaks",
    "near_duplicates": "filters.near_duplicates",
    "min_words": "filters.min_words",
    "max_words": "filters.max_words",
    "language": "filters.language",
    "ngram": "contamination.ngram",
    "drop_contaminated": "contamination.drop",
    "rate": "cost.rate",
    "seed": "seed",
    "out": "out",
    "name": "dataset.name",
    "license": "dataset.license",
}


def configured(given: Mapping[str, Any]) -> RunConfig:
    """The configuration of a run: its file, if one is named, with the options given on top."""
    path = given.get("run_file")
    return overridden(load_config(path) if path else RunConfig(), given)


def overridden(base: RunConfig, given: Mapping[str, Any]) -> RunConfig:
    """A configuration with the options that were given in place of its values."""
    changes: dict[str, Any] = {key: given.get(option) for option, key in _KEYS.items()}
    if given.get("lengths"):
        changes["samples.lengths"] = tuple(
            part.strip() for part in given["lengths"].split(",") if part.strip()
        )
    if given.get("price"):
        changes["cost.price"] = _prices(given["price"])
    if given.get("column"):
        changes["pairs.columns"] = assigned("--column", "instruction=question", given["column"])
    if given.get("min"):
        changes |= {f"filters.min_{part}": value for part, value in _lowest(given["min"]).items()}
    if given.get("benchmark"):
        changes["contamination.benchmarks"] = base.contamination.benchmarks | assigned(
            "--benchmark", "longbench=FILE", given["benchmark"]
        )
    if given.get("option"):
        options = assigned("--option", "concurrency=64", given["option"])
        changes["generation.options"] = base.generation.options | {k: _value(v) for k, v in options.items()}
    made = override(base, changes)
    if given.get("corpus") and not parse_distractors(made.samples.distractors).uses("corpus"):
        raise UsageError(
            f"--corpus gives texts and --distractors {made.samples.distractors} takes nothing from them; add "
            "--distractors corpus, or a mix such as corpus:0.5,same-task:0.5"
        )
    return made


def assigned(option: str, example: str, texts: list[str]) -> dict[str, str]:
    """The two sides of each ``KEY=VALUE``.

    Raises:
        UsageError: one has no two sides.
    """
    pairs = [text.partition("=") for text in texts]
    for text, (key, _, value) in zip(texts, pairs, strict=True):
        if not key or not value:
            raise UsageError(f"{option} takes two sides, as in {example}; got {text!r}")
    return {key: value for key, _, value in pairs}


def _lowest(text: str) -> dict[str, float]:
    """``overall=0.5,support=0.3`` as numbers by part of the score."""
    parts = ("overall", "support", "relevance", "uniqueness")
    given = assigned("--min", "overall=0.5,support=0.3", [one.strip() for one in text.split(",")])
    for part, value in given.items():
        if part not in parts or not re.fullmatch(r"[01]?\.?\d*", value) or not any(map(str.isdigit, value)):
            raise UsageError(f"--min takes 0 to 1 for any of {', '.join(parts)}; got {part}={value}")
    return {part: float(value) for part, value in given.items()}


def _prices(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--price takes what a million tokens cost, in and out, as in 0.15,0.60; got {text!r}"
        ) from None


def _value(text: str) -> Any:
    """A number, true, false, or JSON as what it is; anything else as text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
