"""How much of a text fills what room is left: whole sentences, else words, else characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from synthesis.text.sentences import sentence_spans

Longer = TypeVar("Longer")

_LONGEST: Final = 20_000  # characters that are looked at; nothing that is cut out is as long
_WORD: Final = re.compile(r"\s*\S+")
_REACH: Final = 2000  # characters behind whole sentences that words are tried of
_CLOSE: Final = 100  # and single characters


@dataclass(frozen=True, slots=True)
class Continuation:
    """A text that may be added to the document of number ``place``: behind it, or ``ahead`` of it.

    Of a text behind the document its beginning is taken, of one ahead its end. ``document`` is the name of
    the document that begins with it, if one does.
    """

    place: int
    text: str
    ahead: bool = False
    document: str = ""

    def take(self, size: int) -> str:
        """So many of its characters."""
        return self.text[len(self.text) - size :] if self.ahead else self.text[:size]


def longer(
    more: Continuation,
    most: int,
    least: int,
    with_more: Callable[[str], Longer],
    tokens_of: Callable[[Longer], int],
) -> Longer | None:
    """A conversation with as much of a text as there is room for, None if there is none for any.

    Args:
        more: what may be added.
        most: tokens it may have.
        least: with so many it is long enough.
        with_more: the conversation with a text added.
        tokens_of: how many tokens it has then.
    """
    best: Longer | None = None
    done = 0
    for sizes in (_sentences, _words, _characters):
        fitting = [size for size in sizes(more, done) if size > done]
        low, high = 0, len(fitting)
        while low < high:
            middle = (low + high) // 2
            made = with_more(more.take(fitting[middle]))
            tokens = tokens_of(made)
            if tokens > most:
                high = middle
                continue
            low = middle + 1
            best, done = made, fitting[middle]
            if tokens >= least:
                return best
    return best


def _sentences(more: Continuation, _: int) -> list[int]:
    spans = list(sentence_spans(more.take(min(len(more.text), _LONGEST))))
    if more.ahead:
        return [min(len(more.text), _LONGEST) - start for start, _ in reversed(spans)]
    return [end for _, end in spans]


def _words(more: Continuation, done: int) -> list[int]:
    if more.ahead:
        text = more.text[max(0, len(more.text) - done - _REACH) : len(more.text) - done]
        return [done + len(text) - match.start() for match in reversed(list(re.finditer(r"\S+\s*", text)))]
    return [match.end() for match in _WORD.finditer(more.text, done, done + _REACH)]


def _characters(more: Continuation, done: int) -> list[int]:
    return list(range(done + 1, min(len(more.text), done + _CLOSE) + 1))
