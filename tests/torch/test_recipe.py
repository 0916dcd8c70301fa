"""The recipe for transformers on the CPU, in small: the test model and a few easy pairs."""

from __future__ import annotations

from tests.meaning import run_recipe


def test_the_recipe_makes_a_dataset(tmp_path) -> None:
    assert run_recipe("transformers-cpu", tmp_path) >= 5
