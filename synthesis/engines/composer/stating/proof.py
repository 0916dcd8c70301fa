"""What statements say, as triples, and which answers follow from them.

Knows subjects, relations and values as strings, and how a question of several steps asks for them.
It does not know sentences: the one who writes a sentence says what triples are in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Triple(NamedTuple):
    """``value`` is what ``subject`` has by ``relation``, unless it is ``denied`` or was ``revised`` later.

    ``value`` holds a number or a date where the question compares or counts.
    """

    subject: str
    relation: str
    value: str
    denied: bool = False
    revised: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What a question asks of triples.

    ``wanted`` are triples in which a name with ``?`` before it stands for anything, the same for the
    same name. ``how`` says what is made of what is found: ``find`` (the answer is ``?answer``),
    ``least`` and ``most`` (the side whose ``?value`` is least or most), ``same`` (whether all
    ``?value`` agree), ``all`` (whether everything wanted holds), ``within`` (whether each ``?value`` is one
    of ``span``,
    ends included), ``sum``, ``difference`` and ``count`` (of ``?value``), ``span`` (from the first
    ``?value`` to the second).
    """

    how: str
    wanted: tuple[Triple, ...]
    span: tuple[float, float] = (0, 0)


Bound = dict[str, str]


def answers(query: Query, told: Iterable[Triple]) -> set[str]:
    """Every answer that follows; one where the triples decide the question, none where they lack something.

    Args:
        query: what is asked.
        told: what is said, in any order; what is denied or was revised counts for nothing.
    """
    holding = [one for one in told if not one.denied and not one.revised]
    if query.how == "find":
        return {bound["?answer"] for bound in _solutions(query.wanted, holding, {})}
    if query.how == "all":
        sides = _by_side(query.wanted).values()
        return {"yes" if all(any(True for _ in _solutions(one, holding, {})) for one in sides) else "no"}
    if query.how == "count":
        return {str(len({bound["?value"] for bound in _solutions(query.wanted, holding, {})}))}
    if query.how == "span":
        joints = tuple(one for one in query.wanted if one.value != "?value")
        events = [(*joints, one) for one in query.wanted if one.value == "?value"]
        ends = [{bound["?value"] for bound in _solutions(one, holding, {})} for one in events]
        years = [number_of(next(iter(found))) for found in ends if len(found) == 1]
        known = [year for year in years if year is not None]
        return {f"{known[1] - known[0]:g}"} if len(known) == 2 else set()
    return _weighed(query, holding)


def _weighed(query: Query, holding: Sequence[Triple]) -> set[str]:
    """What comes of one value for each side; a side with two values or none decides nothing."""
    sides: dict[str, set[str]] = {}
    for side, wanted in _by_side(query.wanted).items():
        if all(one.value != "?value" for one in wanted):
            if not any(True for _ in _solutions(wanted, holding, {})):
                return set()
            continue
        sides[side] = {bound["?value"] for bound in _solutions(wanted, holding, {})}
    if any(len(values) != 1 for values in sides.values()):
        return set()
    values = {side: next(iter(found)) for side, found in sides.items()}
    if query.how == "same":
        return {"yes" if len(set(values.values())) == 1 else "no"}
    numbers = {side: number_of(value) for side, value in values.items()}
    if any(number is None for number in numbers.values()):
        return set()
    known = {side: number for side, number in numbers.items() if number is not None}
    if query.how == "within":
        low, high = query.span
        return {"yes" if all(low <= number <= high for number in known.values()) else "no"}
    if query.how in ("sum", "difference"):
        total = sum(known.values()) if query.how == "sum" else max(known.values()) - min(known.values())
        return {f"{total:g}"}
    best = (min if query.how == "least" else max)(known.values())
    return {side for side, number in known.items() if number == best}


def _by_side(wanted: tuple[Triple, ...]) -> dict[str, tuple[Triple, ...]]:
    """What is wanted of each side: a name that is known, and all that hangs on it by what it binds."""
    found: dict[str, list[Triple]] = {}
    owner: dict[str, str] = {}
    for one in wanted:
        ends = [end for end in (one.subject, one.value) if end != "?value"]
        side = next((owner.get(end, end) for end in ends if end in owner or not end.startswith("?")), ends[0])
        found.setdefault(side, []).append(one)
        owner.update((end, side) for end in ends if end.startswith("?"))
    return {side: tuple(triples) for side, triples in found.items()}


def _solutions(wanted: tuple[Triple, ...], told: Sequence[Triple], bound: Bound) -> Iterator[Bound]:
    if not wanted:
        yield bound
        return
    for one in told:
        if one.relation != wanted[0].relation:
            continue
        grown = _bind(_bind(bound, wanted[0].subject, one.subject), wanted[0].value, one.value)
        if grown is not None:
            yield from _solutions(wanted[1:], told, grown)


def _bind(bound: Bound | None, name: str, value: str) -> Bound | None:
    if bound is None:
        return None
    if not name.startswith("?"):
        return bound if name == value else None
    if name in bound:
        return bound if bound[name] == value else None
    return {**bound, name: value}


_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DATED = re.compile(r"(?:(\d{1,2}) )?(?:([a-z]+) )?(?:(\d{1,2}), )?(\d{4})$")
_PLAIN = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def number_of(value: str) -> float | None:
    """A number as it is, a date as a year with a fraction; None for what is neither."""
    low = value.casefold()
    dated = _DATED.search(low)
    if dated and (dated[2] in _MONTHS):
        return int(dated[4]) + (_MONTHS.index(dated[2]) * 31 + int(dated[1] or dated[3] or 0)) / 400
    found = _PLAIN.search(low)
    return float(found[0].replace(",", "")) if found else None
