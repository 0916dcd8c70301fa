"""What shapes the draw of a token, and the beginning that a reply is given."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
import torch
from transformers import GenerationConfig

from synthesis.data import Message, Prompt
from synthesis.engines.base import Items, Sampling
from synthesis.engines.transformers import TransformersEngine
from synthesis.engines.transformers.drawing import PLAIN, Shaping, choose
from synthesis.errors import ConfigError
from tests.torch.models import save_random_model

# Probabilities of .5, .25, .125, .0625 and .0625.
LOGITS = torch.tensor([[0.5, 0.25, 0.125, 0.0625, 0.0625]]).log()
PROMPT = Prompt("p", "p", "t", {}, (Message("user", "Write."),), "p")


def drawn(shaping: Shaping, top_p: float = 1.0, draws: int = 400) -> Counter[int]:
    generator = torch.Generator().manual_seed(7)
    return Counter(choose(LOGITS, [generator], 1.0, top_p, shaping)[0] for _ in range(draws))


@pytest.mark.parametrize(
    ("shaping", "top_p", "allowed"),
    [
        (PLAIN, 1.0, {0, 1, 2, 3, 4}),
        (Shaping(top_k=2), 1.0, {0, 1}),
        (Shaping(top_k=1), 1.0, {0}),
        (Shaping(top_k=99), 1.0, {0, 1, 2, 3, 4}),
        (Shaping(min_p=0.2), 1.0, {0, 1, 2}),
        (Shaping(min_p=1.0), 1.0, {0}),
        # Of the three that are left, the nucleus of .8 (.57 and .29).
        (Shaping(top_k=3), 0.8, {0, 1}),
    ],
)
def test_only_what_is_allowed_is_drawn(shaping, top_p, allowed) -> None:
    assert set(drawn(shaping, top_p)) == allowed


def test_what_was_written_becomes_less_likely() -> None:
    seen = torch.tensor([[True, False, False, False, False]])
    logits = torch.tensor([[2.0, 1.5, -1.0, -1.0, -1.0]])
    assert choose(logits, [None], 0.0, 1.0) == [0]
    assert choose(logits, [None], 0.0, 1.0, Shaping(repetition_penalty=2.0), seen) == [1]
    # Below zero a penalty makes smaller, too.
    below = torch.tensor([[-1.0, -1.5, -9.0, -9.0, -9.0]])
    assert choose(below, [None], 0.0, 1.0, Shaping(repetition_penalty=2.0), seen) == [1]


def test_the_makers_settings_hold_unless_others_are_wished() -> None:
    own = GenerationConfig(top_k=20, repetition_penalty=1.05, temperature=0.2)
    assert Shaping.of(own, {}) == Shaping(20, 0.0, 1.05)
    assert Shaping.of(own, Shaping.wished(0, 0.1, None)) == Shaping(0, 0.1, 1.05)
    assert Shaping.of(GenerationConfig(), {}) == PLAIN


@pytest.mark.parametrize("wished", [(-1, None, None), (2.5, None, None), (None, 1.5, None), (None, None, 0)])
def test_what_cannot_be_wished_is_named(wished) -> None:
    with pytest.raises(ConfigError, match=r"generation\.options\.(top_k|min_p|repetition_penalty) is"):
        Shaping.wished(*wished)


def test_a_model_folder_with_settings_of_its_makers(tmp_path) -> None:
    """With top-k 1 there is nothing to draw: every seed gives the likeliest tokens."""
    folder = save_random_model(tmp_path / "model")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "top_k": 1}))
    texts = {}
    for options in ({}, {"top_k": 0}):
        engine = TransformersEngine(str(folder), dtype="float32", **options)
        samplings = (Sampling(temperature=1.0, max_tokens=12, seed=seed) for seed in (1, 2))
        texts[bool(options)] = {next(engine.complete(Items([PROMPT]), one)).text for one in samplings}
        engine.close()
    assert len(texts[False]) == 1 and len(texts[True]) == 2


def test_a_repetition_penalty_reaches_the_reply(random_model) -> None:
    engine = TransformersEngine(str(random_model), dtype="float32", repetition_penalty=1e6)
    (done,) = engine.complete(Items([PROMPT]), Sampling(temperature=0, max_tokens=40))
    ids = engine._open().tokenizer(done.text, add_special_tokens=False)["input_ids"]
    assert done.output_tokens == 40 and len(set(ids)) > 0.9 * len(ids)
    assert engine.settings == {"dtype": "float32", "repetition_penalty": 1e6}
    engine.close()


def test_a_reply_begins_as_its_prompt_asks_for(engine, random_model) -> None:
    sampling, begun = Sampling(seed=3, max_tokens=10), replace(PROMPT, opening="Context:")
    (done,) = engine.complete(Items([begun]), sampling)
    assert done.text.startswith("Context:") and done.output_tokens == 10
    assert "".join(engine.stream(begun, sampling)) == done.text
    (free,) = engine.complete(Items([PROMPT]), sampling)
    assert done.prompt_tokens > free.prompt_tokens and not free.text.startswith("Context:")

    never = TransformersEngine(str(random_model), dtype="float32", begin_with_marker=False)
    (left,) = never.complete(Items([begun]), sampling)
    assert left.text == free.text
    never.close()
