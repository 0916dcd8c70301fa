"""Train the tiny chat model that tests of real engines run on.

    python scripts/train_test_model.py --minutes 60 --out tests/models/tiny

needs torch, transformers and this package. On two CPU cores the default hour is enough. The
model learns to answer our own prompt in the required form and to copy the answer into it; it
learns no language. Three phases, by the share of the time that has passed:

1. repeated random tokens, which sharpen the copying circuit of the first weights;
2. prompts with most of their fixed lines cut out. What is left keeps the positions it has in the
   full prompt (as in PoSE; Zhu et al., 2023, arXiv 2309.10400), so that little is new in
3. full prompts.

The best weights so far are written to ``--out`` as it goes, measured on pairs that are neither
trained on nor used for the final numbers. All draws come from ``--seed``; how many steps fit in
the time is the machine's business (``--steps`` fixes that, too).
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import math
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer

from scripts.test_model_batches import Example, batches
from scripts.test_model_chats import chat_for
from scripts.test_model_measure import measure
from scripts.test_model_muon import Muon
from scripts.test_model_pairs import held_out_pairs, pairs
from scripts.test_model_weights import first_model, train_tokenizer, write_tokenizer

ROOT = Path(__file__).resolve().parent.parent
RECORD = "training.json"
HELD_OUT, CHECKED = 200, 40
EVERY = 240  # seconds between looks at how it does
WARM, SHORT = 0.04, 0.35
PEAK, FLOOR, RAMP = 2.5e-3, 0.03, 30


@dataclass
class Clock:
    """How far training has come, in time or in steps."""

    seconds: float
    steps: int
    begun: float
    full: bool = False
    step: int = 0
    tokens: int = 0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.begun

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end."""
        return self.step / self.steps if self.steps else self.elapsed / self.seconds

    @property
    def phase(self) -> str:
        """``repeat``, ``short`` or ``full``."""
        if self.full:
            return "full"
        return "repeat" if self.progress < WARM else "short" if self.progress < SHORT else "full"


def tokenizer_texts(seed: int) -> list[str]:
    """What the vocabulary is learnt from: replies, and fewer prompts."""
    rng = random.Random(f"{seed} vocabulary")
    some = itertools.islice(pairs(f"{seed} vocabulary"), 4000)
    chats = [chat_for(pair, rng, repair=0.05) for pair in some]
    prompts = ["\n".join(m.content for m in chat.messages) for chat in chats[:1500]]
    return [chat.reply for chat in chats] + prompts


def optimizers(model: Any) -> list[torch.optim.Optimizer]:
    """Muon for the matrices, AdamW for embeddings, biases and norms."""
    named = list(model.named_parameters())
    matrices = [p for name, p in named if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in named if p.ndim != 2 or "embed" in name]
    return [
        Muon(matrices, lr=PEAK),
        torch.optim.AdamW(others, lr=PEAK, weight_decay=0.0, betas=(0.9, 0.98)),
    ]


def rate(clock: Clock) -> float:
    """The learning rate: a short ramp, then a cosine; half of it for what is trained further."""
    cosine = FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(clock.progress, 1.0)))
    peak = PEAK / 2 if clock.full else PEAK
    return peak * min(1.0, (clock.step + 1) / RAMP) * cosine


def loss_of(model: Any, batch: list[Example], pad: int) -> torch.Tensor:
    """Weighted mean loss of the tokens that are learnt; padding is at the right, out of sight."""
    longest = max(len(example.ids) for example in batch)

    def tensor(rows: list[list[Any]], fill: Any) -> torch.Tensor:
        return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])

    ids = tensor([example.ids for example in batch], pad)
    positions = tensor([example.positions for example in batch], 0)
    weights = tensor([example.weights for example in batch], 0.0)
    # Layer by layer: given jumps in positions, the model as a whole would take a batch for packed.
    hidden = model.model.embed_tokens(ids)
    turned = model.model.rotary_emb(hidden, positions)
    for layer in model.model.layers:
        hidden = layer(hidden, attention_mask=None, position_embeddings=turned)
    learnt = weights[:, 1:] > 0
    logits = model.lm_head(model.model.norm(hidden)[:, :-1][learnt])
    losses = cross_entropy(logits, ids[:, 1:][learnt], reduction="none")
    weight = weights[:, 1:][learnt]
    return (losses * weight).sum() / weight.sum()


