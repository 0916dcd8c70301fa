"""Metrics of question answering by name: a prediction, the answers and the classes -> 0..1.

Each is the published definition of the benchmark named beside it (docs/benchmarks.md says where
one differs, and what was compared). Knows nothing of questions, files or benchmarks' tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from synthesis.errors import ConfigError
from synthesis.evaluation.metrics import helmet, labels, overlap

Metric = Callable[[str, Sequence[str], Sequence[str]], float]
"""``(prediction, answers, classes) -> score`` in [0, 1]; without answers it is 0."""


def _best(one: Callable[[str, str], float]) -> Metric:
    """Against several answers the best counts."""

    def score(prediction: str, answers: Sequence[str], classes: Sequence[str] = ()) -> float:
        return max((one(prediction, answer) for answer in answers), default=0.0)

    return score


_FIRST_LINE = "-first-line"
"""Behind a metric's name: only the reply's first line that is not empty counts (LongBench)."""


def _first_line(metric: Metric) -> Metric:
    def score(prediction: str, answers: Sequence[str], classes: Sequence[str] = ()) -> float:
        return metric(prediction.lstrip("\n").split("\n")[0], answers, classes)

    return score


def _all(one: Callable[[str, Sequence[str]], float]) -> Metric:
    def score(prediction: str, answers: Sequence[str], classes: Sequence[str] = ()) -> float:
        return one(prediction, answers)

    return score


_PLAIN: dict[str, Metric] = {
    "f1": _best(overlap.f1),
    "f1-zh": _best(overlap.f1_chinese),
    "exact-match": _best(overlap.exact_match),
    "contains": _best(overlap.contains),
    "all-substrings": _all(overlap.substring_share),
    "any-substring": _all(overlap.any_substring),
    "rouge-l": _best(overlap.rouge_l),
    "rouge-l-zh": _best(overlap.rouge_l_chinese),
    "rouge-l-stem": _best(overlap.stemmed_rouge("rougeL")),
    "rouge-lsum-stem": _best(overlap.stemmed_rouge("rougeLsum")),
    "rouge-mean": _best(overlap.rouge_mean),
    "choice": _best(labels.choice),
    "letter": _best(labels.leading_letter),
    "classification": labels.classification,
    "retrieval": _best(labels.retrieval),
    "retrieval-zh": _best(labels.retrieval_chinese),
    "count": _best(labels.count),
    "code": _best(labels.code_similarity),
    "percentage": _best(labels.percentage),
    "order": _best(labels.concordance),
    "helmet-exact-match": _best(helmet.better("exact_match")),
    "helmet-contains": _best(helmet.better("substring_exact_match")),
    "helmet-f1": _best(helmet.better("f1")),
    "helmet-rouge-l": _best(helmet.better("rougeL_f1")),
    "helmet-value": _best(helmet.better("substring_exact_match", "corresponding value:")),
    "helmet-label": _best(helmet.better("exact_match", "label:", whole=False)),
    "ndcg": helmet.ndcg(10),
}
METRICS: Mapping[str, Metric] = MappingProxyType(
    _PLAIN
    | {f"{name}{_FIRST_LINE}": _first_line(_PLAIN[name]) for name in ("f1", "rouge-l", "classification")}
)


def score(name: str, prediction: str, answers: Sequence[str], classes: Sequence[str] = ()) -> float:
    """How good a prediction is by the metric of that name, 0..1.

    Args:
        name: One of ``METRICS``.
        prediction: The reply.
        answers: Reference answers. The best match counts, except for ``all-substrings``, which
            wants them all.
        classes: The names of all classes, for ``classification``; for ``ndcg`` each document's ID and grade.

    Raises:
        ConfigError: There is no metric of that name.
        MissingExtraError: The library it needs is not installed.
    """
    if name not in METRICS:
        raise ConfigError(f"There is no metric {name!r}. Choose one of {', '.join(sorted(METRICS))}.")
    return METRICS[name](prediction, answers, classes)
