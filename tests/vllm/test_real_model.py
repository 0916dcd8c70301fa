"""A real chat model with vLLM, from pairs to a dataset."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from builder.job.scoring import gain_engine
from synthesis.engines.base import BaseEngine
from tests.real_model import (
    assert_expands,
    assert_gains,
    assert_judges,
    assert_runs_resume_and_repair,
    transformers_folder,
)
from tests.vllm.small import SMALL

# The cache of eight replies with their prompts.
ROOMY = {**SMALL, "max_model_len": 2048, "kv_cache_memory_bytes": 1 << 29}


@pytest.fixture(scope="module")
def engine() -> Iterator[BaseEngine]:
    """Loaded once, for all that takes an engine; a run loads its own."""
    made = gain_engine("vllm", transformers_folder(), ROOMY)
    yield made
    made.close()


def test_the_gain(engine) -> None:
    assert_gains(engine)


def test_the_judge(engine) -> None:
    assert_judges(engine)


def test_a_run_its_resumption_and_its_repairs(engine, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("synthesis.run.mix.engine_with", lambda *_, **__: engine)
    monkeypatch.setattr(engine, "close", lambda: None)
    assert_runs_resume_and_repair(tmp_path, "vllm", transformers_folder(), ROOMY)
    assert_expands(tmp_path, "vllm", transformers_folder(), ROOMY)
