"""Whether an engine on the test model writes contexts, not just text; for the suites that run models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builder.job.execute import execute
from scripts.test_model_pairs import held_out_pairs
from synthesis.data import Context
from synthesis.engines.base import Engine
from synthesis.options import load_config, override
from synthesis.run.loop import synthesize
from tests.jobs import Quiet

TRAINED = Path(__file__).parent / "models" / "tiny"
RECIPES = Path(__file__).parent.parent / "recipes"


def assert_writes_contexts(engine: Engine, count: int = 40) -> None:
    """Of pairs it never saw, nine in ten replies are contexts and seven in ten hold the answer."""
    pairs = {pair.id: pair for pair in held_out_pairs(count)}
    outcomes = list(synthesize(pairs.values(), engine, words=100, temperature=0.0, max_tokens=300, repairs=0))
    assert len(outcomes) == count
    # What is rejected by a check was a context, but lacked the answer.
    parsed = [one for one in outcomes if isinstance(one, Context) or one.stage == "check"]
    answered = [one for one in parsed if pairs[one.pair_id].answer in one.text]
    assert len(parsed) >= 0.9 * count, [one.reason for one in outcomes if not isinstance(one, Context)]
    assert len(answered) >= 0.7 * count


def run_recipe(name: str, folder: Path, **settings: Any) -> int:
    """Runs a recipe with the test model, 8 pairs and 100 words; the number of contexts in its dataset.

    ``settings`` are options of the engine above those of the recipe.
    """
    rows = [{"instruction": pair.instruction, "answer": pair.answer} for pair in held_out_pairs(8)]
    pairs = folder / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = load_config(RECIPES / f"{name}.toml")
    small = {
        "out": str(folder / "run"),
        "pairs.source": str(pairs),
        "generation.model": str(TRAINED),
        "generation.words": 100,
        "generation.temperature": 0.0,
        "generation.max_tokens": 300,
        "generation.repairs": 0,
        "filters.min_overall": 0.0,  # its texts hold the answer, and little else
        "generation.options": {**made.generation.options, **settings},
        "samples.tokenizer": str(TRAINED),
        "samples.lengths": ("2k",),
    }
    return execute(override(made, small), Quiet()).contexts
