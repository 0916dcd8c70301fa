"""Support, relevance and uniqueness of one context for one question, before calibration.

Knows nothing of other rows: the only contexts it compares with are the fixed references.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from synthesis.coherence.background import references
from synthesis.coherence.facts.derived import Derived
from synthesis.coherence.facts.keyfacts import KeyFacts
from synthesis.coherence.facts.verifier import Verified
from synthesis.coherence.reading import HALF, Question, View
from synthesis.text.numbers import Quantity, agreement, quantities
from synthesis.text.states import places, states
from synthesis.text.words import is_solid, terms

# An answer that is not stated but whose words stand together is worth this much of their coverage;
# longer answers are rarely repeated word for word, so theirs is worth more.
_UNSTATED = 0.55
_UNSTATED_PER_TERM = 0.03
_UNSTATED_MOST = 0.85
_GIVEN_AWAY = 0.8  # an answer that the instruction itself contains
_NEARBY = 0.3  # part of the support that depends on the answer standing among what was asked
_NAMED = 0.9  # share of a summary's names and figures that must be found for it to count as stated
_LISTED, _SCATTERED = 3, 0.6  # figures that make a list, and what it is worth where they stand apart
_REACH = 12  # terms on either side of a place that count as its neighbourhood
_RECKONED = 0.9  # share of an answer that follows from figures which are told
_FOLLOWS = 0.95  # each part, at the least, where the answer follows from what is stated of both sides
_SHARPNESS = 0.08  # temperature of the softmax against the references
_LENGTH_DISCOUNT = 0.05  # long contexts cover more by chance


@dataclass(frozen=True, slots=True)
class Parts:
    """``stated`` tells whether the answer itself was found.

    ``spans`` are (start, end) in terms, ``chars`` in characters where these are known already
    (numbers). ``verified`` says whether this answer follows rather than another. ``nearest``
    compares the answer's surroundings with the best surroundings anywhere in the context, 0..1.
    ``derived`` is there where the answer only follows from figures, whose places these then are.
    ``brief`` is 1 for a short answer's context of up to 80 terms and 0 from 160 on: such a passage holds
    few of the question's words, and few rivals.
    """

    support: float
    relevance: float
    uniqueness: float
    stated: bool
    spans: tuple[tuple[int, int], ...]
    nearest: float
    windows: tuple[float, ...]
    chars: tuple[tuple[int, int], ...] = ()
    verified: Verified = Verified()
    facts: KeyFacts = KeyFacts()
    derived: Derived | None = None
    brief: float = 0.0


@dataclass(frozen=True, slots=True)
class _Found:
    share: float
    stated: bool
    spans: tuple[tuple[int, int], ...]
    chars: tuple[tuple[int, int], ...] = ()


def measure(text: str, view: View, question: Question, derived: Derived | None = None) -> Parts:
    """The parts of one context, given the view made of it for the question.

    ``derived`` says how the answer, where it isn't stated, follows from figures that are.
    """
    if not view.size:
        return Parts(0.0, 0.0, 0.0, False, (), 0.0, ())
    if question.answer.kind == "summary":
        return _summary(view, question)
    if question.answer.kind == "yes/no":
        return _polar(view, question)
    return _short(text, view, question, derived)


def grounded(parts: Parts, verified: Verified) -> Parts:
    """The parts with what the facts say: values that stand apart support what follows from them."""
    if not verified.right or verified.decision is None:
        return replace(parts, verified=verified)
    return replace(
        parts,
        support=max(parts.support, _FOLLOWS),
        relevance=max(parts.relevance, _FOLLOWS),
        uniqueness=max(parts.uniqueness, _FOLLOWS),
        verified=verified,
    )


def _polar(view: View, question: Question) -> Parts:
    relevance = view.best_two(question.asked)
    unique = _uniqueness(question.asked, relevance, view.size)
    sums = view.sums(question.asked)
    return Parts(
        relevance, relevance, unique, False, (), 0.0, _strip(_shares(sums, question.asked), view.size)
    )


def _short(text: str, view: View, question: Question, derived: Derived | None) -> Parts:
    if len(question.answer.amounts) >= _LISTED:
        found = _figures(text, view, question)
    elif question.answer.amounts:
        found = _numeric(text, view, question)
    else:
        found = _phrase(text, view, question)
    found = found if found.share else _character(text, view, question)
    if derived is None or found.stated:
        derived = None
    else:
        found = _Found(_RECKONED, True, _places_of(text, derived.places), derived.places)
    unstated = _unstated_share(view, question)
    given_away = bool(question.stated) and question.stated.keys() <= question.asked.keys()
    # Numbers may be cut where terms are not ("1,1"), so their places may lie a little beyond the last.
    starts = {min(start, view.size - 1) for start, _ in found.spans}
    through = {w for start in starts for w in (start // HALF, start // HALF + 1)}
    asked = {t: w for t, w in question.asked.items() if t not in question.stated} or question.asked
    relevance = view.best_two(asked or question.stated, through or None)
    nearest, near = _surroundings(view, asked, found.spans)
    support = max(found.share * (1 - _NEARBY + _NEARBY * near), unstated) * (_GIVEN_AWAY if given_away else 1)
    unique = _uniqueness({**question.stated, **asked}, (relevance + found.share) / 2, view.size)
    if len(question.answer.amounts) >= _LISTED and found.stated:
        unique = max(unique, _FOLLOWS)  # single figures are common, their list is not
    sums = view.sums(asked)
    shares = [0.5 * share for share in _shares(sums, asked)]
    for w in through:
        shares[w] += 0.5 * found.share
    return Parts(
        support,
        relevance,
        unique,
        found.stated,
        found.spans,
        nearest,
        _strip(shares, view.size),
        found.chars,
        derived=derived,
        brief=min(1.0, max(0.0, 2 - view.size / (2 * HALF))),
    )


def _unstated_share(view: View, question: Question) -> float:
    most = min(_UNSTATED_MOST, _UNSTATED + _UNSTATED_PER_TERM * len(question.stated))
    return most * view.best(question.stated)


def _phrase(text: str, view: View, question: Question) -> _Found:
    """The answer as a phrase, or its listed parts one by one."""
    found = _written(view, question)
    if found.stated or next(quantities(question.answer.text), None) is None:
        return found
    # A number in it may stand there in another form.
    chars = places(text, question.answer.text)
    return _Found(1.0, True, _places_of(text, chars), tuple(chars)) if chars else found


def _written(view: View, question: Question) -> _Found:
    spans: list[tuple[int, int]] = []
    shares: list[bool] = []
    for part in question.answer.parts:
        here = [(s, s + len(form)) for form in part for s in view.occurrences(form)]
        if here and not shares:
            return _Found(1.0, True, tuple(sorted(set(here))))
        shares.append(bool(here))
        spans.extend(here)
    listed = shares[1:]
    share = sum(listed) / len(listed) if listed else 0.0
    # All parts of a list, told in different places, are as good as the list itself, nearly.
    return _Found(0.9 * share, share == 1.0, tuple(sorted(set(spans))))


def _character(text: str, view: View, question: Question) -> _Found:
    """An answer of one character of a script without spaces, which bigrams cannot hold alone."""
    only = question.answer.terms[0] if len(question.answer.terms) == 1 else ""
    if len(only) != 1 or not is_solid(only) or only not in text:
        return _Found(0.0, False, ())
    return _Found(1.0, True, tuple((i, i + 1) for i, term in enumerate(view.terms) if only in term))


def _numeric(text: str, view: View, question: Question) -> _Found:
    """The answer's numbers and dates in any form, and what they count."""
    asked = question.answer.amounts
    best = dict.fromkeys(range(len(asked)), 0.0)
    hits: list[Quantity] = []
    for quantity in quantities(text):
        matches = [agreement(a, quantity) for a in asked]
        for n, match in enumerate(matches):
            best[n] = max(best[n], match)
        if max(matches) > 0.5:
            hits.append(quantity)
    share = sum(best.values()) / len(best)
    rest = question.answer.rest
    if rest:
        share *= 0.8 + 0.2 * sum(t in view.places for t in rest) / len(rest)
    chars = tuple((hit.start, hit.end) for hit in hits)
    stated = min(best.values()) >= 0.95 and (not rest or states(text, question.answer.text))
    return _Found(share, stated, _places_of(text, chars), chars)


