"""The transformers engine beside ``model.generate``: one loaded model, the same prompts in equal batches."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from on_gpu.notes import Notes
from on_gpu.shapes import PEAK, SHAPES, Shape, make_model, pairs

from synthesis.engines.base import Items, Sampling
from synthesis.engines.transformers import TransformersEngine
from synthesis.prompts import load_template
from synthesis.run.job import Job

_ENDS = 128  # one token in so many ends a reply


def transformers_part(notes: Notes, model: str | None, tiny: bool) -> None:
    """Ours, theirs, theirs, ours. Replies end at random (without a model: about 128 tokens on average)."""
    rows, count, longest = (4, 8, 16) if tiny else (64, 128, 256)
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            _random_model(Path(folder), SHAPES["tiny" if tiny else "135m"])
        engine = TransformersEngine(model or folder, batch_size=rows)
        sampling = Sampling(max_tokens=longest, seed=1)
        job = Job(engine, load_template("narrative"), sampling, words=200)
        prompts = [job.prompt(pair) for pair in pairs(count)]
        runtime = engine._runtime
        assert runtime is not None
        requests = [runtime.encoder.request(prompt, sampling) for prompt in prompts]
        ids = sorted((request.ids for request in requests if not isinstance(request, str)), key=len)
        network: Any = runtime.decoder._model
        calls = [0]
        network.register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))

        def ours() -> int:
            return sum(done.output_tokens for done in engine.complete(Items(prompts), sampling))

        def theirs() -> int:
            batches = (ids[start : start + rows] for start in range(0, len(ids), rows))
            return sum(_generate(network, batch, sampling, runtime.ends) for batch in batches)

        ways: dict[str, Callable[[], int]] = {"ours": ours, "generate": theirs}
        for repeat, arm in enumerate(("ours", "generate", "generate", "ours")):
            if not notes.has_time(arm, 25):
                continue
            calls[0] = 0
            begun = time.perf_counter()
            tokens = ways[arm]()
            seconds = time.perf_counter() - begun
            notes.took(arm, seconds)
            facts = {"seconds": round(seconds, 2), "rate": round(tokens / seconds), "output": tokens}
            notes.add(
                arm, repeat=repeat // 2, **facts, steps=calls[0], step_ms=round(1e3 * seconds / calls[0], 2)
            )
        engine.close()


def _random_model(folder: Path, shape: Shape) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    make_model(folder, shape)
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).bfloat16()
    # Embeddings are drawn with a deviation of initializer_range, what the norm gives is of size 1.
    network.model.norm.weight.data *= PEAK / (network.config.initializer_range * shape.width**0.5)
    network.generation_config.eos_token_id = list(range(1, shape.vocabulary, _ENDS))
    network.save_pretrained(folder)


def _generate(network: Any, batch: list[list[int]], sampling: Sampling, ends: frozenset[int]) -> int:
    """Tokens that ``generate`` writes for a batch, up to the first of each reply that ends it."""
    import torch

    width = max(map(len, batch))
    given = torch.tensor([[0] * (width - len(ids)) + list(ids) for ids in batch], device=network.device)
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in batch], device=network.device)
    with torch.inference_mode():
        written = network.generate(
            given,
            attention_mask=mask,
            do_sample=True,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=0,
            max_new_tokens=sampling.max_tokens,
            pad_token_id=0,
        )[:, width:].tolist()
    return sum(next((n for n, token in enumerate(row, 1) if token in ends), len(row)) for row in written)
