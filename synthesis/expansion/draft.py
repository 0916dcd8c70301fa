"""What of a long context is written already, and what the next reply has to be asked for.

Counts words and chooses lengths; knows nothing of engines or of how replies are judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.coherence.terms import sentences
from synthesis.parsing import count_words

_TAIL_WORDS, _TAIL_CHARACTERS = 300, 2400
_ENOUGH = 0.7  # of a section's words; what is lacking is spread over the sections that follow
_STRETCH = 1.25  # of a reply's words: rather one that is somewhat longer than a very short second
_FEWEST = 50
_TELLING = 30  # characters; shorter sentences may well come twice


@dataclass(frozen=True, slots=True)
class Draft:
    """The pieces written so far; ``words`` are asked for in all, ``reply`` in one reply."""

    words: int
    reply: int
    pieces: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self.pieces)

    @property
    def written(self) -> int:
        """How many words there are."""
        return sum(map(count_words, self.pieces))

    @property
    def full(self) -> bool:
        """Whether the length asked for is reached."""
        return self.written >= self.words

    def target(self, left: int) -> int:
        """Words for the next of ``left`` sections: its share of what is lacking."""
        return max((self.words - self.written) // left, _FEWEST)

    def tail(self) -> str:
        """The end of what is written, for whoever goes on."""
        text = self.text[-_TAIL_CHARACTERS * 4 :]
        words = [match.start() for match in re.finditer(r"\S+", text)]
        start = words[-_TAIL_WORDS] if len(words) > _TAIL_WORDS else 0
        return text[max(start, len(text) - _TAIL_CHARACTERS) :].strip()

    def repeats(self, piece: str) -> bool:
        """Whether at least half of a piece's sentences stand in the draft already, word for word."""
        known = self.text
        long = [piece[a:b] for a, b in sentences(piece) if b - a > _TELLING]
        return bool(long) and 2 * sum(sentence in known for sentence in long) >= len(long)


def portion(target: int, written: int, reply: int) -> tuple[int, bool]:
    """How many words to ask of the next reply for a section, and whether that completes it.

    Args:
        target: words for the section.
        written: words that it has.
        reply: words that a reply is asked for, give or take.

    Returns:
        0 words if the section has enough.
    """
    if written and written >= _ENOUGH * target:
        return 0, True
    lacking = max(target - written, _FEWEST)
    return (lacking, True) if lacking <= _STRETCH * reply else (reply, False)
