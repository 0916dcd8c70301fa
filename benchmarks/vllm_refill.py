"""Three ways to send prompts to vLLM: one by one, in chunks, and refilled; one model, one run.

    python benchmarks/vllm_refill.py [--model FOLDER] [--prompts 64] [--batch 16]

The same prompts and seeds each time, so the same replies: what differs is only who waits for whom.
A step writes one token of every running reply; steps do not depend on the machine, seconds do. The
default model is tiny and random and is made on the spot, for a CPU; replies of it have
geometrically distributed lengths, as every so many tokens one ends them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import synthesis.tokens
from synthesis.data import Completion, Message, Prompt
from synthesis.engines.base import Items, Sampling
from synthesis.engines.vllm import VLLMEngine

SAMPLING = Sampling(temperature=1.0, top_p=1.0, max_tokens=512, seed=1)
Way = Callable[[list[Prompt]], Iterable[Completion]]


def make_model(folder: Path) -> int:
    """A random Qwen2 with the embedded tokenizer in ``folder``; returns the size of its vocabulary."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(str(Path(synthesis.tokens.__file__).parent))
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(0)
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def count_steps() -> list[int]:
    """A list that grows with each step of vLLM."""
    from vllm.v1.engine.llm_engine import LLMEngine

    steps: list[int] = []
    plain = LLMEngine.step

    def step(self: Any) -> Any:
        steps.append(1)
        return plain(self)

    LLMEngine.step = step
    return steps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", help="a folder or an id on the Hub; default: a random one")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16, help="max_num_seqs, and the size of a chunk")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"max_num_seqs": given.batch}
        if not given.model:
            vocabulary = make_model(Path(folder))
            options |= {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 1 << 28}
            options["sampling_params"] = {"min_tokens": 16, "stop_token_ids": list(range(0, vocabulary, 100))}
        engine = VLLMEngine(given.model or folder, **options)
        try:
            compare(engine, given.prompts, given.batch)
        finally:
            engine.close()


def compare(engine: VLLMEngine, count: int, batch: int) -> None:
    """Each way in turn, after a first reply that loads and warms up."""
    asked = [
        Prompt(f"id-{n}", f"pair-{n}", "", {}, (Message("user", f"Write about bell number {n}."),), f"id-{n}")
        for n in range(count)
    ]

    def one_by_one(prompts: list[Prompt]) -> Iterable[Completion]:
        for prompt in prompts:
            yield from engine.complete(Items([prompt]), SAMPLING)

    def chunked(prompts: list[Prompt]) -> Iterable[Completion]:
        for start in range(0, len(prompts), batch):
            yield from engine.complete(Items(prompts[start : start + batch]), SAMPLING)

    def refilled(prompts: list[Prompt]) -> Iterable[Completion]:
        yield from engine.complete(Items(prompts), SAMPLING)

    list(one_by_one(asked[:1]))
    steps = count_steps()
    ways: dict[str, Way] = {"one by one": one_by_one, "chunks": chunked, "refill": refilled}
    found: dict[str, tuple[float, int, int]] = {}
    for name, way in ways.items():
        steps.clear()
        begun = time.perf_counter()
        tokens = sum(done.output_tokens for done in way(asked))
        found[name] = (time.perf_counter() - begun, len(steps), tokens)

    print(f"{count} prompts, batches of {batch}")
    print(f"{'':12}{'seconds':>9}{'tok/s':>9}{'steps':>8}{'x time':>8}{'x steps':>9}")
    slowest, most, _ = found["one by one"]
    for name, (seconds, taken, tokens) in found.items():
        print(
            f"{name:12}{seconds:9.1f}{tokens / seconds:9.0f}{taken:8}"
            f"{slowest / seconds:8.1f}{most / taken:9.1f}"
        )
    print(f"chunks need {found['chunks'][1] / found['refill'][1]:.2f} times the steps of refill")


if __name__ == "__main__":
    main()
