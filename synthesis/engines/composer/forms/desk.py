"""Texts worked over: a copy desk with drafts, pencil notes and fair copies, among other slips."""

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

_SHORT = 60  # words of a draft that can stand inside a sentence


def tell(case: OrdinaryCase) -> Told | None:
    """What was given, what was to be done with it, and what was made of it."""
    pair = case.pair
    if not pair.payload or not pair.task or len(pair.task) > 300:
        return None
    order = _order(pair.task, pair.verb)
    long = len(pair.payload.split()) > _SHORT or "\n" in pair.payload
    given = {"order": order, "payload": f":\n{pair.payload}\n" if long else _ended(quote(pair.payload))}
    pen, other = Pen("desk", case.rng, one_hand=True), Pen("desk", case.others)

    def slip() -> str:
        order, draft, copy = other.pick(other.plain("slip")).split(" => ")
        return f"{other.write('other', {'order': order, 'draft': draft})}\n{copy}"

    parts = parts_of(case.answer)
    pieces = [piece(pen.write("lead", given), parts[0])]
    if len(parts) > 1:
        pieces += in_pieces(pen, given, parts, single="next")[1:]
    return Told("desk", pieces, endless(slip), threads(pen, given))


def _order(task: str, verb: str) -> str:
    tokens = task.split()
    at = next((i for i, token in enumerate(tokens) if token.casefold().strip(",.:") == verb), 0)
    text = " ".join(tokens[at:])
    return text[:1].lower() + text[1:]


def _ended(text: str) -> str:
    return text if text[-2:-1] in tuple(".!?") else text + "."
