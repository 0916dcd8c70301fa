"""The transformers engine on models that are made here."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing

import pytest
import torch

from synthesis.data import Message, Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import Engine, Items, Sampling
from synthesis.engines.transformers import TransformersEngine
from synthesis.engines.transformers.decoder import Decoder
from synthesis.engines.transformers.drawing import choose
from synthesis.engines.transformers.texts import Request
from synthesis.engines.transformers.writing import cost, take_batch
from synthesis.errors import EngineError
from tests.engine_contract import PROMISES, WRITING, leaves_nothing, make_prompt, make_prompts
from tests.meaning import assert_writes_contexts
from tests.torch.models import TRAINED, WINDOW, save_random_model

SAMPLING = Sampling(seed=11, max_tokens=24)
LONG = Sampling(seed=11, max_tokens=400)


def asks(text: str, name: str = "") -> Prompt:
    return Prompt(name or text[:40], "pair", "t", {}, (Message("user", text),), "fingerprint")


@pytest.fixture
def fresh(random_model) -> Iterator[Engine]:
    """An engine made by name, as a run makes it."""
    with leaves_nothing(make_engine("transformers", str(random_model), dtype="float32")) as made:
        yield made


@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_it_keeps_the_promise(fresh, check) -> None:
    check(fresh, SAMPLING)


@pytest.mark.parametrize("check", PROMISES + WRITING, ids=lambda check: check.__name__)
def test_it_keeps_the_promise_with_a_trained_model(check) -> None:
    with leaves_nothing(TransformersEngine(str(TRAINED))) as made:
        check(made, LONG if check in WRITING else SAMPLING)


def test_the_torch_of_others_is_left_alone(engine) -> None:
    """Neither reads nor moves the global random state."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    (one,) = engine.complete(Items([asks("What?")]), SAMPLING)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    (other,) = engine.complete(Items([asks("What?")]), SAMPLING)
    assert one.text == other.text


def test_another_seed_is_another_reply_and_no_temperature_none(engine) -> None:
    def reply(**changes: float) -> str:
        (done,) = engine.complete(Items([asks("What?")]), Sampling(max_tokens=24, **changes))
        return done.text

    assert reply(seed=1) != reply(seed=2)
    assert reply(seed=1, temperature=0) == reply(seed=2, temperature=0)


