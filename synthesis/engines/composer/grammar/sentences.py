"""Split a pair's text into sentences, each on one line.

Knows paragraphs, lists and their bullets; where a sentence ends the text layer says.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.wording import squash
from synthesis.text.sentences import sentence_spans

_BULLET = re.compile(r"(?:[-–—•*▪‣·]|\(?\d{1,3}[.)])\s+")
_DASHES = re.compile(r"^(?:[-–—•*▪‣·]\s*)+(?=\S)")


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
    found = (block[start:end] for block in _blocks(text) for start, end in sentence_spans(block))
    stripped = (_DASHES.sub("", sentence).strip() for sentence in found)
    return [sentence for sentence in stripped if sentence]
