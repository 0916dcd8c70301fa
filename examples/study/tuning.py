"""A causal language model: tuned on conversations, asked for answers. PyTorch and transformers, nothing else.

Weights are float32 and multiplications bfloat16 where the processor has it. A batch is padded on its
right, so plain causal attention needs no mask, and logits are taken of the answers alone.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from examples.study.arms import Turn
from examples.study.plan import Plan

# Tokens of a batch that is only read: what fits a GPU's memory, what fits a processor's caches.
_MOST_TOKENS = {"cuda": 140_000, "cpu": 4_000}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation as token ids: all before the answer, and the answer with its end of turn."""

    id: str
    prompt: list[int]
    answer: list[int]


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

    def tune(self, turns: Sequence[Turn], plan: Plan, seed: int) -> float:
        """Tune all weights on the answers; returns the mean loss of the last epoch, in nats a token."""
        rows = self.encode(turns)
        steps = plan.epochs * math.ceil(len(rows) / plan.batch)
        warm = max(1, round(plan.warmup * steps))
        optimizer = torch.optim.AdamW(self._model.parameters(), lr=plan.learning_rate, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
        )
        self._model.train()
        losses: list[float] = []
        for epoch in range(plan.epochs):
            order = list(rows)
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
        return sum(losses) / len(losses)

    @torch.inference_mode()
    def nll(self, turns: Sequence[Turn]) -> dict[str, float]:
        """Id -> mean negative log-likelihood of the answer's tokens, in nats."""
        self._model.eval()
        found: dict[str, float] = {}
        for batch in _batches(self.encode(turns), _MOST_TOKENS[self.device]):
            for row, losses in zip(batch, self._losses(batch), strict=True):
                found[row.id] = losses.mean().item()
        return found

    @torch.inference_mode()
    def write(self, turns: Sequence[Turn], longest: int) -> dict[str, str]:
        """Id -> the answer the model writes, the likeliest token each time."""
        self._model.eval()
        found: dict[str, str] = {}
        for batch in _batches(self.encode(turns), _MOST_TOKENS[self.device]):
            for row, ids in zip(batch, self._greedy(batch, longest), strict=True):
                found[row.id] = self._words.decode(ids, skip_special_tokens=True).strip()
        return found

    def _losses(self, rows: Sequence[Encoded]) -> list[torch.Tensor]:
        """The loss of each token of each answer."""
        ids = self._padded([row.prompt + row.answer for row in rows])
        with self._cast():
            states = self._model.model(input_ids=ids, use_cache=False).last_hidden_state
            before = [
                states[at, len(row.prompt) - 1 : len(row.prompt) - 1 + len(row.answer)]
                for at, row in enumerate(rows)
            ]
            logits = self._model.lm_head(torch.cat(before)).float()
        answers = torch.tensor([token for row in rows for token in row.answer], device=self.device)
        losses = torch.nn.functional.cross_entropy(logits, answers, reduction="none")
        return list(losses.split([len(row.answer) for row in rows]))

    def _greedy(self, rows: Sequence[Encoded], longest: int) -> list[list[int]]:
        ids = self._padded([row.prompt for row in rows])
        sizes = torch.tensor([len(row.prompt) for row in rows], device=self.device)
        seen = torch.arange(ids.shape[1], device=self.device)[None, :] < sizes[:, None]
        ends = {self._words.eos_token_id}
        written: list[list[int]] = [[] for _ in rows]
        with self._cast():
            cache = {self._cache: DynamicCache(config=self._model.config)}
            read = self._model.model(input_ids=ids, use_cache=True, **cache).last_hidden_state
            last = read[torch.arange(len(rows), device=self.device), sizes - 1]
            del read
            for step in range(longest):
                tokens = self._model.lm_head(last).argmax(-1)
                open_ = False
                for own, token in zip(written, tokens.tolist(), strict=True):
                    if not own or own[-1] not in ends:
                        own.append(token)
                        open_ = open_ or token not in ends
                if not open_:
                    break
                seen = torch.cat([seen, seen.new_ones(len(rows), 1)], 1)
                # What was padded stays unseen, and places count only what is seen.
                more = self._model.model(
                    input_ids=tokens[:, None],
                    attention_mask=seen.long(),
                    position_ids=(sizes + step)[:, None],
                    use_cache=True,
                    **cache,
                )
                last = more.last_hidden_state[:, -1]
        return written

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
        if batch and (len(batch) + 1) * width > most or len(batch) == 32:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
