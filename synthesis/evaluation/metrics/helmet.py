"""What HELMET does to a reply before it scores: the better of the whole and of what follows "Answer:" counts.

Where all answers are to be found, or documents are to be ranked, the whole reply is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Final

from synthesis.evaluation.metrics.overlap import contains, exact_match, f1, stemmed_rouge
from synthesis.evaluation.metrics.words import normalized

_ALONE: Final = ("yes", "no", "noanswer")
_RANKING: Final = re.compile(r"\d+(?:\s*>\s*\d+)*")
_IGNORED: Final = re.compile(r"[\[\]:]")
RANKS: Final = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
"""The places to which rankings are scored."""


def _f1(prediction: str, answer: str) -> float:
    """F1 of words, but yes, no and noanswer count only where both are the same."""
    given, right = normalized(prediction), normalized(answer)
    return 0.0 if given != right and (given in _ALONE or right in _ALONE) else f1(prediction, answer)


ONE_ANSWER: Final[dict[str, Callable[[str, str], float]]] = {
    "exact_match": exact_match,
    "f1": _f1,
    "substring_exact_match": contains,
    "rougeL_f1": stemmed_rouge("rougeL"),
    "rougeL_recall": stemmed_rouge("rougeL", "recall"),
    "rougeLsum_f1": stemmed_rouge("rougeLsum"),
    "rougeLsum_recall": stemmed_rouge("rougeLsum", "recall"),
}
"""HELMET's names of what it scores a reply by against one answer."""


def parsed(reply: str, mark: str = "answer:") -> str:
    """What follows the first mark in its line, whatever its case; without one the first line."""
    found = re.search(re.escape(mark), reply, re.IGNORECASE)
    line = reply[found.end() if found else 0 :].split("\n", 1)[0].strip()
    again = re.match(re.escape(mark), line, re.IGNORECASE)
    return line[again.end() if again else 0 :].strip()


def better(name: str, mark: str = "answer:", *, whole: bool = True) -> Callable[[str, str], float]:
    """One of ``ONE_ANSWER`` of the whole reply and of what follows the mark, the better of both."""

    def score(prediction: str, answer: str) -> float:
        one = ONE_ANSWER[name]
        after = one(parsed(prediction, mark), answer)
        return max(after, one(prediction, answer)) if whole else after

    return score


def ranked(reply: str) -> list[str]:
    """The IDs of the longest run such as "ID3 > ID1 > ID2", each once, in order."""
    plain = _IGNORED.sub("", reply).lower().replace("id", "")
    runs = _RANKING.findall(plain)
    longest = max(runs, key=len, default="")
    return list(dict.fromkeys(one.strip() for one in longest.split(">") if one.strip()))


def ndcg(place: int) -> Callable[[str, Sequence[str], Sequence[str]], float]:
    """Discounted gain of a ranking's first places over the best one's; classes are ``ID GRADE``."""

    def score(prediction: str, answers: Sequence[str], classes: Sequence[str]) -> float:
        parts = (one.rpartition(" ") for one in classes)
        grades = {name: int(grade) if grade.isdecimal() else 0 for name, _, grade in parts}
        best = _gain(sorted(grades.values(), reverse=True)[:place])
        found = _gain([grades.get(name, 0) for name in ranked(prediction)[:place]])
        return found / best if best else 0.0

    return score


def _gain(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / math.log2(rank + 2) for rank, grade in enumerate(grades))
