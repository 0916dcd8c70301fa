"""What one step of a trainer takes: a tiny random model with our tokenizer, and settings for a processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

import synthesis.tokens

ONE_STEP: Final[dict[str, Any]] = {
    "per_device_train_batch_size": 2,
    "max_steps": 1,
    "report_to": "none",
    "use_cpu": True,
    "save_strategy": "no",
    "disable_tqdm": True,
    "learning_rate": 1e-2,
}


def small_model() -> tuple[Any, Any]:
    """The tokenizer and the model, always the same."""
    words = AutoTokenizer.from_pretrained(str(Path(synthesis.tokens.__file__).parent))
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    return words, Qwen2ForCausalLM(
        Qwen2Config(vocab_size=len(words), num_attention_heads=2, num_key_value_heads=2, **sizes)
    )
