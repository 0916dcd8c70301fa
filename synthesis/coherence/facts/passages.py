"""A context as passages and sentences, and which of them speak of a subject.

A passage is what stands under a line of its own that names it ("Title", then a text), or else a
paragraph. Knows nothing of questions.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from synthesis.text.sentences import sentence_spans
from synthesis.text.words import terms

_TITLE_WORDS = 14
_MOST_ABOUT = 16  # sentences that are read about a subject
_BRACKETED = re.compile(r"\s*\([^()]*\)")
_NUMBERED = re.compile(r"(?:passage|document|paragraph|article|text)\s+\d+\s*[:.]?\s*\Z", re.IGNORECASE)
GOES_ON = re.compile(
    r"(?:He|She|It|They|His|Her|Its|Their|This|There|The (?:one|film|movie|song|album|book|novel|band|group|"
    r"company|magazine|university|college|school|village|town|city|man|woman|two|pair|house|firm|paper|work)"
    r"|The [a-z]+ (?:of that name|so named|so called|in question|concerned))\b"
)


class Said(NamedTuple):
    """A sentence at ``text[start:end]`` of a passage; ``words`` are its terms with blanks around them.

    These are ``terms[first:last]`` of the whole text's.
    """

    start: int
    end: int
    passage: int
    words: str
    first: int
    last: int


class Passages:
    """The sentences of a text with their terms, and the titles of its passages.

    A title is given as terms with blanks around them, one blank where there is none; ``terms`` are those of
    the whole text. ``spans`` are the characters of all its sentences, titles and the like included;
    ``headings`` are the numbers of those that stand on a line of their own as a title does.
    """

    __slots__ = ("_ends", "_heads", "headings", "sentences", "spans", "terms", "text", "titles")

    def __init__(self, text: str) -> None:
        self.text = text
        self.terms: list[str] = []
        self.titles: list[str] = []
        self._heads: list[str] = []
        self.sentences: list[Said] = []
        self.spans = found = list(sentence_spans(text))
        self.headings: set[int] = set()
        self._ends: list[int] = []
        last = 0
        for place, (start, end) in enumerate(found):
            breaks = text.count("\n", last, start)
            last = end
            sequence = terms(text[start:end])
            self.terms += sequence
            self._ends.append(len(self.terms))
            if (breaks or not place) and _NUMBERED.match(text[start:end]):
                continue
            ahead = found[place + 1][0] if place + 1 < len(found) else end
            below = text.count("\n", end, ahead)
            alone = (breaks or not place) and bool(below) and _is_title(text[start:end])
            if alone:
                self.headings.add(place)
            if alone and below == 1:
                self.titles.append(spaced(bare(text[start:end])))
                self._heads.append(text[start:end])
                continue
            if not self.titles or (breaks > 1 and self.titles[-1] == " "):
                self.titles.append(" ")
                self._heads.append("")
            words = f" {' '.join(sequence)} "
            size = len(self.terms)
            self.sentences.append(Said(start, end, len(self.titles) - 1, words, size - len(sequence), size))

    def spans_holding(self, wanted: Collection[str]) -> list[set[str]]:
        """Per span: the terms of it that are wanted."""
        found: list[set[str]] = [set() for _ in self.spans]
        number = 0
        for place in [i for i, term in enumerate(self.terms) if term in wanted]:
            while place >= self._ends[number]:
                number += 1
            found[number].add(self.terms[place])
        return found

    def holding(self, wanted: Collection[str]) -> list[list[tuple[int, str]]]:
        """Per sentence: the terms of it that are wanted, each with its place among them, in order."""
        found: list[list[tuple[int, str]]] = [[] for _ in self.sentences]
        number, said = -1, iter(self.sentences)
        first = last = 0
        for place in [i for i, term in enumerate(self.terms) if term in wanted]:
            while place >= last and (sentence := next(said, None)) is not None:
                number, first, last = number + 1, sentence.first, sentence.last
            if first <= place < last:  # else it stands in a title
                found[number].append((place - first, self.terms[place]))
        return found

    def about(self, subject: str, hints: Collection[str] = ()) -> list[Said]:
        """Sentences about a subject (terms with blanks around them), those of its own passage first.

        Then come those that open with it or say "that" it is so, then others that name it or go on from one.
        Of several passages with its name, the one that opens with most of the ``hints`` is its own.
        """
        if not subject.strip():
            return []
        own = {n for n, title in enumerate(self.titles) if title == subject}
        own = own or {n for n, title in enumerate(self.titles) if subject in title}
        own = self._nearest(own, hints) if len(own) > 1 else own
        found = [s for s in self.sentences if s.passage in own][:_MOST_ABOUT]
        held = set(found)
        going, others = False, list[Said]()
        for sentence in self.sentences:
            if len(found) >= _MOST_ABOUT:
                break
            if subject in sentence.words:
                going = True
                if sentence.words.startswith(subject) or f" that{subject}" in sentence.words:
                    if sentence not in held:
                        found.append(sentence)
                    continue
            elif not (going and GOES_ON.match(self.text, sentence.start)):
                going = False
                continue
            if sentence not in held:
                others.append(sentence)
        return (found + others)[:_MOST_ABOUT]

    def _nearest(self, own: set[int], hints: Collection[str]) -> set[int]:
        opening: dict[int, int] = {}
        for sentence in self.sentences:
            if sentence.passage in own and sentence.passage not in opening:
                opening[sentence.passage] = sum(f" {hint} " in sentence.words for hint in hints)
        most = max(opening.values(), default=0)
        return {passage for passage, hit in opening.items() if hit == most}

    def head(self, passage: int) -> str:
        """The title of a passage as it is written; nothing where it has none."""
        return self._heads[passage]

    def shown(self, sentence: Said) -> str:
        """A sentence as it is written."""
        return self.text[sentence.start : sentence.end]


@lru_cache(maxsize=16_384)
def spaced(text: str) -> str:
    """The terms of a text with a blank before, between and behind them; one blank for none."""
    found = " ".join(terms(text))
    return f" {found} " if found else " "


def bare(title: str) -> str:
    """A title without what it has in brackets."""
    return _BRACKETED.sub("", title) or title


def _is_title(line: str) -> bool:
    return line[-1] not in ".:;," and len(line.split()) <= _TITLE_WORDS and not line[0].islower()
