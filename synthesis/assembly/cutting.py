"""Parts of documents: as many tokens as wanted, ending where a sentence ends; trimming to the evidence."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from synthesis.assembly.counting import Gap, Span
from synthesis.assembly.tables import Table
from synthesis.assembly.word_counts import counter_of
from synthesis.data import Context, Evidence, Reason
from synthesis.text.sentences import sentence_spans
from synthesis.text.words import count_words
from synthesis.tokens import Tokenizer
from synthesis.tokens.tokenizer import LEAD_TOKENS, REACH_TOKENS

_LAST_WORD = re.compile(r"\S+$")
# To cut a small part off a long document only its beginning is counted: this much more than
# the part should take, and so many characters more, so that there is a choice.
_REGION_FACTOR: Final = 1.25
_REGION_CHARACTERS: Final = 1000
# How many runs of sentences are counted as a whole, at most, to find a fitting one.
_EXACT_RUNS: Final = 8


@dataclass(frozen=True, slots=True)
class Document:
    """A text on offer as a distractor; ``tokens`` counts it alone, ``name`` identifies it.

    ``table`` holds its sentences' counts, for tokenizers whose counts add up.
    """

    item: int
    name: str
    text: str
    tokens: int
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A document, or a part of one, as it will stand in a sample.

    ``gap`` is what of ``text`` need not be counted again; ``start`` is where the text begins in its document.
    """

    item: int
    name: str
    text: str
    tokens: int
    gap: Gap | None = None
    table: Table | None = None
    start: int = 0


def whole(document: Document) -> Piece:
    """The document as it is."""
    return part(document, 0, len(document.text), document.tokens)


def part(document: Document, start: int, end: int, tokens: int) -> Piece:
    """``text[start:end]`` of the document."""
    gap = document.table.gap(start, end) if document.table else None
    if gap is not None:
        gap = Gap(gap.start - start, gap.end - start, gap.tokens)
    return Piece(document.item, document.name, document.text[start:end], tokens, gap, document.table, start)


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The sentences in a document's opening ``region``: where each starts and ends, and its tokens."""

    region: int
    starts: Sequence[int]
    ends: Sequence[int]
    tokens: Sequence[int]

    def span(self, run: Span) -> Span:
        """Where the sentences of a run, start and end, stand in the document."""
        return self.starts[run[0]], self.ends[run[1] - 1]


