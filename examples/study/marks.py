"""How right a written answer is: token F1, exact match, containment, as question answering counts them.

The rule is that of SQuAD: lower case, no punctuation, no English articles; the best of all answers counts.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MARKS = str.maketrans("", "", string.punctuation)


def normal(text: str) -> str:
    """A text as answers are compared."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_MARKS)).split())


def f1(written: str, answers: Sequence[str]) -> float:
    """The best harmonic mean of precision and recall over words, 0..1."""
    return max(_f1(normal(written).split(), normal(answer).split()) for answer in answers)


def exact(written: str, answers: Sequence[str]) -> float:
    """1.0 if the answer is one of ``answers``."""
    return float(normal(written) in map(normal, answers))


def contains(written: str, answers: Sequence[str]) -> float:
    """1.0 if the answer holds one of ``answers``."""
    return float(any(normal(answer) in normal(written) for answer in answers))


def _f1(written: list[str], answer: list[str]) -> float:
    common = (Counter(written) & Counter(answer)).total()
    if not common:
        return 0.0
    precision, recall = common / len(written), common / len(answer)
    return 2 * precision * recall / (precision + recall)
