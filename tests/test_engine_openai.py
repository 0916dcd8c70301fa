"""The OpenAI-compatible engine on a real local server: what is sent and read, streams, scores."""

from __future__ import annotations

import sys
from datetime import date

import pytest

from synthesis.engines.base import Engine, Items, LikelihoodEngine, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.errors import ConfigError, EngineError, MissingExtraError
from tests.openai_helpers import (
    SAMPLING,
    engine,
    make_prompt,
    once,
    prompts,
    quick_and_clean,  # noqa: F401  a fixture for all tests here
)
from tests.openai_server import Reply, failure, serve
from tests.ports import nobody


def test_each_prompt_gets_its_own_reply_with_usage() -> None:
    with serve(lambda asked: Reply(f"Context: about {asked.text}")) as server:
        made = engine(server)
        found = {done.prompt_id: done for done in made.complete(Items(prompts(40)), SAMPLING)}
    assert isinstance(made, Engine) and isinstance(made, LikelihoodEngine)
    assert len(found) == 40
    assert found["id-7"].text == "Context: about prompt 7"
    assert (found["id-7"].finish_reason, found["id-7"].prompt_tokens, found["id-7"].output_tokens) == (
        "stop",
        2,
        4,
    )


def test_the_request_carries_sampling_extra_fields_and_no_retry_of_the_client() -> None:
    with serve() as server:
        list(engine(server, extra_body={"top_k": 20, "top_p": 0.5}).complete(Items(prompts(1)), SAMPLING))
    body = server.asked[0].body
    assert body.pop("seed") < 2**31
    assert body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "prompt 0"}],
        "temperature": 0.3,
        "top_p": 0.5,
        "max_tokens": 700,
        "top_k": 20,
    }


def test_seeds_follow_from_the_run_and_the_prompt() -> None:
    with serve() as server:
        for seed in (5, 5, 6):
            list(engine(server).complete(Items(prompts(3)), Sampling(seed=seed)))
    seeds = {}
    for place, asked in enumerate(server.asked):
        seeds[place // 3, asked.text] = asked.body["seed"]
    for text in ("prompt 0", "prompt 1", "prompt 2"):
        assert seeds[0, text] == seeds[1, text] != seeds[2, text]
    assert len({seeds[0, f"prompt {number}"] for number in range(3)}) == 3


def test_text_that_has_no_utf8_is_sent_all_the_same() -> None:
    with serve() as server:
        (done,) = engine(server).complete(Items([make_prompt(0, "half \ud83d a pair")]), SAMPLING)
    assert done.finish_reason == "stop"
    assert server.asked[0].text == "half ? a pair"


@pytest.mark.parametrize(
    ("reply", "finish", "detail"),
    [
        (Reply("Context: half", finish="length"), "length", "max_tokens"),
        (Reply("", finish="content_filter"), "refusal", "content filter"),
        (Reply("", message={"refusal": "I had rather not."}), "refusal", "rather not"),
        (failure(400, "stopped by policy", code="content_filter"), "refusal", "stopped by policy"),
        (Reply("", message={"content": None, "reasoning_content": "Let me see"}), "stop", "and no text"),
        (
            failure(400, "The context length is 4096, this takes 9000 tokens"),
            "error",
            "generation.max_tokens",
        ),
        (failure(400, "messages must alternate"), "error", "messages must alternate"),
    ],
)
def test_verdicts_on_one_prompt_are_not_retried_and_stop_nobody_else(reply, finish, detail) -> None:
    with serve(lambda asked: reply if asked.text == "prompt 3" else None) as server:
        found = {done.prompt_id: done for done in engine(server).complete(Items(prompts(6)), SAMPLING)}
    assert found["id-3"].finish_reason == finish
    assert detail in found["id-3"].detail
    assert {done.finish_reason for name, done in found.items() if name != "id-3"} == {"stop"}
    assert len(server.asked) == 6


def test_reasoning_and_thinking_parts_are_not_text() -> None:
    parts = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "Context: so."}]
    with serve(lambda _: Reply(message={"content": parts, "reasoning_content": "secret thoughts"})) as server:
        (done,) = engine(server).complete(Items(prompts(1)), SAMPLING)
    assert done.text == "Context: so."


