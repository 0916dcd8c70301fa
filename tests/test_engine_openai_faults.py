"""The OpenAI-compatible engine when requests fail: in passing, one prompt, or everything."""

from __future__ import annotations

import itertools
import logging
import time
import traceback
from dataclasses import replace
from email.utils import formatdate

import pytest

from synthesis.engines.base import Items
from synthesis.engines.openai import OpenAIEngine
from synthesis.engines.serving.failures import STREAK, Failure, Health, Kind, failure_of, retry_after
from synthesis.engines.serving.pace import retry_delay
from synthesis.errors import EngineError
from tests.openai_helpers import (
    KEY,
    SAMPLING,
    engine,
    make_prompt,
    once,
    prompts,
    quick_and_clean,  # noqa: F401  a fixture for all tests here
)
from tests.openai_server import Reply, failure, serve
from tests.ports import held, nobody

# Failures that pass


@pytest.mark.parametrize(
    "fault",
    [
        failure(429, "slow down", {"Retry-After": "0"}),
        failure(429, "slow down", {"retry-after-ms": "20"}),
        failure(408),
        failure(409),
        failure(500),
        failure(503, "loading"),
        Reply(status=502, raw=b"<html>bad gateway</html>", headers={"Content-Type": "text/html"}),
        Reply(raw=b'{"choices": [{"message": '),
        Reply(raw=b"\xff\xfe not text at all"),
        Reply(raw=b"<html>hello</html>", headers={"Content-Type": "text/html"}),
        Reply(raw=b'{"choices": []}'),
        Reply(raw=b'{"error": {"message": "upstream died", "code": 502}}'),
        Reply(cut=30),
        Reply(cut=0),
        Reply(finish=None),
        Reply(finish="abort"),
        Reply(delay=2.0),
    ],
    ids=lambda fault: f"{fault.status}-{fault.raw or fault.finish}-{fault.cut}-{fault.delay}"[:40],
)
def test_a_passing_failure_is_retried(fault) -> None:
    with serve(once(fault)) as server:
        (done,) = engine(server, timeout=0.5, retries=1).complete(Items(prompts(1)), SAMPLING)
    assert (done.finish_reason, len(server.asked)) == ("stop", 2)
    assert done.text.startswith("Context:")


def test_a_reply_that_trickles_runs_into_the_timeout() -> None:
    with serve(once(Reply(drip=0.2))) as server:
        (done,) = engine(server, timeout=0.5, retries=1).complete(Items(prompts(1)), SAMPLING)
    assert (done.finish_reason, len(server.asked)) == ("stop", 2)


def test_retries_wait_longer_each_time(monkeypatch) -> None:
    monkeypatch.setattr("synthesis.engines.serving.pace.FIRST_DELAY", 0.2)
    with serve(lambda asked: failure(500) if asked.number < 2 else None) as server:
        list(engine(server).complete(Items(prompts(1)), SAMPLING))
    first, second, third = (asked.at for asked in server.asked)
    assert second - first >= 0.1 and third - second >= 0.2


def test_a_prompt_that_keeps_failing_is_given_up_after_the_limit() -> None:
    with serve(lambda asked: failure(500, "boom") if asked.text == "prompt 1" else None) as server:
        found = {
            done.prompt_id: done for done in engine(server, retries=2).complete(Items(prompts(8)), SAMPLING)
        }
    assert found["id-1"].finish_reason == "error"
    assert "HTTP 500, boom" in found["id-1"].detail and "3" in found["id-1"].detail
    assert sum(asked.text == "prompt 1" for asked in server.asked) == 3
    assert sum(done.finish_reason == "stop" for done in found.values()) == 7


def test_a_refused_request_waits_as_long_as_it_is_told_and_alone() -> None:
    """What happens when nearly all are refused is in ``tests/test_pace.py``."""

    def script(asked):
        return failure(429, "wait", {"Retry-After": "0.6"}) if asked.number == 0 else Reply(delay=0.01)

    with serve(script) as server:
        done = list(engine(server, concurrency=2).complete(Items(prompts(6)), SAMPLING))
    assert {found.finish_reason for found in done} == {"stop"}
    refused, *later = server.asked
    (again,) = (asked for asked in later if asked.text == refused.text)
    assert again.at - refused.at >= 0.6
    assert later[0].text != refused.text


def test_refusals_cost_no_tries_while_others_are_answered() -> None:
    """Every other request is refused, and no prompt is given up for it."""
    with serve(lambda asked: failure(429) if asked.number % 2 else None) as server:
        done = list(engine(server, concurrency=2, retries=4).complete(Items(prompts(40)), SAMPLING))
    assert [found.finish_reason for found in done] == ["stop"] * 40


