"""vLLM on the model that was trained for the tests: meaning, and likelihoods of text it knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from synthesis.engines.transformers import TransformersEngine
from synthesis.engines.vllm import VLLMEngine
from tests.likelihood_agreement import assert_agree
from tests.meaning import TRAINED, assert_writes_contexts
from tests.vllm.small import SMALL


@pytest.fixture(scope="module")
def trained() -> Iterator[VLLMEngine]:
    made = VLLMEngine(str(TRAINED), **{**SMALL, "max_model_len": 2048})
    yield made
    made.close()


def test_it_writes_contexts(trained) -> None:
    assert_writes_contexts(trained)


def test_it_agrees_with_transformers_on_every_token(trained) -> None:
    with closing(TransformersEngine(str(TRAINED), dtype="float32", device="cpu")) as local:
        assert assert_agree(trained, local) < 1e-3
