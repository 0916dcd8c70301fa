"""What is known before any text is read: how telling a word is, and what other contexts look like.

Three data files of the project's own making: ``common.txt`` (everyday words),
``references.json`` (which terms occur in which of 64 generated contexts) and
``calibration.json`` (the fitted weights). Each is read once, on first use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from synthesis.errors import ContextSynthesisError
from synthesis.text.lists import sections
from synthesis.text.words import fold, terms

FUNCTION_WEIGHT = 0.05
COMMON_WEIGHT = 0.35
RARE_WEIGHT = 1.0
_OPENING = "([{\"'“”‘’«„–—-$€£#"
_ENDING = '.!?:"“”'


@dataclass(frozen=True, slots=True)
class Calibration:
    """log-odds = bias + sum(weight * log(part)) + verdict * the facts' log-odds, for a kind of answer."""

    bias: float
    support: float
    relevance: float
    uniqueness: float
    verdict: float = 0.0


def _file(name: str) -> Traversable:
    found = files("synthesis.coherence").joinpath(name)
    if not found.is_file():
        raise ContextSynthesisError(
            f"The package's data file synthesis/coherence/{name} is missing. "
            "Install the package again, or make the file with scripts/calibrate_coherence.py."
        )
    return found


def _read(name: str) -> str:
    return _file(name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _common() -> dict[str, float]:
    weights: dict[str, float] = {}
    listed = sections(_file("common.txt"))
    for name, weight in (("function", FUNCTION_WEIGHT), ("common", COMMON_WEIGHT)):
        for term in filter(None, map(fold, listed[name])):
            weights.setdefault(term, weight)
    return weights


def weight(term: str) -> float:
    """How telling a term is, 0.05 (function word) to 1 (not an everyday word)."""
    return _common().get(term, RARE_WEIGHT)


def weights(sequence: Iterable[str]) -> dict[str, float]:
    """The weight of each distinct term, function words left out unless there is nothing else."""
    common = _common()
    known = {term: common.get(term, RARE_WEIGHT) for term in sequence}
    telling = {term: value for term, value in known.items() if value > FUNCTION_WEIGHT}
    return telling or known


@lru_cache(maxsize=1)
def references() -> tuple[int, dict[str, tuple[int, ...]]]:
    """Number of reference contexts, and per term the numbers of those that hold it."""
    data: dict[str, Any] = json.loads(_read("references.json"))
    held = {mask: tuple(_bits(int(mask, 16))) for mask in set(data["terms"].values())}
    return data["count"], {term: held[mask] for term, mask in data["terms"].items()}


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


@lru_cache(maxsize=1)
def calibration() -> dict[str, Calibration]:
    """Fitted weights per kind of answer."""
    data = json.loads(_read("calibration.json"))
    return {kind: Calibration(**values) for kind, values in data["kinds"].items()}


def names_in(text: str) -> frozenset[str]:
    """Terms written with a capital inside a sentence, and figures: what identifies a subject."""
    found, words = [], text.split()
    for before, word in zip([_ENDING, *words], words, strict=False):
        if word[0].islower():  # most words, and quickly told
            continue
        core = word.lstrip(_OPENING)
        # A capital after a full stop or an opening quotation mark says nothing.
        if core and (core[0].isdigit() or (core[0].isupper() and before[-1] not in _ENDING)):
            found.append(core)
    folded = terms(" ".join(found))
    return frozenset(term for term in folded if weight(term) > COMMON_WEIGHT)
