"""Which passages of a context that people collected bear on its question.

Passages are what a blank line parts. Those of multi-hop sets are two that carry the evidence and eight
that do not, unmarked; so the evidence is taken to be the passage that states the answer and is nearest
to the question, and the one that says most of what the first leaves open.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from synthesis.text.ngrams import plain_words
from synthesis.text.sentences import sentences
from synthesis.text.states import states

_BLANK = re.compile(r"\n\s*\n")


def needle(context: str, question: str, answers: Sequence[str]) -> str:
    """The two passages that seem to carry the evidence, in the order they stand in."""
    passages = _passages(context)
    return _joined(passages, _ranked(passages, question, answers)[:2])


def shortened(context: str, question: str, answers: Sequence[str], words: int) -> str:
    """The evidence, and the passages nearest to the question while they fit ``words`` words in all.

    A passage of more than half of them is cut to its first sentences and those that state the answer.
    """
    passages = [_cut(passage, answers, words // 2) for passage in _passages(context)]
    ranked = _ranked(passages, question, answers)
    kept = ranked[:2]
    room = words - sum(len(passages[at].split()) for at in kept)
    for at in ranked[2:]:
        size = len(passages[at].split())
        if size <= room:
            kept.append(at)
            room -= size
    return _joined(passages, kept)


def _cut(passage: str, answers: Sequence[str], words: int) -> str:
    if len(passage.split()) <= words:
        return passage
    spans = sentences(passage)
    told = [any(states(passage[start:end], answer) for answer in answers) for start, end in spans]
    sizes = [len(passage[start:end].split()) for start, end in spans]
    room = words - sum(size for size, one in zip(sizes, told, strict=True) if one)
    kept = []
    for (start, end), size, one in zip(spans, sizes, told, strict=True):
        if one or size <= room:
            kept.append(passage[start:end])
            room -= 0 if one else size
    return " ".join(kept) if any(told) or kept else passage


def _passages(context: str) -> list[str]:
    return [one.strip() for one in _BLANK.split(context) if one.strip()]


def _joined(passages: Sequence[str], chosen: Sequence[int]) -> str:
    return "\n\n".join(passages[at] for at in sorted(chosen))


def _ranked(passages: Sequence[str], question: str, answers: Sequence[str]) -> list[int]:
    """Places of the passages: the two of the evidence, then the others, the nearest to the question first."""
    terms = [set(plain_words(passage)) for passage in passages]
    held = Counter(term for one in terms for term in one)
    asked = set(plain_words(question))

    def weight(found: set[str]) -> float:
        # A word that every passage holds tells none apart.
        return sum(math.log((1 + len(terms)) / held[term]) for term in found)

    nearness = [weight(one & asked) for one in terms]
    order = sorted(range(len(passages)), key=lambda at: -nearness[at])
    told = [at for at in order if any(states(passages[at], answer) for answer in answers)]
    if not told or len(order) < 2:
        return order
    first = told[0]
    titles = [set(plain_words(passage.split("\n")[0])) for passage in passages]

    def adds(at: int) -> tuple[bool, float]:
        # A subject that the question names, or the first passage, or one that speaks of the first's subject;
        # then what is asked and the first does not say.
        named = titles[at] <= asked or titles[at] <= terms[first] or titles[first] <= terms[at]
        return named, weight(terms[at] & (asked - terms[first]))

    second = max((at for at in order if at != first), key=adds)
    return [first, second, *(at for at in order if at not in (first, second))]