def test_greedy_is_what_the_library_writes(engine, random_model) -> None:
    """One prompt or a padded batch: the tokens of ``generate``."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(random_model)
    model = AutoModelForCausalLM.from_pretrained(random_model)
    prompts = [asks("word " * count + "?", str(count)) for count in (1, 7, 30, 200)]
    found = {c.prompt_id: c for c in engine.complete(Items(prompts), Sampling(temperature=0, max_tokens=24))}
    for prompt in prompts:
        ids = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt.messages[0].content}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        written = model.generate(**ids, max_new_tokens=24, do_sample=False)[0, ids["input_ids"].shape[1] :]
        done = found[prompt.id]
        assert done.text == tokenizer.decode(written, skip_special_tokens=True)
        assert done.prompt_tokens == ids["input_ids"].shape[1]
        assert done.output_tokens == len(written)


def test_draws_follow_the_distribution() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0, -8.0]])
    generator = torch.Generator().manual_seed(3)
    count, temperature, top_p = 4000, 0.8, 0.9
    found = torch.zeros(5)
    for _ in range(count):
        found[choose(logits, [generator], temperature, top_p)[0]] += 1
    expected = torch.softmax(logits[0] / temperature, 0)  # .71 .20 .06 .02 .00
    expected[2:] = 0  # the first two hold more than 0.9
    expected /= expected.sum()
    assert found[2:].sum() == 0
    assert torch.allclose(found / count, expected, atol=4 * (0.25 / count) ** 0.5)


@pytest.mark.parametrize("top_p", [0.2, 0.95, 0.999999, 1.0])
def test_the_nucleus_is_found_however_many_tokens_it_has(top_p) -> None:
    """More than are looked at first, and never one outside of it."""
    logits = torch.randn(2, 30_000, generator=torch.Generator().manual_seed(0))
    probabilities, order = torch.softmax(logits, -1).sort(descending=True)
    sums = probabilities.double().cumsum(-1)
    for seed in range(20):
        tokens = choose(logits, [torch.Generator().manual_seed(seed + row) for row in range(2)], 1.0, top_p)
        for row, token in enumerate(tokens):
            place = order[row].tolist().index(token)
            assert place == 0 or sums[row, place - 1] < top_p + 1e-5


def test_the_end_of_a_reply_is_told(random_model, tmp_path) -> None:
    """A reply that ends by itself stops, without its last token; one that is cut has reached a length."""
    engine = TransformersEngine(str(random_model))
    (cut,) = engine.complete(Items([asks("What?")]), Sampling(temperature=0, max_tokens=5))
    assert (cut.finish_reason, cut.output_tokens) == ("length", 5)
    assert "max_tokens" in cut.detail
    pieces = list(engine.stream(asks("What?"), Sampling(temperature=0, max_tokens=5)))
    engine.close()
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(random_model)
    fourth = tokenizer(pieces[3], add_special_tokens=False)["input_ids"]
    assert len(fourth) == 1
    folder = save_random_model(tmp_path / "ending")
    # As chat models have it: one end token in the configuration, another only here.
    GenerationConfig(eos_token_id=[tokenizer.eos_token_id, fourth[0]]).save_pretrained(folder)
    with leaves_nothing(TransformersEngine(str(folder))) as ending:
        (stopped,) = ending.complete(Items([asks("What?")]), Sampling(temperature=0, max_tokens=5))
        assert (stopped.finish_reason, stopped.output_tokens, stopped.detail) == ("stop", 4, "")
        assert stopped.text == "".join(pieces[:3])
        assert "".join(ending.stream(asks("What?"), Sampling(temperature=0, max_tokens=5))) == stopped.text


def test_a_prompt_longer_than_the_window_is_one_error_among_replies(engine) -> None:
    prompts = [asks("short"), asks("word " * WINDOW, "long"), asks("short too")]
    found = {done.prompt_id: done for done in engine.complete(Items(prompts), SAMPLING)}
    assert len(found) == 3
    assert found["long"].finish_reason == "error"
    assert "max_model_len" in found["long"].detail and "4,096" in found["long"].detail
    assert found["short"].finish_reason in ("stop", "length")
    with pytest.raises(EngineError, match="max_model_len"):
        list(engine.stream(prompts[1], SAMPLING))


def test_nothing_but_errors_does_not_end_a_source_that_may_have_more(engine) -> None:
    waiting = [asks("word " * WINDOW, "long")]

    class Source:
        def pull(self) -> Prompt | None:
            return waiting.pop() if waiting else None

    found = []
    for done in engine.complete(Source(), SAMPLING):
        found.append(done.prompt_id)
        if len(found) == 1:
            waiting.append(asks("short"))
    assert found == ["long", "short"]


def test_a_reply_ends_at_the_window_whoever_is_beside_it(random_model) -> None:
    with leaves_nothing(TransformersEngine(str(random_model), max_model_len=60)) as engine:
        prompts = [asks("word " * count, str(count)) for count in (4, 24, 34)]
        together = {d.prompt_id: d for d in engine.complete(Items(prompts), Sampling(max_tokens=40))}
        for prompt in prompts:
            (alone,) = engine.complete(Items([prompt]), Sampling(max_tokens=40))
            assert together[prompt.id] == alone
        cut = together["34"]
        assert cut.finish_reason == "length" and "window" in cut.detail
        assert cut.prompt_tokens + cut.output_tokens == 60


def test_prompts_of_similar_length_go_together() -> None:
    waiting = [Request(str(n), (0,) * n, 10, 0) for n in (100, 5, 90, 7, 110, 400)]
    assert sorted(len(r.ids) for r in take_batch(waiting, 3, 10_000)) == [90, 100, 110]
    assert [len(r.ids) for r in waiting] == [5, 7, 400]
    assert sorted(len(r.ids) for r in take_batch(waiting, 3, 10_000)) == [5, 7, 400]
    assert waiting == []


def test_a_batch_keeps_within_its_tokens() -> None:
    waiting = [Request(str(n), (0,) * n, 10, 0) for n in (40, 41, 42, 43)]
    batch = take_batch(waiting, 8, 110)
    assert len(batch) == 2 and cost(batch) <= 110
    assert len(take_batch(waiting, 8, 1)) == 1  # one is always taken


def test_the_first_come_is_never_left_behind(engine) -> None:
    """An odd one out is answered although better neighbours keep coming."""
    odd = asks("word " * 300, "odd")
    source = itertools.chain([odd], make_prompts(engine, SAMPLING))
    replies = engine.complete(Items(source), Sampling(max_tokens=1))
    assert "odd" in {done.prompt_id for done in itertools.islice(replies, 8)}
    replies.close()


def test_who_is_done_leaves_the_batch(engine, monkeypatch) -> None:
    """A short reply is yielded at once and costs no further steps."""
    rows = []
    read = Decoder.read
    monkeypatch.setattr(
        Decoder, "read", lambda self, ids, *a, **k: rows.append(len(ids)) or read(self, ids, *a, **k)
    )
    requests = [Request("a", (5, 6, 7), 2, 0), Request("b", (8, 9), 6, 1)]
    done = engine._replies(engine._runtime, requests, SAMPLING)
    first, tokens = next(done)
    assert first.prompt_id == "a" and len(tokens) == 2
    assert rows == [2, 2]
    assert [len(tokens) for _, tokens in done] == [6]
    assert rows == [2, 2, 1, 1, 1, 1]


def breaks_down(monkeypatch, above: int) -> list[int]:
    """Lets the model run out of memory with more than so many rows; records the rows of each call."""
    rows, read = [], Decoder.read

    def limited(self, ids, *args, **kwargs):
        rows.append(len(ids))
        if len(ids) > above:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return read(self, ids, *args, **kwargs)

    monkeypatch.setattr(Decoder, "read", limited)
    return rows


def test_out_of_memory_halves_the_batch_and_nothing_else(fresh, monkeypatch) -> None:
    brief = Sampling(seed=11, max_tokens=6)
    prompts = list(itertools.islice(make_prompts(fresh, brief), 19))
    plain = {done.prompt_id: done.text for done in fresh.complete(Items(prompts), brief)}
    rows = breaks_down(monkeypatch, above=3)
    found = {done.prompt_id: done.text for done in fresh.complete(Items(prompts), brief)}
    assert found == plain
    # 8 and then 4 once each: what did not fit is not tried again.
    assert [count for count in rows if count > 3] == [8, 4]


def test_out_of_memory_with_a_single_prompt_says_what_to_lower(fresh, monkeypatch) -> None:
    breaks_down(monkeypatch, above=0)
    with pytest.raises(EngineError, match=r"single prompt.*max_tokens"):
        list(fresh.complete(Items(make_prompts(fresh, SAMPLING)), SAMPLING))
    with pytest.raises(EngineError, match=r"single prompt.*max_tokens"):
        list(fresh.stream(make_prompt(fresh, 0, SAMPLING), SAMPLING))


def test_a_very_uneven_batch_gives_each_what_it_gets_alone(engine) -> None:
    """Whole pieces of a short prompt's row are padding when a long one is read beside it."""
    prompts = [asks("Hm?"), asks("word " * 3000, "long")]
    together = {d.prompt_id: d.text for d in engine.complete(Items(prompts), SAMPLING)}
    assert together == {p.id: "".join(engine.stream(p, SAMPLING)) for p in prompts}


