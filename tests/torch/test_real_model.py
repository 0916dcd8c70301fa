"""A real chat model with the transformers engine, from pairs to a dataset."""

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

OPTIONS = {"device": "cpu", "dtype": "float32", "repetition_penalty": 1.1}


@pytest.fixture(scope="module")
def engine() -> Iterator[BaseEngine]:
    made = gain_engine("transformers", transformers_folder(), {"device": "cpu"})
    yield made
    made.close()


def test_a_run_its_resumption_and_its_repairs(tmp_path) -> None:
    assert_runs_resume_and_repair(tmp_path, "transformers", transformers_folder(), OPTIONS)


def test_a_context_in_sections(tmp_path) -> None:
    assert_expands(tmp_path, "transformers", transformers_folder(), OPTIONS)


def test_the_gain(engine) -> None:
    assert_gains(engine)


def test_the_judge(engine) -> None:
    assert_judges(engine)
