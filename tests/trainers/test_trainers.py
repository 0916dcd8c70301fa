"""What real trainers make of the dataset and of the exports: TRL takes steps, packs give the same loss.

The model is tiny and random; nothing is downloaded.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset, load_dataset
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM
from trl import SFTConfig, SFTTrainer

import synthesis.tokens
from builder.export.packing import IGNORED
from builder.export.write import export
from builder.job.execute import execute
from synthesis.options import from_dict
from synthesis.tokens import load_tokenizer
from tests.jobs import Quiet

# TRL and transformers warn about one another's settings to come; that is theirs to settle.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

CONFIG, LENGTH = "composer-chat-512", 512


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the bundled pairs."""
    out = tmp_path_factory.mktemp("trainers") / "run"
    execute(
        from_dict(
            {
                "out": str(out),
                "pairs": {"limit": 10},
                "generation": {"words": 120},
                "samples": {"lengths": [str(LENGTH)]},
                "dataset": {"name": "composer"},
            }
        ),
        Quiet(),
    )
    return out


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """The embedded tokenizer as transformers loads it."""
    return AutoTokenizer.from_pretrained(str(Path(synthesis.tokens.__file__).parent))


SHAPE = {
    "vocab_size": load_tokenizer().backend.get_vocab_size(),
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "initializer_range": 0.2,  # enough for what stands before an answer to tell in its loss
}


def tiny(kind: str = "qwen2", attention: str = "sdpa") -> Any:
    torch.manual_seed(0)
    if kind == "llama":
        return LlamaForCausalLM(LlamaConfig(**SHAPE, attn_implementation=attention))
    return Qwen2ForCausalLM(Qwen2Config(**SHAPE, attn_implementation=attention))


def loaded(run: Path, form: str, folder: Path) -> Dataset:
    """The samples as a user would load them, straight from the dataset or from an export."""
    if form == "dataset":
        return load_dataset(str(run / "dataset"), CONFIG, split="train", cache_dir=str(folder / "cache"))
    target = folder / ("train.parquet" if form == "prompt-completion" else "train.jsonl")
    export(run, target, config=CONFIG, format=form)
    kind = target.suffix.removeprefix(".").replace("jsonl", "json")
    return load_dataset(kind, data_files=str(target), split="train", cache_dir=str(folder / "cache"))


def sft_trainer(data: Dataset, tokenizer: Any, folder: Path) -> SFTTrainer:
    settings = SFTConfig(
        output_dir=str(folder / "out"),
        max_length=LENGTH,  # its default of 1,024 would cut long samples
        max_steps=2,
        per_device_train_batch_size=2,
        learning_rate=1e-2,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
    )
    return SFTTrainer(model=tiny(), args=settings, train_dataset=data, processing_class=tokenizer)


@pytest.mark.parametrize("form", ["dataset", "messages", "prompt-completion"])
def test_trl_takes_two_steps(run: Path, tokenizer: Any, tmp_path: Path, form: str) -> None:
    data = loaded(run, form, tmp_path)
    trainer = sft_trainer(data, tokenizer, tmp_path)
    before = trainer.model.lm_head.weight.detach().clone()
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert trainer.state.global_step == 2
    assert len(losses) == 2
    assert all(map(math.isfinite, losses))
    assert not torch.equal(before, trainer.model.lm_head.weight)
    # Nothing was cut: TRL counts each sample as the dataset says.
    reference = load_dataset(
        str(run / "dataset"), CONFIG, split="train", cache_dir=str(tmp_path / "reference")
    )
    assert [len(ids) for ids in trainer.train_dataset["input_ids"]] == reference["tokens"][:]


def test_trl_learns_the_completion_that_we_mask(run: Path, tokenizer: Any, tmp_path: Path) -> None:
    """The labels of TRL's own collator, but for the line break after the end of the turn."""
    data = loaded(run, "prompt-completion", tmp_path)
    trainer = sft_trainer(data, tokenizer, tmp_path)
    packs = packed(run, tmp_path, LENGTH)
    ours = {pack["ids"][0]: [n for n in pack["labels"] if n != IGNORED] for pack in packs}
    assert len(ours) == len(data) == 10
    for name, row in zip(data["id"], trainer.train_dataset, strict=True):
        (labels,) = trainer.data_collator([row])["labels"].tolist()
        theirs = [label for label in labels if label != IGNORED]
        assert theirs[: len(ours[name])] == ours[name]
        assert tokenizer.decode(theirs[len(ours[name]) :]).strip() == ""