def save(model: Any, folder: Path) -> None:
    """Weights in half precision, configured to be loaded in single."""
    half = {name: tensor.half() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    model.save_pretrained(folder, state_dict=half)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "config.json", {**config, "dtype": "float32"})
    (folder / "model.safetensors").chmod(0o644)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Indented, with a line break at the end."""
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def learn(model: Any, batch: list[Example], steppers: list[torch.optim.Optimizer], clock: Clock) -> None:
    """One step on one batch."""
    loss = loss_of(model, batch, model.config.pad_token_id)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for stepper in steppers:
        for group in stepper.param_groups:
            group["lr"] = rate(clock)
        stepper.step()
        stepper.zero_grad()
    clock.step += 1
    clock.tokens += sum(len(example.ids) for example in batch)
    if clock.step % 20 == 0:
        print(
            f"{clock.elapsed:6.0f} s  step {clock.step:5}  {clock.phase:6}  loss {loss.item():.3f}  "
            f"{clock.tokens:,} tokens, {clock.tokens / clock.elapsed:,.0f} per second",
            flush=True,
        )


def train(model: Any, raw: Tokenizer, clock: Clock, before: dict[str, Any], out: Path) -> None:
    """Until the time is over; the best weights so far are in ``out``, with their history."""
    tokenizer = AutoTokenizer.from_pretrained(str(out))
    checks = held_out_pairs(HELD_OUT + CHECKED)[HELD_OUT:]
    steppers, best, checked = optimizers(model), (-1.0, -1.0), 0.0
    # What was seen before is not drawn again.
    for batch in batches(raw, clock, f"{before['seed']} {before['steps']}"):
        learn(model, batch, steppers, clock)
        over = clock.progress >= 1
        if over or (clock.phase != "repeat" and clock.elapsed - checked > EVERY):
            found = measure(model, tokenizer, checks)
            print(f"{clock.elapsed:6.0f} s  {found}", flush=True)
            # Later weights have seen more: they win a tie.
            if (found.answered, found.parsed) >= best:
                best = (found.answered, found.parsed)
                save(model, out)
                write_json(out / RECORD, history(before, clock))
            checked = clock.elapsed
        if over:
            return


def history(before: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """What the record says of the training up to now, earlier invocations included."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": before["seed"],
        "steps": before["steps"] + clock.step,
        "tokens": before["tokens"] + clock.tokens,
        "seconds": before["seconds"] + round(clock.elapsed),
        "note": before["note"],
    }


def main() -> None:
    """Train, measure what is in the folder, and record it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60, help="time to train")
    parser.add_argument("--steps", type=int, default=0, help="train this many steps instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="more only on a machine of one's own")
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "models" / "tiny")
    parser.add_argument("--more", action="store_true", help="train what is in --out further, on full prompts")
    parser.add_argument("--measure", action="store_true", help="only measure again what is in --out")
    arguments = parser.parse_args()
    known = arguments.out / RECORD
    if (arguments.more or arguments.measure) and not known.is_file():
        parser.error(f"there is no {known}: train a model there first, without --more and --measure")
    torch.set_num_threads(arguments.threads)
    if not arguments.measure:
        make(arguments)
    record(arguments.out)


def make(arguments: argparse.Namespace) -> None:
    """Make a model, or take up the one that is there, and train it."""
    out: Path = arguments.out
    torch.manual_seed(arguments.seed)
    clock = Clock(arguments.minutes * 60, arguments.steps, time.monotonic(), full=arguments.more)
    if arguments.more:
        raw = Tokenizer.from_file(str(out / "tokenizer.json"))
        before = json.loads((out / RECORD).read_text(encoding="utf-8"))
        model = AutoModelForCausalLM.from_pretrained(str(out))
    else:
        out.mkdir(parents=True, exist_ok=True)
        raw = train_tokenizer(tokenizer_texts(arguments.seed))
        write_tokenizer(raw, out)
        before = {"seed": arguments.seed, "steps": 0, "tokens": 0, "seconds": 0, "note": ""}
        model = first_model(raw)
    train(model, raw, clock, before, out)


def record(out: Path) -> None:
    """Measure the weights in the folder on held-out pairs; write the record and the README."""
    model = AutoModelForCausalLM.from_pretrained(str(out)).eval()
    past = json.loads((out / RECORD).read_text(encoding="utf-8"))
    held_out = held_out_pairs(HELD_OUT)
    measured = asdict(measure(model, AutoTokenizer.from_pretrained(str(out)), held_out))
    values = {
        **{key: past[key] for key in ("date", "seed", "steps", "tokens", "seconds", "note")},
        "parameters": model.num_parameters(),
        "held_out_pairs": len(held_out),
        "measured": measured,
    }
    write_json(out / RECORD, values)
    config = model.config
    card = (ROOT / "scripts" / "test_model_readme.txt").read_text(encoding="utf-8")
    text = card.format(
        **{key: value for key, value in values.items() if key != "measured"},
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        vocabulary=config.vocab_size,
        positions=config.max_position_embeddings,
        parsed=f"{measured['parsed']:.1%}",
        answered=f"{measured['answered']:.1%}",
        words=measured["words"],
    )
    (out / "README.md").write_text(text, encoding="utf-8")
    print(json.dumps(values, indent=2))


if __name__ == "__main__":
    main()
