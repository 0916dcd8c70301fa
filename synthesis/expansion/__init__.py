"""Contexts longer than one reply: an outline, then its sections, one after another.

``expand`` is the work of such a pair; ``expands`` says for which lengths it is one;
``realised`` compares what was written with what was asked for. The published scripts ask
for the whole length at once and never count a word (section 3 of arXiv 2502.15592 names
expansion as the way to longer contexts; the procedure here is ours).
"""

from synthesis.expansion.lengths import Realised, realised
from synthesis.expansion.writing import expand, section_count

__all__ = ["Realised", "expand", "expands", "realised", "section_count"]


def expands(words: int, section_words: int) -> bool:
    """Whether a context of so many words takes sections; 0 section words never do."""
    return bool(section_words) and words > 2 * section_words
