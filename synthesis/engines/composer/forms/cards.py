"""Sorting and choosing: cards with a heading, what stood to choice, and what was ticked."""

from __future__ import annotations

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


def tell(case: OrdinaryCase) -> Told | None:
    """The card, its heading and the tick, among cards of other headings."""
    pair = case.pair
    pen, other = Pen("cards", case.rng), Pen("cards", case.others)
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