class Cutter:
    """Cuts documents for one sample, counting each sentence once however often it is cut."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Start with nothing counted."""
        self.exact = False
        """Whether parts are counted as a whole; until then their sentences' counts are summed."""
        self._counter = counter_of(tokenizer)
        self._known: dict[int, _Sentences] = {}
        self._blank = _takes_blanks(tokenizer)

    def sentences(self, document: Document, tokens: int, slack: int) -> Piece | None:
        """Consecutive sentences with as many tokens as possible, at most ``tokens``.

        The document's opening sentences are preferred if they come within ``slack`` of that.
        """
        if tokens <= 0:
            return None
        known = self._sentences(document, tokens)
        if self.exact:
            return self._exact_run(document, known, tokens, slack)
        run = _largest_run(known.tokens, tokens, slack)
        return self._piece(document, known, run) if run else None

    def _sentences(self, document: Document, tokens: int) -> _Sentences:
        known = self._known.get(document.item)
        table, region = document.table, _region(document, tokens)
        if known is None and table is not None:
            columns = table.starts, table.ends, table.tokens
            known = self._known[document.item] = _Sentences(len(document.text), *columns)
        elif known is None or known.region < region:
            known = self._known[document.item] = self._count(document.text, region)
        return known

    def _exact_run(self, document: Document, known: _Sentences, tokens: int, slack: int) -> Piece | None:
        """As ``sentences``, but by counts of whole parts: each error shifts what is aimed at next."""
        best: Span | None = None
        most = -1
        tried: set[Span] = set()
        aim = tokens
        while len(tried) < _EXACT_RUNS and (best is None or most < tokens - slack):
            run = _largest_run(known.tokens, aim, slack, tried)
            if run is None:
                break
            tried.add(run)
            start, end = known.span(run)
            counted = self._counted(document.table, document.text[start:end], start)
            if most < counted <= tokens:
                best, most = run, counted
            aim = tokens + sum(known.tokens[slice(*run)]) - counted
        return None if best is None else part(document, *known.span(best), most)

    def recounted(self, piece: Piece) -> Piece:
        """The piece with the count of its text as a whole instead of the sum over its sentences."""
        return replace(piece, tokens=self._counted(piece.table, piece.text, piece.start))

    def _counted(self, table: Table | None, text: str, start: int) -> int:
        """The tokens of a text that starts in its document at ``start``."""
        return table.count(text, start, self._counter.count) if table else self._counter.count(text)

    def _piece(self, document: Document, known: _Sentences, run: Span) -> Piece:
        return part(document, *known.span(run), sum(known.tokens[slice(*run)]))

    def _count(self, text: str, region: int) -> _Sentences:
        spans = list(sentence_spans(text[:region]))
        if region < len(text):
            del spans[-1:]  # the region may end in the middle of it
        counts = self._counter.count_batch(list(_counted(text, spans, self._blank)))
        return _Sentences(region, [start for start, _ in spans], [end for _, end in spans], counts)

    def words(self, document: Document, tokens: int) -> Piece | None:
        """The document's opening words, for texts that have no sentence of a fitting size."""
        text = self._truncated(document, tokens)
        if follows := document.text[len(text) : len(text) + 1]:
            text = (text if follows.isspace() else _LAST_WORD.sub("", text)).rstrip()
        return self._opening(document, text)

    def characters(self, document: Document, tokens: int) -> Piece | None:
        """The document's opening characters, for texts that have no words of a fitting size."""
        return self._opening(document, self._truncated(document, tokens))

    def _opening(self, document: Document, text: str) -> Piece | None:
        return part(document, 0, len(text), self._counted(document.table, text, 0)) if text else None

    def _truncated(self, document: Document, tokens: int) -> str:
        """As ``Tokenizer.truncate``; where counts add up, only the stretch around the cut is looked at."""
        text, table = document.text[: _region(document, tokens)], document.table
        at = bisect_right(table.sums, tokens - LEAD_TOKENS) - 1 if table and tokens > 0 else -1
        if table is None or at < 0 or table.joints[at] + 2 > len(text):
            return self._counter.truncate(text, tokens)
        joint = table.joints[at]
        # Nor is anything behind the first joint out of reach.
        beyond = bisect_right(table.sums, tokens + REACH_TOKENS + 1)
        end = min(table.joints[beyond], len(text)) if beyond < len(table.joints) else len(text)
        rest = self._counter.truncate(text[joint:end], tokens - table.sums[at])
        # So much of it is not parted there any more.
        return text[:joint] + rest if len(rest) > 1 else self._counter.truncate(text, tokens)


@lru_cache(maxsize=8)
def _takes_blanks(tokenizer: Tokenizer) -> bool:
    """Whether a blank before a word is part of the word's token."""
    return tokenizer.count(" a") <= tokenizer.count("a")


def _counted(text: str, spans: Sequence[tuple[int, int]], blank: bool) -> Iterator[str]:
    """The parts of ``text`` to count for its sentences, so that their sum is near the whole's count.

    Line ends go with the sentence before them; the blank before a sentence goes with it where
    the tokenizer joins it to the word.
    """
    following = [*(start for start, _ in spans[1:]), spans[-1][1]] if spans else []
    for (start, _), end in zip(spans, following, strict=True):
        opening = start - 1 if blank and text[start - 1 : start] == " " else start
        yield text[opening:end].rstrip(" ")


def _region(document: Document, tokens: int) -> int:
    """How many characters of a document to look at for a part of so many tokens."""
    share = min(1.0, tokens / max(1, document.tokens))
    return min(len(document.text), int(len(document.text) * share * _REGION_FACTOR) + _REGION_CHARACTERS)


def _largest_run(counts: Sequence[int], tokens: int, slack: int, tried: Container[Span] = ()) -> Span | None:
    """The run of ``counts`` (start, end) with the largest sum up to ``tokens``, none of the ``tried``.

    Of those that end at one place only the longest is looked at; of equal ones the earliest is taken. The
    opening comes before all others if it is within ``slack``.
    """
    best: Span | None = None
    most, first, held = -1, 0, 0
    for end, count in enumerate(counts, 1):
        held += count
        while held > tokens and first < end:
            held -= counts[first]
            first += 1
        worth = tokens if first == 0 and held >= tokens - slack else held
        if first < end and worth > most and (first, end) not in tried:
            best, most = (first, end), worth
            if most == tokens:
                break
    return best


