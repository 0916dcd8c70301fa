"""Where the sentences of a text are. Knows nothing of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What a sentence may end with comes first, as one set: the search then skips all other characters.
_SENTENCE_END = re.compile(
    r"""[.!?\u2026\u06d4\u0964\u3002\uff01\uff1f\n](?:"""
    r"""(?<=\n)"""
    r"""|(?<=[\u3002\uff01\uff1f])[\u3002\uff01\uff1f]*["\u201d\u2019\u300d\u300f\uff09]*"""  # no space
    r"""|[.!?\u2026\u06d4\u0964]*["'\u201d\u2019\u00bb)\]]*(?=\s+[^\sa-z]|\s*$))"""
)
_ABBREVIATED = re.compile(r"(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Prof|Gen|Col|Capt|Rev|Jr|No|vs|Fig|Vol)\.$")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Character spans of the sentences of ``text``, without the white space between them."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        end = match.end()
        if text[end - 1] == "." and _ABBREVIATED.search(text, max(start, end - 8), end):
            continue
        body = text[start:end].lstrip()
        if body:
            yield end - len(body), end - len(body) + len(body.rstrip())
        start = end
    body = text[start:].lstrip()
    if body:
        yield len(text) - len(body), len(text) - len(body) + len(body.rstrip())
