"""examples/train.py: what is learnt, token by token; the loss of a step; going on after a kill; adapters."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import load_dataset
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer

from examples.train import main, packs_of, remember, settings, train
from examples.training.samples import mixed, parse_mix, read_conversations
from synthesis.errors import SourceError, UsageError
from synthesis.tokens import parse_length
from tests.torch.models import save_random_model

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

RECIPES = Path(__file__).parents[2] / "recipes" / "train"
ANSWERS = ["dark green", "under the blue flowerpot", "seventeen", "Ingrid Solberg and her two brothers", "no"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_model(tmp_path_factory.mktemp("model") / "random")


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Any:
    return AutoTokenizer.from_pretrained(model)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conversations of 60 to 300 tokens, as an export writes them; the fourth has two answers."""
    rows = []
    for number, answer in enumerate(ANSWERS * 4):
        said = (
            f"Note {number}. " + "The neighbours kept a dog and a boat. " * (4 + 3 * (number % 9)) + "What?"
        )
        turns = [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]
        if number == 3:
            turns += [{"role": "user", "content": "Sure?"}, {"role": "assistant", "content": "Yes, quite."}]
        rows.append({"id": f"row{number}", "messages": turns})
    file = tmp_path_factory.mktemp("data") / "export.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def given(data: Path, model: Path, out: Path, *more: str) -> list[str]:
    return [str(data), "--model", str(model), "--out", str(out), "--length", "1k", "--batch", "2", *more]


def test_only_what_the_assistant_says_is_learnt(
    data: Path, model: Path, tokenizer: Any, tmp_path: Path
) -> None:
    file = packs_of(settings(given(data, model, tmp_path / "out")))
    packs = load_dataset("parquet", data_files=str(file), split="train", cache_dir=str(tmp_path / "c"))
    told = {one.id: one.messages for one in read_conversations(str(data), None)}
    seen = {}
    for pack in packs:
        assert len(pack["input_ids"]) <= 1024
        for name, start, stop in zip(pack["ids"], pack["cu_seqlens"], pack["cu_seqlens"][1:], strict=False):
            labels = pack["labels"][start:stop]
            assert all(
                label in (-100, token)
                for label, token in zip(labels, pack["input_ids"][start:stop], strict=True)
            )
            seen[name] = tokenizer.decode([label for label in labels if label != -100])
            assert pack["position_ids"][start:stop] == list(range(stop - start))
    end = tokenizer.eos_token
    assert seen == {
        name: "".join(turn.content + end for turn in turns if turn.role == "assistant")
        for name, turns in told.items()
    }


def test_a_steps_loss_is_the_mean_over_its_samples(data: Path, model: Path, tmp_path: Path) -> None:
    """Over packs of unlike numbers of samples and answers of unlike lengths, in two turns of a step."""
    out = tmp_path / "out"
    train(
        settings(given(data, model, out, "--steps", "1", "--epochs", "1", "--batch", "7", "--length", "512"))
    )
    state = json.loads((out / "checkpoints" / "checkpoint-1" / "trainer_state.json").read_text())
    plain = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    packs = load_dataset(
        "parquet", data_files=str(next(out.glob("packs-*"))), split="train", cache_dir=str(tmp_path / "c")
    )
    assert len(packs) == 7
    means = {}
    for pack in packs:
        for name, start, stop in zip(pack["ids"], pack["cu_seqlens"], pack["cu_seqlens"][1:], strict=False):
            ids = torch.tensor([pack["input_ids"][start:stop]])
            labels = torch.tensor(pack["labels"][start:stop])
            with torch.inference_mode():
                logits = plain(ids).logits[0]
            means[name] = cross_entropy(logits[:-1], labels[1:], ignore_index=-100).item()
    assert len(means) == 20
    assert state["log_history"][0]["loss"] == pytest.approx(sum(means.values()) / 20, rel=2e-2)


def test_what_was_stopped_goes_on_to_the_same_weights(data: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = given(data, model, out, "--steps", "4", "--save-every", "2", "--learning-rate", "1e-3")
    done = train(settings(arguments))
    whole = load_file(done / "model.safetensors")
    assert any(
        not torch.equal(whole[name], one) for name, one in load_file(model / "model.safetensors").items()
    )
    # As a kill after the third step leaves it.
    shutil.rmtree(done)
    shutil.rmtree(out / "checkpoints" / "checkpoint-4")
    packs = next(out.glob("packs-*")).stat().st_mtime_ns
    again = load_file(train(settings(arguments)) / "model.safetensors")
    assert whole.keys() == again.keys() and all(torch.equal(whole[name], again[name]) for name in whole)
    assert next(out.glob("packs-*")).stat().st_mtime_ns == packs
    state = json.loads((out / "checkpoints" / "checkpoint-4" / "trainer_state.json").read_text())
    assert state["global_step"] == 4


def test_an_adapter_leaves_the_model_alone(data: Path, model: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    recipe = tmp_path / "recipe.toml"
    recipe.write_text('lora = 4\nlength = "512"\nsteps = 2\nlearning_rate = 1e-2\n', encoding="utf-8")
    before = (model / "model.safetensors").read_bytes()
    done = train(
        settings([str(data), "--model", str(model), "--out", str(tmp_path / "out"), "--recipe", str(recipe)])
    )
    assert (model / "model.safetensors").read_bytes() == before
    assert not (done / "model.safetensors").exists()
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), str(done))
    assert any(weight.abs().sum() > 0 for name, weight in tuned.named_parameters() if "lora_B" in name)


