"""The exact token count of a conversation, without tokenizing again what has been counted.

The conversation is rendered once as it is and once with the gaps of its documents left out.
If the two texts differ in nothing but the gaps, the short one's count and the gaps' counts sum
to the long one's (see ``additive``); if they do differ, the long one is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthesis.assembly.tables import Gap
from synthesis.assembly.wording import Layout, Style, lay_out
from synthesis.data import Message, Pair
from synthesis.tokens import Tokenizer


@dataclass(frozen=True, slots=True)
class Part:
    """A document's text in a conversation, and what of it need not be counted."""

    text: str
    gap: Gap | None = None

    def shortened(self) -> str:
        """The text without its gap."""
        return self.text if self.gap is None else self.text[: self.gap.start] + self.text[self.gap.end :]


@dataclass(frozen=True, slots=True)
class Trial:
    """A conversation to count: the documents before the own context, that, those behind it."""

    pair: Pair
    own: Part | None
    before: Sequence[Part]
    after: Sequence[Part]
    style: Style

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

    def known(self) -> int:
        """Tokens in the gaps."""
        parts = (*self.before, *((self.own,) if self.own else ()), *self.after)
        return sum(part.gap.tokens for part in parts if part.gap is not None)


def count_trials(trials: Sequence[Trial], tokenizer: Tokenizer) -> list[tuple[Layout, int]]:
    """Each conversation and its exact number of tokens."""
    layouts = [trial.layout() for trial in trials]
    texts: list[str] = []
    known: list[int] = []
    for trial, layout in zip(trials, layouts, strict=True):
        full = tokenizer.render(layout.messages)
        short, gaps = _shortened(trial, layout, full, tokenizer) if trial.known() else (full, 0)
        texts.append(short)
        known.append(gaps)
    counts = tokenizer.count_batch(texts)
    return [(layout, count + gaps) for layout, count, gaps in zip(layouts, counts, known, strict=True)]


def _shortened(trial: Trial, layout: Layout, full: str, tokenizer: Tokenizer) -> tuple[str, int]:
    """The text to count and the tokens to add; the full text and 0 where the template alters documents."""
    messages = trial.shortened()
    short = tokenizer.render(messages)
    # Templates may strip a message; the rest of it must stand in both texts at the same place.
    inner, outer = messages[0].content.strip(), layout.messages[0].content.strip()
    at = short.find(inner)
    same = at >= 0 and short[:at] + outer + short[at + len(inner) :] == full
    return (short, trial.known()) if same else (full, 0)
