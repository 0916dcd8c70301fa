"""The Batch API engine against a local server that speaks the protocol, and fails in many ways."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

import pytest

from synthesis.data import Completion, Message, Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import Items
from synthesis.engines.openai import OpenAIEngine
from synthesis.engines.openai.batch import BatchEngine, BatchJob, Unanswered
from synthesis.errors import ConfigError, EngineError
from tests.batch_server import Late, serve_batches
from tests.openai_helpers import KEY, SAMPLING, make_prompt, prompts, quick_and_clean
from tests.openai_server import Reply, failure
from tests.ports import nobody

__all__ = ["quick_and_clean"]  # used by every test here


def engine(server, **options) -> BatchEngine:
    return BatchEngine("tiny", base_url=server.url, **{"poll_seconds": 0.001} | options)


def echo(asked) -> Reply:
    return Reply(f"Context: {asked.text} and then some.")


def submitted(made: BatchEngine, count: int) -> BatchJob:
    (job,) = made.submit(prompts(count), SAMPLING)
    return job


def ends(made: BatchEngine, job: BatchJob) -> dict[str, Completion | Unanswered]:
    found = list(made.fetch(job, SAMPLING))
    assert sorted(end.prompt_id for end in found) == sorted(job.prompt_ids)
    return {end.prompt_id: end for end in found}


def test_it_gives_what_the_openai_engine_gives() -> None:
    def script(asked) -> Reply:
        number = int(asked.text.split()[-1])
        if number == 3:
            return Reply("", message={"refusal": "I would rather not."})
        return Reply(f"<{asked.text}> {asked.body['seed']}", finish="length" if number == 4 else "stop")

    with serve_batches(script) as server:
        batched = sorted(
            engine(server).complete(Items(prompts(12)), SAMPLING), key=lambda done: done.prompt_id
        )
        bodies = [asked.body for asked in server.asked]
        server.asked.clear()
        plain = OpenAIEngine("tiny", base_url=server.url)
        assert (
            sorted(plain.complete(Items(prompts(12)), SAMPLING), key=lambda done: done.prompt_id) == batched
        )
        wanted = [asked.body | {"max_completion_tokens": 700} for asked in server.asked]
    for body in wanted:
        del body["max_tokens"]
    assert sorted(map(json.dumps, bodies)) == sorted(map(json.dumps, map(dict, map(sorted_like, wanted))))


def sorted_like(body):
    order = ("model", "messages", "temperature", "top_p", "max_completion_tokens", "seed")
    return [(name, body[name]) for name in order]


def test_files_keep_to_the_limits() -> None:
    with serve_batches(echo) as server:
        jobs = list(engine(server, max_requests=4).submit(prompts(10), SAMPLING))
        assert [len(job.prompt_ids) for job in jobs] == [4, 4, 2]
        assert server.sent == [prompt.id for prompt in prompts(10)]
        size = len(server.files["file-0"])

        jobs = list(engine(server, max_bytes=size + 5).submit(prompts(10), SAMPLING))
        assert [len(job.prompt_ids) for job in jobs] == [4, 4, 2]
        assert max(map(len, server.files.values())) <= size + 5
        with pytest.raises(ConfigError, match=r"pair pair-2 takes .*max_bytes"):
            list(engine(server, max_bytes=300).submit([make_prompt(2, "x" * 300)], SAMPLING))


def test_the_steps_apart_and_in_another_engine() -> None:
    with serve_batches(echo, looks=3) as server:
        job = submitted(engine(server), 3)
        again = BatchJob(**asdict(job))  # plain data, as a file would give it back
        later = engine(server)
        assert later.status(again).state == "validating"
        with pytest.raises(EngineError, match="has not ended"):
            later.fetch(again, SAMPLING)
        status = later.status(again)
        assert (status.state, status.completed, status.total) == ("completed", 3, 3)
        assert ends(later, again)["id-2"].text == "Context: prompt 2 and then some."
        assert job.host == server.url.split("/")[2]


def test_jobs_are_recorded_before_they_cost_and_after() -> None:
    seen = []
    with serve_batches(echo) as server:
        for _ in engine(server, max_requests=2).submit(
            prompts(3), SAMPLING, lambda job: seen.append((job.id, job.prompt_ids, len(server.batches)))
        ):
            pass
    assert seen == [
        ("", ("id-0", "id-1"), 0), ("batch_0", ("id-0", "id-1"), 1),
        ("", ("id-2",), 1), ("batch_1", ("id-2",), 2),
    ]  # fmt: skip


def test_lines_in_any_order_missing_doubled_broken_and_of_others() -> None:
    def end(files) -> None:
        first, second, third, *rest = files["output"]
        stranger = dict(first, custom_id="id-77")
        lost = dict(second, response={"status_code": 0, "request_id": "", "body": None})
        files["output"] = [*rest[::-1], stranger, third, third, b"{torn\n", b"[1]\n", b"\n", lost, second]

    with serve_batches(echo, end=end) as server:
        made = engine(server)
        found = ends(made, submitted(made, 6))
    missing = found.pop("id-0")
    assert isinstance(missing, Unanswered)
    assert "has no line for it" in str(missing.failure)
    assert all(end.text == f"Context: prompt {id[3:]} and then some." for id, end in found.items())


def test_characters_that_end_lines_elsewhere_do_not_here() -> None:
    with serve_batches(lambda _: Reply("Context: one\u2028two\x85three\x0bfour")) as server:
        (done,) = engine(server).complete(Items(prompts(1)), SAMPLING)
    assert done.text == "Context: one\u2028two\x85three\x0bfour"


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (failure(429, "slow down"), False),
        (failure(500), False),
        (failure(401, "bad key"), False),
        (failure(429, "none left", code="insufficient_quota"), False),
        (Reply(finish=None), False),
        (failure(400, "maximum context length is 8 tokens"), True),
        (failure(400, "filtered", code="content_filter"), True),
        (failure(400, "no"), True),
        (Reply("", finish="stop"), True),
    ],
)
def test_failures_are_told_apart(reply, kept) -> None:
    with serve_batches(lambda asked: reply if asked.text == "prompt 1" else None) as server:
        made = engine(server)
        found = ends(made, submitted(made, 3))
    bad = found["id-1"]
    assert isinstance(bad, Completion) == kept
    assert not kept or bad.detail
    assert found["id-0"].finish_reason == found["id-2"].finish_reason == "stop"


def test_what_failed_in_passing_is_sent_again_and_nothing_else() -> None:
    def script(asked) -> Reply | None:
        return failure(500) if asked.text == "prompt 1" and not server.batches.get("batch_1") else None

    with serve_batches(script) as server:
        found = list(engine(server).complete(Items(prompts(3)), SAMPLING))
        assert [done.finish_reason for done in found] == ["stop"] * 3
        assert server.sent == ["id-0", "id-1", "id-2", "id-1"]


def test_a_prompt_that_never_gets_a_reply_is_given_up() -> None:
    with serve_batches(lambda asked: failure(500, "broken for good")) as server:
        (done,) = engine(server, tries=2).complete(Items(prompts(1)), SAMPLING)
        assert (done.finish_reason, len(server.batches)) == ("error", 2)
        assert "broken for good" in done.detail and "tries: 2" in done.detail


def test_an_expired_batch_gives_what_it_has() -> None:
    with serve_batches(echo, expire_after=2) as server:
        made = engine(server)
        found = ends(made, submitted(made, 5))
        assert sorted(id for id, end in found.items() if isinstance(end, Completion)) == ["id-0", "id-1"]
        assert "batch_expired" in str(found["id-4"].failure)
        assert len(list(made.complete(Items(prompts(5)), SAMPLING))) == 5
        assert [len(batch.requests) for batch in server.batches.values()] == [5, 5, 3, 1]


def test_a_cancelled_batch_gives_what_it_has() -> None:
    with serve_batches(echo, looks=9) as server:
        made = engine(server)
        job = submitted(made, 4)
        assert made.cancel(job).state == "cancelled"
        found = ends(made, job)
    assert [isinstance(found[f"id-{n}"], Completion) for n in range(4)] == [True, True, False, False]


def test_leaving_early_cancels_what_nobody_would_read() -> None:
    with serve_batches(echo, looks=2) as server:
        replies = engine(server, max_requests=2, at_once=3).complete(Items(prompts(10)), SAMPLING)
        next(replies)
        replies.close()
        states = [batch.fields["status"] for batch in server.batches.values()]
    assert len(states) == 3 and "cancelled" in states
    assert not {"validating", "in_progress"} & set(states)


def test_a_cut_download_is_repeated_and_nothing_comes_twice() -> None:
    def cut(method, path, before) -> Reply | None:
        return Reply(cut=700) if path.endswith("/content") and before < 2 else None

    with serve_batches(echo) as server:
        server.calls = cut
        made = engine(server)
        job = submitted(made, 6)
        assert len(ends(made, job)) == 6
        assert [path for _, path in server.called].count("/files/file-1/content") == 3
        assert len(server.batches) == 1


def test_a_download_that_is_always_cut_loses_nothing_and_says_so() -> None:
    with serve_batches(echo) as server:
        server.calls = lambda method, path, before: Reply(cut=700) if "content" in path else None
        made = engine(server, retries=2)
        job = submitted(made, 6)
        seen = []
        with pytest.raises(EngineError, match=r"did not send all of the file file-1.*nothing is sent twice"):
            seen.extend(made.fetch(job, SAMPLING))
            pytest.fail("what was cut must not look complete")
        with pytest.raises(EngineError, match="did not send all"):
            for end in made.fetch(job, SAMPLING):
                seen.append(end)
        assert 0 < len(seen) < 6 and all(isinstance(end, Completion) for end in seen)


def test_a_file_that_ends_in_the_middle_of_a_line_is_a_cut_one() -> None:
    def end(files) -> None:
        files["output"] = [json.dumps(files["output"][0]).encode() + b"\n", b'{"custom_id": "id-1", "resp']

    with serve_batches(echo, end=end) as server:
        made = engine(server, retries=1)
        with pytest.raises(EngineError, match="in the middle of a line"):
            list(made.fetch(submitted(made, 2), SAMPLING))


@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_a_batch_whose_creation_seemed_to_fail_is_found_not_paid_again(keeps_metadata) -> None:
    def late(method, path, before) -> Late | None:
        return Late(failure(500)) if (method, path) == ("POST", "/batches") and before == 5 else None

    with serve_batches(echo, keeps_metadata=keeps_metadata) as server:
        server.calls = late
        # Several pages of other batches before.
        list(engine(server, max_requests=1).submit(prompts(5), SAMPLING))
        job = submitted(engine(server), 4)
        assert job.id == "batch_5"
        assert len(server.batches) == 6
        assert len(ends(engine(server), job)) == 4


def test_a_batch_whose_creation_did_fail_is_created_once() -> None:
    def fail(method, path, before) -> Reply | None:
        return failure(503, headers={"retry-after": "0"}) if method == "POST" and before < 2 else None

    with serve_batches(echo) as server:
        server.calls = fail
        assert len(list(engine(server).complete(Items(prompts(3)), SAMPLING))) == 3
        assert len(server.batches) == 1


def test_the_last_try_may_have_taken_effect_too() -> None:
    with serve_batches(echo) as server:
        server.calls = lambda method, path, before: (
            Late(failure(500)) if (method, path) == ("POST", "/batches") else None
        )
        assert submitted(engine(server, retries=0), 2).id == "batch_0"


def test_a_job_of_another_day_is_found_or_known_to_be_nothing() -> None:
    with serve_batches(echo) as server:
        records = []
        made = engine(server)
        list(made.submit(prompts(2), SAMPLING, records.append))
        before, after = records
        assert not before.id
        assert engine(server).find(before) == after
        assert engine(server).find(BatchJob("other", ("id-9",), made.host, 0, "file-9")) is None


def test_a_file_not_known_yet_is_waited_for() -> None:
    def unknown(method, path, before) -> Reply | None:
        if (method, path) == ("POST", "/batches") and before < 2:
            return failure(400, "Cannot find file file-0, or the project does not have access to it.")
        return None

    with serve_batches(echo) as server:
        server.calls = unknown
        assert submitted(engine(server), 1).id == "batch_0"


def test_too_many_tokens_under_way_make_batches_fewer_and_smaller() -> None:
    limit = {
        "code": "token_limit_exceeded",
        "message": "Enqueued token limit reached. Limit: 90,000.",
        "line": None,
    }

    with serve_batches(echo, problems=lambda batch, _: [limit] if len(batch.requests) > 3 else []) as server:
        found = list(
            engine(server, max_requests=8, at_once=2, tries=1).complete(Items(prompts(16)), SAMPLING)
        )
        assert sorted(done.prompt_id for done in found) == sorted(prompt.id for prompt in prompts(16))
        assert {done.finish_reason for done in found} == {"stop"}

    with (
        serve_batches(echo, problems=lambda batch, _: [limit]) as server,
        pytest.raises(EngineError, match="Enqueued token limit"),
    ):
        list(engine(server).complete(Items(prompts(4)), SAMPLING))


def test_a_batch_the_provider_does_not_take_ends_the_run_after_the_others() -> None:
    problem = {"code": "model_not_found", "message": "The provided model 'tiny' is not supported."}

    with serve_batches(echo, problems=lambda _, number: [problem] if number == 1 else []) as server:
        made, found = engine(server, max_requests=2, at_once=3), []
        with pytest.raises(EngineError, match="'tiny' is not supported"):
            for done in made.complete(Items(prompts(20)), SAMPLING):
                found.append(done.prompt_id)
        assert len(server.batches) <= 4
        assert {"id-0", "id-1", "id-4", "id-5"} <= set(found)
        assert not {"id-2", "id-3"} & set(found)


def test_a_line_the_provider_does_not_take_is_final_and_the_others_go_on() -> None:
    def problems(batch, number):
        bad = [place for place, request in enumerate(batch.requests) if request["custom_id"] == "id-1"]
        return [{"code": "invalid_request", "message": "too strange", "line": bad[0] + 1}] if bad else []

    with serve_batches(echo, problems=problems) as server:
        found = {done.prompt_id: done for done in engine(server).complete(Items(prompts(3)), SAMPLING)}
    assert found["id-0"].finish_reason == found["id-2"].finish_reason == "stop"
    assert found["id-1"].finish_reason == "error"
    assert "too strange" in found["id-1"].detail


def test_how_the_server_wants_to_be_spoken_to_is_learnt_and_kept() -> None:
    def picky(asked) -> Reply | None:
        if "max_completion_tokens" in asked.body:
            return failure(400, "Unrecognized request argument supplied: max_completion_tokens")
        return failure(400, "Unsupported parameter: 'seed'", param="seed") if "seed" in asked.body else None

    with serve_batches(picky) as server:
        made = engine(server, max_requests=2, tries=3)
        found = list(made.complete(Items(prompts(4)), SAMPLING))
        assert [done.finish_reason for done in found] == ["stop"] * 4
        assert made.dialect == {"limit_name": "max_tokens", "left_out": ["seed"]}
        server.batches.clear()
        another = engine(server)
        another.dialect = made.dialect
        assert len(list(another.complete(Items(prompts(2)), SAMPLING))) == 2
        assert len(server.batches) == 1


def test_a_setting_no_model_takes_is_final() -> None:
    with serve_batches(
        lambda _: failure(400, "Unsupported value: 'temperature'", param="temperature")
    ) as server:
        (done,) = engine(server).complete(Items(prompts(1)), SAMPLING)
        assert len(server.batches) == 1
    assert done.finish_reason == "error"
    assert "--temperature 1" in done.detail


def test_equal_prompts_are_asked_once_and_answered_each() -> None:
    with serve_batches(echo) as server:
        found = list(
            engine(server).complete(Items([make_prompt(1), make_prompt(2), make_prompt(1)]), SAMPLING)
        )
        assert sorted(done.prompt_id for done in found) == ["id-1", "id-1", "id-2"]
        assert server.sent == ["id-1", "id-2"]


def test_a_source_that_was_dry_may_flow_again() -> None:
    """As conversations do: what comes next depends on the replies."""

    class Chain:
        def __init__(self) -> None:
            self.ready = [make_prompt(0)]

        def pull(self) -> Prompt | None:
            return self.ready.pop() if self.ready else None

    source, seen = Chain(), []
    with serve_batches(echo) as server:
        for done in engine(server).complete(source, SAMPLING):
            seen.append(done.prompt_id)
            if len(seen) < 4:
                source.ready.append(make_prompt(len(seen)))
    assert seen == ["id-0", "id-1", "id-2", "id-3"]


def test_replies_whose_files_are_not_named_yet_are_waited_for() -> None:
    with serve_batches(echo, changes={"output_file_id": None}) as server:
        made = engine(server)
        job = submitted(made, 2)
        assert made.status(job).state == "finalizing"
        server.plan.changes = {"status": "COMPLETED"}
        assert len(ends(made, job)) == 2


@pytest.mark.parametrize(
    ("call", "reply", "said"),
    [
        (("POST", "/files"), failure(404, "no such path"), "--engine openai"),
        (("POST", "/files"), failure(413, "too big"), "did not take the file of requests"),
        (("POST", "/batches"), failure(429, "pay first", code="insufficient_quota"), "Add credit"),
        (("GET", "/batches/batch_0"), Reply(raw=b"<html>"), "did not say how batch batch_0 stands"),
        (("GET", "/batches/batch_0"), Reply(raw=b'{"id": "batch_0"}'), "holds no batch"),
        (("GET", "/files/file-1/content"), failure(404, "gone"), "did not send all of the file file-1"),
    ],
)
def test_calls_that_fail_for_good_say_what_to_do(call, reply, said) -> None:
    with serve_batches(echo) as server:
        server.calls = lambda method, path, before: reply if (method, path) == call else None
        with pytest.raises(EngineError, match=said):
            list(engine(server, retries=1).complete(Items(prompts(1)), SAMPLING))


def test_no_server() -> None:
    made = BatchEngine("tiny", base_url=f"{nobody()}/v1", retries=1)
    with pytest.raises(EngineError, match=r"Check that the server runs"):
        list(made.complete(Items(prompts(1)), SAMPLING))


def test_the_key_is_sent_and_never_told(monkeypatch, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serve_batches(echo, key=KEY) as server:
        made = engine(server)
        job = submitted(made, 1)
        assert len(ends(made, job)) == 1
        server.key = "another"
        with pytest.raises(EngineError, match="did not accept the key") as error:
            made.status(job)
        told = f"{error.value} {made!r} {job!r} {caplog.text} {made.settings} {server.files}"
    assert KEY not in told


def test_a_key_in_a_reply_is_not_repeated(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    problem = {"code": "odd", "message": f"key {KEY} may not"}
    with serve_batches(lambda _: failure(400, f"no {KEY}"), key=KEY) as server:
        (done,) = engine(server).complete(Items(prompts(1)), SAMPLING)
        server.plan.problems = lambda batch, number: [problem]
        with pytest.raises(EngineError, match=r"\*\*\*") as error:
            list(engine(server).complete(Items(prompts(1)), SAMPLING))
    assert KEY not in done.detail + str(error.value)


def test_files_larger_than_memory_go_through_the_disk(monkeypatch) -> None:
    monkeypatch.setattr("synthesis.engines.openai.batch.files._IN_MEMORY", 1000)
    long = [Prompt(f"id-{n}", "p", "t", {}, (Message("user", f"{n} ä " * 200),), "f") for n in range(20)]
    with serve_batches(echo) as server:
        assert len(list(engine(server).complete(Items(long), SAMPLING))) == 20
        assert len(server.files["file-0"]) > 10_000


@pytest.mark.parametrize(
    "options",
    [
        {"max_requests": 0},
        {"poll_seconds": -1},
        {"retries": -1},
        {"extra_body": {"model": "x"}},
        {"concurrency": 3},
        {"max_bytes": "many"},
    ],
)
def test_settings_that_cannot_be_used(options) -> None:
    with pytest.raises(ConfigError):
        make_engine("batch", "tiny", base_url="http://localhost:1/v1", **options)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        make_engine("batch", "tiny")


def test_without_a_model_it_takes_the_only_one() -> None:
    with serve_batches(echo) as server:
        assert BatchEngine(base_url=server.url).model == "tiny"
    with (
        serve_batches(echo, models=("a", "b")) as server,
        pytest.raises(ConfigError, match="serves 2 models"),
    ):
        BatchEngine(base_url=server.url)
