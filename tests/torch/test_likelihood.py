"""Scores of the transformers engine against a plain forward pass, and their memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen3NextConfig,
    Qwen3NextForCausalLM,
)

from synthesis.data import Message, Prompt
from synthesis.engines.base import LikelihoodEngine, Sampling
from synthesis.engines.transformers import TransformersEngine, likelihood, writing
from synthesis.engines.transformers.decoder import Decoder
from synthesis.engines.transformers.texts import Request
from synthesis.errors import EngineError
from tests.likelihood_agreement import REQUESTS, assert_agree
from tests.torch.models import save, save_random_model

NAMES = ("Holm", "Brandt", "Varrow", "Ilse", "lamp", "tower", "keeper", "night", "ledger", "stone")


def prose(words: int, seed: int = 0) -> str:
    return " ".join(random.Random(seed).choices(NAMES, k=words))


class Plain:
    """The same by definition: one forward pass over everything, all logits at once."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()

    def score(self, prefix: str, continuation: str) -> tuple[tuple[int, ...], list[float]]:
        before = self.tokenizer(prefix)["input_ids"]
        after = self.tokenizer(continuation, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            logits = self.model(torch.tensor([before + after])).logits[0]
        table = logits.log_softmax(-1)[len(before) - 1 :]
        return tuple(after), [table[place, token].item() for place, token in enumerate(after)]


def check(
    engine: LikelihoodEngine, plain: Plain, requests: list[tuple[str, str]], tolerance: float = 1e-4
) -> None:
    found = list(engine.loglikelihood(iter(requests)))
    assert len(found) == len(requests)
    for request, scored in zip(requests, found, strict=True):
        ids, expected = plain.score(*request)
        assert scored.token_ids == ids
        assert scored.logprobs == pytest.approx(expected, abs=tolerance), request[1][:40]


# Requests that share beginnings in every way: longer, shorter, equal, other, nothing.
CONTEXT = prose(300)
FAMILY = [
    (CONTEXT + "\n\nInstruction:", " Who kept the tower?"),
    (CONTEXT + "\n\nInstruction: Who kept the tower?\n\nAnswer:", " Ilse Brandt of Varrow"),
    (CONTEXT + "\n\nInstruction: Who kept the tower?\n\nAnswer:", " Nobody"),
    (CONTEXT + "\n\nInstruction: Who kept the tower?\n\nAnswer:", " Nobody"),
    (CONTEXT[:900] + "\n\nInstruction: Who kept the tower?\n\nAnswer:", " Ilse Brandt of Varrow"),
    ("Answer:", " Ilse Brandt of Varrow"),
    (CONTEXT, CONTEXT),
    ("Something else", ""),
    ("Answer: Ilse", " Brandt"),
]


def test_it_is_the_plain_computation(engine, random_model) -> None:
    check(engine, Plain(random_model), [*REQUESTS, *FAMILY])


def test_it_is_the_plain_computation_in_the_smallest_pieces(engine, random_model, monkeypatch) -> None:
    monkeypatch.setattr(likelihood, "_READING", 7)
    monkeypatch.setattr(likelihood, "_LOGITS", 1)
    check(engine, Plain(random_model), FAMILY[:6])


LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "initializer_range": 0.2,
}
KINDS = {
    "llama": (LlamaForCausalLM, LlamaConfig, LLAMA),
    "sliding": (MistralForCausalLM, MistralConfig, {**LLAMA, "sliding_window": 64}),
    "learned positions": (
        GPT2LMHeadModel,
        GPT2Config,
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 2048},
    ),
    "linear attention": (
        Qwen3NextForCausalLM,
        Qwen3NextConfig,
        {
            **LLAMA,
            "head_dim": 8,
            "num_hidden_layers": 4,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "num_experts": 2,
            "num_experts_per_tok": 1,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 16,
        },
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory, random_model) -> Path:
    """A random model of another architecture: other caches, other positions."""
    model, config, shape = KINDS[request.param]
    tokenizer = AutoTokenizer.from_pretrained(random_model)
    tokens = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    tokens["pad_token_id"] = None
    return save(model, config(**shape, **tokens), tokenizer, tmp_path_factory.mktemp(request.param))


def test_other_architectures_score_alike(kind, monkeypatch) -> None:
    monkeypatch.setattr(likelihood, "_READING", 100)
    engine = TransformersEngine(str(kind))
    # A recurrent state adds up its rounding, and here it is cut at other places.
    check(engine, Plain(kind), FAMILY, 5e-4 if "linear attention" in kind.name else 1e-4)
    engine.close()


def test_other_architectures_write_what_the_library_writes(kind, monkeypatch) -> None:
    """In a padded batch whose prompts are read in pieces and whose rows end at different times."""
    monkeypatch.setattr(writing, "_PREFILL", 96)
    engine, plain = TransformersEngine(str(kind)), Plain(kind)
    batch = [
        Request(text, tuple(plain.tokenizer(text)["input_ids"]), limit, 0)
        for text, limit in [("Hm?", 9), (prose(5), 3), (prose(40), 12), (prose(90), 7)]
    ]
    found = list(engine._replies(engine._runtime, batch, Sampling(temperature=0)))
    assert len(found) == len(batch)
    for request, tokens in found:
        ids = torch.tensor([request.ids])
        whole = plain.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=request.limit, do_sample=False
        )
        assert tokens == whole[0, ids.shape[1] :].tolist()
    engine.close()


