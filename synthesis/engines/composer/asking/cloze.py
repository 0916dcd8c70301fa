"""Sentences with a gap: what is asked where no sentence can be turned into a question of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from synthesis.engines.composer.asking.clauses import plain, points_elsewhere
from synthesis.engines.composer.asking.wh import TextQuestion
from synthesis.engines.composer.grammar.phrases import is_possessive, tokens_of
from synthesis.text.sentences import sentences

_GAP = "____"
_FEWEST, _MOST = 9, 32  # tokens
_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][\w'’-]*[a-z](?:\.(?= [A-Z]))? ?){2,6}(?=[ ,.]|$)(?! ?[A-Z])")
_FIGURE = re.compile(r"(?<=[a-z,] )(?:[$€£])?\d[\d,.]*\d(?: (?:million|billion|percent))?(?=[ ,.]|$)")
_RANK = 5
_UNFIT = re.compile(r"[?!:“”‘{}<>|*_=\[\]()\"]|\b[A-Z]{2,} [A-Z]{2,}\b|\.\.")


def clozes(text: str, kind: str) -> Iterator[TextQuestion]:
    """The sentences that stand on their own, each without a name (``span``) or a figure (``number``)."""
    pattern = _FIGURE if kind == "number" else _NAME
    for start, end in sentences(text):
        told = plain(text[start:end])
        tokens = tokens_of(told)
        if not told.endswith(".") or not told[:1].isupper() or _UNFIT.search(told):
            continue
        if not _FEWEST <= len(tokens) <= _MOST or points_elsewhere(tokens):
            continue
        found = list(pattern.finditer(told[:-1]))
        if not found:
            continue
        gap = found[-1]
        answer = gap[0].strip()
        if told.count(answer) == 1 and not is_possessive(answer):
            left = f"{told[: gap.start()]}{_GAP}{told[gap.start() + len(answer) :]}"
            yield TextQuestion(f"What is missing here: “{left}”?", answer, (text[start:end],), _RANK)
