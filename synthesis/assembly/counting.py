"""The exact token count of a conversation, without tokenizing again what has been counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from synthesis.assembly.rendering import Layout, Style, lay_out
from synthesis.assembly.replying import Reply, SaidTurn
from synthesis.assembly.word_counts import counter_of
from synthesis.data import Message, Pair
from synthesis.tokens import Tokenizer

Span = tuple[int, int]


class Gap(NamedTuple):
    """``text[start:end]`` has ``tokens`` tokens wherever it stands, and counts apart from the rest."""

    start: int
    end: int
    tokens: int


class Measure(Protocol):
    """Finds gaps in a whole document."""

    def gap(self, start: int, end: int) -> Gap | None:
        """The largest one between two of its positions."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """A document's text in a conversation, and what of it need not be counted, in order.

    ``measure`` finds smaller gaps; ``start`` is where the text begins in the document it knows.
    """

    text: str
    gaps: Sequence[Gap] = ()
    measure: Measure | None = None
    start: int = 0

    def shortened(self) -> str:
        """The text without its gaps."""
        kept, at = [], 0
        for gap in self.gaps:
            kept.append(self.text[at : gap.start])
            at = gap.end
        return "".join((*kept, self.text[at:]))


@dataclass(frozen=True, slots=True)
class Trial:
    """A conversation to count: the documents before the own context, that, those behind it.

    ``evidence`` are character spans of the own context that lie in none of its gaps; ``marks`` such
    spans of any documents, each with the document's number from 0. With a ``key`` the question is
    asked through it (see ``lay_out``). ``reply`` words the answer; without one it is given alone. ``steps``
    are spans of the own context that it quotes as the steps of a model's reasons.
    """

    pair: Pair
    own: Part | None
    before: Sequence[Part]
    after: Sequence[Part]
    style: Style
    evidence: Sequence[Span] = ()
    marks: Sequence[tuple[int, Span]] = ()
    key: str = ""
    reply: Reply | None = None
    steps: Sequence[Span] = ()

    def parts(self) -> Sequence[Part]:
        """Every document, in order."""
        return (*self.before, *((self.own,) if self.own else ()), *self.after)

    def layout(self) -> Layout:
        """The conversation as it is."""
        own = None if self.own is None else self.own.text
        before, after = [part.text for part in self.before], [part.text for part in self.after]
        return lay_out(self.pair, own, before, after, self.style, self.key, self.said())

    def said(self) -> SaidTurn | None:
        """What the assistant says, where that is more than the answer."""
        if self.reply is None or self.own is None:
            return None
        texts = [part.text for part in self.parts()]
        pieces = [self.own.text[start:end] for start, end in self.evidence]
        linked = [texts[place][start:end] for place, (start, end) in self.marks]
        steps = [self.own.text[start:end] for start, end in self.steps]
        return self.reply.said(1 + len(self.before), pieces, linked, steps)

    def numbers(self) -> tuple[int, ...]:
        """The number, from 1, of the document that holds each piece of evidence and each mark."""
        own = 1 + len(self.before)
        return (*(own for _ in self.evidence), *(1 + place for place, _ in self.marks))

    def shortened(self) -> Sequence[Message]:
        """The conversation without the gaps."""
        own = None if self.own is None else self.own.shortened()
        before, after = [part.shortened() for part in self.before], [part.shortened() for part in self.after]
        return lay_out(self.pair, own, before, after, self.style, self.key, self.said()).messages

    def places(self, layout: Layout) -> list[Span]:
        """Evidence and marks as spans of the first message."""
        at = layout.span[0]
        pieces = [(at + start, at + end) for start, end in self.evidence]
        marked = ((layout.starts[place], span) for place, span in self.marks)
        return [*pieces, *((at + start, at + end) for at, (start, end) in marked)]


@dataclass(frozen=True, slots=True)
class Counted:
    """A conversation and its exact number of ``tokens``.

    ``own`` and ``evidence`` say which of them (end exclusive) hold the own context and its
    pieces of evidence (and what else was marked); (0, 0) where there is none, where none of them does
    (white space), or where the chat template rewrites what it is given, so that nothing can be found
    again. ``places`` are these pieces as characters of the first message, ``numbers`` those of their
    documents, from 1. ``steps`` is what a model's reasons quote, as characters of that message.
    """

    layout: Layout
    tokens: int
    own: Span
    evidence: tuple[Span, ...]
    places: tuple[Span, ...] = ()
    numbers: tuple[int, ...] = ()
    steps: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class _Text:
    """What is to be counted: a rendered conversation less some ``gaps``.

    Gaps and ``marks``, the spans whose tokens are to be told, are given at their place in the whole.
    """

    text: str
    gaps: Sequence[Gap]
    marks: Sequence[Span]

    def spans(self) -> list[Span]:
        """The marks at their place in this text."""
        return [(self._place(start), self._place(end)) for start, end in self.marks]

    def tokens(self, counted: int) -> int:
        """Those of the whole, where this text has so many."""
        return counted + sum(gap.tokens for gap in self.gaps)

    def held(self, found: Sequence[Span]) -> list[Span]:
        """The tokens of the whole that hold each mark, from those of this text; (0, 0) for none."""
        return [
            (first + self._known(start), last + self._known(end)) if last else (0, 0)
            for (start, end), (first, last) in zip(self.marks, found, strict=True)
        ]

    def _place(self, position: int) -> int:
        return position - sum(gap.end - gap.start for gap in self.gaps if gap.end <= position)

    def _known(self, position: int) -> int:
        return sum(gap.tokens for gap in self.gaps if gap.end <= position)


def count_trials(trials: Sequence[Trial], tokenizer: Tokenizer) -> list[Counted]:
    """Each conversation, counted."""
    layouts = [trial.layout() for trial in trials]
    texts = [_counted(trial, layout, tokenizer) for trial, layout in zip(trials, layouts, strict=True)]
    counts = counter_of(tokenizer).locate_batch(
        [text.text for text in texts], [text.spans() for text in texts]
    )
    done = []
    for trial, layout, text, (tokens, found) in zip(trials, layouts, texts, counts, strict=True):
        places = tuple(trial.places(layout))
        own, *evidence = text.held(found) or [(0, 0)] * (1 + len(places))
        at = layout.span[0]
        steps = tuple((at + start, at + end) for start, end in trial.steps)
        told = tuple(evidence), places, trial.numbers(), steps
        done.append(Counted(layout, text.tokens(tokens), own, *told))
    return done


def _shift(messages: Sequence[Message], rendered: str) -> int | None:
    """How far behind its place in the first message a character stands in the rendered text."""
    content = messages[0].content
    at = rendered.find(content.strip())  # templates may strip a message
    return None if at < 0 else at - (len(content) - len(content.lstrip()))


def _marks(trial: Trial, layout: Layout, shift: int) -> list[Span]:
    """Own context and evidence as spans of the rendered text; none where the context is left out."""
    if trial.own is None:
        return []
    return [(first + shift, last + shift) for first, last in (layout.span, *trial.places(layout))]


def _counted(trial: Trial, layout: Layout, tokenizer: Tokenizer) -> _Text:
    """The rendered conversation without the gaps, or as it is where the template alters documents."""
    full = tokenizer.render(layout.messages)
    shift = _shift(layout.messages, full)
    if shift is None:
        return _Text(full, (), ())
    marks, parts = _marks(trial, layout, shift), trial.parts()
    whole = _Text(full, (), marks)
    if not any(part.gaps for part in parts):
        return whole
    messages = trial.shortened()
    short = tokenizer.render(messages)
    # All but the message must be the same in both texts.
    inner, outer = messages[0].content.strip(), layout.messages[0].content.strip()
    at = short.find(inner)
    if at < 0 or short[:at] + outer + short[at + len(inner) :] != full:
        return whole
    gaps = [
        Gap(start + shift + gap.start, start + shift + gap.end, gap.tokens)
        for start, part in zip(layout.starts, parts, strict=True)
        for gap in part.gaps
    ]
    return _Text(short, gaps, marks)
