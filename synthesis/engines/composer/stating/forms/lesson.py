"""Explanations and definitions: a lesson taken down, a sentence at a time, among other lessons."""

from __future__ import annotations

from synthesis.engines.composer.stating.forms.base import (
    Case,
    Told,
    endless,
    in_pieces,
    parts_of,
    threads,
    two,
)
from synthesis.engines.composer.stating.forms.wording import Pen


def tell(case: Case) -> Told | None:
    """The answer's sentences as what a class wrote down about the subject."""
    if not case.subject:
        return None
    given = {"subject": case.subject}
    pen, other = Pen("lesson", case.rng), Pen("lesson", case.others)

    def entry() -> str:
        matter, lore = two(other.pick(other.plain("lore")))
        return f"{other.write('other', {'matter': matter})} {lore}"

    pieces = in_pieces(pen, given, parts_of(case.answer), " ", single="only")
    return Told("lesson", pieces, endless(entry), threads(pen, given))
