"""TRL's trainer on packs: samples of a pack do not see one another, and count as their weights say.

A step's loss is ``sum(weights * losses) / sum(weights)`` over all its packs, on however many devices and
in however many turns: LongAlign's (Bai et al., 2024, arXiv 2401.18058, equation 2), where each sample counts
alike. See ``builder.export.packing.pack_row`` for the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from trl import SFTTrainer

_KINDS = {
    "input_ids": torch.long,
    "labels": torch.long,
    "position_ids": torch.long,
    "weights": torch.float32,
}
_AT_ONCE = 2048  # answer tokens whose logits are in memory together


def collate(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """One pack of n tokens as tensors of shape (1, n). No mask: positions keep its samples apart."""
    (row,) = rows
    return {name: torch.tensor([row[name]], dtype=kind) for name, kind in _KINDS.items()}


class PackTrainer(SFTTrainer):
    """An ``SFTTrainer`` whose rows are packs, one on a device at a time."""

    def __init__(self, **given: Any) -> None:
        super().__init__(data_collator=collate, **given)
        # The loss is divided by the weights of a whole step, so turns must not divide it again.
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True

    def _get_num_items_in_batch(
        self, batch_samples: list[dict[str, torch.Tensor]], device: torch.device
    ) -> torch.Tensor:
        """The weights of a step, over its turns and all devices."""
        own = torch.stack([batch["weights"].sum() for batch in batch_samples]).sum().to(device)
        total: torch.Tensor = self.accelerator.gather(own).sum()
        return total

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """The part of the step's loss that this pack has. Logits are made where something is learnt."""
        labels, weights = inputs["labels"][0], inputs["weights"][0]
        learnt = (labels != -100).nonzero().squeeze(1)
        outputs = model(
            input_ids=inputs["input_ids"],
            position_ids=inputs["position_ids"],
            use_cache=False,
            logits_to_keep=learnt - 1,  # what stands before a token predicts it
        )
        logits = outputs.logits[0]
        total = logits.new_zeros((), dtype=torch.float32)
        for start in range(0, len(learnt), _AT_ONCE):
            part = learnt[start : start + _AT_ONCE]
            losses = torch.nn.functional.cross_entropy(
                logits[start : start + _AT_ONCE].float(), labels[part], reduction="none"
            )
            total = total + (losses * weights[part]).sum()
        whole = weights.sum() if num_items_in_batch is None else num_items_in_batch
        # Gradients are averaged over devices, which sum them here.
        loss = total / whole * (self.accelerator.num_processes if num_items_in_batch is not None else 1)
        self._metrics["train"]["num_tokens"] = [self._seen(inputs["input_ids"].numel())]
        return (loss, outputs) if return_outputs else loss

    def _seen(self, tokens: int) -> float:
        self._total_train_tokens += tokens * self.accelerator.num_processes
        return float(self._total_train_tokens)
