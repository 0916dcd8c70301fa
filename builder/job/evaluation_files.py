"""What an evaluation writes of its answers: a line for each, and the scores of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthesis.data import Usage
from synthesis.evaluation.questions import Prediction, Variant
from synthesis.evaluation.results import Tally
from synthesis.tokens import format_length


def variant_name(variant: Variant) -> str:
    """A variant as a folder is called: ``full``, ``full-8k``, ``full-8k-0.5``."""
    depth = "" if variant.depth is None else f"-{variant.depth:g}"
    return (
        f"{variant.condition}-{format_length(variant.length)}{depth}" if variant.length else variant.condition
    )


def tally_facts(tally: Tally, usage: Usage) -> dict[str, Any]:
    """Scores by condition, length, depth and task, the shares, and what it all took."""
    by_likelihood = tally.shares(lambda mark: None if mark.nll is None else -mark.nll)
    return {
        "conditions": [_condition(tally, variant) for variant in tally.variants()],
        "shares": [_rounded(share._asdict()) for share in tally.shares()],
        "shares_by_likelihood": [_rounded(share._asdict()) for share in by_likelihood],
        "depths": [_rounded(cell._asdict()) for cell in tally.cells()],
        "tokens": {"in": usage.prompt_tokens, "out": usage.output_tokens, "replies": usage.replies},
    }


def _condition(tally: Tally, variant: Variant) -> dict[str, Any]:
    mean, nll = tally.mean(variant), tally.nll(variant)
    tasks = tally.by_task(variant)
    return {
        **_where(variant),
        "questions": len(tally.marks[variant]),
        "failed": tally.failed(variant),
        "score": _rounded(mean._asdict()) if mean else None,
        "metrics": _rounded(tally.by_metric(variant)),
        "tasks": {task: _rounded(found._asdict()) for task, found in tasks.items()},
        "nll_per_token": _rounded(nll._asdict()) if nll else None,
    }


def _where(variant: Variant) -> dict[str, Any]:
    return {
        "condition": variant.condition,
        "length": variant.length or None,
        "depth": variant.depth,
    }


def prediction_line(one: Prediction) -> dict[str, Any]:
    """A line of ``predictions.jsonl``."""
    said = {
        "id": one.question.id,
        "task": one.question.task,
        **_where(one.variant),
        "stands_at": None if one.depth is None else round(one.depth, 4),
        "reply": one.reply,
        "answers": list(one.question.answers),
        "scores": _rounded(one.scores),
        "finish_reason": one.finish_reason,
    }
    if one.loglikelihood is not None:
        said |= {"answer_logprob": round(one.loglikelihood[0], 4), "answer_tokens": one.loglikelihood[1]}
    return said


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
