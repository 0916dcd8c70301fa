"""Free writing: an anthology of verse, mottoes and openings, or a letter book with drafts."""

from __future__ import annotations

import re

from synthesis.engines.composer.forms.base import (
    OrdinaryCase,
    Told,
    endless,
    in_pieces,
    parts_of,
    threads,
    two,
)
from synthesis.engines.composer.forms.wording import Pen

_LETTER = re.compile(
    r"\b(?:letter|e-?mail|message|note|memo|invitation|reply|postcard|application)\b", re.IGNORECASE
)


def tell(case: OrdinaryCase) -> Told | None:
    """The piece whole or, if it is long, leaf by leaf, each line of it as it was written."""
    if not case.subject:
        return None
    given = {"subject": case.subject}
    form = "letters" if _LETTER.search(case.subject) else "anthology"
    pen, other = Pen(form, case.rng, one_hand=True), Pen(form, case.others)

    def leaf() -> str:
        if form == "letters":
            return f"{other.write('other')}\n{other.pick(other.plain('line'))}"
        work, text = two(other.pick(other.plain("piece")))
        return f"{other.write('other', {'work': work})}\n" + text.replace(" / ", "\n")

    pieces = in_pieces(pen, given, parts_of(case.answer))
    return Told(form, pieces, endless(leaf), threads(pen, given))