def test_retry_after_is_read_in_every_form() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    assert (
        retry_after({"retry-after": formatdate(1000.0, usegmt=True), "date": formatdate(970.0, usegmt=True)})
        == 30
    )
    assert retry_after({"retry-after": formatdate(time.time() + 60, usegmt=True)}) == pytest.approx(60, abs=3)
    assert retry_after({"retry-after": formatdate(0, usegmt=True)}) == 0
    for nonsense in ("", "soon", "nan", "inf", "99999999999999999999 Jan"):
        assert retry_after({"retry-after": nonsense}) is None


def test_delays_grow_are_jittered_and_are_the_same_each_time() -> None:
    delays = [[retry_delay(key, tried, None) for tried in range(1, 8)] for key in ("a", "b")]
    assert delays[0] != delays[1]
    for row in delays:
        assert all(0.005 * 2**place <= delay <= 0.01 * 2**place for place, delay in enumerate(row))
    assert delays[0] == [retry_delay("a", tried, None) for tried in range(1, 8)]
    assert retry_delay("a", 1, 5.0) >= 5.0


# Failures of everything


def test_a_key_that_is_not_accepted_ends_the_run_and_never_leaks(monkeypatch, caplog) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    with serve(key="another") as server:
        made = engine(server, api_key_env="MY_KEY")
        with pytest.raises(EngineError, match="environment variable MY_KEY") as caught:
            list(made.complete(Items(prompts(3)), SAMPLING))
        with pytest.raises(EngineError, match="MY_KEY") as streamed:
            list(made.stream(make_prompt(0), SAMPLING))
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"  # it was sent, and sent back
    for error in (caught.value, streamed.value):
        assert KEY not in "".join(traceback.format_exception(error))
        while error is not None:
            assert KEY not in repr(error) and KEY not in str(error)
            error = error.__cause__ or error.__context__
    assert KEY not in repr(made) + str(vars(made))
    assert caplog.records
    assert all(KEY not in record.getMessage() + repr(record.args) for record in caplog.records)


