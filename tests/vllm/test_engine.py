"""The engine on a real vLLM: the common contract, refill, seeds, bounds, several readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from synthesis.data import Completion, Message, Prompt
from synthesis.engines.base import Items, LikelihoodEngine, Sampling
from synthesis.engines.vllm import VLLMEngine
from synthesis.errors import ConfigError, EngineError
from tests.engine_contract import PROMISES, it_can_be_closed_twice
from tests.vllm.small import SMALL

SAMPLING = Sampling(seed=11, max_tokens=40)
# Every reply as long as there is room, so that a prompt's length decides its reply's.
WHOLE_WINDOW = Sampling(seed=11, max_tokens=4096)


def prompt(number: int, words: int = 3) -> Prompt:
    text = f"Number {number}." + " more" * words
    return Prompt(f"id-{number}", f"pair-{number}", "t", {}, (Message("user", text),), f"id-{number}")


def by_id(found: list[Completion]) -> dict[str, str]:
    return {done.prompt_id: done.text for done in found}


# Closing is tested with an engine of its own: this one would have to be loaded again.
@pytest.mark.parametrize(
    "check", [check for check in PROMISES if check is not it_can_be_closed_twice], ids=lambda c: c.__name__
)
def test_the_contract(check, engine) -> None:
    check(engine, SAMPLING)


def test_it_can_score(engine) -> None:
    assert isinstance(engine, LikelihoodEngine)


def test_nobody_waits_for_the_slowest(engine, monkeypatch) -> None:
    """A step writes a token of each running reply; a full batch needs the fewest steps."""
    from vllm.v1.engine.llm_engine import LLMEngine

    steps, plain = [], LLMEngine.step
    monkeypatch.setattr(LLMEngine, "step", lambda self: steps.append(1) or plain(self))
    batch = SMALL["max_num_seqs"]
    # One long reply in each chunk of eight, so seven places of a chunk would stand empty.
    prompts = [prompt(number, 600 if number % batch == 0 else 920) for number in range(4 * batch)]
    found = list(engine.complete(Items(prompts), WHOLE_WINDOW))
    lengths = {done.prompt_id: done.output_tokens for done in found}
    in_order = [lengths[asked.id] for asked in prompts]
    assert max(in_order) > 3 * min(in_order)

    ideal = scheduled(in_order, batch)
    chunked = sum(max(in_order[at : at + batch]) for at in range(0, len(in_order), batch))
    assert len(steps) <= 1.15 * ideal < chunked / 1.5


def scheduled(lengths: list[int], places: int) -> int:
    """Steps if each reply takes the place that is free first."""
    free = [0] * places
    for length in lengths:
        free[free.index(min(free))] += length
    return max(free)


def test_a_short_reply_is_yielded_while_a_long_one_is_written(engine) -> None:
    found = [
        done.prompt_id for done in engine.complete(Items([prompt(0, 500), prompt(1, 960)]), WHOLE_WINDOW)
    ]
    assert found == ["id-1", "id-0"]


def test_prompts_under_way_are_bounded_by_twice_the_batch(engine) -> None:
    pulled = []

    def source() -> Iterator[Prompt]:
        for number in range(200):
            pulled.append(number)
            yield prompt(number)

    replies = engine.complete(Items(source()), SAMPLING)
    next(replies)
    replies.close()
    assert len(pulled) <= 2 * SMALL["max_num_seqs"]


def test_seeds_decide(engine) -> None:
    prompts = [prompt(number) for number in range(6)]
    first = by_id(list(engine.complete(Items(prompts), SAMPLING)))
    assert by_id(list(engine.complete(Items(prompts), SAMPLING))) == first
    other = by_id(list(engine.complete(Items(prompts), Sampling(seed=12, max_tokens=40))))
    assert all(other[name] != text for name, text in first.items())


def test_temperature_0_needs_no_seed(engine) -> None:
    greedy = [Sampling(temperature=0, seed=seed, max_tokens=20) for seed in (1, 2)]
    first, second = (by_id(list(engine.complete(Items([prompt(0)]), sampling))) for sampling in greedy)
    assert first == second


def test_replies_begin_with_the_marker(engine) -> None:
    begun = replace(prompt(0), opening="Context:")
    (done,) = engine.complete(Items([begun]), SAMPLING)
    assert done.text.startswith("Context:") and len(done.text) > len("Context:")
    assert done.output_tokens == SAMPLING.max_tokens
    assert (done.finish_reason, done.detail) == ("length", "the reply reached max_tokens")


def test_a_prompt_that_is_too_long_fails_alone(engine) -> None:
    found = {done.prompt_id: done for done in engine.complete(Items([prompt(0), prompt(1, 3000)]), SAMPLING)}
    assert found["id-0"].finish_reason == "length"
    failed = found["id-1"]
    assert failed.finish_reason == "error" and not failed.text
    assert failed.prompt_tokens > 3000
    for setting in ("max_model_len", "generation.words", "max_tokens"):
        assert setting in failed.detail
    with pytest.raises(EngineError, match="max_model_len"):
        list(engine.stream(prompt(1, 3000), SAMPLING))


def test_a_reply_gets_the_room_there_is(engine) -> None:
    (done,) = engine.complete(Items([prompt(0, 900)]), WHOLE_WINDOW)
    assert done.prompt_tokens + done.output_tokens == SMALL["max_model_len"]
    assert done.finish_reason == "length" and "max_model_len" in done.detail


def test_a_lone_surrogate_is_only_a_character(engine) -> None:
    odd = Prompt("odd", "odd", "t", {}, (Message("user", "one \ud800 half"),), "odd")
    (done,) = engine.complete(Items([odd]), SAMPLING)
    assert done.output_tokens


def test_readers_take_turns(engine) -> None:
    """Two iterators at once, and streams of several threads: each gets its own replies."""
    alone = by_id(list(engine.complete(Items([prompt(number) for number in range(12)]), SAMPLING)))
    found: dict[str, str] = {}

    def stream(number: int) -> None:
        found[f"id-{number}"] = "".join(engine.stream(prompt(number), SAMPLING))

    threads = [threading.Thread(target=stream, args=(number,)) for number in range(8, 12)]
    for thread in threads:
        thread.start()
    even = engine.complete(Items([prompt(number) for number in range(0, 8, 2)]), SAMPLING)
    odd = engine.complete(Items([prompt(number) for number in range(1, 8, 2)]), SAMPLING)
    for pair in zip(even, odd, strict=True):
        found |= by_id(list(pair))
    for thread in threads:
        thread.join()
    assert found == alone


def test_an_unknown_sampling_parameter_is_named(engine) -> None:
    _, asker = engine._open()
    with pytest.raises(ConfigError, match="sampling_params.*top_kk"):
        replace(asker, extra={"top_kk": 3}).request(prompt(0), SAMPLING)


def test_scores_come_in_order_however_many(engine) -> None:
    texts = [(f"The keeper of lamp {number} was", f" Holm the {number}th") for number in range(60)]
    found = list(engine.loglikelihood(iter(texts)))
    assert [len(score.token_ids) for score in found] == [len(score.logprobs) for score in found]
    alone = list(engine.loglikelihood(texts[41:42]))
    assert found[41].token_ids == alone[0].token_ids
    assert found[41].logprobs == pytest.approx(alone[0].logprobs, abs=1e-4)


def test_what_cannot_be_scored_is_an_error(engine) -> None:
    with pytest.raises(EngineError, match="needs a prefix"):
        list(engine.loglikelihood([("", "text")]))
    with pytest.raises(EngineError, match="max_model_len"):
        list(engine.loglikelihood([("word " * 2000, "text")]))


def test_an_engine_is_cheap_until_it_is_asked(model) -> None:
    made = VLLMEngine(str(model), **SMALL)
    assert list(made.complete(Items([]), SAMPLING)) == []
    assert made._running is None
    made.close()
