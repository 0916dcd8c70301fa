"""Where in a context the support of an answer stands, as exact character spans.

Works from what the score measured; knows nothing of calibration.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.parts import Parts
from synthesis.coherence.reading import Question
from synthesis.data import Evidence
from synthesis.text.sentences import sentences
from synthesis.text.words import terms, terms_with_spans

_MOST_PLACES = 3
_LEAST_SHARE = 0.25


class Sentence(NamedTuple):
    """A sentence of the context with the share of the asked terms it holds."""

    start: int
    end: int
    share: float


def answer_spans(text: str, question: Question, parts: Parts) -> list[tuple[int, int]]:
    """Character spans where a short answer is stated; empty when it is not."""
    if parts.chars:
        return list(parts.chars)
    if not parts.spans:
        return []
    exact = [m.span() for m in re.finditer(re.escape(question.answer.text.strip()), text)]
    whole = [s for s in exact if _is_whole(text, s)]
    return whole or _spans_by_terms(text, parts)


def _is_whole(text: str, span: tuple[int, int]) -> bool:
    """Whether a span neither starts nor ends inside a word."""
    before, after = text[max(0, span[0] - 1) : span[0]], text[span[1] : span[1] + 1]
    return not before.isalnum() and not after.isalnum()


def _spans_by_terms(text: str, parts: Parts) -> list[tuple[int, int]]:
    """The slow way, for answers found in another form than written (accents, brackets, lists)."""
    places = list(terms_with_spans(text))
    return [(places[a][1], places[b - 1][2]) for a, b in parts.spans if b <= len(places)]


def _sentences(passages: Passages, weights: Mapping[str, float]) -> list[Sentence]:
    total = sum(weights.values())
    shares = (
        sum(w for t, w in weights.items() if t in words) / total if words and total else 0.0
        for words in passages.spans_holding(weights.keys())
    )
    return [Sentence(*span, share) for span, share in zip(passages.spans, shares, strict=True)]


def asked_terms(question: Question) -> Mapping[str, float]:
    """What is asked, without the words of the answer unless there is nothing else."""
    return {t: w for t, w in question.asked.items() if t not in question.stated} or question.asked


def locate(passages: Passages, question: Question, parts: Parts) -> list[Evidence]:
    """The sentences that support the answer, in the order of the text, without overlaps."""
    if question.answer.kind == "summary":
        found = _summary_places(passages, question)
    else:
        found = _short_places(passages, question, parts)
    kept: list[Evidence] = []
    for place in sorted(set(found)):
        if not kept or place.start >= kept[-1].end:
            kept.append(place)
    return kept


def _short_places(passages: Passages, question: Question, parts: Parts) -> list[Evidence]:
    asked = asked_terms(question)
    everywhere = _sentences(passages, asked)
    held = _overlapping(everywhere, answer_spans(passages.text, question, parts))
    # A title repeats a name; what is said of it stands below.
    bearing = [everywhere[place] for place in sorted(held - passages.headings)]
    bearing = bearing or [_with_next(passages, everywhere, place) for place in sorted(held)]
    best = sorted(bearing, key=lambda s: (-s.share, s.start))[:_MOST_PLACES]
    places = [Evidence(s.start, s.end, question.answer.text) for s in best]
    if parts.verified.right and parts.verified.decision is not None:
        return places + [Evidence(*span, "what is compared") for span in parts.verified.decision.places]
    # What is asked may be told elsewhere than the answer: the strongest other sentence.
    aside = held | passages.headings
    apart = (s for place, s in enumerate(everywhere) if place not in aside)
    others = sorted(apart, key=lambda s: (-s.share, s.start))
    needed = 2 if question.answer.kind == "yes/no" else 1
    for s in others[:needed]:
        if s.share >= max(_LEAST_SHARE, best[0].share if best else 0.0):
            places.append(Evidence(s.start, s.end, "what is asked about"))
    return places


def _with_next(passages: Passages, everywhere: Sequence[Sentence], place: int) -> Sentence:
    """A title together with the sentence below it, which speaks of what the title names; else as it is."""
    title = everywhere[place]
    if place not in passages.headings or place + 1 == len(everywhere) or place + 1 in passages.headings:
        return title
    below = everywhere[place + 1]
    return Sentence(title.start, below.end, max(title.share, below.share))


def _overlapping(found: list[Sentence], spans: list[tuple[int, int]]) -> set[int]:
    """Which of the sentences hold a part of any of the spans; both are in the order of the text."""
    held: set[int] = set()
    place = 0
    for start, end in spans:
        while place < len(found) and found[place].end <= start:
            place += 1
        while place < len(found) and found[place].start < end:
            held.add(place)
            place += 1
    return held


def _summary_places(passages: Passages, question: Question) -> list[Evidence]:
    """For each sentence of the answer the context sentence that holds most of its terms."""
    holders: dict[str, list[int]] = {}
    for place, words in enumerate(passages.spans_holding(question.stated.keys())):
        for term in words if place not in passages.headings else ():
            holders.setdefault(term, []).append(place)
    found: dict[int, tuple[float, str]] = {}
    answer = question.answer.text
    for told in dict.fromkeys(answer[start:end] for start, end in sentences(answer)):
        weights = {t: question.stated[t] for t in terms(told) if t in question.stated}
        held: defaultdict[int, float] = defaultdict(float)
        for term, weight in weights.items():
            for place in holders.get(term, ()):
                held[place] += weight
        best = max(held, key=lambda place: (held[place], -place), default=None)
        if best is None or (share := held[best] / sum(weights.values())) < _LEAST_SHARE:
            continue
        if share > found.get(best, (0.0, ""))[0]:
            found[best] = (share, told)
    return [Evidence(*passages.spans[place], what) for place, (_, what) in found.items()]
