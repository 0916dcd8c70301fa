"""Which stretches of a long text are asked about: windows that end where paragraphs do, spread over the text.

A request is a ``Pair`` whose instruction and answer are still to be written. What it takes stands in its
metadata under ``ASKED``, the text included, so that it can be asked for again wherever the source is by
then. Knows nothing of prompts.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import accumulate
from typing import Any, Final, NamedTuple

from synthesis.data import Pair, Rejected, content_hash
from synthesis.options import QuestionsConfig
from synthesis.sources.texts import LongText
from synthesis.text.sentences import sentences
from synthesis.text.words import count_words

ASKED: Final = "asked"
"""The key of a pair's metadata under which stands what was asked for."""

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_LONGEST: Final = 200  # words of a paragraph that is left whole


class TextPiece(NamedTuple):
    """``text[start:end]``, a paragraph or some sentences of a long one, and how many words it has."""

    start: int
    end: int
    words: int


def requests(
    texts: Iterable[LongText | Rejected], asked: QuestionsConfig, seed: int
) -> Iterator[Pair | Rejected]:
    """What is asked of each text, kinds in turn; rows that are no text as they are."""
    for text in texts:
        if isinstance(text, Rejected):
            yield text
            continue
        yield from _of_text(text, asked, seed)


def _of_text(text: LongText, asked: QuestionsConfig, seed: int) -> Iterator[Pair]:
    content = content_hash(text.text)
    rng = random.Random(f"windows {seed} {content}")
    pieces = pieces_of(text.text)
    first = rng.randrange(len(asked.kinds))
    placed: Counter[tuple[tuple[int, int], ...]] = Counter()
    for place in range(asked.per_document):
        kind = asked.kinds[(first + place) % len(asked.kinds)]
        at = (place + rng.random()) / asked.per_document
        if kind == "multi-hop":
            chosen = [
                _window(pieces, at / 2, asked.window // 2),
                _window(pieces, (at + 1) / 2, asked.window // 2),
            ]
            if chosen[0][1] > chosen[1][0]:  # too short for two windows: its halves
                chosen = _halves(pieces)
        else:
            chosen = [_window(pieces, at, asked.window)]
        request: dict[str, Any] = {
            "kind": kind,
            "kinds": list(asked.kinds),
            "document": text.id,
            "text": text.text,
            "windows": chosen,
            "focus": _focus(pieces, at),
            "place": placed[tuple(chosen)],  # among those about the same windows
            "polarity": rng.choice(("yes", "no")),  # should it be one of yes or no
        }
        placed[tuple(chosen)] += 1
        name = content_hash(content, {**request, "document": "", "text": ""})[:16]
        others = {key: value for key, value in text.metadata.items() if key != ASKED}
        yield Pair(name, "", "", text.task, {**others, ASKED: request})


def pieces_of(text: str) -> list[TextPiece]:
    """The paragraphs of a text, long ones cut where a sentence ends; at least one."""
    found: list[TextPiece] = []
    edges = [0, *(edge for match in _PARAGRAPH.finditer(text) for edge in match.span()), len(text)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        body = text[start:end]
        start, end = start + len(body) - len(body.lstrip()), start + len(body.rstrip())
        if start < end:
            found += _cut(text, start, end)
    return found or [TextPiece(0, len(text), count_words(text))]


def _cut(text: str, start: int, end: int) -> Iterator[TextPiece]:
    words = count_words(text[start:end])
    if words <= _LONGEST:
        yield TextPiece(start, end, words)
        return
    begun, held, last = start, 0, start
    for first, after in sentences(text[start:end]):
        count = count_words(text[start + first : start + after])
        if held and held + count > _LONGEST:
            yield TextPiece(begun, last, held)
            begun, held = start + first, 0
        held, last = held + count, start + after
    yield TextPiece(begun, last, held)


def _window(pieces: list[TextPiece], at: float, words: int) -> tuple[int, int]:
    """About so many words, beginning after the share ``at`` of what lies before the last window."""
    ends = list(accumulate(piece.words for piece in pieces))
    first = bisect_right(ends, at * max(0, ends[-1] - words))
    first = last = min(first, len(pieces) - 1)
    before = ends[first] - pieces[first].words
    while last + 1 < len(pieces) and ends[last + 1] - before <= words:
        last += 1
    return pieces[first].start, pieces[last].end


def _halves(pieces: list[TextPiece]) -> list[tuple[int, int]]:
    if len(pieces) < 2:
        return [(pieces[0].start, pieces[0].end)]
    total = sum(piece.words for piece in pieces)
    ends = list(accumulate(piece.words for piece in pieces))
    middle = min(range(1, len(pieces)), key=lambda at: abs(2 * ends[at - 1] - total))
    return [(pieces[0].start, pieces[middle - 1].end), (pieces[middle].start, pieces[-1].end)]


def _focus(pieces: list[TextPiece], at: float) -> tuple[int, int]:
    """The piece at a share of the text: where windows are the same, the questions need not be."""
    ends = list(accumulate(piece.words for piece in pieces))
    piece = pieces[min(bisect_right(ends, at * ends[-1]), len(pieces) - 1)]
    return piece.start, piece.end


def asked_of(pair: Pair) -> Mapping[str, Any]:
    """What a request asks for, or what was asked for where a pair came of one."""
    found: Mapping[str, Any] = pair.metadata[ASKED]
    return found


def answered(request: Pair, instruction: str, answer: str) -> Pair:
    """The pair that came of a request; its text is the context, and does not stand in it once more."""
    kept = {key: value for key, value in asked_of(request).items() if key != "text"}
    metadata = {**request.metadata, ASKED: kept}
    return replace(request, instruction=instruction, answer=answer, metadata=metadata)


def request_again(pair: Pair, text: str) -> Pair:
    """The request that a pair came of, by the text of its context."""
    metadata = {**pair.metadata, ASKED: {**asked_of(pair), "text": text}}
    return replace(pair, instruction="", answer="", metadata=metadata)
