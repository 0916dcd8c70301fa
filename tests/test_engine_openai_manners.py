"""Servers with manners of their own: what they refuse, how they say that a reply ended, endless bodies."""

from __future__ import annotations

import gzip
import json
import sys

import pytest

from synthesis.data import Message, Prompt
from synthesis.engines.base import Items, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.engines.openai.batch import BatchEngine
from synthesis.errors import ConfigError, EngineError
from tests.batch_server import serve_batches
from tests.openai_helpers import (
    SAMPLING,
    engine,
    once,
    prompts,
    quick_and_clean,  # noqa: F401  a fixture for all tests here
)
from tests.openai_server import Reply, failure, serve

SYSTEM = "Be plain and exact."


def with_system(count: int) -> list[Prompt]:
    turns = (Message("system", SYSTEM), Message("user", "Write."))
    return [Prompt(f"id-{n}", f"pair-{n}", "t", {}, turns, f"id-{n}") for n in range(count)]


@pytest.mark.parametrize(
    "refusal",
    [
        failure(400, "System role not supported"),
        failure(400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        failure(400, "Only user and assistant roles are supported!"),
        failure(422, "Conversation roles must alternate user/assistant/user/assistant/..."),
        failure(500, "Jinja Exception: System role not supported"),
        failure(400, "invalid role: 'system' is not one of ['user', 'assistant']"),
    ],
    ids=range(6),
)
def test_where_no_system_speaks_its_part_is_the_users(refusal) -> None:
    def script(asked):
        return refusal if any(turn["role"] == "system" for turn in asked.body["messages"]) else None

    with serve(script) as server:
        made = engine(server, concurrency=2, retries=0)
        done = list(made.complete(Items(with_system(8)), SAMPLING))
        assert "".join(made.stream(with_system(1)[0], SAMPLING)).startswith("Context:")
    assert {found.finish_reason for found in done} == {"stop"}
    assert len(server.asked) <= 8 + 2 + 1
    assert server.asked[-1].body["messages"] == [{"role": "user", "content": f"{SYSTEM}\n\nWrite."}]


def test_the_batch_learns_it_too() -> None:
    def script(asked):
        if any(turn["role"] == "system" for turn in asked.body["messages"]):
            return failure(400, "System role not supported")
        return Reply("Context: so.")

    with serve_batches(script) as server:
        made = BatchEngine("tiny", base_url=server.url, poll_seconds=0.01)
        done = list(made.complete(Items(with_system(6)), SAMPLING))
    assert {found.finish_reason for found in done} == {"stop"}


def takes_one_of_two(asked):
    if {"temperature", "top_p"} <= asked.body.keys():
        return failure(400, "`temperature` and `top_p` cannot both be specified for this model.")
    return None


def test_of_temperature_and_top_p_the_one_that_is_1_is_left_out() -> None:
    with serve(takes_one_of_two) as server:
        for chosen in (Sampling(0.7, 1.0), Sampling(1.0, 0.9)):
            (done,) = engine(server).complete(Items(prompts(1)), chosen)
            assert done.finish_reason == "stop"
        with pytest.raises(EngineError, match="takes one of the two: set the other to 1.*leave_to_server"):
            list(engine(server).complete(Items(prompts(3)), Sampling(0.7, 0.9)))
    first, second = (asked.body for asked in server.asked[1:4:2])
    assert "top_p" not in first and first["temperature"] == 0.7
    assert "temperature" not in second and second["top_p"] == 0.9


def test_settings_may_be_left_to_the_server() -> None:
    with serve() as server:
        made = engine(server, leave_to_server=["top_p", "temperature"])
        list(made.complete(Items(prompts(1)), SAMPLING))
        assert made.settings == {"leave_to_server": ["temperature", "top_p"]}
        assert engine(server).settings == {}
        with pytest.raises(ConfigError, match="leave_to_server names 'max_tokens'; give some of"):
            engine(server, leave_to_server=["max_tokens"])
    assert not {"temperature", "top_p"} & server.asked[0].body.keys()


@pytest.mark.parametrize(
    ("said", "finish"),
    [
        ("STOP", "stop"),
        ("end_turn", "stop"),
        ("FinishReason.STOP", "stop"),
        ("FINISH_REASON_STOP", "stop"),
        ("Length", "length"),
        ("MAX_TOKENS", "length"),
        ("max-output-tokens", "length"),
        ("SAFETY", "refusal"),
        ("Content_Filter", "refusal"),
    ],
)
def test_why_a_reply_ended_is_understood_however_it_is_spelt(said, finish) -> None:
    with serve(lambda _: Reply(finish=said)) as server:
        (done,) = engine(server, retries=0).complete(Items(prompts(1)), SAMPLING)
    assert done.finish_reason == finish


def test_an_empty_reply_is_asked_for_again_and_not_for_ever() -> None:
    with serve(once(Reply(""))) as server:
        (done,) = engine(server).complete(Items(prompts(1)), SAMPLING)
    assert (done.finish_reason, len(server.asked)) == ("stop", 2)
    with serve(lambda asked: Reply("") if asked.text == "prompt 0" else None) as server:
        found = {done.prompt_id: done for done in engine(server).complete(Items(prompts(3)), SAMPLING)}
    assert found["id-0"].finish_reason == "error" and "empty" in found["id-0"].detail
    assert len(server.asked) == 2 + 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_is_no_longer_than_was_asked_for(monkeypatch, packed) -> None:
    monkeypatch.setattr("synthesis.engines.openai.connection.ROOM", 100_000)
    body = json.dumps(
        {"choices": [{"message": {"content": "x" * 5_000_000}, "finish_reason": "stop"}]}
    ).encode()
    large = (
        Reply(raw=gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Reply(raw=body)
    )
    with serve(lambda asked: large if asked.text == "prompt 0" else None) as server:
        made = engine(server, retries=1)
        found = {done.prompt_id: done for done in made.complete(Items(prompts(2)), SAMPLING)}
    assert found["id-1"].finish_reason == "stop"
    assert "has more than 275,000 bytes" in found["id-0"].detail


def test_a_packed_body_is_unpacked_and_a_broken_one_asked_for_again() -> None:
    body = json.dumps(
        {"choices": [{"message": {"content": "Context: so."}, "finish_reason": "stop"}]}
    ).encode()
    whole = Reply(raw=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    for bad in (
        Reply(raw=b"\x1f\x8bnot packed", headers={"Content-Encoding": "gzip"}),
        Reply(raw=body, headers={"Content-Encoding": "br"}),
        Reply(raw=b"[" * 200_000),
    ):
        with serve(lambda asked, bad=bad: whole if asked.number else bad) as server:
            (done,) = engine(server).complete(Items(prompts(1)), SAMPLING)
        assert (done.text, len(server.asked)) == ("Context: so.", 2)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTPS_PROXY", "socks5://localhost:1080", r"'socksio' is missing: pip install 'httpx\[socks\]'"),
        ("all_proxy", "gopher://localhost:70", "'gopher' is no kind of proxy"),
        ("HTTP_PROXY", "http://localhost:port", "no address of a proxy stands in the environment variable"),
        ("HTTP_PROXY", "http://[::1", "HTTP_PROXY: write it as in http://localhost:3128"),
        ("ALL_PROXY", "http://", "no address of a proxy"),
    ],
)
def test_proxies_that_cannot_be_used_are_named_before_any_work(monkeypatch, name, value, said) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.delenv(name.swapcase(), raising=False)
    monkeypatch.setenv(name, value)
    for make in (OpenAIEngine, BatchEngine):
        with pytest.raises(ConfigError, match=said):
            make("tiny", base_url="http://127.0.0.1:1/v1")


def test_a_batch_of_which_every_request_fails_says_why() -> None:
    with serve_batches(lambda asked: failure(400, "no such adapter")) as server:
        made = BatchEngine("tiny", base_url=server.url, poll_seconds=0.01)
        done = []
        with pytest.raises(
            EngineError, match=r"all 6 requests of batch .* failed, the first with: .*adapter"
        ):
            done.extend(made.complete(Items(prompts(6)), SAMPLING))
    assert [found.finish_reason for found in done] == ["error"] * 6