def test_short_samples_make_their_share(data: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.jsonl"
    rows = [{"instruction": f"Add {n} and 1.", "answer": str(n + 1)} for n in range(30)]
    short.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    long = list(read_conversations(str(data), None))
    made = mixed(long, [parse_mix(f"{short}:0.5")], 0)
    assert len(made) == 40 and {one.id for one in long} <= {one.id for one in made}
    assert [one.id for one in made] == [one.id for one in mixed(long, [parse_mix(f"{short}:0.5")], 0)]
    assert [one.id for one in made] != [one.id for one in mixed(long, [parse_mix(f"{short}:0.5")], 1)]
    with pytest.raises(UsageError, match=r"takes 80 .* there are 30.*0\.6 at most"):
        mixed(long, [parse_mix(f"{short}:0.8")], 0)
    for wrong in (f"{short}", f"{short}:1.5", ":0.3", f"{short}:x"):
        with pytest.raises(UsageError, match="share"):
            parse_mix(wrong)


def test_nothing_is_cut_and_bad_input_is_named(
    data: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(given(data, model, tmp_path / "out", "--length", "64")) == 2
    told = capsys.readouterr().err
    assert "sample row" in told and "more than the 64 of a pack" in told
    assert not list((tmp_path / "out").glob("packs-*"))
    short = save_random_model(tmp_path / "short", max_position_embeddings=100)
    assert main(given(data, short, tmp_path / "out")) == 2
    assert "100 positions" in capsys.readouterr().err
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": [{"role": "user", "content": "Hello?"}]}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"bad\.jsonl, row 1: .*nothing to learn"):
        list(read_conversations(str(bad), None))
    bad.write_text('{"input_ids": [1, 2], "labels": [-100, 2]}\n', encoding="utf-8")
    with pytest.raises(SourceError, match="tokens already"):
        list(read_conversations(str(bad), None))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("lore = 4\n", encoding="utf-8")
    with pytest.raises(UsageError, match="lore, which nothing reads"):
        settings([*given(data, model, tmp_path), "--recipe", str(recipe)])
    for text, message in (("batch = 0\n", "--batch is 0; give 1"), ("batch =\n", "cannot be read as TOML")):
        recipe.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=message):
            settings([str(data), "--model", "m", "--out", "o", "--recipe", str(recipe)])
    for wrong in (
        "--batch=-1",
        "--learning-rate=nan",
        "--steps=-3",
        "--epochs=0",
        "--save-every=0",
        "--lora=-1",
    ):
        with pytest.raises(UsageError, match=wrong.partition("=")[0]):
            settings([*given(data, model, tmp_path), wrong])
    # What goes on where it was stopped goes on with the same settings, or not at all.
    before = tmp_path / "before"
    (before / "checkpoints").mkdir(parents=True)
    remember(settings(given(data, model, before)))
    remember(settings(given(data, model, before, "--save-every", "7")))
    with pytest.raises(UsageError, match=r"holds a tuning with another --seed \(0, not 3\)"):
        remember(settings(given(data, model, before, "--seed", "3")))


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_are_read(recipe: Path) -> None:
    read = settings(["runs/mine", "--model", "M", "--out", "o", "--recipe", str(recipe), "--batch", "16"])
    assert read.batch == 16 and parse_length(read.length) >= 1024 and 0 < read.learning_rate < 1e-3
    assert f"--recipe {recipe.relative_to(RECIPES.parents[1])}" in recipe.read_text("utf-8")


def test_settings_of_accelerate_are_its_own() -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    read = load_config_from_file(str(RECIPES / "fsdp.yaml"))
    assert read.num_processes == 8 and read.mixed_precision == "bf16"
    known = {action.dest for action in launch_command_parser()._actions}
    assert set(read.fsdp_config) <= known


def test_settings_of_trl_are_its_own(tmp_path: Path) -> None:
    from trl import DPOConfig, ModelConfig, ScriptArguments, TrlParser
    from trl.scripts.utils import DatasetMixtureConfig

    recipe = tmp_path / "trl-dpo.yaml"  # without what needs a GPU
    recipe.write_text((RECIPES / "trl-dpo.yaml").read_text("utf-8").replace("bf16: true", "bf16: false"))
    parser = TrlParser((ScriptArguments, DPOConfig, ModelConfig, DatasetMixtureConfig))
    _, settings, model, data = parser.parse_args_and_config(["--config", str(recipe)])
    assert settings.max_length == 32768 and model.lora_r == 32
    assert data.datasets[0].data_files == "pairs.parquet"
