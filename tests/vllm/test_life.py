"""Loading and ending: what cannot be loaded, adapters, copies of the model, processes left behind."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from synthesis.data import Completion, Message, Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import Items, Sampling
from synthesis.engines.vllm import VLLMEngine
from synthesis.errors import ConfigError, EngineError
from tests.vllm.small import SMALL, is_vllm, vllm_processes, wait_until

SAMPLING = Sampling(seed=11, max_tokens=12)


def prompts(count: int) -> list[Prompt]:
    said = [(Message("user", f"Number {number}."),) for number in range(count)]
    return [Prompt(f"id-{n}", f"pair-{n}", "t", {}, text, f"id-{n}") for n, text in enumerate(said)]


def texts(engine: VLLMEngine, count: int = 4) -> dict[str, str]:
    found: list[Completion] = list(engine.complete(Items(prompts(count)), SAMPLING))
    return {done.prompt_id: done.text for done in found}


def failure(model: str, **options: object) -> str:
    made = make_engine("vllm", model, **SMALL | options)
    before = set(vllm_processes())
    with pytest.raises(EngineError) as caught:
        list(made.complete(Items(prompts(1)), SAMPLING))
    made.close()
    assert set(vllm_processes()) == before
    return str(caught.value)


@pytest.mark.parametrize("name", ["nobody/no-such-model", "/no/such/folder", "not a name!"])
def test_a_wrong_model_is_named(name) -> None:
    said = failure(name)
    assert name in said and "--model" in said and "HF_TOKEN" in said


def test_a_window_that_the_memory_cannot_hold_names_the_settings(model) -> None:
    said = failure(str(model), kv_cache_memory_bytes=1 << 19, max_model_len=2048)
    assert "KV cache is needed" in said  # the reason itself, from vLLM's own process
    for setting in ("max_model_len", "gpu_memory_utilization", "tensor_parallel_size"):
        assert setting in said
    log = Path(said.rpartition("vLLM's log: ")[2])
    assert "KV cache is needed" in log.read_text(encoding="utf-8")
    log.unlink()


def test_a_window_beyond_the_model_is_named(model) -> None:
    assert "generation.options.max_model_len" in failure(str(model), max_model_len=99_999)


def test_gpus_that_do_not_divide_the_heads_are_named(model) -> None:
    assert "tensor_parallel_size" in failure(str(model), tensor_parallel_size=3)


def test_an_argument_that_vllm_does_not_know_is_named(model) -> None:
    made = make_engine("vllm", str(model), max_num_batched_token=512)
    with pytest.raises(ConfigError, match="max_num_batched_token.*did you mean 'max_num_batched_tokens'"):
        list(made.complete(Items(prompts(1)), SAMPLING))


def test_an_adapter_changes_what_is_written_and_a_violent_end_is_an_error(model, engine, tmp_path) -> None:
    plain = texts(engine)
    before = set(vllm_processes())
    made = VLLMEngine(str(model), **SMALL, lora=str(save_adapter(tmp_path)), lora_rank=4)
    adapted = texts(made)
    assert adapted.keys() == plain.keys() and adapted != plain
    ours = set(vllm_processes()) - before
    watched = [psutil.Process(pid) for pid in ours]
    assert watched

    # As the system does when its memory is full: nobody is told.
    replies = made.complete(Items(prompts(40)), Sampling(seed=1, max_tokens=900))
    next(replies)
    next(process for process in watched if "EngineCor" in process.name()).kill()
    with pytest.raises(EngineError, match="vLLM stopped while it ran model.*run again"):
        list(replies)
    made.close()
    made.close()
    wait_until(lambda: not any(is_vllm(process) for process in watched), 30, "the end of vLLM's processes")


def save_adapter(folder: Path, rank: int = 4, width: int = 128) -> Path:
    """A random adapter for the queries of both layers, strong enough to tell."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(0)
    weights = {}
    for layer in range(2):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(rank, width, generator=generator)
        weights[f"{name}.lora_B.weight"] = torch.randn(width, rank, generator=generator)
    save_file(weights, folder / "adapter_model.safetensors")
    described = {"peft_type": "LORA", "r": rank, "lora_alpha": 16, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(described))
    return folder


def test_copies_of_the_model_share_the_prompts(model, engine) -> None:
    alone = texts(engine, 20)
    before = set(vllm_processes())
    made = VLLMEngine(str(model), **SMALL | {"max_num_seqs": 4}, data_parallel_size=2)
    try:
        assert texts(made, 20) == alone
        replies = made.complete(Items(prompts(20)), SAMPLING)
        next(replies)
        replies.close()
        assert "".join(made.stream(prompts(1)[0], SAMPLING)) == alone["id-0"]
    finally:
        made.close()
    assert set(vllm_processes()) == before
