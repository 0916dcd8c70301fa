"""TRL's DPO takes a step on what ``export --format preference`` writes."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

from builder.export.write import export
from builder.job.execute import execute
from synthesis.options import RunConfig, override
from tests.jobs import Quiet
from tests.trainers.step import ONE_STEP, small_model

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
    words, model = small_model()
    settings = DPOConfig(
        output_dir=str(tmp_path / "out"),
        max_length=600,
        **ONE_STEP,
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
