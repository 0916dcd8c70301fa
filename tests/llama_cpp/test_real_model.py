"""A real chat model behind a llama.cpp server, asked by the ``openai`` engine, from pairs to a dataset.

Runs where it is asked for by path (``make test-torch``); a plain ``pytest`` leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks.llama_server import serving
from synthesis.data import Message, Prompt
from synthesis.engines.base import Items, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.errors import EngineError
from synthesis.prompts import MARKER
from tests.real_model import CONTEXT, assert_expands, assert_judges, assert_runs_resume_and_repair, gguf

TURNS = (Message("user", "Name the capital of France in one sentence."),)
PROMPT = Prompt("p", "p", "t", {}, TURNS, "p", MARKER)
SAMPLING = Sampling(temperature=0, max_tokens=16)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(gguf()) as address:
        yield address


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def made(server: str, **options: object) -> OpenAIEngine:
    return OpenAIEngine(base_url=server, **options)


def test_a_run_its_resumption_and_its_repairs(server, tmp_path) -> None:
    assert_runs_resume_and_repair(tmp_path, "openai", "model", {"base_url": server})


def test_a_context_in_sections(server, tmp_path) -> None:
    assert_expands(tmp_path, "openai", "model", {"base_url": server})


def test_the_judge(server) -> None:
    with closing(made(server)) as engine:
        assert_judges(engine)


def test_a_reply_goes_on_from_its_beginning_once_one_was_missing(server) -> None:
    with closing(made(server)) as engine:
        first, second = (
            next(iter(engine.complete(Items([replace(PROMPT, id=name)]), SAMPLING))).text for name in "ab"
        )
        streamed = "".join(engine.stream(PROMPT, SAMPLING))
    assert not first.startswith(MARKER)
    assert second.startswith(MARKER) and "Paris" in second
    assert streamed == second


def test_a_server_that_scores_nothing_says_so(server) -> None:
    with closing(made(server, retries=0)) as engine, pytest.raises(EngineError, match="cannot score text"):
        list(engine.loglikelihood([(CONTEXT, " in March")]))