_ROUNDS: Final = 8


def trim(
    context: Context, budget: int, tokenizer: Tokenizer, need_of: Callable[[Context], int]
) -> Context | None:
    """The context with as many sentences as the budget takes; ``None`` if its evidence alone is too long.

    Sentences nearest to evidence, and to what reasons quote, are kept first. Without either the opening is.
    ``need_of`` counts the conversation about a context alone.
    """
    spans = list(sentence_spans(context.text))
    quoted = tuple(Evidence(start, end, says) for start, end, says in context.reasons)
    needed = _needed(spans, (*context.evidence, *quoted))
    following = [*(start for start, _ in spans[1:]), len(context.text)]
    sizes = tokenizer.count_batch(
        [context.text[start:end] for (start, _), end in zip(spans, following, strict=True)]
    )
    order = _by_nearness(len(spans), needed)
    aim = budget - need_of(replace(context, text="", evidence=(), reasons=()))
    best: Context | None = None
    reached = 0
    for _ in range(_ROUNDS):
        kept = needed | _taken(order, sizes, aim - sum(sizes[place] for place in needed))
        shorter = _only(context, spans, sorted(kept))
        need = need_of(shorter)
        if reached < need <= budget:
            best, reached = shorter, need
        if kept == needed or 0 <= budget - need <= budget // 200:
            break
        # Sizes of sentences do not quite sum to the size of the whole: aim beside it by the error.
        aim -= max(1, need - budget) if need > budget else need - budget
        if need <= budget and best is not None and len(kept) == len(spans):
            break
    return best


def _needed(spans: Sequence[tuple[int, int]], evidence: Sequence[Evidence]) -> frozenset[int]:
    if not evidence:
        return frozenset((0,))
    kept: set[int] = set()
    for piece in evidence:
        kept.update(
            place for place, (start, end) in enumerate(spans) if start < piece.end and piece.start < end
        )
    return frozenset(kept)


def _by_nearness(sentences: int, needed: frozenset[int]) -> list[int]:
    """The other sentences, the nearest to a needed one first, of equally near ones the earlier."""
    far = [sentences] * sentences
    for places in (range(sentences), range(sentences - 1, -1, -1)):
        distance = sentences
        for place in places:
            distance = 0 if place in needed else distance + 1
            far[place] = min(far[place], distance)
    return sorted((place for place in range(sentences) if place not in needed), key=lambda at: (far[at], at))


def _taken(order: Sequence[int], sizes: Sequence[int], room: int) -> frozenset[int]:
    taken = set()
    for place in order:
        if sizes[place] <= room:
            taken.add(place)
            room -= sizes[place]
    return frozenset(taken)


def _only(context: Context, spans: Sequence[tuple[int, int]], kept: Sequence[int]) -> Context:
    """The context of the ``kept`` sentences, each with the white space that followed it."""
    text = context.text
    starts: dict[int, int] = {}
    parts: list[str] = []
    size = 0
    for place in kept:
        start, end = spans[place]
        after = spans[place + 1][0] if place + 1 < len(spans) else end
        starts[place] = size
        parts.append(text[start:end] if place == kept[-1] else text[start:after])
        size += len(parts[-1])
    moved = (_moved(piece, spans, starts) for piece in context.evidence)
    evidence = tuple(piece for piece in moved if piece is not None)
    stated = (_moved(Evidence(*step), spans, starts) for step in context.reasons)
    reasons = tuple(Reason(*step) for step in stated if step is not None)
    joined = "".join(parts)
    return replace(
        context, text=joined, evidence=evidence, reasons=reasons, words=count_words(joined), tokens=0
    )


def _moved(piece: Evidence, spans: Sequence[tuple[int, int]], starts: dict[int, int]) -> Evidence | None:
    inside = [place for place in starts if spans[place][0] < piece.end and piece.start < spans[place][1]]
    if not inside:
        return None  # a span of nothing but white space
    first, last = inside[0], inside[-1]
    start = starts[first] + max(0, piece.start - spans[first][0])
    end = starts[last] + min(piece.end, spans[last][1]) - spans[last][0]
    return Evidence(start, end, piece.what)
