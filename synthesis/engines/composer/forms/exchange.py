"""Small talk: calls over a line, each with its reply, as a clerk took them down."""

from __future__ import annotations

import re

from synthesis.engines.composer.forms.base import (
    OrdinaryCase,
    Told,
    endless,
    in_pieces,
    parts_of,
    piece,
    quote,
    threads,
    two,
)
from synthesis.engines.composer.forms.wording import Pen

_LEAST = 4  # words that a caller may be interrupted in
_PAUSE = re.compile(r"[,.;!?…]\s+")


def tell(case: OrdinaryCase) -> Told | None:
    """What the caller said and what was answered, among other calls."""
    pen, other = Pen("exchange", case.rng, one_hand=True), Pen("exchange", case.others)
    given = {"said": _said(case.instruction.strip(), pen)}

    def call() -> str:
        said, reply = two(other.pick(other.plain("call")))
        return f"{other.write('other', {'call': said})}\n{reply}"

    parts = parts_of(case.answer)
    pieces = [piece(pen.write("lead", given), parts[0])]
    if len(parts) > 1:
        pieces += in_pieces(pen, given, parts)[1:]
    return Told("exchange", pieces, endless(call), threads(pen, given))


def _said(words: str, pen: Pen) -> str:
    """The caller's words, broken off once where they are not too few."""
    if "\n" in words:
        return f"The caller's words were these:\n{words}\n"
    tokens = words.split()
    whole = f"{quote(_open(words))} said the caller."
    if len(tokens) < _LEAST:
        return whole
    pause = _PAUSE.search(words)
    at = len(words[: pause.end()].split()) if pause else len(tokens)
    if at == len(tokens):
        return whole
    verb = pen.pick(("said the caller", "said the voice", "began the caller"))
    first, second = " ".join(tokens[:at]), " ".join(tokens[at:])
    return f"{quote(_open(first))} {verb}, {quote(second)}" + (
        "" if second.endswith((".", "!", "?")) else "."
    )


def _open(words: str) -> str:
    """Words as they stand before "said": with a comma where no other mark ends them."""
    return words if words.endswith((",", "!", "?", "…")) else words.rstrip(".;") + ","
