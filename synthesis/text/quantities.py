"""Numbers and dates in a text, brought to one form: words or digits, units, date orders.

English number words and month names; digits of any script. ``3 May 1990``,
``May 3rd, 1990`` and ``1990-05-03`` become one key; so do ``2.5 million km`` and
``2,500,000 kilometres``. Knows nothing of who asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from synthesis.text.terms import ORDINALS, TENS, TENTHS, UNITS_0_19, split_words


class Quantity(NamedTuple):
    """A number or date at ``text[start:end]``.

    ``kind`` is ``number``, ``ordinal`` or ``date``; ``value`` is canonical digits, for a
    date ``yyyy-mm-dd`` with ``00`` for what is not given; ``unit`` may be empty.
    """

    start: int
    end: int
    kind: str
    value: str
    unit: str = ""


_MONTH_NAMES = split_words(
    "january february march april may june july august september october november december"
)
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, 1)}
_MONTHS |= {name[:3]: n for name, n in _MONTHS.items()} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))

_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_CARDINAL = {word: n for n, word in enumerate(UNITS_0_19)}
_CARDINAL |= {word: 20 + 10 * n for n, word in enumerate(TENS)}
_ORDINAL = {word: n for n, word in enumerate(ORDINALS)}
_ORDINAL |= {word: 20 + 10 * n for n, word in enumerate(TENTHS)}
_ORDINAL |= {"hundredth": 100, "thousandth": 1000}

_UNIT_FORMS = {
    "km": "km kilometer kilometers kilometre kilometres",
    "m": "m metre metres meter meters",
    "cm": "cm centimetre centimetres centimeter centimeters",
    "mm": "mm millimetre millimetres millimeter millimeters",
    "mi": "mi mile miles",
    "ft": "ft foot feet",
    "in": "inch inches",
    "kg": "kg kilogram kilograms kilogramme kilogrammes kilo kilos",
    "g": "gram grams gramme grammes",
    "t": "ton tons tonne tonnes",
    "lb": "lb lbs pound pounds £ gbp",
    "l": "litre litres liter liters",
    "h": "h hr hrs hour hours",
    "min": "min mins minute minutes",
    "s": "sec secs second seconds",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years yr yrs",
    "century": "century centuries",
    "%": "% percent per\u00a0cent",
    "$": "$ usd dollar dollars",
    "€": "€ eur euro euros",
    "°": "° degree degrees",
    "bc": "bc bce",
    "ad": "ad ce",
}
_UNITS = {
    form.replace("\u00a0", " "): unit for unit, forms in _UNIT_FORMS.items() for form in forms.split(" ")
}


def _either(words: object) -> str:
    ordered = sorted((re.escape(w) for w in words), key=len, reverse=True)  # type: ignore[attr-defined]
    return "|".join(ordered)


_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_WORDS = rf"(?:{_either(_CARDINAL)})(?:[\s-]+(?:and\s+)?(?:{_either(_CARDINAL | _ORDINAL | _SCALES)})\b)*"
_UNIT = rf"(?:\s?[%°]|[\s-]?(?:{_either(u for u in _UNITS if u[0].isalpha())})\b)"
_DAY = r"(?P<d{0}>\d{{1,2}})(?:st|nd|rd|th)?"
_STARTS = {*_CARDINAL, *_ORDINAL, *_MONTHS}
_PATTERN = re.compile(
    rf"""(?=[$€£\d]|\b(?:{_either(s[:3] for s in _STARTS)}))(?:(?P<iso>\b\d{{4}}-\d{{1,2}}-\d{{1,2}}\b)
    |(?P<dmy>\b(?:{_DAY.format(1)}\s+(?:of\s+)?)(?P<m1>{_MONTH})\b\.?,?(?:\s+(?:of\s+)?(?P<y1>\d{{4}})\b)?)
    |(?P<mdy>\b(?P<m2>{_MONTH})\b\.?\s+(?:the\s+)?{_DAY.format(2)}\b(?!\d)(?:,?\s+(?P<y2>\d{{4}})\b)?)
    |(?P<my>\b(?P<m3>{_MONTH})\b\.?,?\s+(?:of\s+)?(?P<y3>\d{{4}})\b)
    |(?P<ordinal>\b(?:(?P<od>\d+)(?:st|nd|rd|th)|(?P<ow>(?:(?:{_either(TENS)})-)?(?:{_either(_ORDINAL)})))\b)
        (?P<ou>[\s-](?:century|centuries)\b)?
    |(?:(?P<cur>[$€£])\s?)?(?P<num>\b(?:{_DIGITS})|\b(?:{_WORDS})\b)
        (?P<scale>(?:\s(?:{_either(_SCALES)})\b)*)(?P<unit>{_UNIT})?)""",
    re.VERBOSE,
)


def _words_value(words: str) -> int:
    """``two hundred and five thousand`` -> 205000."""
    total = current = 0
    for word in re.split(r"[\s-]+", words):
        if word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if word != "hundred":
                total, current = total + current, 0
        else:
            current += _CARDINAL.get(word, _ORDINAL.get(word, 0))
    return total + current


def _canonical(number: float | int) -> str:
    return str(int(number)) if number == int(number) else repr(float(number))


def _date(year: str | None, month: int, day: str | None) -> str:
    return f"{int(year or 0):04d}-{month:02d}-{int(day or 0):02d}"


def _read(match: re.Match[str]) -> tuple[str, str, str]:
    """(kind, value, unit) of one match of ``_PATTERN``."""
    if iso := match["iso"]:
        year, month, day = iso.split("-")
        return "date", _date(year, int(month), day), ""
    if match["dmy"]:
        return "date", _date(match["y1"], _MONTHS[match["m1"]], match["d1"]), ""
    if match["mdy"]:
        return "date", _date(match["y2"], _MONTHS[match["m2"]], match["d2"]), ""
    if match["my"]:
        return "date", _date(match["y3"], _MONTHS[match["m3"]], None), ""
    if match["ordinal"]:
        word = match["ow"]
        value = match["od"].lstrip("0") if match["od"] else str(_words_value(word))
        return "ordinal", value, "century" if match["ou"] else ""
    number = match["num"]
    digits = number[0].isdigit()
    amount: float = float(number.replace(",", "")) if digits else _words_value(number)
    for scale in match["scale"].split():
        amount *= _SCALES[scale]
    unit = match["cur"] or (match["unit"] or "").strip(" -\t\n")
    return "number", _canonical(amount) if amount < 1e300 else number, _UNITS.get(unit, "")


def quantities(text: str) -> Iterator[Quantity]:
    """Every number and date in the text, in order."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capitals lengthen when lowered; offsets must stay true
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    for match in _PATTERN.finditer(lowered):
        kind, value, unit = _read(match)
        yield Quantity(match.start(), match.end(), kind, value, unit)


def agreement(asked: Quantity, found: Quantity) -> float:
    """How far ``found`` states ``asked``, 0..1; partial for a missing unit or part of a date."""
    if asked.kind == "date":
        if found.kind != "date":
            return 0.3 if found.kind == "number" and asked.value[:4] == found.value else 0.0
        return _date_agreement(asked.value.split("-"), found.value.split("-"))
    if found.kind == "date":
        # A bare year is stated by any date of that year.
        return 1.0 if asked.kind == "number" and found.value[:4] == asked.value and not asked.unit else 0.0
    if asked.value != found.value:
        return 0.0
    if asked.kind != found.kind:
        return 0.4
    if asked.unit == found.unit or not asked.unit:
        return 1.0
    return 0.7 if not found.unit else 0.2


def _date_agreement(asked: list[str], found: list[str]) -> float:
    wanted = [(a, f) for a, f in zip(asked, found, strict=True) if int(a)]
    if any(int(f) and a != f for a, f in wanted):
        return 0.0
    return sum(a == f for a, f in wanted) / len(wanted) if wanted else 0.0
