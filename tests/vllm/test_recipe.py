"""The recipe for vLLM, in small: the test model and a few easy pairs."""

from __future__ import annotations

from tests.meaning import run_recipe
from tests.vllm.small import SMALL


def test_the_recipe_makes_a_dataset(tmp_path) -> None:
    assert run_recipe("vllm-local", tmp_path, **{**SMALL, "max_model_len": 2048}) >= 5
