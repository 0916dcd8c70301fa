"""How much of a text has been said before, in it or in the text it goes on from: linear, any script.

Runs of plain words are compared (``synthesis.text.ngrams``). Knows nothing of why a text was written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from operator import ne, sub
from typing import NamedTuple

from synthesis.text.ngrams import plain_words
from synthesis.text.words import is_solid

_RUN = 6  # words; people share shorter runs with themselves all the time
_STRETCH = 200  # words
_LOOPED_RUN = 3
_LETTERS_A_WORD = 2  # where a script puts no blanks, each character is a word
_FEWEST = 12  # words; "no, no, no" is no loop
_STRETCHES = re.compile(b"\1{3,}")
_LOOKED_AT = 40  # runs of a stretch; in longer ones a loop is looked for outright
# Measured on 500 texts that people wrote (docs/gate.md): five have more, and those hold whole pages twice.
_MOST_SHARE, _MOST_WORST, _MOST_LOOPED = 0.35, 0.9, 0.1


class Repetition(NamedTuple):
    """Shares of a text's words, 0..1.

    ``share``: runs of six words that stood there before. ``worst``: the same in the worst 200 words.
    ``looped``: what stands three times or more in a row, be it a word or a page; ``phrase`` is one
    turn of the longest loop, as plain words.
    """

    share: float = 0.0
    worst: float = 0.0
    looped: float = 0.0
    phrase: str = ""

    @property
    def excessive(self) -> bool:
        """Whether hardly any text that a person wrote repeats itself so much."""
        return self.share > _MOST_SHARE or self.worst > _MOST_WORST or self.looped > _MOST_LOOPED

    @property
    def most(self) -> float:
        """The one number to filter by: the larger of what came before and what loops."""
        return max(self.share, self.looped)


def repetition(text: str, before: str = "") -> Repetition:
    """How much a text repeats itself, or ``before``, the text that it goes on from."""
    words = plain_words(text)
    single = [] if text.isascii() else [word for word in words if len(word) == 1]
    unspaced = 2 * sum(map(is_solid, single)) > len(words)
    scale = _LETTERS_A_WORD if unspaced else 1
    known = set(map(hash, _runs(plain_words(before), scale * _RUN))) if before else set()
    codes = list(map(hash, _runs(words, scale * _RUN)))
    if len(set(codes)) == len(codes) and known.isdisjoint(codes):
        return Repetition()  # what most texts are
    first = dict(zip(reversed(codes), range(len(codes) - 1, -1, -1), strict=True))
    first.update(dict.fromkeys(known, -1))
    again = list(map(ne, map(first.__getitem__, codes), range(len(codes))))
    loops = _may_loop(codes, again)
    looped, turn = _looped(words, scale * _LOOPED_RUN, scale * _FEWEST) if loops else (0.0, ())
    phrase = ("" if unspaced else " ").join(turn)
    if sum(again) < scale * _FEWEST:  # so many stood there before
        return Repetition(looped=looped, phrase=phrase)
    return Repetition(sum(again) / len(again), _worst(again, scale * _STRETCH), looped, phrase)


def _may_loop(codes: Sequence[int], again: Sequence[bool]) -> bool:
    """Whether any stretch of runs that stood there before repeats what is so near that it may be a loop.

    The shortest loop, three turns of a third of ``_FEWEST`` words, has three such runs in a row, and a turn
    is at most half of what it repeats: of the words of a stretch, which are more than its runs.
    """
    for stretch in _STRETCHES.finditer(bytes(again)):
        start, end = stretch.span()
        reach = (end - start + _LETTERS_A_WORD * _RUN) // 2
        if end - start > _LOOKED_AT or any(
            codes[place] in codes[max(0, place - reach) : place] for place in range(start, end)
        ):
            return True
    return False


def _runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[shift:] for shift in range(n)), strict=False))


def _worst(again: Sequence[bool], width: int) -> float:
    """The largest share among ``width`` neighbours; that of all where there are fewer."""
    inside = accumulate(map(sub, again[width:], again), initial=sum(again[:width]))
    most: int = max(inside)
    return most / min(width, len(again))


def _looped(words: Sequence[str], n: int, fewest: int) -> tuple[float, Sequence[str]]:
    """The share of words in loops of three turns or more, and one turn of the longest."""
    last: dict[tuple[str, ...], int] = {}
    total = longest = 0
    turn: Sequence[str] = ()
    step = length = 0  # so many runs in a row stand ``step`` words behind their likes
    for place, run in enumerate([*_runs(words, n), ()]):
        behind = place - last.get(run, place)
        last[run] = place
        if behind == step:
            length += 1
            continue
        again = length + n - 1
        if step and again >= 2 * step and again + step >= fewest:
            total += again + step
            if again > longest:
                longest, turn = again, words[place - length : place - length + step]
        step, length = behind, 1
    return min(1.0, total / max(1, len(words))), turn
