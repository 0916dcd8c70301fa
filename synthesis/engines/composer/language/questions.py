"""Read a wh-question into a frame: what is asked, and the statement with a gap around it.

Knows the question only, never the answer. A question that cannot be read with confidence
has no frame, and the caller uses a plain form instead.
"""

from __future__ import annotations

import re
from dataclasses import replace

from synthesis.engines.composer.language.compare import offered
from synthesis.engines.composer.language.english import (
    AUXILIARIES,
    PREPOSITIONS,
    WH,
    core,
    word_class,
)
from synthesis.engines.composer.language.frames import Frame, split_choices
from synthesis.engines.composer.language.fronted import read_fronted
from synthesis.engines.composer.language.midway import read_midway
from synthesis.engines.composer.language.phrases import tokens_of

_ADJUNCT_STARTS = PREPOSITIONS | word_class("adjunct_starts")


def read(question: str) -> Frame | None:
    """The frame of a cleaned wh-question, or None where no reading is sure enough."""
    if "?" in question.rstrip('"”') or re.search(r"\bQ\d", question):
        return None
    preamble = re.match(r"(?P<told>[^;]+;) (?P<asked>[^;]+)$", question)
    if preamble and _starts_with_wh(tokens_of(preamble["asked"])):
        frame = read(preamble["asked"])
        return replace(frame, lead=preamble["told"]) if frame and not frame.lead else None
    question, choices = split_choices(question)
    if choices is None:
        question, choices = offered(question)
    tokens = tokens_of(question)
    lead = ""
    split = _lead_end(tokens)
    if split:
        lead, tokens = " ".join(tokens[:split]).rstrip(","), tokens[split:]
    if len(tokens) < 2:
        return None
    frame = read_fronted(tokens) or (None if _starts_with_wh(tokens) else read_midway(tokens))
    if frame is None:
        return None
    return replace(frame, lead=lead, choices=choices)


def _starts_with_wh(tokens: list[str]) -> bool:
    behind = len(tokens) > 1 and core(tokens[0]) in PREPOSITIONS and core(tokens[1]) in WH
    return core(tokens[0]) in WH or behind


def _lead_end(tokens: list[str]) -> int:
    """Where the question proper starts when an adjunct stands before it, else 0."""
    if len(tokens) < 4 or core(tokens[0]) not in _ADJUNCT_STARTS:
        return 0
    if core(tokens[0]) == "when":
        ends = (
            at for at in range(3, len(tokens) - 1) if core(tokens[at]) in WH and tokens[at - 1].endswith(",")
        )
        return next(ends, 0)
    if _starts_with_wh(tokens):
        return 0
    for at in range(1, len(tokens) - 1):
        if core(tokens[at]) in WH and core(tokens[at]) != "when":
            if tokens[at - 1].endswith(","):
                return at
            if core(tokens[at - 1]) in PREPOSITIONS and at > 1 and tokens[at - 2].endswith(","):
                return at - 1
            follows = core(tokens[at + 1])
            return (
                at
                if follows in AUXILIARIES and core(tokens[at]) in ("what", "who") and at > 2
                else _comma(tokens, at)
            )
    return 0


def _comma(tokens: list[str], before: int) -> int:
    """The first comma boundary of an adjunct in front of a mid-sentence question word."""
    return next((at for at in range(2, before) if tokens[at - 1].endswith(",")), 0) if before > 3 else 0