def watch(monkeypatch) -> list[tuple[int, int]]:
    """(tokens read, positions with logits) of every call of the model."""
    calls, read = [], Decoder.read

    def watched(self, ids, cache, *, mask=None, keep=1):
        logits = read(self, ids, cache, mask=mask, keep=keep)
        assert logits.shape[1] == keep
        calls.append((ids.shape[1], keep))
        return logits

    monkeypatch.setattr(Decoder, "read", watched)
    return calls


def test_a_long_prefix_makes_logits_for_the_continuation_only(tmp_path, monkeypatch) -> None:
    """20k tokens before three: never more than a piece read, never more logits than asked for."""
    made = {"max_position_embeddings": 40_000, "hidden_size": 16, "num_hidden_layers": 1}
    folder = save_random_model(tmp_path / "long", **made, num_attention_heads=2, num_key_value_heads=1)
    engine = TransformersEngine(str(folder))
    inner: list[torch.Size] = []
    head = engine._runtime.decoder._model.get_output_embeddings()
    head.register_forward_hook(lambda module, given, logits: inner.append(logits.shape))
    calls = watch(monkeypatch)
    prefix = prose(20_000)
    (scored,) = engine.loglikelihood([(prefix, " by the stone")])
    assert sum(tokens for tokens, _ in calls) >= 20_000
    assert max(tokens for tokens, _ in calls) <= likelihood._READING
    assert max(keep for _, keep in calls) <= len(scored.token_ids)
    # What the model itself made, not only what was kept of it.
    assert max(shape[-2] for shape in inner) <= len(scored.token_ids)
    engine.close()


def test_logits_of_a_long_continuation_are_made_some_at_a_time(engine, monkeypatch) -> None:
    calls = watch(monkeypatch)
    monkeypatch.setattr(likelihood, "_LOGITS", 100 * engine._runtime.decoder.vocabulary)
    (scored,) = engine.loglikelihood([("Answer:", prose(900))])
    assert sum(keep for _, keep in calls) == len(scored.token_ids) > 800
    assert max(keep for _, keep in calls) <= 100


def test_what_requests_share_is_read_once(engine, monkeypatch) -> None:
    calls = watch(monkeypatch)
    requests = [
        (CONTEXT + "\n\nInstruction:", " Who?"),
        (CONTEXT + "\n\nInstruction: Who?\n\nAnswer:", " Ilse"),
    ]
    list(engine.loglikelihood(requests[:1]))
    alone = sum(tokens for tokens, _ in calls)
    calls.clear()
    list(engine.loglikelihood(requests))
    assert sum(tokens for tokens, _ in calls) <= alone + 15


def test_out_of_memory_reads_smaller_pieces(engine, random_model, monkeypatch) -> None:
    read, sizes = Decoder.read, []

    def limited(self, ids, cache, **kwargs):
        sizes.append(ids.shape[1])
        if cache.get_seq_length() and ids.shape[1] > 100:  # in the middle, with a cache half filled
            raise torch.OutOfMemoryError("CUDA out of memory")
        return read(self, ids, cache, **kwargs)

    monkeypatch.setattr(likelihood, "_READING", 400)
    monkeypatch.setattr(Decoder, "read", limited)
    check(engine, Plain(random_model), [(prose(600), " by the stone")] * 2)
    assert max(sizes) == 400 and sizes.count(400) == 1


def test_out_of_memory_with_the_smallest_piece_is_told(engine, monkeypatch) -> None:
    def never(self, ids, cache, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Decoder, "read", never)
    with pytest.raises(EngineError, match=r"out of memory while scoring.*shorter contexts"):
        next(engine.loglikelihood([("a", " b")]))


def test_numbers_that_are_none_are_told(random_model) -> None:
    engine = TransformersEngine(str(random_model))
    with torch.no_grad():
        engine._runtime.decoder._model.get_output_embeddings().weight.fill_(torch.nan)
    with pytest.raises(EngineError, match="dtype"):
        next(engine.loglikelihood([("a", " b")]))
    with pytest.raises(EngineError, match="dtype"):
        next(engine.stream(Prompt("1", "p", "t", {}, (Message("user", "Hm?"),), "f"), Sampling()))
    engine.close()


@pytest.mark.parametrize(
    ("request_", "message"),
    [(("", "text"), "needs a prefix"), (("word " * 5000, "text"), r"5,00\d tokens.*max_model_len")],
)
def test_what_cannot_be_scored_says_why(engine, request_, message) -> None:
    with pytest.raises(EngineError, match=message):
        next(engine.loglikelihood([request_]))


def test_requests_are_pulled_one_by_one(engine) -> None:
    pulled = []

    def endless():
        while True:
            pulled.append(1)
            yield "a", " b"

    scores = engine.loglikelihood(endless())
    next(scores)
    next(scores)
    assert len(pulled) == 2
    scores.close()


def test_two_engines_agree(engine, random_model) -> None:
    other = TransformersEngine(str(random_model), dtype="float32", batch_size=1)
    assert assert_agree(engine, other) <= 1e-5
    other.close()


def test_disagreement_is_noticed(engine, tmp_path) -> None:
    other = TransformersEngine(str(save_random_model(tmp_path / "other", initializer_range=0.21)))
    with pytest.raises(AssertionError, match="token 0"):
        assert_agree(engine, other)
    other.close()
