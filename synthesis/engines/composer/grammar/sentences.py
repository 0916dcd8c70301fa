"""Split a text into sentences, in linear time.

Knows abbreviations, initials, decimals, quotes, brackets, URLs, bullets and full-width stops.
Knows no language model: a doubtful stop is taken as no boundary before a lower-case letter.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.wording import squash
from synthesis.engines.composer.lexicon import word_class

_TITLES = word_class("titles")
# These may close a sentence, so they bind only before a lower-case letter, a digit or nothing.
_MAYBE = word_class("maybe")
_STARTERS = word_class("starters")
# A run of stops is looked at once: it ends a sentence as a whole or not at all.
_STOP = re.compile(r"(?:(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)|[。！？｡؟۔।]+[」』”’）]*)\s*")
_BULLET = re.compile(r"(?:[-–—•*▪‣·]|\(?\d{1,3}[.)])\s+")
_DASHES = re.compile(r"^(?:[-–—•*▪‣·]\s*)+(?=\S)")


def _closes(text: str, start: int, stop: int) -> bool:
    """Whether the stop at ``text[start:stop]`` ends a sentence."""
    mark = text[start]
    following = text[stop : stop + 24]
    if mark not in ".…":
        # "Who's There?" asked: a quoted question inside a sentence goes on in lower case.
        return mark not in "!?" or not following[:1].islower()
    if following[:1].islower():
        return False
    if text[start : start + 2] == "..":
        return True
    before = text[max(0, start - 24) : start]
    word = before.split(" ")[-1].lstrip("\"'“‘([").casefold()
    if word in _TITLES or (word.isdigit() and start == len(word)):  # "3." at the start numbers a list item
        return False
    following_word = following.split(" ", 1)[0].strip(".,\"'“”")
    if word in _MAYBE:
        return following_word in _STARTERS
    # An initial (J. K. Rowling) or a row of them (J.R.R.).
    if re.fullmatch(r"(?:[^\W\d_]\.)*[^\W\d_]", word) and word != "i":
        return following_word in _STARTERS
    return True


def _blocks(text: str) -> list[str]:
    """Paragraphs and list items, each on one line."""
    blocks: list[list[str]] = [[]]
    for raw in re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", text):
        line = squash(raw)
        if not line:
            blocks.append([])
            continue
        if _BULLET.match(line) and blocks[-1]:
            blocks.append([])
        blocks[-1].append(line)
    return [" ".join(block) for block in blocks if block]


def split(text: str) -> list[str]:
    """The sentences of ``text`` in order, white space normalised, list dashes at their start removed."""
    sentences = []
    for block in _blocks(text):
        at = 0
        for match in _STOP.finditer(block):
            if match.end() < len(block) and not _closes(block, match.start(), match.end()):
                continue
            sentences.append(block[at : match.end()])
            at = match.end()
        sentences.append(block[at:])
    stripped = (_DASHES.sub("", sentence.strip()).strip() for sentence in sentences)
    return [sentence for sentence in stripped if sentence]