# What the server wants put differently


def refuses(name: str):
    """Refuses requests that hold a field, as OpenAI does."""

    def script(asked):
        if name in asked.body:
            return failure(400, f"Unsupported parameter: '{name}'", param=name, code="unsupported_parameter")
        return None

    return script


def test_the_limit_goes_by_the_name_the_server_takes() -> None:
    with serve(refuses("max_tokens")) as server:
        made = engine(server, concurrency=4, retries=0)
        first = list(made.complete(Items(prompts(12)), SAMPLING))
        before = len(server.asked)
        second = list(made.complete(Items(prompts(12)), SAMPLING))
        assert "".join(made.stream(make_prompt(0), SAMPLING)).startswith("Context:")
    assert {done.finish_reason for done in first + second} == {"stop"}
    assert before <= 12 + 4  # only those under way when it was learnt
    assert len(server.asked) == before + 12 + 1
    assert server.asked[-1].body["max_completion_tokens"] == 700


def test_a_limit_refused_under_both_names_is_an_error() -> None:
    def script(asked):
        name = "max_tokens" if "max_tokens" in asked.body else "max_completion_tokens"
        return failure(400, f"unknown field {name}")

    with serve(script) as server, pytest.raises(EngineError, match="neither max_tokens nor max_completion"):
        list(engine(server).complete(Items(prompts(1)), SAMPLING))
    assert len(server.asked) == 2


def test_a_seed_that_is_not_taken_is_left_out() -> None:
    with serve(refuses("seed")) as server:
        done = list(engine(server, retries=0).complete(Items(prompts(5)), SAMPLING))
    assert {found.finish_reason for found in done} == {"stop"}
    assert "seed" not in server.asked[-1].body


def test_a_temperature_that_is_not_taken_is_named_unless_it_is_the_default() -> None:
    with serve(refuses("temperature")) as server:
        with pytest.raises(EngineError, match=r"generation\.temperature = 1 \(--temperature 1\)"):
            list(engine(server).complete(Items(prompts(3)), SAMPLING))
        (done,) = engine(server).complete(Items(prompts(1)), Sampling(temperature=1.0))
    assert done.finish_reason == "stop"


# Streaming


def test_a_stream_gives_the_text_in_pieces_without_reasoning() -> None:
    with serve(lambda _: Reply(message={"reasoning_content": "hm"})) as server:
        pieces = list(engine(server).stream(make_prompt(0), SAMPLING))
    assert len(pieces) > 5
    assert "".join(pieces) == Reply().text


@pytest.mark.parametrize(
    "fault", [failure(500), failure(429, "", {"Retry-After": "0"}), Reply(cut=0), Reply(delay=2)]
)
def test_a_stream_is_retried_until_its_first_piece(fault) -> None:
    with serve(once(fault)) as server:
        assert "".join(engine(server, timeout=0.5).stream(make_prompt(0), SAMPLING)) == Reply().text
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("reply", "said", "pieces"),
    [
        (Reply(cut=3), "broke off after 18 characters", 3),
        (Reply(finish=None), "broke off.*ended early", 9),
        (Reply(finish="content_filter"), "content filter", 9),
        (failure(400, "odd"), "gave no reply.*odd", 0),
        (failure(400, "stopped", code="content_filter"), "gave no reply.*content filter", 0),
    ],
)
def test_a_stream_that_breaks_off_says_so(reply, said, pieces) -> None:
    found = []
    with serve(lambda _: reply) as server, pytest.raises(EngineError, match=said):
        for piece in engine(server).stream(make_prompt(0), SAMPLING):
            found.append(piece)
    assert len(found) == pieces
    assert len(server.asked) == 1


def test_a_stream_left_early_is_closed() -> None:
    with serve(lambda _: Reply("word " * 20_000)) as server:
        pieces = engine(server).stream(make_prompt(0), SAMPLING)
        assert next(pieces) == "word"
        pieces.close()


# Scoring


