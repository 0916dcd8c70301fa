"""What stands for an asked word in a context that lacks the word itself. English.

"Sustainability" is spoken of where something is sustainable, a "Superbowl" where there is a Super Bowl,
England where things are British. Knows nothing of answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence, Set
from functools import lru_cache
from typing import NamedTuple

from synthesis.coherence.background import COMMON_WEIGHT, weight
from synthesis.coherence.facts.relations import related, synonyms
from synthesis.coherence.facts.values import compatriots
from synthesis.coherence.facts.verbs import base
from synthesis.coherence.reading import Question, View, wanted_terms

# Endings that make a word of another sort; terms have lost "-s", "-ed", "-ing" and a last "e" already.
_ENDING = re.compile(
    r"(?:ations?|itions?|ions?|ments?|ness|ability|ibility|ity|abl|ibl|ably|ibly|ical|ically|ic|al|ally|ially"
    r"|ial|ian|ean|an|ist|ism|iv|ively|ous|ously|ful|ly|er|or|ee|ess|at|iz|is|ify|ifi|anc|enc|ant|ent|hood|ship"
    r"|ish|es|y)\Z"
)
_FAMILY, _MEANING = (
    0.8,
    0.6,
)  # what one of its family counts of an asked word, and one that means much the same
_ROOT = 4  # letters that are left at the least
_PART = 2  # letters of a part of a compound
_COMPOUND = 40  # letters of the longest; what is longer is no word, and all its halves would fill the memory


class _Roots(dict[str, str]):
    """Term -> its root, found the first time it is met. Bounded, however many texts are read."""

    limit = 100_000

    def __missing__(self, term: str) -> str:
        if len(self) >= self.limit:
            self.clear()
        self[term] = found = root(term)
        return found


_ROOTS = _Roots()


def root(term: str) -> str:
    """What words of one family share: "sustainability" and "sustainabl" are "sustain"."""
    plain = base(term)
    if not plain.isascii() or not plain.isalpha():
        return plain
    for _ in range(2):
        ending = _ENDING.search(plain, _ROOT)
        if ending is None:
            break
        plain = plain[: ending.start()]
    return plain.rstrip("e") or plain


def look(text: str, question: Question, sequence: list[str]) -> View:
    """A context with what stands in it for asked words that it lacks; ``sequence`` are its terms.

    Nothing stands for those of the answer itself, nor for any where the answer is a summary.
    """
    wanted = wanted_terms(question)
    if question.answer.kind == "summary":
        return View(text, wanted, sequence)
    there = set(sequence)
    missing = (question.asked.keys() - there).difference(question.answer.terms)
    return View(text, wanted, sequence, kin(missing, sequence, there))


class _Others(NamedTuple):
    """What may stand for a term: words of its ``root`` or ``meaning``, and the ``halves`` it may be of."""

    root: str
    halves: tuple[tuple[str, str], ...]
    meaning: frozenset[str]
    countrymen: frozenset[str]


@lru_cache(maxsize=8192)
def _others(term: str) -> _Others:
    cuts = range(_PART, len(term) - _PART + 1) if len(term) <= _COMPOUND else ()
    alike = frozenset(other for other in compatriots(term) if weight(other) > COMMON_WEIGHT)
    meaning = related((term,)) | synonyms(term)
    return _Others(root(term), tuple((term[:cut], term[cut:]) for cut in cuts), meaning, alike)


def kin(
    missing: Collection[str], sequence: Sequence[str], there: Set[str]
) -> dict[str, tuple[list[str], float]]:
    """Asked terms that a sequence lacks -> those in it that stand for them, and what these count for.

    ``there`` are its terms. Those that nothing stands for are left out.
    """
    if not missing:
        return {}
    wanted = {term: _others(term) for term in sorted(missing)}
    roots: dict[str, list[str]] = {others.root: [] for others in wanted.values()}
    for term in [term for term in there if _ROOTS[term] in roots]:
        roots[_ROOTS[term]].append(term)
    found: dict[str, tuple[list[str], float]] = {}
    for term, others in wanted.items():
        if alike := sorted(roots[others.root]) or _half(others.halves, sequence, there):
            found[term] = alike, _FAMILY
        elif told := others.meaning & there or others.countrymen & there:
            found[term] = sorted(told), _MEANING
    return found


def _half(halves: Iterable[tuple[str, str]], sequence: Sequence[str], there: Collection[str]) -> list[str]:
    """The first of two words that are written as one in the question."""
    for first, second in halves:
        both = first in there and second in there
        if both and (first, second) in zip(sequence, sequence[1:], strict=False):
            return [first]
    return []
