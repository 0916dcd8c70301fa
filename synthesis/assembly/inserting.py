"""Sentences that stand among the documents of a sample, at the ends of their paragraphs.

Documents keep their words, counts that were made stay in use, and it is told where each sentence stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from synthesis.assembly.counting import Gap, Part, Span, Trial
from synthesis.assembly.joints import JOINT

_PARAGRAPH_END: Final = re.compile(r"(?<=\S)[^\S\n]*\n[^\S\n]*\n")
# What may be followed by a sentence in the same line; behind a heading or code it takes a line of its own.
_CLOSED: Final = (".", "!", "?", "\u2026", '"', "\u201d", ")", "\u3002")


@dataclass(frozen=True, slots=True)
class Inserted:
    """A sentence, and where it shall stand: 0 is the first place there is, 1 the last.

    ``what`` is what it is as evidence; empty for one that is none.
    """

    text: str
    place: float
    what: str = ""


def with_sentences(trial: Trial, sentences: Sequence[Inserted]) -> Trial:
    """The same documents with the sentences among them.

    They stand at ends of paragraphs, no two at one while there are enough of them; else ends of
    sentences do as well. Never inside a piece of evidence. The spans of those that are evidence become
    the ``marks`` of the trial, in their order; without an own context there are none.
    """
    parts, own = trial.parts(), len(trial.before) if trial.own else -1
    kept = (*trial.evidence, *trial.steps)
    free = [_Free(part.text, kept if place == own else ()) for place, part in enumerate(parts)]
    places = [(place, at) for place, one in enumerate(free) for at in one.paragraphs()]
    if len(places) < len(sentences):
        places = [(place, at) for place, one in enumerate(free) for at in one.sentences()]
    if not places:
        return trial
    order = sorted(range(len(sentences)), key=lambda number: (sentences[number].place, number))
    ranks = _spread([sentences[number].place for number in order], len(places))
    held: list[list[tuple[int, int]]] = [[] for _ in parts]
    for number, rank in zip(order, ranks, strict=True):
        place, at = places[rank]
        held[place].append((at, number))
    spans: dict[int, tuple[int, Span]] = {}
    made = []
    for place, (part, here) in enumerate(zip(parts, held, strict=True)):
        longer = _Longer(part, [(at, sentences[number].text) for at, number in here])
        made.append(longer)
        spans.update((number, (place, span)) for (_, number), span in zip(here, longer.spans, strict=True))
    marked = [number for number, one in enumerate(sentences) if one.what] if trial.own else []
    first = len(trial.before)
    return replace(
        trial,
        before=[one.part() for one in made[:first]],
        own=made[own].part() if trial.own else None,
        after=[one.part() for one in made[first + (trial.own is not None) :]],
        evidence=[made[own].moved(span) for span in trial.evidence],
        steps=[made[own].moved(span) for span in trial.steps],
        marks=[spans[number] for number in marked],
    )


@dataclass(frozen=True, slots=True)
class _Free:
    """Where in a text something may be inserted: not inside of ``kept``."""

    text: str
    kept: Sequence[Span]

    def paragraphs(self) -> list[int]:
        """The ends of its paragraphs, in order; that of the text is one."""
        end = len(self.text.rstrip())
        found = [match.start() for match in _PARAGRAPH_END.finditer(self.text)]
        return self._allowed([*(at for at in found if at < end), end])

    def sentences(self) -> list[int]:
        """The same, and the ends of sentences."""
        joints = (match.start() for match in JOINT.finditer(self.text))
        return sorted({*self.paragraphs(), *self._allowed(joints)})

    def _allowed(self, places: Iterator[int] | list[int]) -> list[int]:
        return [at for at in places if not any(start < at < end for start, end in self.kept)]


def _spread(wanted: Sequence[float], places: int) -> list[int]:
    """A rank below ``places`` for each ascending wish from 0 to 1, no rank twice while there are enough."""
    ranks: list[int] = []
    for number, wish in enumerate(wanted):
        rank = min(places - 1, int(wish * places))
        if len(wanted) <= places:
            rank = max(rank, ranks[-1] + 1 if ranks else 0)
            rank = min(rank, places - (len(wanted) - number))
        ranks.append(rank)
    return ranks


class _Longer:
    """A part with texts inserted at some positions, which ascend; ``spans`` are theirs in the new text."""

    def __init__(self, part: Part, inserted: Sequence[tuple[int, str]]) -> None:
        self._part, self._added = part, list[tuple[int, int]]()
        pieces, last, size = list[str](), 0, 0
        self.spans: list[Span] = []
        for at, text in inserted:
            head = part.text[last:at]
            before = head or (pieces[-1] if pieces else "")
            lead = " " if before.endswith(_CLOSED) and "\n" not in text else "\n\n"
            pieces += [head, lead, text]
            size += len(head) + len(lead)
            self.spans.append((size, size + len(text)))
            size += len(text)
            self._added.append((at, len(lead) + len(text)))
            last = at
        self._text = "".join((*pieces, part.text[last:]))

    def part(self) -> Part:
        """The new text, with what of it still need not be counted."""
        gaps = [
            Gap(gap.start + self._shift(gap.start), gap.end + self._shift(gap.start), gap.tokens)
            for gap in self._gaps()
        ]
        return Part(self._text, gaps)

    def moved(self, span: Span) -> Span:
        """Where a span of the old text stands that nothing was inserted into."""
        start, end = span
        by = self._shift(start)
        return start + by, end + by

    def _shift(self, position: int) -> int:
        """How far what began at a position has moved."""
        return sum(size for at, size in self._added if at <= position)

    def _gaps(self) -> Iterator[Gap]:
        """Those of the old text, parted where something was inserted."""
        measure, offset = self._part.measure, self._part.start
        for gap in self._part.gaps:
            within = sorted({at for at, _ in self._added if gap.start <= at <= gap.end})
            if not within:
                yield gap
                continue
            bounds = [gap.start, *within, gap.end]
            for start, end in zip(bounds, bounds[1:], strict=False):
                found = measure.gap(offset + start, offset + end) if measure and start < end else None
                if found is not None:
                    yield Gap(found.start - offset, found.end - offset, found.tokens)
