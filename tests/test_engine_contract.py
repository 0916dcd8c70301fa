"""What every engine promises, checked on each that can run here."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from synthesis.data import Context, Pair, Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import Engine, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.parsing import parse
from synthesis.prompts import build_prompt, load_template
from tests.openai_server import Reply, serve

SAMPLING = Sampling(seed=11)
WORDS = 80
FINISHED = {"stop", "length", "refusal", "error"}

# The most prompts an engine may hold unanswered, whatever its own bound.
AHEAD = 128


def make_composer() -> Iterator[Engine]:
    yield make_engine("composer")


def make_openai() -> Iterator[Engine]:
    def tale(asked) -> Reply:
        return Reply(f"Context: {asked.body['seed']} " + "and so it went on " * (WORDS // 4))

    with serve(tale) as server:
        yield OpenAIEngine(base_url=server.url, concurrency=8)


@pytest.fixture(params=[make_composer, make_openai], ids=["composer", "openai"])
def engine(request, monkeypatch) -> Iterator[Engine]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    before = set(threading.enumerate())
    for made in request.param():
        running = set(threading.enumerate())
        yield made
        made.close()
        # A moment, for the local server's threads to notice that the connections are closed.
        until = time.monotonic() + 3
        while (left := set(threading.enumerate()) - running) and time.monotonic() < until:
            time.sleep(0.01)
        assert not left, "the engine left threads or connections behind"
    assert not set(threading.enumerate()) - before


def make_prompt(engine: Engine, number: int) -> Prompt:
    pair = Pair("", f"Who repaired bell number {number}?", f"Maria Holm the {number}th", "story_qa")
    template = load_template("narrative")
    return build_prompt(
        pair, template, words=WORDS, engine=engine.name, model=engine.model, sampling=SAMPLING
    )


def test_it_has_a_name_a_model_and_the_methods(engine) -> None:
    assert isinstance(engine, Engine)
    assert engine.name and isinstance(engine.model, str)


def test_each_prompt_gets_exactly_one_completion(engine) -> None:
    prompts = {prompt.id: prompt for prompt in (make_prompt(engine, number) for number in range(25))}
    found = list(engine.complete(iter(prompts.values()), SAMPLING))
    assert sorted(done.prompt_id for done in found) == sorted(prompts)
    for done in found:
        assert done.finish_reason in FINISHED
        assert done.finish_reason in ("stop", "length") or done.detail
        assert done.prompt_tokens >= 0 and done.output_tokens >= 0
        assert all(0 <= start < end <= len(done.text) for start, end, _ in done.evidence)


def test_its_completions_parse_to_contexts(engine) -> None:
    prompt = make_prompt(engine, 0)
    (done,) = engine.complete([prompt], SAMPLING)
    outcome = parse(done, prompt, engine=engine.name, model=engine.model, seed=SAMPLING.seed)
    assert isinstance(outcome, Context), outcome
    assert outcome.words >= WORDS / 4


def test_no_prompts_no_completions(engine) -> None:
    assert list(engine.complete([], SAMPLING)) == []


def test_prompts_are_pulled_lazily_by_the_consumer(engine) -> None:
    """An endless source works, is not run through ahead, and stays in its own thread."""
    pulled, threads = [], set()

    def endless() -> Iterator[Prompt]:
        for number in itertools.count():
            pulled.append(number)
            threads.add(threading.current_thread())
            yield make_prompt(engine, number)

    replies = engine.complete(endless(), SAMPLING)
    taken = list(itertools.islice(replies, 12))
    replies.close()
    assert len({done.prompt_id for done in taken}) == 12
    assert len(pulled) <= 12 + AHEAD
    assert threads == {threading.current_thread()}


def test_an_engine_left_early_can_be_used_again(engine) -> None:
    replies = engine.complete((make_prompt(engine, number) for number in itertools.count()), SAMPLING)
    next(replies)
    replies.close()
    assert len(list(engine.complete([make_prompt(engine, number) for number in range(3)], SAMPLING))) == 3


def test_an_error_of_the_source_comes_through(engine) -> None:
    def broken() -> Iterator[Prompt]:
        yield make_prompt(engine, 0)
        raise LookupError("row 1 is missing")

    with pytest.raises(LookupError, match="row 1"):
        list(engine.complete(broken(), SAMPLING))


def test_a_stream_gives_the_text_of_one_reply(engine) -> None:
    prompt = make_prompt(engine, 3)
    pieces = list(engine.stream(prompt, SAMPLING))
    (whole,) = engine.complete([prompt], SAMPLING)
    assert all(pieces)
    assert "".join(pieces) == whole.text


def test_the_seed_and_the_prompt_decide_not_the_order(engine) -> None:
    """Holds for engines that draw nothing themselves; both here are such."""
    prompts = [make_prompt(engine, number) for number in range(8)]
    forward = {done.prompt_id: done.text for done in engine.complete(prompts, SAMPLING)}
    backward = {done.prompt_id: done.text for done in engine.complete(prompts[::-1], SAMPLING)}
    assert forward == backward
    assert len(set(forward.values())) == len(prompts)


def test_it_can_be_closed_twice(engine) -> None:
    list(engine.complete([make_prompt(engine, 0)], SAMPLING))
    engine.close()
    engine.close()
