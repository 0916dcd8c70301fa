"""Lists, tips and steps: a handbook, a line at a time, with lines on other work around them."""

from __future__ import annotations

import re

from synthesis.engines.composer.forms.base import (
    OrdinaryCase,
    Told,
    endless,
    in_pieces,
    parts_of,
    threads,
)
from synthesis.engines.composer.forms.wording import Pen

_MARKER = re.compile(r"\s*(?P<number>\d{1,3})?(?P<sign>[.)]|[-*•–])\s+")


def tell(case: OrdinaryCase) -> Told | None:
    """The list's items as lines of a handbook, apart from one another."""
    if not case.subject:
        return None
    given = {"subject": case.subject}
    pen, other = Pen("manual", case.rng, one_hand=True), Pen("manual", case.others)
    parts = parts_of(case.answer)
    marker = _MARKER.match(parts[-1])

    def line() -> str:
        title, lines = other.titled("job")[int(other.random() * len(other.titled("job")))]
        at = int(other.random() * len(lines))
        text = other.fill(lines[at])
        if marker:
            sign = marker["sign"]
            text = f"{at + 1}{sign} {text}" if marker["number"] else f"{sign} {text}"
        return f"{other.write('other', {'job': title})}\n{text}"

    return Told("manual", in_pieces(pen, given, parts, single="only"), endless(line), threads(pen, given))
