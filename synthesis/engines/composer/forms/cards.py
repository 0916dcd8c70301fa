"""Sorting and choosing: cards with a heading, what stood to choice, and what was ticked."""

from __future__ import annotations

from dataclasses import replace

from synthesis.engines.composer.forms.base import (
    OrdinaryCase,
    Told,
    endless,
    in_pieces,
    parts_of,
    piece,
    quote,
    threads,
)
from synthesis.engines.composer.forms.wording import Pen
from synthesis.engines.composer.grammar.wording import squash
from synthesis.engines.composer.stating.statements import QUOTED

_LONGEST = 600  # characters of a heading


def tell(case: OrdinaryCase) -> Told:
    """The card, its heading and the tick, among cards of other headings."""
    pair = case.pair
    pen, other = Pen("cards", case.rng, one_hand=True), Pen("cards", case.others)
    payload = quote(pair.payload.rstrip("?.")) if pair.payload else ""
    given = {"task": pair.task.replace("“", "‘").replace("”", "’"), "payload": payload}

    def card() -> str:
        item, heading, tick = other.pick(other.plain("card")).split(" => ")
        return f"{other.write('other', {'item': item, 'heading': heading})}\n{tick}"

    parts = parts_of(case.answer)
    pieces = [piece(pen.write("lead" if payload else "bare", given), parts[0])]
    if len(parts) > 1:
        pieces += in_pieces(pen, given, parts)[1:]
    return Told("cards", pieces, endless(card), threads(pen, given))


def quoted(case: OrdinaryCase) -> Told:
    """Any pair at all: the instruction is a heading, as it is, and the answer is what stands below."""
    whole = replace(case, pair=replace(case.pair, task=squash(case.instruction)[:_LONGEST], payload=""))
    return replace(tell(whole), form=QUOTED)