def test_a_stream_left_early_holds_nothing(engine) -> None:
    before = set(threading.enumerate())
    pieces = engine.stream(asks("Tell me all."), Sampling(max_tokens=2000))
    next(pieces)
    pieces.close()
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize(
    "text", ["naïve café", "日本語のテキスト", "👩‍👩‍👧 and 🏳️‍🌈", "a\n\n  b\t", "\ufffd end"]
)
def test_deltas_join_to_the_text(random_model, text) -> None:
    from transformers import AutoTokenizer

    from synthesis.engines.transformers.texts import Pieces, decode

    tokenizer = AutoTokenizer.from_pretrained(random_model)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    for cut in range(len(ids) + 1):  # a reply may be cut within a character
        pieces = Pieces(tokenizer)
        joined = "".join(pieces.add(token) for token in ids[:cut]) + pieces.rest()
        assert joined == decode(tokenizer, ids[:cut])


def test_closing_frees_the_model(random_model) -> None:
    engine = TransformersEngine(str(random_model))
    model = weakref.ref(engine._runtime.decoder._model)
    left = engine.complete(Items(make_prompts(engine, SAMPLING)), SAMPLING)
    next(left)
    left.close()
    engine.close()
    gc.collect()
    assert model() is None
    with pytest.raises(EngineError, match="closed"):
        next(engine.complete(Items([asks("What?")]), SAMPLING))
    with pytest.raises(EngineError, match="closed"):
        next(engine.stream(asks("What?"), SAMPLING))
    with pytest.raises(EngineError, match="closed"):
        next(engine.loglikelihood([("a", "b")]))


def test_a_lone_surrogate_is_read_as_a_question_mark(engine) -> None:
    (broken,) = engine.complete(Items([asks("What\ud800", "same")]), SAMPLING)
    (plain,) = engine.complete(Items([asks("What?", "same")]), SAMPLING)
    assert broken == plain


def test_the_trained_model_writes_contexts() -> None:
    with closing(TransformersEngine(str(TRAINED), dtype="float32", batch_size=20)) as made:
        assert_writes_contexts(made)
