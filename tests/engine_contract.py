"""What every engine promises, as checks that suites of engines share.

A suite makes engines and runs ``check(engine, sampling)`` for each check in ``PROMISES`` (any
engine) and, where what the model says is known well enough, in ``WRITING``. ``leaves_nothing``
goes around an engine's life.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from synthesis.data import Context, Pair, Prompt
from synthesis.engines.base import Engine, Items, Sampling
from synthesis.gate.parsing import parse
from synthesis.prompts import build_prompt, load_template

WORDS = 80
FINISHED = {"stop", "length", "refusal", "error"}

# The most prompts an engine may hold unanswered, whatever its own bound.
AHEAD = 128


@contextmanager
def leaves_nothing(engine: Engine) -> Iterator[Engine]:
    """Closes the engine and fails if threads are left that were not there before."""
    running = set(threading.enumerate())
    yield engine
    engine.close()
    # A moment, for the threads of a local server to notice that the connections are closed.
    until = time.monotonic() + 3
    while (left := set(threading.enumerate()) - running) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left, "the engine left threads or connections behind"


def make_prompt(engine: Engine, number: int, sampling: Sampling) -> Prompt:
    pair = Pair("", f"Who repaired bell number {number}?", f"Maria Holm the {number}th", "story_qa")
    template = load_template("narrative")
    return build_prompt(
        pair, template, words=WORDS, engine=engine.name, model=engine.model, sampling=sampling
    )


def make_prompts(engine: Engine, sampling: Sampling) -> Iterator[Prompt]:
    """As many as are pulled."""
    for number in itertools.count():
        yield make_prompt(engine, number, sampling)


def it_has_a_name_a_model_and_the_methods(engine: Engine, sampling: Sampling) -> None:
    assert isinstance(engine, Engine)
    assert engine.name and isinstance(engine.model, str)


def each_prompt_gets_exactly_one_completion(engine: Engine, sampling: Sampling) -> None:
    prompts = {p.id: p for p in itertools.islice(make_prompts(engine, sampling), 25)}
    found = list(engine.complete(Items(prompts.values()), sampling))
    assert sorted(done.prompt_id for done in found) == sorted(prompts)
    for done in found:
        assert done.finish_reason in FINISHED
        assert done.finish_reason in ("stop", "length") or done.detail
        assert done.prompt_tokens >= 0 and done.output_tokens >= 0
        assert all(0 <= start < end <= len(done.text) for start, end, _ in done.evidence)


def no_prompts_no_completions(engine: Engine, sampling: Sampling) -> None:
    assert list(engine.complete(Items([]), sampling)) == []


def prompts_are_pulled_lazily_by_the_consumer(engine: Engine, sampling: Sampling) -> None:
    """An endless source works, is not run through ahead, and stays in its own thread."""
    pulled, threads = [], set()

    def endless() -> Iterator[Prompt]:
        for prompt in make_prompts(engine, sampling):
            pulled.append(prompt.id)
            threads.add(threading.current_thread())
            yield prompt

    replies = engine.complete(Items(endless()), sampling)
    taken = list(itertools.islice(replies, 12))
    replies.close()
    assert len({done.prompt_id for done in taken}) == 12
    assert len(pulled) <= 12 + AHEAD
    assert threads == {threading.current_thread()}


def an_engine_left_early_can_be_used_again(engine: Engine, sampling: Sampling) -> None:
    replies = engine.complete(Items(make_prompts(engine, sampling)), sampling)
    next(replies)
    replies.close()
    prompts = list(itertools.islice(make_prompts(engine, sampling), 3))
    assert len(list(engine.complete(Items(prompts), sampling))) == 3


def an_error_of_the_source_comes_through(engine: Engine, sampling: Sampling) -> None:
    def broken() -> Iterator[Prompt]:
        yield make_prompt(engine, 0, sampling)
        raise LookupError("row 1 is missing")

    with pytest.raises(LookupError, match="row 1"):
        list(engine.complete(Items(broken()), sampling))


def a_dry_source_is_asked_again(engine: Engine, sampling: Sampling) -> None:
    """Prompts that are made of completions come only once those were taken."""
    waiting = list(itertools.islice(make_prompts(engine, sampling), 3))
    later = make_prompt(engine, 3, sampling)

    class Source:
        def pull(self) -> Prompt | None:
            return waiting.pop(0) if waiting else None

    found = []
    for done in engine.complete(Source(), sampling):
        found.append(done.prompt_id)
        if len(found) == 3:
            waiting.append(later)
    assert len(found) == 4
    assert found[-1] == later.id


def a_stream_gives_the_text_of_one_reply(engine: Engine, sampling: Sampling) -> None:
    prompt = make_prompt(engine, 3, sampling)
    pieces = list(engine.stream(prompt, sampling))
    (whole,) = engine.complete(Items([prompt]), sampling)
    assert all(pieces)
    assert "".join(pieces) == whole.text


def a_stream_left_early_can_be_followed(engine: Engine, sampling: Sampling) -> None:
    prompt = make_prompt(engine, 3, sampling)
    pieces = engine.stream(prompt, sampling)
    next(pieces)
    pieces.close()
    assert "".join(engine.stream(prompt, sampling))


def the_seed_and_the_prompt_decide_not_the_order(engine: Engine, sampling: Sampling) -> None:
    """Holds for engines that draw nothing themselves, and for those that draw per request."""
    prompts = list(itertools.islice(make_prompts(engine, sampling), 8))
    forward = {done.prompt_id: done.text for done in engine.complete(Items(prompts), sampling)}
    backward = {done.prompt_id: done.text for done in engine.complete(Items(prompts[::-1]), sampling)}
    assert forward == backward
    assert len(set(forward.values())) == len(prompts)


def it_can_be_closed_twice(engine: Engine, sampling: Sampling) -> None:
    list(engine.complete(Items([make_prompt(engine, 0, sampling)]), sampling))
    engine.close()
    engine.close()


def its_completions_parse_to_contexts(engine: Engine, sampling: Sampling) -> None:
    prompt = make_prompt(engine, 0, sampling)
    (done,) = engine.complete(Items([prompt]), sampling)
    outcome = parse(done, prompt, engine=engine.name, model=engine.model, seed=sampling.seed)
    assert isinstance(outcome, Context), outcome
    assert outcome.words >= WORDS / 4


Check = Callable[[Engine, Sampling], None]

PROMISES: list[Check] = [
    it_has_a_name_a_model_and_the_methods,
    each_prompt_gets_exactly_one_completion,
    no_prompts_no_completions,
    prompts_are_pulled_lazily_by_the_consumer,
    an_engine_left_early_can_be_used_again,
    an_error_of_the_source_comes_through,
    a_dry_source_is_asked_again,
    a_stream_gives_the_text_of_one_reply,
    a_stream_left_early_can_be_followed,
    the_seed_and_the_prompt_decide_not_the_order,
    it_can_be_closed_twice,
]
WRITING: list[Check] = [its_completions_parse_to_contexts]
