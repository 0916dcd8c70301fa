"""What every engine promises, checked on those that run anywhere.

The engines that need torch or vLLM run the same checks in ``tests/torch`` and ``tests/vllm``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from synthesis.engines import engine_with, make_engine
from synthesis.engines.base import Engine, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.engines.openai.batch import BatchEngine
from synthesis.errors import ConfigError
from tests.batch_server import serve_batches
from tests.engine_contract import PROMISES, WORDS, WRITING, leaves_nothing
from tests.openai_server import Reply, serve

SAMPLING = Sampling(seed=11)


def make_composer() -> Iterator[Engine]:
    yield make_engine("composer")


def make_openai() -> Iterator[Engine]:
    def tale(asked) -> Reply:
        return Reply(f"Context: {asked.body['seed']} " + "and so it went on " * (WORDS // 4))

    with serve(tale) as server:
        yield OpenAIEngine(base_url=server.url, concurrency=8)


def make_batch() -> Iterator[Engine]:
    def tale(asked) -> Reply:
        return Reply(f"Context: {asked.body['seed']} " + "and so it went on " * (WORDS // 4))

    with serve_batches(tale) as server:
        yield BatchEngine(base_url=server.url, max_requests=8, at_once=4, poll_seconds=0.001)


@pytest.fixture(params=[make_composer, make_openai, make_batch], ids=["composer", "openai", "batch"])
def engine(request, monkeypatch) -> Iterator[Engine]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    before = set(threading.enumerate())
    for made in request.param():
        with leaves_nothing(made):
            yield made
    assert not set(threading.enumerate()) - before


@pytest.mark.parametrize("check", PROMISES + WRITING, ids=lambda check: check.__name__)
def test_it_keeps_the_promise(engine, check) -> None:
    check(engine, SAMPLING)


def test_a_model_among_the_options_is_sent_to_where_it_belongs() -> None:
    other, wrong = {"model": "other"}, {"name": "x"}
    for name, model in (("openai", "m"), ("openai", ""), ("composer", "")):
        with pytest.raises(ConfigError, match="give it as --model"):
            engine_with(name, model, other)
    with pytest.raises(ConfigError, match="does not take these settings: 'name'"):
        make_engine("composer", **wrong)


def test_a_model_is_taken_by_its_place_or_by_its_name() -> None:
    options = {"base_url": "http://127.0.0.1:9/v1"}
    for engine in (make_engine("openai", "m", **options), make_engine("openai", model="m", **options)):
        assert engine.model == "m"
        engine.close()


def test_an_engine_that_takes_no_model_says_so() -> None:
    with pytest.raises(ConfigError, match="settings: 'model'; check --model and --option"):
        make_engine("composer", "m")
