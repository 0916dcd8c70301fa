"""Whether a prediction names the right thing: a choice's letter, a class, a paragraph, a number, an order."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Sequence

_SENTENCES = (r"The correct answer is \(([A-D])\)", r"The correct answer is ([A-D])")
_LETTER = re.compile(r"\(?([A-Z])\)?(?:[.:),\s]|$)")
_NUMBER = re.compile(r"\d+")
_DECIMAL = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_SIGN = re.compile(r"\s*%")
_NOT_CODE = ("`", "#", "//")


def chosen_letter(prediction: str) -> str:
    """The letter A to D that LongBench v2 finds in a reply, or an empty string."""
    plain = prediction.replace("*", "")
    found = next((match for one in _SENTENCES if (match := re.search(one, plain))), None)
    return found[1] if found else ""


def choice(prediction: str, answer: str) -> float:
    """1 if the sentence "The correct answer is (A)" names the answer's letter (LongBench v2)."""
    return float(chosen_letter(prediction) == answer and answer != "")


def leading_letter(prediction: str, answer: str) -> float:
    """1 if the reply is, or begins with, the answer's letter: "A", "(A)", "A. ..." (ZeroSCROLLS)."""
    found = _LETTER.match(prediction.strip())
    return float(found is not None and found[1] == answer.strip().strip("()."))


def classification(prediction: str, answers: Sequence[str], classes: Sequence[str]) -> float:
    """One over the number of classes that the prediction names, if the right one is among them (LongBench).

    A class whose name is part of the right one's is not counted; of two such in a row the second
    is, as in the published scorer.
    """
    return max((_classified(prediction, answer, classes) for answer in answers), default=0.0)


def _classified(prediction: str, answer: str, classes: Sequence[str]) -> float:
    named = [name for name in classes if name in prediction]
    if answer not in named:
        return 0.0
    at = 0
    while at < len(named):
        if named[at] in answer and named[at] != answer:
            named.remove(named[at])  # the next one moves up to this place, and is passed over
        at += 1
    return 1 / len(named)


def retrieval(prediction: str, answer: str) -> float:
    """The share of the numbers in the prediction that are the answer's, of "Paragraph 12" (LongBench)."""
    return _share_of(prediction, re.search(r"Paragraph (\d+)", answer))


def retrieval_chinese(prediction: str, answer: str) -> float:
    """The same for answers such as "段落12"."""
    return _share_of(prediction, re.search(r"段落(\d+)", answer))


def _share_of(prediction: str, found: re.Match[str] | None) -> float:
    return count(prediction, found[1]) if found else 0.0


def count(prediction: str, answer: str) -> float:
    """The share of the numbers in the prediction that are the answer (LongBench)."""
    numbers = _NUMBER.findall(prediction)
    return numbers.count(answer) / len(numbers) if numbers else 0.0


def code_similarity(prediction: str, answer: str) -> float:
    """Similarity in whole hundredths of the prediction's first line of code to the answer (LongBench).

    Lines with a backtick, ``#`` or ``//`` are not taken for code. By difflib's ratio, twice the
    characters in common blocks over the characters of both.
    """
    lines = prediction.lstrip("\n").split("\n")
    line = next((line for line in lines if not any(mark in line for mark in _NOT_CODE)), "")
    return round(100 * difflib.SequenceMatcher(None, line, answer).ratio()) / 100


def percentage(prediction: str, answer: str) -> float:
    """Halved for each ten points that a percentage is off: 2 ** -(10 * |p - a|) of shares (ZeroSCROLLS).

    The first number with a % sign counts, else the first number of all; without one the score is 0.
    """
    shares = [_share(text) for text in (prediction, answer)]
    if shares[0] is None or shares[1] is None:
        return 0.0
    return float(2 ** (-10 * abs(shares[0] - shares[1])))


def _share(text: str) -> float | None:
    numbers = list(_DECIMAL.finditer(text))
    signed = (found for found in numbers if _SIGN.match(text, found.end()))
    found = next(signed, numbers[0] if numbers else None)
    return min(float(found[0]), 1e9) / 100 if found else None


def concordance(prediction: str, answer: str) -> float:
    """The share of pairs of numbers that stand in the right order: "2, 1, 3" (ZeroSCROLLS).

    0 unless the prediction holds exactly the answer's numbers, each once.
    """
    given, right = (_NUMBER.findall(text) for text in (prediction, answer))
    if sorted(given) != sorted(set(right)) or len(right) < 2:
        return float(bool(right) and given == right)
    place = {number: at for at, number in enumerate(right)}
    pairs = list(itertools.combinations(given, 2))
    return sum(place[a] < place[b] for a, b in pairs) / len(pairs)
