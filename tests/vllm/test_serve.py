"""``vllm serve`` behind our OpenAI-compatible engine, and three engines that agree on a text."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from synthesis.data import Message, Prompt
from synthesis.engines.base import Items, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.engines.transformers import TransformersEngine
from tests.engine_contract import PROMISES, leaves_nothing, the_seed_and_the_prompt_decide_not_the_order
from tests.likelihood_agreement import REQUESTS, assert_agree
from tests.ports import held
from tests.vllm.small import SMALL, wait_until

SAMPLING = Sampling(seed=11, max_tokens=40)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with held() as number:
        yield number


@pytest.fixture(scope="module")
def server(model: Path, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server, started as its documentation says."""
    command = [
        str(Path(sys.executable).with_name("vllm")),
        "serve",
        str(model),
        "--served-model-name",
        "tiny",
    ]
    command += ["--host", "127.0.0.1", "--port", str(port), "--enforce-eager", "--dtype", "float32"]
    for name in ("max_num_seqs", "max_model_len", "kv_cache_memory_bytes"):
        command += [f"--{name.replace('_', '-')}", str(SMALL[name])]
    # Our engine sends seeds, which vLLM on a CPU survives only like this.
    command += ["--no-enable-chunked-prefill"]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    environment = {**os.environ, "VLLM_NO_USAGE_STATS": "1", "NO_COLOR": "1"}
    with log.open("wb") as file:
        running = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
        try:
            wait_until(lambda: answers(port) or running.poll() is not None, 240, "the server's start")
            assert running.poll() is None, log.read_text()[-3000:]
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            running.terminate()
            running.wait(60)


def answers(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def served(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIEngine]:
    """Our engine on the server; it finds the only model there is."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with leaves_nothing(OpenAIEngine(base_url=server, concurrency=8)) as made:
        assert made.model == "tiny"
        yield made


@pytest.mark.parametrize(
    # Over HTTP requests arrive when they arrive; what they are batched with may change last bits.
    "check",
    [check for check in PROMISES if check is not the_seed_and_the_prompt_decide_not_the_order],
    ids=lambda c: c.__name__,
)
def test_the_contract(check, served) -> None:
    check(served, SAMPLING)


def test_a_prompt_that_is_too_long_fails_alone(served) -> None:
    def prompt(number: int, words: int) -> Prompt:
        text = (Message("user", "word " * words),)
        return Prompt(f"id-{number}", f"pair-{number}", "t", {}, text, f"id-{number}")

    found = {
        done.prompt_id: done for done in served.complete(Items([prompt(0, 5), prompt(1, 3000)]), SAMPLING)
    }
    assert found["id-0"].finish_reason == "length"
    assert found["id-1"].finish_reason == "error" and "max_tokens" in found["id-1"].detail


def test_three_engines_agree_on_every_token(engine, server, model, monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with (
        closing(TransformersEngine(str(model), dtype="float32", device="cpu")) as local,
        closing(OpenAIEngine(base_url=server)) as served,
    ):
        largest = max(
            assert_agree(engine, local),
            assert_agree(engine, served),
            assert_agree(local, served),
        )
    assert largest < 1e-3, f"{largest} nats over {len(REQUESTS)} texts"