def packed(run: Path, folder: Path, length: int) -> list[dict[str, Any]]:
    target = folder / "packed.parquet"
    export(run, target, config=CONFIG, format="packed", length=length)
    data = load_dataset("parquet", data_files=str(target), split="train", cache_dir=str(folder / "packs"))
    rows: list[dict[str, Any]] = data.to_list()
    return rows


def one_pack(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """A batch of one pack: nothing to pad."""
    (row,) = rows
    kinds = {
        "input_ids": torch.long,
        "labels": torch.long,
        "position_ids": torch.long,
        "weights": torch.float,
    }
    return {name: torch.tensor([row[name]], dtype=kind) for name, kind in kinds.items()}


def token_losses(model: Any, batch: dict[str, torch.Tensor], **given: torch.Tensor) -> torch.Tensor:
    """The loss of each token but the first; 0 where nothing is learnt."""
    # Without a mask and without a cache, transformers keeps apart what starts at position 0.
    logits = model(input_ids=batch["input_ids"], use_cache=False, **given).logits
    return cross_entropy(logits[0, :-1], batch["labels"][0, 1:], ignore_index=IGNORED, reduction="none")


@pytest.mark.parametrize("kind", ["qwen2", "llama"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_weighted_loss_is_the_mean_over_samples(
    run: Path, tmp_path: Path, kind: str, attention: str
) -> None:
    model = tiny(kind, attention).double()  # so that only a wrong weight or mask makes a difference
    rows = packed(run, tmp_path, 4 * LENGTH)
    assert 1 < len(rows) < 10
    assert sum(len(row["ids"]) for row in rows) == 10
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    total, weight, means, apart = torch.zeros(()), torch.zeros(()), [], []
    for batch in DataLoader(rows, batch_size=1, collate_fn=one_pack):
        losses = token_losses(model, batch, position_ids=batch["position_ids"])
        total = total + (losses * batch["weights"][0, 1:]).sum()
        weight = weight + batch["weights"].sum()
        apart.append((token_losses(model, batch) * batch["weights"][0, 1:]).sum().item())
    for row in rows:
        for start, end in zip(row["cu_seqlens"], row["cu_seqlens"][1:], strict=False):
            alone = {name: torch.tensor([row[name][start:end]]) for name in ("input_ids", "labels")}
            losses = token_losses(model, alone)
            means.append(losses[alone["labels"][0, 1:] != IGNORED].mean().item())
    loss = total / weight
    assert weight.item() == pytest.approx(10, abs=1e-5)
    assert loss.item() == pytest.approx(sum(means) / 10, abs=1e-5)
    # The same without positions reads across samples: the equality above is not there for free.
    assert abs(sum(apart) / 10 - sum(means) / 10) > 1e-4
    before = model.lm_head.weight.detach().clone()
    loss.backward()
    optimizer.step()
    assert torch.isfinite(model.lm_head.weight).all()
    assert not torch.equal(before, model.lm_head.weight)


def test_packs_come_in_tensors_of_a_plain_loader(run: Path, tmp_path: Path) -> None:
    """Without any code of one's own: torch format, batch size 1."""
    target = tmp_path / "packed.parquet"
    export(run, target, config=CONFIG, format="packed", length="2k")
    data = load_dataset("parquet", data_files=str(target), split="train", cache_dir=str(tmp_path / "c"))
    columns = ["input_ids", "labels", "position_ids", "weights"]
    for batch in DataLoader(data.select_columns(columns).with_format("torch"), batch_size=1):
        assert {batch[name].shape for name in columns} == {batch["input_ids"].shape}
        assert batch["input_ids"].shape[1] <= 2048
        assert batch["weights"].dtype == torch.float32
        assert batch["labels"].dtype == torch.int64
