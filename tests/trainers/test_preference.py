"""TRL's DPO takes a step on what ``export --format preference`` writes."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import load_dataset
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
from trl import DPOConfig, DPOTrainer

import synthesis.tokens
from builder.export.write import export
from builder.job.execute import execute
from synthesis.options import RunConfig, override
from tests.pages import Quiet

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_dpo_takes_a_step(tmp_path: Path) -> None:
    changes = {
        "out": str(tmp_path / "run"),
        "generation.words": 100,
        "samples.lengths": ("512",),
        "samples.twins": ("removed", "changed"),
        "pairs.limit": 6,
    }
    execute(override(RunConfig(), changes), Quiet())
    export(tmp_path / "run", tmp_path / "rows.parquet", format="preference")
    rows = load_dataset("parquet", data_files=str(tmp_path / "rows.parquet"), split="train")
    words = AutoTokenizer.from_pretrained(str(Path(synthesis.tokens.__file__).parent))
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    model = Qwen2ForCausalLM(
        Qwen2Config(vocab_size=len(words), num_attention_heads=2, num_key_value_heads=2, **sizes)
    )
    settings = DPOConfig(
        output_dir=str(tmp_path / "out"),
        per_device_train_batch_size=2,
        max_length=600,
        max_steps=1,
        report_to="none",
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
        learning_rate=1e-2,
        logging_steps=1,
    )
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    trainer = DPOTrainer(
        model=model, ref_model=deepcopy(model), args=settings, train_dataset=rows, processing_class=words
    )
    trainer.train()
    assert len(trainer.train_dataset) == len(rows)
    (logged,) = [one for one in trainer.state.log_history if "loss" in one]
    assert abs(logged["loss"] - 0.693) < 0.01  # before the first step model and reference are the same
    assert any(not torch.equal(before[name], one) for name, one in model.named_parameters())
