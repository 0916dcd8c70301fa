"""Muon in single precision.

PyTorch's own computes in bfloat16, which costs more than the rest of the step on a CPU without
instructions for it. Method: Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Momentum whose update of each matrix is made orthogonal.

    Args:
        matrices: parameters of two dimensions.
        lr: root mean square of a step's change, in units of ``scale``.
        momentum: share of the past gradient that is kept.
        rounds: Newton-Schulz iterations; four are enough for directions.
    """

    def __init__(
        self, matrices: Iterable[torch.Tensor], *, lr: float, momentum: float = 0.95, rounds: int = 4
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "rounds": rounds})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step on the gradients at hand."""
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                past = state.setdefault("past", torch.zeros_like(parameter))
                past.lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonal(parameter.grad.lerp(past, group["momentum"]), group["rounds"])
                # The size of a typical step of AdamW at this rate.
                parameter.add_(update, alpha=-0.4 * group["lr"] * max(parameter.shape) ** 0.5)


def orthogonal(matrix: torch.Tensor, rounds: int) -> torch.Tensor:
    """The nearest matrix with all singular values near one, by a quintic iteration."""
    a, b, c = _COEFFICIENTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(rounds):
        square = wide @ wide.T
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T
