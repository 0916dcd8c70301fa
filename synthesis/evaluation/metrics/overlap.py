"""How much a prediction and an answer share: words, substrings, longest common subsequences."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from synthesis.errors import MissingExtraError
from synthesis.evaluation.metrics.words import chinese_words, normalized, segmented, words

_CONTROL = re.compile("[\0-\x1f]")


def f1(prediction: str, answer: str) -> float:
    """Harmonic mean of precision and recall of the answer's words (SQuAD)."""
    return _f1(words(prediction), words(answer))


def f1_chinese(prediction: str, answer: str) -> float:
    """The same of Chinese words (LongBench)."""
    return _f1(chinese_words(prediction), chinese_words(answer))


def _f1(predicted: list[str], expected: list[str]) -> float:
    shared = sum((Counter(predicted) & Counter(expected)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(expected)
    return 2 * precision * recall / (precision + recall)


def exact_match(prediction: str, answer: str) -> float:
    """1 if both are the same when normalized (SQuAD)."""
    return float(_kept(prediction) == _kept(answer))


def contains(prediction: str, answer: str) -> float:
    """1 if the answer stands in the prediction, both normalized, also inside a longer word (HELMET)."""
    if normalized(answer):
        return float(normalized(answer) in normalized(prediction))
    return exact_match(prediction, answer)


def _kept(text: str) -> str:
    # Of "The" or "?" nothing is left, and nothing stands in every text.
    return normalized(text) or text.strip().lower()


def substring_share(prediction: str, answers: Sequence[str]) -> float:
    """The share of the answers that stand in the prediction, whatever their case (RULER, all)."""
    text = _printable(prediction).lower()
    return sum(answer.lower() in text for answer in answers) / len(answers) if answers else 0.0


def any_substring(prediction: str, answers: Sequence[str]) -> float:
    """1 if one of the answers stands in the prediction, whatever its case (RULER, part)."""
    text = _printable(prediction).lower()
    return float(any(answer.lower() in text for answer in answers))


def _printable(text: str) -> str:
    return _CONTROL.sub("\n", text.strip()).strip()


def rouge_l(prediction: str, answer: str) -> float:
    """F of ROUGE-L over the sentences of both, as LongBench takes it from the package ``rouge``.

    A sentence ends at a full stop and nowhere else. 0 where that package fails: a text without a
    word, or a common subsequence it would have to walk deeper than Python lets it.

    Raises:
        MissingExtraError: rouge is not installed.
    """
    sides = [[len(part.split()) for part in text.split(".")] for text in (prediction, answer)]
    if min(max(side) for side in sides) > sys.getrecursionlimit():
        return 0.0  # it would fill a table of millions first
    try:
        return float(_rouge().get_scores(prediction, answer, avg=True)["rouge-l"]["f"])
    except (ValueError, RecursionError):
        return 0.0


def rouge_l_chinese(prediction: str, answer: str) -> float:
    """The same of Chinese words, as jieba cuts them (LongBench)."""
    return rouge_l(" ".join(segmented(prediction)), " ".join(segmented(answer)))


@cache
def _rouge() -> Any:
    try:
        from rouge import Rouge
    except ModuleNotFoundError:
        raise MissingExtraError("rouge", "eval", "ROUGE-L") from None
    return Rouge(metrics=["rouge-l"])


def stemmed_rouge(kind: str, what: str = "fmeasure") -> Callable[[str, str], float]:
    """F (or ``recall``) of ``rougeL``, ``rougeLsum``, ... over word stems, by ``rouge_score`` (HELMET)."""

    def score(prediction: str, answer: str) -> float:
        return float(getattr(_stemmed().score(answer, prediction)[kind], what))

    return score


def rouge_mean(prediction: str, answer: str) -> float:
    """Geometric mean of the F of ROUGE-1, ROUGE-2 and ROUGE-L over word stems (ZeroSCROLLS)."""
    scores = _stemmed().score(answer, prediction)
    product = 1.0
    for kind in ("rouge1", "rouge2", "rougeL"):
        product *= float(scores[kind].fmeasure)
    return float(product ** (1 / 3))


@cache
def _stemmed() -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ModuleNotFoundError:
        raise MissingExtraError("rouge_score", "eval", "ROUGE over word stems") from None
    return RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
