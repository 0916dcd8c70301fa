"""What stands for an asked word in a context that lacks the word itself. English.

"Sustainability" is spoken of where something is sustainable, a "Superbowl" where there is a Super Bowl,
England where things are British. Knows nothing of answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from synthesis.coherence.background import COMMON_WEIGHT, weight
from synthesis.coherence.facts.relations import related, synonyms
from synthesis.coherence.facts.values import countries_in
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
)  # of an asked word, what counts one of its family, and one that means much the same
_ROOT = 4  # letters that are left at the least
_PART = 2  # letters of a part of a compound


@lru_cache(maxsize=65_536)
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
    view = View(text, wanted_terms(question), sequence)
    if question.answer.kind != "summary":
        missing = question.asked.keys() - view.places.keys() - set(question.answer.terms)
        view.stand_in(kin(sorted(missing), sequence))
    return view


def kin(missing: Collection[str], sequence: Sequence[str]) -> dict[str, tuple[list[str], float]]:
    """Asked terms that a sequence lacks -> those in it that stand for them, and what these count for.

    Terms that nothing stands for are left out.
    """
    roots: dict[str, list[str]] = {root(term): [] for term in missing}
    if not roots:
        return {}
    there = set(sequence)
    for term in there:
        if (family := roots.get(root(term))) is not None:
            family.append(term)
    found: dict[str, tuple[list[str], float]] = {}
    for term in missing:
        if alike := sorted(roots[root(term)]) or _parts(term, sequence, there):
            found[term] = alike, _FAMILY
        elif alike := sorted((related((term,)) | synonyms(term)) & there) or _countrymen(term, there):
            found[term] = alike, _MEANING
    return found


def _countrymen(term: str, there: Collection[str]) -> list[str]:
    country = countries_in((term,))
    named = (other for other in there if countries_in((other,)) == country)
    return sorted(other for other in named if weight(other) > COMMON_WEIGHT) if country else []


def _parts(term: str, sequence: Sequence[str], there: Collection[str]) -> list[str]:
    """The first of two words that are written as one in the question."""
    for cut in range(_PART, len(term) - _PART + 1):
        first, second = term[:cut], term[cut:]
        both = first in there and second in there
        if both and (first, second) in zip(sequence, sequence[1:], strict=False):
            return [first]
    return []
