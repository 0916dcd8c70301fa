"""Explanations and definitions: a lesson taken down, a sentence at a time, among other lessons."""

from __future__ import annotations

from synthesis.engines.composer.forms.base import (
    OrdinaryCase,
    Told,
    endless,
    in_pieces,
    parts_of,
    piece,
    threads,
    two,
)
from synthesis.engines.composer.forms.wording import Pen


def tell(case: OrdinaryCase) -> Told | None:
    """The answer's sentences as what a class wrote down about the subject."""
    if not case.subject:
        return None
    given = {"subject": case.subject}
    pen, other = Pen("lesson", case.rng, one_hand=True), Pen("lesson", case.others)

    def entry() -> str:
        matter, lore = two(other.pick(other.plain("lore")))
        return f"{other.write('other', {'matter': matter})} {lore}"

    parts = parts_of(case.answer)
    pieces = in_pieces(pen, given, parts, " ", single="only")
    if case.pair.verb:
        lead = pen.write(
            "ordered first" if len(parts) > 1 else "ordered only", given | {"verb": case.pair.verb}
        )
        pieces[0] = piece(lead, parts[0], " ")
    return Told("lesson", pieces, endless(entry), threads(pen, given))