def test_the_key_never_leaks_into_a_failed_prompt(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serve(lambda asked: failure(422, f"odd header {asked.headers['authorization']}")) as server:
        (done,) = engine(server).complete(Items(prompts(1)), SAMPLING)
    assert "odd header Bearer ***" in done.detail and KEY not in done.detail


def test_a_missing_key_is_said_to_be_missing() -> None:
    with serve(key="k") as server, pytest.raises(EngineError, match="OPENAI_API_KEY.*it is not set"):
        list(engine(server).complete(Items(prompts(1)), SAMPLING))


def test_an_unknown_model_lists_those_there_are() -> None:
    with serve(models=("llama-8b", "qwen-7b")) as server:
        made = OpenAIEngine("qwen-70b", base_url=server.url)
        with pytest.raises(EngineError, match=r"'qwen-70b'.*--model: qwen-7b, llama-8b"):
            list(made.complete(Items(prompts(50)), SAMPLING))


def test_an_exhausted_account_ends_the_run() -> None:
    fault = failure(429, "no money", code="insufficient_quota")
    with serve(lambda _: fault) as server, pytest.raises(EngineError, match="credit"):
        list(engine(server).complete(Items(prompts(50)), SAMPLING))


def test_a_pause_of_a_day_ends_the_run() -> None:
    fault = failure(429, "daily limit", {"Retry-After": "86400"})
    with serve(lambda _: fault) as server, pytest.raises(EngineError, match="86400 s"):
        list(engine(server).complete(Items(prompts(50)), SAMPLING))


@pytest.mark.parametrize(("count", "retries"), [(100, 6), (1, 1)])
def test_no_server_at_all_says_how_to_check(count, retries) -> None:
    url = f"{nobody()}/v1"
    made = OpenAIEngine("tiny", base_url=url, retries=retries)
    with pytest.raises(EngineError, match=f"curl {url}/models"):
        list(made.complete(Items(prompts(count)), SAMPLING))


def test_no_server_is_noticed_before_any_prompt_has_used_up_its_tries(monkeypatch) -> None:
    monkeypatch.setattr("synthesis.engines.serving.pace.FIRST_DELAY", 30.0)
    made = OpenAIEngine("tiny", base_url=f"{nobody()}/v1")
    begun = time.monotonic()
    with pytest.raises(EngineError, match="Check that the server runs"):
        list(made.complete(Items(prompts(100)), SAMPLING))
    assert time.monotonic() - begun < 10


def test_a_server_that_goes_away_ends_the_run_after_patience_and_keeps_what_is_done() -> None:
    done = []
    with held() as port:
        with serve(port=port) as server:
            made = engine(server, concurrency=2, retries=2)
            replies = made.complete(Items(make_prompt(n) for n in itertools.count()), SAMPLING)
            done.extend(itertools.islice(replies, 10))
        with pytest.raises(EngineError, match="Check that the server runs"):
            done.extend(replies)
    assert all(found.finish_reason == "stop" for found in done) and len(done) >= 10


def test_the_same_failure_of_all_prompts_ends_the_run() -> None:
    with serve(lambda _: failure(500, "no memory")) as server:
        made = engine(server, concurrency=4, retries=1)
        done = []
        with pytest.raises(EngineError, match="no memory"):
            done.extend(made.complete(Items(make_prompt(n) for n in itertools.count()), SAMPLING))
            raise AssertionError("it must not end well")
    assert len(server.asked) <= 2 * (STREAK + 8)


def test_what_is_at_hand_is_yielded_before_the_error() -> None:
    """Replies paid for are not lost when another request ends the run."""

    def script(asked):
        if asked.text == "prompt 1":
            return replace(failure(401), delay=0.1)
        return Reply(delay=0.0 if asked.text == "prompt 0" else 0.3)

    with serve(script) as server:
        replies = engine(server).complete(Items(prompts(6)), SAMPLING)
        done = [next(replies).prompt_id]
        time.sleep(1.0)  # meanwhile the others are answered, after the fatal one
        with pytest.raises(EngineError):
            for found in replies:
                done.append(found.prompt_id)
    assert sorted(done) == ["id-0", "id-2", "id-3", "id-4", "id-5"]


def test_health_tells_prompts_from_the_server() -> None:
    health = Health()
    health.worked()
    assert not any(health.gave_up(Failure(Kind.TOO_LONG), 1) for _ in range(100))
    assert [health.gave_up(Failure(Kind.SERVER), 1) for _ in range(STREAK)].index(True) == STREAK - 1
    health = Health()
    assert [health.gave_up(Failure(Kind.TOO_LONG), 1) for _ in range(STREAK)][-1]
    health = Health()
    mixed = itertools.cycle([Failure(Kind.SERVER), Failure(Kind.TIMEOUT)])
    assert not any(health.gave_up(next(mixed), 1) for _ in range(100))


def test_what_goes_wrong_is_told_while_it_is_tried_again() -> None:
    """Once it is no chance any more, long before anything is given up, until there is a reply."""
    asked = 0

    def busy(_) -> Reply | None:
        nonlocal asked
        asked += 1
        return failure(429, "rate limit of 3 a minute") if asked <= 5 else None

    with serve(busy) as server:
        made = engine(server, concurrency=1, retries=9)
        seen = []
        for replied in made.complete(Items(prompts(1)), SAMPLING):
            seen.append((replied.finish_reason, made.trouble))
        assert seen == [("stop", "")]
        asked = -90
        with pytest.raises(EngineError):
            list(made.stream(make_prompt(0), SAMPLING))
        assert made.trouble == "the server is overloaded: HTTP 429, rate limit of 3 a minute"
    health = Health()
    told = []
    for number in range(4):
        health.tried(Failure(Kind.BUSY, f"no {number}"))
        told.append(health.trouble)
    assert told == ["", "", "the server is overloaded: no 2", "the server is overloaded: no 3"]
    health.worked()
    assert health.trouble == ""


@pytest.mark.parametrize(
    ("status", "body", "kind", "parameter"),
    [
        (400, {"message": "max_tokens is too large: 9000; 4096 at most"}, Kind.TOO_LONG, ""),
        (400, {"message": "no", "code": "context_length_exceeded"}, Kind.TOO_LONG, ""),
        (422, {"error": "inputs tokens + max_new_tokens must be <= 4096"}, Kind.TOO_LONG, ""),
        (500, {"error": {"message": "the request exceeds the context size"}}, Kind.TOO_LONG, ""),
        (413, "<html>too big</html>", Kind.TOO_LONG, ""),
        (
            400,
            {"message": "max_tokens is unsupported, use max_completion_tokens"},
            Kind.PARAMETER,
            "max_tokens",
        ),
        (422, {"detail": "extra field seed not permitted"}, Kind.PARAMETER, "seed"),
        (400, {"message": "the model 'x' does not exist"}, Kind.MISSING, ""),
        (404, {"error": "model 'x' not found, pull it first"}, Kind.MISSING, ""),
        (403, {"message": "flagged by moderation"}, Kind.REFUSED, ""),
        (403, {"message": "no"}, Kind.AUTH, ""),
        (402, None, Kind.QUOTA, ""),
        (529, None, Kind.BUSY, ""),
        (524, "", Kind.TIMEOUT, ""),
        (418, ["tea"], Kind.REJECTED, ""),
    ],
)
def test_refusals_are_told_apart_however_they_are_worded(status, body, kind, parameter) -> None:
    found = failure_of(status, {}, body)
    assert (found.kind, found.parameter) == (kind, parameter)
    assert f"HTTP {status}" in found.said