def _figures(text: str, view: View, question: Question) -> _Found:
    """A list of figures: where it stands as such; its figures one by one are to be found in any text."""
    sequence = question.answer.terms
    if here := view.occurrences(sequence):
        return _Found(1.0, True, tuple((start, start + len(sequence)) for start in here))
    found = _numeric(text, view, question)
    return _Found(_SCATTERED * found.share, False, found.spans, found.chars)


def _places_of(text: str, chars: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Positions in terms of stretches of the text, in one pass over it."""
    spans, place, last = [], 0, 0
    for start, end in chars:
        place += len(terms(text[last:start]))
        length = len(terms(text[start:end]))
        spans.append((place, place + max(1, length)))
        place, last = place + length, end
    return tuple(spans)


def _surroundings(
    view: View, asked: Mapping[str, float], spans: tuple[tuple[int, int], ...]
) -> tuple[float, float]:
    """How close the asked terms stand to the answer: against the best place, and absolutely."""
    total = sum(asked.values())
    if not spans or not total:
        return 0.0, 0.0
    # values[c + 1]: what stands within one cell of cell c.
    values = [0.0] * (view.size // _REACH + 3)
    for term, weight in asked.items():
        weight *= view.worth.get(term, 1.0)
        cells = {place // _REACH for place in view.spoken.get(term, ())}
        for near in cells | {c + 1 for c in cells} | {c + 2 for c in cells}:
            values[near] += weight
    mine = max(values[min(start, view.size - 1) // _REACH + 1] for start, _ in spans)
    top = max(values)
    return (mine / top if top else 0.0), min(1.0, mine / total)


def _summary(view: View, question: Question) -> Parts:
    """Each sentence by its best window; stronger sentences count more (cubic mean)."""
    cubes = total = 0.0
    strip = [0.0] * view.window_count
    for sentence in question.answer.sentences or (question.answer.terms,):
        weights = {t: question.stated[t] for t in sentence if t in question.stated}
        whole = sum(weights.values())
        sums = view.sums(weights)
        if not whole:
            continue
        strip = list(map(max, strip, [s / whole for s in sums]))
        cubes += whole * (max(sums) / whole) ** 3
        total += whole
    named = (sum(t in view.places for t in question.names) + 1) / (len(question.names) + 1)
    support = math.cbrt(cubes / total) * math.sqrt(named) if total else 0.0
    spoken = {**question.asked, **question.stated}
    relevance = sum(w for t, w in spoken.items() if t in view.places) / (sum(spoken.values()) or 1.0)
    unique = _uniqueness(spoken, relevance, view.size)
    return Parts(support, relevance, unique, named >= _NAMED, (), 0.0, _strip(strip, view.size))


def _shares(sums: list[float], weights: Mapping[str, float]) -> list[float]:
    total = sum(weights.values())
    return [min(1.0, s / total) if total else 0.0 for s in sums]


def _strip(shares: list[float], size: int) -> tuple[float, ...]:
    """Of the overlapping windows, those that tile the context: 1, 3, 5, ..."""
    tiles = math.ceil(size / (2 * HALF))
    return tuple(round(min(1.0, s), 4) for s in shares[1::2][:tiles])


def _uniqueness(weights: Mapping[str, float], evidence: float, size: int) -> float:
    """Softmax share of this context among the reference contexts, 0..1."""
    count, holders = references()
    total = sum(weights.values())
    if not total:
        return 0.0
    covered = [0.0] * count
    # There are few different weights: the references that hold terms of each are counted at once.
    alike: defaultdict[float, list[tuple[int, ...]]] = defaultdict(list)
    for term, value in weights.items():
        if term in holders:
            alike[value].append(holders[term])
    for value, held in alike.items():
        for k, times in Counter(chain.from_iterable(held)).items():
            covered[k] += value * times
    own = evidence - _LENGTH_DISCOUNT * math.log1p(size / 1000)
    # Most of them cover nothing, or the same one or two words.
    others = sum(n * math.exp((c / total - own) / _SHARPNESS) for c, n in Counter(covered).items())
    return 1.0 / (1.0 + others)
