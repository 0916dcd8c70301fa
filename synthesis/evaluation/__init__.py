"""Any engine answers questions under matched conditions, and what that says of it."""

from synthesis.evaluation.evaluating import evaluate

__all__ = ["evaluate"]
