r"""Tune a chat model on a dataset: TRL and accelerate, packs, loss on the assistant's words alone.

    python -m examples.train runs/mine --config composer-chat-8k --model Qwen/Qwen2.5-0.5B-Instruct --out new
    accelerate launch --config_file recipes/train/fsdp.yaml -m examples.train ORG/NAME \
        --recipe recipes/train/llama-3.1-8b.toml --mix short.jsonl:0.3 --out tuned

The same command goes on where it was stopped. OUT/model is the tuned model (with --lora, the adapter).
No sample is ever cut: one that is longer than a pack is an error that names it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from examples.training.samples import mixed, parse_mix, read_conversations
from synthesis.data import content_hash
from synthesis.errors import ContextSynthesisError, MissingExtraError, UsageError
from synthesis.storage import replace_file
from synthesis.tokens import parse_length


def parser() -> argparse.ArgumentParser:
    """The options, with their defaults."""
    made = argparse.ArgumentParser(
        prog="python -m examples.train", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = made.add_argument
    add("data", help="a run's folder, a dataset folder, OWNER/NAME on the Hub, or a file (export)")
    add("--config", help="its chat config; may be left out where there is only one")
    add("--model", help="a chat model: a folder, or OWNER/NAME on the Hub")
    add("--out", type=Path, help="where checkpoints and the tuned model go")
    add("--recipe", type=Path, help="a TOML file with any of these options, as in recipes/train")
    add("--mix", action="append", default=[], metavar="SOURCE:SHARE", help="short samples, as a share of all")
    add("--length", default="32k", help="tokens of a pack (default: 32k)")
    add("--weighting", choices=("sample", "token"), default="sample", help="what counts alike (sample)")
    add("--batch", type=int, default=8, help="packs a step, over all devices (8)")
    add("--epochs", type=float, default=2.0, help="(2)")
    add("--steps", type=int, default=-1, help="stop after so many steps, whatever the epochs")
    add("--learning-rate", type=float, default=1e-5, help="(1e-5, cosine)")
    add("--warmup", type=float, default=0.03, help="share of the steps (.03)")
    add("--weight-decay", type=float, default=0.1, help="(.1)")
    add("--lora", type=int, default=0, metavar="RANK", help="tune an adapter of this rank, not all weights")
    add("--lora-alpha", type=int, default=0, help="(twice the rank)")
    add("--attention", help="how attention is computed, as flash_attention_2 (the model's default)")
    add("--no-bf16", dest="bf16", action="store_false", help="float32 even where bfloat16 is at hand")
    add("--no-checkpointing", dest="checkpointing", action="store_false", help="keep all activations")
    add("--save-every", type=int, default=50, help="steps between checkpoints (50)")
    add("--seed", type=int, default=0)
    return made


def settings(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options given; those of ``--recipe`` stand in for defaults.

    Raises:
        UsageError: a recipe names what is no option, or one that is needed is missing.
    """
    made = parser()
    recipe = made.parse_args(arguments).recipe
    if recipe is not None:
        try:
            named = tomllib.loads(recipe.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"--recipe {recipe} cannot be read as TOML: {error}.") from None
        known = {action.dest for action in made._actions} - {"help", "data", "recipe"}
        unknown = sorted(set(named) - known)
        if unknown:
            raise UsageError(f"{recipe} has {', '.join(unknown)}, which nothing reads.")
        made.set_defaults(**named)
    given = made.parse_args(arguments)
    for name in ("model", "out"):
        if getattr(given, name) is None:
            raise UsageError(f"--{name} is missing.")
    for name, fits, wanted in _NUMBERS:
        value = getattr(given, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
            raise UsageError(f"--{name.replace('_', '-')} is {value}; give {wanted}.")
    given.length = str(given.length)  # a recipe may have a number
    return given


_NUMBERS: tuple[tuple[str, Callable[[float], bool], str], ...] = (
    ("batch", lambda value: value >= 1, "1 or more"),
    ("epochs", lambda value: 0 < value < float("inf"), "a number above 0"),
    ("steps", lambda value: value == -1 or value >= 1, "1 or more, or leave it out"),
    ("learning_rate", lambda value: 0 < value < float("inf"), "a number above 0"),
    ("warmup", lambda value: 0 <= value < 1, "a share of the steps, 0 to below 1"),
    ("weight_decay", lambda value: 0 <= value < float("inf"), "0 or more"),
    ("lora", lambda value: value >= 0, "a rank, or 0 for none"),
    ("lora_alpha", lambda value: value >= 0, "0 (twice the rank) or more"),
    ("save_every", lambda value: value >= 1, "1 or more"),
)
# What changes nothing in the weights that come of a tuning, but for rounding.
_FREE = ("out", "recipe", "save_every", "checkpointing", "attention", "bf16")


def remember(given: argparse.Namespace) -> None:
    """Write the settings beside the checkpoints, and hold them against those these were made by.

    Raises:
        UsageError: OUT has checkpoints of a tuning with other settings.
    """
    told = {name: str(value) for name, value in vars(given).items() if name not in _FREE}
    file = given.out / "settings.json"
    if file.exists() and (given.out / "checkpoints").exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        other = sorted(name for name in told if before.get(name) != told[name])
        if other:
            raise UsageError(
                f"{given.out} holds a tuning with another --{other[0].replace('_', '-')} "
                f"({before.get(other[0])}, not {told[other[0]]}): give another --out, or remove that one."
            )
    given.out.mkdir(parents=True, exist_ok=True)
    replace_file(file, json.dumps(told, indent=1))


def packs_of(given: argparse.Namespace) -> Path:
    """The packs of a tuning as a Parquet file in OUT, made unless it is there."""
    from builder.export.files import write_rows
    from builder.export.packing import IGNORED, encode_chats, pack, pack_row
    from builder.export.write import PACK
    from synthesis.tokens import load_tokenizer

    length, mixes = parse_length(given.length), [parse_mix(one) for one in given.mix]
    sources = [(one, _state(one)) for one in (given.data, *(mix.source for mix in mixes))]
    key = content_hash(sources, given.config, given.model, length, given.weighting, mixes, given.seed)
    target: Path = given.out / f"packs-{key}.parquet"
    if target.exists():
        return target
    tokenizer = load_tokenizer(given.model)
    tokenizer.check_chat()
    samples = mixed(list(read_conversations(given.data, given.config)), mixes, given.seed)
    counts = Counter[str]()

    def rows() -> Iterator[dict[str, Any]]:
        for group in pack(encode_chats(((one.id, one.messages) for one in samples), tokenizer), length):
            row = pack_row(group)
            if given.weighting == "token":
                row["weights"] = [float(weight > 0) for weight in row["weights"]]
            counts["packs"] += 1
            counts["tokens"] += len(row["input_ids"])
            counts["learnt"] += sum(label != IGNORED for label in row["labels"])
            yield row

    given.out.mkdir(parents=True, exist_ok=True)
    write_rows(target, rows(), PACK)
    print(
        f"{len(samples)} samples, {counts['tokens']:,} tokens of which {counts['learnt']:,} are learnt, in "
        f"{counts['packs']} packs of {length:,}, {counts['tokens'] / length / counts['packs']:.0%} full"
    )
    return target


def _state(source: str) -> list[Any]:
    """What tells whether the files of a source have changed; empty for one on the Hub."""
    path = Path(source).expanduser()
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet")) if path.is_dir() else []
    return [(str(one.resolve()), one.stat().st_size, one.stat().st_mtime_ns) for one in files]


def train(given: argparse.Namespace) -> Path:
    """Tune, or go on tuning; the folder of the tuned model."""
    try:
        import torch
        from accelerate import PartialState
        from datasets import load_dataset
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.trainer_utils import get_last_checkpoint
        from trl import SFTConfig
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "Tuning") from None

    from examples.training.trainer import PackTrainer

    state = PartialState()
    if given.batch % state.num_processes:
        raise UsageError(f"--batch {given.batch} packs cannot be shared among {state.num_processes} devices.")
    with state.main_process_first():
        if state.is_main_process:
            remember(given)
        packs = load_dataset(
            "parquet", data_files=str(packs_of(given)), split="train", cache_dir=str(given.out / "cache")
        )
    gpu = torch.cuda.is_available()
    bf16 = given.bf16 and (torch.cuda.is_bf16_supported() if gpu else torch.cpu._is_avx512_bf16_supported())
    adapter = None
    if given.lora:
        from peft import LoraConfig

        alpha = given.lora_alpha or 2 * given.lora
        adapter = LoraConfig(
            r=given.lora, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM"
        )
    model = AutoModelForCausalLM.from_pretrained(
        given.model,
        # An adapter's model is only read; weights that are tuned in bfloat16 would lose small steps.
        dtype=torch.bfloat16 if given.lora and bf16 else torch.float32,
        **({"attn_implementation": given.attention} if given.attention else {}),
    )
    longest = getattr(model.config, "max_position_embeddings", None)
    needed = max(stop - start for bounds in packs["cu_seqlens"] for start, stop in pairwise(bounds))
    if longest is not None and longest < needed:
        raise UsageError(
            f"{given.model} has {longest:,} positions, and the longest sample {needed:,} tokens. "
            "Tune a model with a longer window, or on a config of shorter samples."
        )
    checkpoints = given.out / "checkpoints"
    trainer = PackTrainer(
        model=model,
        processing_class=AutoTokenizer.from_pretrained(given.model),
        train_dataset=packs.select_columns(["input_ids", "labels", "position_ids", "weights"]),
        peft_config=adapter,
        args=SFTConfig(
            output_dir=str(checkpoints),
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
            max_length=None,  # packs are of the right length, and never cut
            per_device_train_batch_size=1,
            gradient_accumulation_steps=given.batch // state.num_processes,
            num_train_epochs=given.epochs,
            max_steps=given.steps,
            learning_rate=given.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=given.warmup,
            weight_decay=given.weight_decay,
            adam_beta1=0.9,
            adam_beta2=0.95,
            bf16=bf16,
            use_cpu=not gpu,
            gradient_checkpointing=given.checkpointing,
            save_steps=given.save_every,
            save_total_limit=2,
            logging_steps=1,
            report_to="none",
            seed=given.seed,
        ),
    )
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    done: Path = given.out / "model"
    trainer.save_model(str(done))
    if state.is_main_process:
        told = json.dumps({key: str(value) for key, value in vars(given).items()}, indent=1)
        (done / "tuned.json").write_text(told, encoding="utf-8")
        print(f"the tuned model is in {done}")
    return done


def main(arguments: list[str] | None = None) -> int:
    """Tune; 2 if what was given cannot be used."""
    try:
        train(settings(arguments))
    except ContextSynthesisError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
