"""verl's own dataset reads what ``export --format rl`` writes, and its reward manager calls our reward.

What runs is verl's code from the index, without Ray's actors and without a GPU.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch.utils.data import DataLoader
from transformers import AutoTokenizer

import synthesis.tokens
from synthesis.evaluation import rewards
from tests.trainers.rows import write_rl_rows

# Its libraries warn of one another; that is theirs to settle.
pytestmark = pytest.mark.filterwarnings("ignore")

LENGTH = 512


@pytest.fixture(scope="module")
def words() -> Any:
    tokenizer = AutoTokenizer.from_pretrained(str(Path(synthesis.tokens.__file__).parent))
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer


@pytest.fixture(scope="module")
def dataset(words: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from verl.utils.dataset.rl_dataset import RLHFDataset

    folder = tmp_path_factory.mktemp("verl")
    settings = {
        "max_prompt_length": LENGTH,
        "cache_dir": str(folder / "cache"),
        "filter_overlong_prompts": True,
    }
    file = str(write_rl_rows(folder))
    return RLHFDataset(data_files=file, tokenizer=words, config=OmegaConf.create(settings))


def batches(dataset: Any) -> Any:
    from verl.utils.dataset.rl_dataset import collate_fn

    return DataLoader(dataset, batch_size=3, collate_fn=collate_fn)


def test_its_dataset_keeps_every_row_and_its_prompt(dataset: Any, words: Any) -> None:
    assert len(dataset) == 6
    seen = [name for batch in batches(dataset) for name in batch["id"]]
    assert len(set(seen)) == 6
    for row in (dataset[place] for place in range(6)):
        assert row["raw_prompt"][-1]["role"] == "user"
        ids = words.apply_chat_template(row["raw_prompt"], add_generation_prompt=True, tokenize=True)
        assert 0 < len(ids) <= LENGTH
        assert row["data_source"].startswith("context-synthesis/")
        assert row["reward_model"] == {"style": "rule", "ground_truth": row["answer"]}


def test_its_reward_manager_calls_ours(dataset: Any, words: Any) -> None:
    from verl import DataProto
    from verl.trainer.ppo.reward import load_reward_manager

    custom = {"path": rewards.__file__, "name": "compute_score"}
    manager = {"source": "register", "name": "naive"}
    config = {"reward": {"custom_reward_function": custom, "reward_manager": manager}}
    scorer = load_reward_manager(OmegaConf.create(config), words)

    def scored(row: dict[str, Any], reply: str) -> float:
        ids = words(reply, return_tensors="pt")["input_ids"]
        fields = ("data_source", "reward_model", "extra_info")
        batch = DataProto.from_dict(
            tensors={"responses": ids, "attention_mask": torch.ones(1, 8 + ids.shape[1], dtype=torch.long)},
            non_tensors={name: [row[name]] for name in fields},
        )
        return scorer.loop.run_until_complete(scorer.run_single(batch))["reward_score"]

    for batch in batches(dataset):
        for place in range(len(batch["id"])):
            row = {name: batch[name][place] for name in batch if name != "dummy_tensor"}
            assert scored(row, f"It is said there.\nAnswer: {row['answer']}") == 1.0
            assert scored(row, "Nobody can know that.") < 0.3
    scorer.loop.close()  # it opened one for itself, which would be found later by another test
    asyncio.set_event_loop(None)
