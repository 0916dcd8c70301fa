"""A causal language model: tuned on conversations, asked for answers. PyTorch and transformers, nothing else.

Weights are tuned in float32 and multiplied in bfloat16 where the processor has it; there they are rounded
to it before the model is asked, as models are served. A batch is padded on its right, so plain causal
attention needs no mask; logits are taken of the answers alone, in float32.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from examples.study.plan import Plan
from examples.study.turns import Turn

# Tokens of a batch that is only read: what fits a GPU's memory, what fits a processor's caches.
_MOST_TOKENS = {"cuda": 140_000, "cpu": 4_000}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation as token ids: all before the answer, and the answer with its end of turn."""

    id: str
    prompt: list[int]
    answer: list[int]


class Reply(NamedTuple):
    """Mean negative log-likelihood of the right answer's tokens, in nats, and what the model wrote itself."""

    nll: float
    written: str = ""


class Tuned(NamedTuple):
    """Mean loss of the last epoch, in nats a token; steps of all epochs, and the tokens that they read."""

    loss: float
    steps: int
    tokens: int


class Model:
    """A model folder, loaded; ``seed`` decides whatever is drawn."""

    def __init__(self, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self._words = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(self.device)
        takes = inspect.signature(type(self._model.model).forward).parameters
        self._cache = "cache" if "cache" in takes else "past_key_values"  # its name before transformers 5.24
        self.fast = self.device == "cuda" or _multiplies_bfloat16()

    def encode(self, turns: Sequence[Turn]) -> list[Encoded]:
        """Conversations as the model's chat template writes them."""
        end = self._words.eos_token
        return [
            Encoded(
                turn.id,
                self._words.apply_chat_template(
                    [{"role": "user", "content": turn.user}], add_generation_prompt=True, return_dict=False
                ),
                self._words.encode(turn.answer + end, add_special_tokens=False),
            )
            for turn in turns
        ]

    def tune(self, turns: Sequence[Sequence[Turn]], plan: Plan, seed: int) -> Tuned:
        """Tune all weights on the answers; ``turns`` has the conversations of each epoch."""
        each = list(dict.fromkeys(turn for one in turns for turn in one))
        encoded = dict(zip(each, self.encode(each), strict=True))
        rows = [[encoded[turn] for turn in one] for one in turns]
        steps = sum(math.ceil(len(one) / plan.batch) for one in rows)
        warm = max(1, round(plan.warmup * steps))
        optimizer = torch.optim.AdamW(self._model.parameters(), lr=plan.learning_rate, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
        )
        self._model.train()
        losses: list[float] = []
        for epoch, one in enumerate(rows):
            order = list(one)
            Random(f"epoch {seed} {epoch}").shuffle(order)
            losses = []
            for start in range(0, len(order), plan.batch):
                loss = torch.cat(self._losses(order[start : start + plan.batch])).mean()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)
                losses.append(loss.item())
        tokens = sum(len(row.prompt) + len(row.answer) for one in rows for row in one)
        return Tuned(sum(losses) / len(losses), steps, tokens)

    @torch.inference_mode()
    def ask(self, turns: Sequence[Turn], longest: int = 0) -> dict[str, Reply]:
        """Id -> how likely the answer is, and what the model writes, the likeliest token each time.

        ``longest`` is how many of them at most; 0 for the likelihood alone. A prompt is read once for both.
        After this the model cannot be tuned on.
        """
        self._model.eval()
        if self.fast:
            self._model.to(torch.bfloat16)
        found: dict[str, Reply] = {}
        for batch in _batches(self.encode(turns), _MOST_TOKENS[self.device]):
            if longest:
                found |= self._asked(batch, longest)
            else:
                losses = self._losses(batch)
                found |= {row.id: Reply(one.mean().item()) for row, one in zip(batch, losses, strict=True)}
        return found

    def _losses(self, rows: Sequence[Encoded]) -> list[torch.Tensor]:
        """The loss of each token of each answer."""
        ids = self._padded([row.prompt + row.answer for row in rows])
        with self._cast():
            states = self._model.model(input_ids=ids, use_cache=False).last_hidden_state
        begins = [len(row.prompt) - 1 for row in rows]
        return self._losses_of(
            rows, [own[at : at + len(row.answer)] for own, at, row in zip(states, begins, rows, strict=True)]
        )

    def _losses_of(self, rows: Sequence[Encoded], before: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The same, from the states before each token: [tokens of the answer, width of the model] a row."""
        answers = torch.tensor([token for row in rows for token in row.answer], device=self.device)
        losses = torch.nn.functional.cross_entropy(
            self._logits(torch.cat(list(before))), answers, reduction="none"
        )
        return list(losses.split([len(row.answer) for row in rows]))

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        # Not in bfloat16: a logit of 20 would be rounded by .06.
        return torch.nn.functional.linear(states.float(), self._model.lm_head.weight.float())

    def _asked(self, rows: Sequence[Encoded], longest: int) -> dict[str, Reply]:
        ids = self._padded([row.prompt for row in rows])
        sizes = torch.tensor([len(row.prompt) for row in rows], device=self.device)
        seen = torch.arange(ids.shape[1], device=self.device)[None, :] < sizes[:, None]
        cache = DynamicCache(config=self._model.config)
        last = self._read(ids, cache)[torch.arange(len(rows), device=self.device), sizes - 1]
        answers = self._padded([row.answer for row in rows])
        more = self._read(answers, cache, seen, sizes)
        cache.crop(-answers.shape[1])  # what is written goes on from the prompt
        before = [
            torch.cat([one[None], own[: len(row.answer) - 1]])
            for one, own, row in zip(last, more, rows, strict=True)
        ]
        nll = [one.mean().item() for one in self._losses_of(rows, before)]
        written: list[list[int]] = [[] for _ in rows]
        end = self._words.eos_token_id
        for step in range(longest):
            tokens = self._logits(last).argmax(-1)
            for own, token in zip(written, tokens.tolist(), strict=True):
                if end not in own[-1:]:
                    own.append(token)
            if all(end in own[-1:] for own in written):
                break
            last = self._read(tokens[:, None], cache, seen, sizes + step)[:, -1]
            seen = torch.cat([seen, seen.new_ones(len(rows), 1)], 1)
        texts = [self._words.decode(own, skip_special_tokens=True).strip() for own in written]
        return {row.id: Reply(*one) for row, one in zip(rows, zip(nll, texts, strict=True), strict=True)}

    def _read(
        self,
        ids: torch.Tensor,
        cache: DynamicCache,
        seen: torch.Tensor | None = None,
        begins: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The states of ``ids``: a prompt's, or of what follows one, of which the padding is not ``seen``."""
        further: dict[str, torch.Tensor] = {}
        if seen is not None and begins is not None:
            # What was padded stays unseen, and places count only what is seen.
            further["attention_mask"] = torch.cat([seen, seen.new_ones(ids.shape)], 1).long()
            further["position_ids"] = begins[:, None] + torch.arange(ids.shape[1], device=self.device)
        with self._cast():
            read: torch.Tensor = self._model.model(
                input_ids=ids, use_cache=True, **{self._cache: cache}, **further
            ).last_hidden_state
        return read

    def _padded(self, rows: Sequence[list[int]]) -> torch.Tensor:
        width = max(map(len, rows))
        return torch.tensor([row + [0] * (width - len(row)) for row in rows], device=self.device)

    def _cast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device, torch.bfloat16, enabled=self.fast)


def _multiplies_bfloat16() -> bool:
    """Whether this processor does so by itself, with tiles or with vectors."""
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def _batches(rows: Sequence[Encoded], most: int) -> Iterator[list[Encoded]]:
    """Rows of like length together, as many as a batch may have tokens."""
    batch: list[Encoded] = []
    for row in sorted(rows, key=lambda one: -len(one.prompt)):
        width = len((batch or [row])[0].prompt) + 32
        if batch and (len(batch) + 1) * width > most or len(batch) == 64:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
