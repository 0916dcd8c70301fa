"""Whether an engine on the test model writes contexts, not just text; for the suites that run models."""

from __future__ import annotations

from pathlib import Path

from scripts.test_model_pairs import held_out_pairs
from synthesis.data import Context
from synthesis.engines.base import Engine
from synthesis.run.loop import synthesize

TRAINED = Path(__file__).parent / "models" / "tiny"


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
