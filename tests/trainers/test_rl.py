"""TRL's GRPO takes a step on what ``export --format rl`` writes, with the rewards that come with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import load_dataset
from trl import GRPOConfig, GRPOTrainer

from synthesis.evaluation.rewards import answer_reward, citation_reward
from tests.trainers.rows import write_rl_rows
from tests.trainers.step import ONE_STEP, small_model

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_grpo_takes_a_step(tmp_path: Path) -> None:
    file = write_rl_rows(tmp_path)
    rows = load_dataset("parquet", data_files=str(file), split="train")
    words, model = small_model()
    seen: list[list[str]] = []

    def answers(completions: list[Any], **columns: Any) -> list[float]:
        seen.append(columns["checker"])
        assert len(columns["answer"]) == len(columns["aliases"]) == len(completions)
        return answer_reward(completions, **columns)

    def length(completions: list[Any], **columns: Any) -> list[float]:
        # A random model answers nothing: something has to differ for there to be a gradient.
        return [len(str(one)) / 1000 for one in completions]

    settings = GRPOConfig(
        output_dir=str(tmp_path / "out"),
        num_generations=2,
        max_completion_length=8,
        **ONE_STEP,
    )
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[answers, citation_reward, length],
        args=settings,
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()
    assert seen and all(name in {"choice", "numeric", "set", "exact", "f1"} for one in seen for name in one)
    assert any(not torch.equal(before[name], one) for name, one in model.named_parameters())
