"""How rows were made: the facts that a manifest records, the card tells and others read back.

A plain mapping, as it stands in JSON: what an older version wrote is read alike. Without times and
paths, so that equal runs have equal facts. Knows no files.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import PurePath
from typing import Any

from synthesis import __version__
from synthesis.engines import engine_class
from synthesis.options import GenerationConfig, RunConfig
from synthesis.prompts.questions import WORDS as QUESTION_WORDS
from synthesis.run.job import AS_BEFORE, tokens_for
from synthesis.tokens import Tokenizer

IMPORTED = "imported"
"""What stands in the place of an engine's name where contexts were not written here."""

UNNAMED = "Context synthesis dataset"
"""The title of a dataset whose publisher gave none."""

CARD_FACTS = ("license", "language", "pretty_name", "tags", "repo_id")
"""Facts about the card rather than about how the rows were made."""

ORDER = ("source", "engine", "model", "revision", "template", "sampling", "seed", "tokenizer", "versions")
"""In which the card tells them; others follow by name."""

GENERATION = ("engine", "model", "template", "sampling", "seed", "tokenizer")
"""What must be equal for new rows to count as more of the same."""

# What only a run that wrote its contexts can tell of them.
_WRITTEN = frozenset({"template", "words", "sampling", "repairs", "section_words"})
_RECORDED = ("datasets", "huggingface_hub", "pyarrow", "tokenizers")


def run_facts(
    config: RunConfig, tokenizer: Tokenizer, engine: str, model: str, source: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The facts of a run whose contexts are by ``engine``, of pairs from ``source`` as it is described."""
    made = config.generation
    asked = engine != IMPORTED and not engine_class(engine).free
    lengths = (QUESTION_WORDS, 0) if config.asks else (made.words, made.section_words)
    longest = made.max_tokens or (tokens_for(*lengths) if asked else AS_BEFORE)
    facts = {
        "engine": engine,
        "model": model,
        "template": public_name(made.template),
        "words": made.words,
        "sampling": {"temperature": made.temperature, "top_p": made.top_p, "max_tokens": longest},
        "seed": config.seed,
        **measured_by(tokenizer),
        "license": config.dataset.license,
        "language": list(config.dataset.language),
    }
    if asked:
        facts |= {"repairs": made.repairs, "section_words": made.section_words}
    if config.asks:
        facts = _asking(config, facts)
    unknown = _WRITTEN if engine == IMPORTED else ()
    known = {name: fact for name, fact in facts.items() if name not in unknown}
    found = public_source(source)
    return {**known, **({"source": found} if found else {})}


def _asking(config: RunConfig, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a run that wrote questions: no words and sections of contexts, but windows and kinds."""
    asked = config.questions
    own = {"method": config.method, "window": asked.window, "per_document": asked.per_document}
    if config.generation.template == GenerationConfig().template:
        own["template"] = "questions"
    kept = {name: fact for name, fact in facts.items() if name not in ("words", "section_words")}
    return {**kept, **own, "kinds": list(asked.kinds)}


def public_name(template: str) -> str:
    """What a template is called, without where it lies."""
    return PurePath(template).name.removesuffix(".txt") or template


def measured_by(tokenizer: Tokenizer) -> dict[str, Any]:
    """The facts that every dataset has: what counted its tokens, and the tools that wrote it."""
    return {
        "tokenizer": {"name": tokenizer.name, "identity": tokenizer.identity},
        "versions": {name: metadata.version(name) for name in _RECORDED}
        | {"context-synthesis": __version__, "python": platform.python_version()},
    }


def public_source(source: Mapping[str, Any] | None) -> dict[str, Any]:
    """Where anybody can find the texts: a dataset on the Hub at the revision that was read, or nothing."""
    if not source or source.get("kind") != "hub":
        return {}
    return {key: value for key, value in source.items() if key != "kind" and value}


def tokenizer_of(facts: Mapping[str, Any]) -> tuple[str, str]:
    """Name and identity of the tokenizer that counted; empty where that was not recorded."""
    recorded = facts.get("tokenizer")
    known = recorded if isinstance(recorded, Mapping) else {}
    return str(known.get("name") or ""), str(known.get("identity") or "")


def words_of(facts: Mapping[str, Any]) -> int | None:
    """How many words a context was asked to have, where that is known."""
    asked = facts.get("words")
    return asked if isinstance(asked, int) and asked > 0 else None
