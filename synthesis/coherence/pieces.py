"""Evidence that the caller knows: the answer is judged on its pieces as if they stood together.

Only what the context really says counts: a piece is a sentence of it, and only those count that lead
to the one with the answer, each by a telling word (a name, a figure) that it shares with another. Nothing
is ever lowered by evidence, and nothing is raised unless the pieces state the answer or decide it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from synthesis.coherence.background import RARE_WEIGHT, weight
from synthesis.coherence.evidence import answer_spans, asked_terms
from synthesis.coherence.facts.derived import derive
from synthesis.coherence.facts.passages import GOES_ON, Passages, spaced
from synthesis.coherence.facts.verifier import verify
from synthesis.coherence.kin import look
from synthesis.coherence.parts import Parts, grounded, measure
from synthesis.coherence.reading import Question, View
from synthesis.errors import UsageError
from synthesis.text.states import states
from synthesis.text.words import terms

Given = Iterable[Any]
"""Pieces of evidence, each one of these: a span of characters, ``(start, end)`` or with what it states
behind; a mapping with ``start`` and ``end``; a sentence or passage of the context, or the title of one of its
passages, as text; ``(title, n)`` for sentence ``n``, from 0, of a titled passage."""


_MOST = 64  # sentences that are looked at
_EQUAL = 1e-9
_CHAIN, _LED = 8, 1.0  # sentences that may lead to an answer, and log-odds that they are worth together
_BACK = 2  # sentences before one that goes on from them
_PLAIN = re.compile(r"[^\w\s]*[a-z]+(?:['’-][a-z]+)*[^\w\s]*")
_SHAPES = (
    "evidence is a list of spans (start, end), of sentences or titles as text, of (title, sentence number), "
    'or {"title": [...], "sent_id": [...]}'
)


def pieces(passages: Passages, given: Given) -> list[int]:
    """The numbers of the sentences that hold the evidence, in order; what the context lacks is left out.

    Raises:
        UsageError: a piece is none of the forms, or a span lies outside the context.
    """
    reader = _Reader(passages)
    found: set[int] = set()
    for piece in _listed(given):
        found.update(reader.read(piece))
    return sorted(found)[:_MOST]


def places(text: str, given: Given) -> list[tuple[int, int]]:
    """The characters of ``text`` where each piece of evidence stands, in order and each once.

    Of what is named by its title or in other words those of its sentences. Empty where there is a
    piece that the text lacks: then nobody knows of which text the others speak.

    Raises:
        UsageError: a piece is none of the forms, or a span lies outside the text.
    """
    reader = _Reader(Passages(text))
    found: set[tuple[int, int]] = set()
    for piece in _listed(given):
        there = reader.places(piece)
        if not there:
            return []
        found.update(there)
    return sorted(found)


def _listed(given: Any) -> Iterable[Any]:
    if isinstance(given, Mapping) and {"title", "sent_id"} <= given.keys():
        titles, numbers = given["title"], given["sent_id"]
        listed = all(isinstance(one, Collection) and not isinstance(one, str) for one in (titles, numbers))
        if listed and len(titles) == len(numbers):
            return zip(titles, numbers, strict=True)
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"{_SHAPES}; this is {given!r:.80}")
    return given


class _Reader:
    def __init__(self, passages: Passages) -> None:
        self._passages = passages
        self._starts = [sentence.start for sentence in passages.sentences]
        self._ends = [sentence.end for sentence in passages.sentences]
        self._by_words: dict[str, list[int]] = {}
        for number, sentence in enumerate(passages.sentences):
            self._by_words.setdefault(sentence.words, []).append(number)

    def read(self, piece: Any) -> Iterable[int]:
        if isinstance(piece, str):
            return self._text(piece)
        given = (piece.get("start"), piece.get("end")) if isinstance(piece, Mapping) else piece
        if isinstance(given, Sequence) and len(given) >= 2:
            first, second = given[0], given[1]
            if given is piece and isinstance(first, str) and _is_number(second):
                return self._under(spaced(first))[second : second + 1] if second >= 0 else ()
            if _is_number(first) and _is_number(second):
                return self._span(first, second)
        raise UsageError(f"{_SHAPES}; one of these is {piece!r:.80}")

    def places(self, piece: Any) -> list[tuple[int, int]]:
        """The same as characters; of a span, and of what stands there word for word, those very ones."""
        numbers = list(self.read(piece))
        if isinstance(piece, str):
            said = piece.strip()
            if said and (at := self._passages.text.find(said)) >= 0 and not self._is_title(said):
                return [(at, at + len(said))]
        else:
            given = (piece["start"], piece["end"]) if isinstance(piece, Mapping) else piece
            if _is_number(given[0]):
                return [(given[0], given[1])]
        return [(self._starts[number], self._ends[number]) for number in numbers]

    def _span(self, start: int, end: int) -> Iterable[int]:
        length = len(self._passages.text)
        if not 0 <= start < end <= length:
            raise UsageError(
                f"evidence at {start} to {end} lies outside the context of {length:,} characters; "
                "spans count characters of the context, from 0, the end behind the last"
            )
        return range(bisect_right(self._ends, start), bisect_left(self._starts, end))

    def _text(self, piece: str) -> Iterable[int]:
        said = piece.strip()
        if said and (at := self._passages.text.find(said)) >= 0 and not self._is_title(said):
            return self._span(at, at + len(said))
        if under := self._under(spaced(said)):
            return under
        # The same words, otherwise written or set: sentence by sentence.
        found = (self._by_words.get(sentence.words, ()) for sentence in Passages(piece).sentences)
        return [number for numbers in found for number in numbers[:1]]

    def _is_title(self, said: str) -> bool:
        return spaced(said) in self._passages.titles

    def _under(self, title: str) -> list[int]:
        numbers = {n for n, known in enumerate(self._passages.titles) if known == title and title.strip()}
        return [n for n, sentence in enumerate(self._passages.sentences) if sentence.passage in numbers]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def judged_on(
    view: View, passages: Passages, question: Question, instruction: str, parts: Parts, given: Given
) -> Parts:
    """The parts of a context with what its evidence, put together, is worth where that is more.

    Raises:
        UsageError: the evidence cannot be read.
    """
    numbers = pieces(passages, given)
    if not numbers or question.answer.kind == "summary":
        return parts
    told = _weighed(_together(passages, numbers), question, instruction)
    if not _carries(told):
        return parts
    linked = numbers
    if told.verified.decision is None and told.derived is None:
        # The answer was found: what leads nowhere near it is no evidence for it.
        linked = _linked(passages, numbers, question)
        if linked != numbers:
            told = _weighed(_together(passages, linked), question, instruction)
            if not _carries(told):
                return parts
    more = told.relevance > parts.relevance
    # Where a sentence stands alone its names have no rivals; pieces tell which is the answer only if
    # nothing else in the context holds more of what is asked.
    whole = told.relevance >= view.best_two(asked_terms(question)) - _EQUAL
    known = (parts.verified, told.verified) if whole or told.verified.decision else (parts.verified,)
    verified = max(known, key=lambda one: one.value)
    if whole and told.verified.decision is None and told.verified.value > 0 and 1 < len(linked) <= _CHAIN:
        verified = verified._replace(value=verified.value + _LED)
    if verified is told.verified and verified.decision is not None:
        places = tuple((passages.sentences[n].start, passages.sentences[n].end) for n in numbers)
        verified = verified._replace(decision=verified.decision._replace(places=places))
    return replace(
        parts,
        support=max(parts.support, told.support),
        relevance=told.relevance if more else parts.relevance,
        uniqueness=max(parts.uniqueness, told.uniqueness) if more else parts.uniqueness,
        stated=parts.stated or told.stated,
        verified=verified,
    )


def _carries(told: Parts) -> bool:
    decision = told.verified.decision
    if decision is not None and decision.follows is not None:
        return decision.follows
    return told.stated


def _weighed(text: str, question: Question, instruction: str) -> Parts:
    passages = Passages(text)
    view = look(text, question, passages.terms)
    parts = measure(text, view, question, derive(passages, instruction, question.asked, question.answer))
    spans = answer_spans(text, question, parts) if view.size else []
    return grounded(parts, verify(passages, question, instruction, spans, parts.derived, parts.stated))


def _together(passages: Passages, numbers: Sequence[int]) -> str:
    """The sentences as one text, each passage under its title."""
    told: dict[int, list[str]] = {}
    for number in numbers:
        sentence = passages.sentences[number]
        told.setdefault(sentence.passage, []).append(passages.shown(sentence))
    blocks = []
    for passage, said in told.items():
        head = passages.head(passage)
        blocks.append(f"{head}\n{' '.join(said)}" if head else " ".join(said))
    return "\n\n".join(blocks)


def _linked(passages: Passages, numbers: Sequence[int], question: Question) -> list[int]:
    """Those of the sentences that lead to one with the answer, over names and figures they share."""
    shared = {number: _telling(passages, number) for number in numbers}
    ahead = [n for n in numbers if _bears(passages, n, question)]
    reached = set(ahead)
    while ahead:
        mine = shared[ahead.pop()]
        new = [n for n in numbers if n not in reached and not mine.isdisjoint(shared[n])]
        reached.update(new)
        ahead += new
    return sorted(reached)


def _bears(passages: Passages, number: int, question: Question) -> bool:
    sentence = passages.sentences[number]
    if any(f" {' '.join(form)} " in sentence.words for part in question.answer.parts for form in part):
        return True
    return bool(question.answer.amounts) and states(passages.shown(sentence), question.answer.text)


def _telling(passages: Passages, number: int) -> frozenset[str]:
    """What a sentence may be joined by: its names and figures, its title's, and those it goes on from."""
    sentence = passages.sentences[number]
    told = [passages.head(sentence.passage), passages.shown(sentence)]
    if GOES_ON.match(passages.text, sentence.start):
        before = passages.sentences[max(0, number - _BACK) : number]
        told += [passages.shown(one) for one in before if one.passage == sentence.passage]
    # Scripts without capitals have all their words here.
    named = [word for text in told for word in text.split() if not _PLAIN.fullmatch(word)]
    return frozenset(term for term in terms(" ".join(named)) if weight(term) >= RARE_WEIGHT)
