"""From the command line's options to a ``RunConfig``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from synthesis.config import RunConfig, load_config, override
from synthesis.errors import UsageError

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
    "tokenizer": "samples.tokenizer",
    "depth": "samples.depth",
    "distractors": "samples.distractors",
    "corpus": "samples.corpus",
    "max_reuse": "samples.max_reuse",
    "header": "samples.header",
    "abstain": "samples.abstain",
    "oversize": "samples.oversize",
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
    if given.get("column"):
        changes["pairs.columns"] = assigned("--column", "instruction=question", given["column"])
    if given.get("option"):
        options = assigned("--option", "concurrency=64", given["option"])
        changes["generation.options"] = base.generation.options | {k: _value(v) for k, v in options.items()}
    return override(base, changes)


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


def _value(text: str) -> Any:
    """A number, true, false, or JSON as what it is; anything else as text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
