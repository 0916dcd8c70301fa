"""Translations: a phrase book in columns, with other phrases in other columns around."""

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
from synthesis.engines.composer.grammar.words import core
from synthesis.engines.composer.lexicon import words

_MORE = ("English", "Chinese", "French")


def tell(case: OrdinaryCase) -> Told | None:
    """What was said, and what the column of the other language has for it."""
    pair = case.pair
    known = {*words("languages"), *_MORE}
    language = next(
        (name for word in pair.task.split()[::-1] if (name := core(word).capitalize()) in known), ""
    )
    pen, other = Pen("phrases", case.rng, one_hand=True), Pen("phrases", case.others)
    given = {"task": pair.task, "language": language or "other", "payload": quote(pair.payload)}
    tongues = other.plain("tongues")[0].split(" | ")

    def phrase() -> str:
        said, *columns = other.pick(other.plain("phrase")).split(" | ")
        at = int(other.random() * len(tongues))
        return f"{other.write('other', {'said': said, 'tongue': tongues[at]})}\n{columns[at]}"

    parts = parts_of(case.answer)
    pieces = [piece(pen.write("lead" if pair.payload else "bare", given), parts[0])]
    if len(parts) > 1:
        pieces += in_pieces(pen, given, parts)[1:]
    return Told("phrases", pieces, endless(phrase), threads(pen, given))