def scoring_script(*, ids: bool, echo: bool):
    """Characters are tokens, their logprob is minus a hundredth of their code."""

    def logprob(char: str) -> float:
        return -ord(char) / 100

    def script(asked):
        body = asked.body
        if asked.path == "/tokenize" and ids:
            return Reply(error={"tokens": [ord(char) for char in body["prompt"]]})
        if asked.path != "/v1/completions":
            return Reply(status=404, error={"detail": "Not Found"})
        if "prompt_logprobs" in body and ids:
            entries = [None, *({str(i): {"logprob": logprob(chr(i))}} for i in body["prompt"][1:])]
            return Reply(error={"choices": [{"text": "", "prompt_logprobs": entries}]})
        if body.get("echo") and echo:
            tokens = [*body["prompt"], "x"]
            values = [None, *(logprob(char) for char in tokens[1:])]
            usage = {"prompt_tokens": len(tokens) - 1, "completion_tokens": 1}
            choice = {"text": "", "logprobs": {"tokens": tokens, "token_logprobs": values}}
            return Reply(error={"choices": [choice], "usage": usage})
        return Reply(error={"choices": [{"text": "x", "logprobs": None}]})

    return script


@pytest.mark.parametrize(("ids", "echo"), [(True, False), (False, True)])
def test_text_is_scored_either_way_in_order(ids, echo) -> None:
    asked = [(f"prefix {number} ", f"answer {number}") for number in range(20)]
    with serve(scoring_script(ids=ids, echo=echo)) as server:
        found = list(engine(server, concurrency=4).loglikelihood(iter(asked)))
    assert len(found) == 20
    for (_, continuation), scored in zip(asked, found, strict=True):
        assert scored.logprobs == pytest.approx([-ord(char) / 100 for char in continuation])
        assert scored.token_ids == (tuple(map(ord, continuation)) if ids else ())


def test_a_server_that_cannot_score_is_named_and_an_empty_prefix_refused() -> None:
    with serve(scoring_script(ids=False, echo=False)) as server:
        with pytest.raises(EngineError, match="cannot score text.*prompt_logprobs"):
            list(engine(server).loglikelihood([("a", "b")]))
        with pytest.raises(EngineError, match="prefix"):
            list(engine(server).loglikelihood([("", "b")]))


# Making one


def test_the_only_model_is_taken_and_several_are_listed() -> None:
    with serve(models=("solo",)) as server:
        assert OpenAIEngine(base_url=server.url).model == "solo"
        assert not server.asked
    with serve(models=("one", "two")) as server, pytest.raises(ConfigError, match=r"2 models.*one, two"):
        OpenAIEngine(base_url=server.url)
    with serve(models=()) as server, pytest.raises(ConfigError, match="base_url"):
        OpenAIEngine(base_url=server.url)
    with pytest.raises(EngineError, match="Check that the server runs"):
        OpenAIEngine(base_url=f"{nobody()}/v1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base_url": "localhost:8000"}, "http://localhost:8000/v1"),
        ({"base_url": "http://me:pw-77@host/v1"}, "environment variable OPENAI_API_KEY"),
        ({}, "set the environment variable OPENAI_API_KEY"),
        ({"base_url": "http://h", "concurrency": 0}, "concurrency is 0"),
        ({"base_url": "http://h", "timeout": 0}, "timeout is 0"),
        ({"base_url": "http://h", "retries": -1}, "retries is -1"),
        ({"base_url": "http://h", "extra_body": {"n": 4}}, "extra_body sets n"),
        ({"base_url": "http://h", "extra_body": {"top_k": float("nan")}}, "extra_body cannot be sent"),
        ({"base_url": "http://h", "extra_body": {"until": date(2026, 1, 1)}}, "extra_body cannot be sent"),
    ],
)
def test_settings_that_cannot_be_used_say_what_to_write(options, said) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        OpenAIEngine("tiny", **options)
    assert "pw-77" not in str(caught.value)


def test_without_the_package_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"context-synthesis\[openai\]"):
        OpenAIEngine("tiny", base_url="http://127.0.0.1:1/v1")
