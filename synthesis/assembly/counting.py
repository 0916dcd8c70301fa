"""The exact token count of a conversation, without tokenizing again what has been counted.

The conversation is rendered once as it is and once with the gaps of its documents left out.
If the two texts differ in nothing but the gaps, the short one's count and the gaps' counts sum
to the long one's (see ``additive``); if they do differ, the long one is counted. Where the own
context and its evidence stand among the tokens follows from the same count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthesis.assembly.tables import Gap
from synthesis.assembly.wording import Layout, Style, lay_out
from synthesis.data import Message, Pair
from synthesis.tokens import Tokenizer

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """A document's text in a conversation, and what of it need not be counted, in order."""

    text: str
    gaps: Sequence[Gap] = ()

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

    ``evidence`` are character spans of the own context that lie in none of its gaps.
    """

    pair: Pair
    own: Part | None
    before: Sequence[Part]
    after: Sequence[Part]
    style: Style
    evidence: Sequence[Span] = ()

    def parts(self) -> Sequence[Part]:
        """Every document, in order."""
        return (*self.before, *((self.own,) if self.own else ()), *self.after)

    def layout(self) -> Layout:
        """The conversation as it is."""
        own = None if self.own is None else self.own.text
        before, after = [part.text for part in self.before], [part.text for part in self.after]
        return lay_out(self.pair, own, before, after, self.style)

    def shortened(self) -> Sequence[Message]:
        """The conversation without the gaps."""
        own = None if self.own is None else self.own.shortened()
        before, after = [part.shortened() for part in self.before], [part.shortened() for part in self.after]
        return lay_out(self.pair, own, before, after, self.style).messages


@dataclass(frozen=True, slots=True)
class Counted:
    """A conversation and its exact number of ``tokens``.

    ``own`` and ``evidence`` say which of them (end exclusive) hold the own context and its
    pieces of evidence; (0, 0) where there is none, where none of them does (white space), or
    where the chat template rewrites what it is given, so that nothing can be found again.
    """

    layout: Layout
    tokens: int
    own: Span
    evidence: tuple[Span, ...]


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
    counts = tokenizer.locate_batch([text.text for text in texts], [text.spans() for text in texts])
    done = []
    for trial, layout, text, (tokens, found) in zip(trials, layouts, texts, counts, strict=True):
        own, *evidence = text.held(found) or [(0, 0)] * (1 + len(trial.evidence))
        done.append(Counted(layout, text.tokens(tokens), own, tuple(evidence)))
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
    start, end = layout.span
    pieces = [(start + first, start + last) for first, last in trial.evidence]
    return [(first + shift, last + shift) for first, last in ((start, end), *pieces)]


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
