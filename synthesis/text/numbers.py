"""Numbers and dates in a text, brought to one form: words or digits, units, percent, date orders.

English number words and month names; digits of any script. ``3 May 1990``, ``May 3rd, 1990``,
``05/03/1990`` and ``1990-05-03`` become one key; so do ``2.5 million km`` and ``2,500,000 kilometres``,
``a hundred and five`` and ``105``, ``five per cent`` and ``5%``, ``two thirds`` and ``2/3``. Linear in
the text. Knows nothing of who asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from synthesis.text.words import (
    ORDINALS,
    TENS,
    TENTHS,
    UNITS_0_19,
    fold,
    ordinal,
    split_words,
    terms,
    terms_with_spans,
)


class Quantity(NamedTuple):
    """A number or date at ``text[start:end]``.

    ``kind`` is ``number``, ``ordinal`` or ``date``; ``value`` is canonical digits, ``2/3`` for a
    fraction, ``1990s`` for a decade, for a date ``yyyy-mm-dd`` with ``00`` for what is not given;
    ``unit`` may be empty. ``other`` is a date's second reading where day and month cannot be told
    apart.
    """

    start: int
    end: int
    kind: str
    value: str
    unit: str = ""
    other: str = ""


_MONTH_NAMES = split_words(
    "january february march april may june july august september october november december"
)
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, 1)}
_MONTHS |= {name[:3]: n for name, n in _MONTHS.items()} | {"sept": 9}

_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_CARDINALS = {word: n for n, word in enumerate(UNITS_0_19)}
_CARDINALS |= {word: 20 + 10 * n for n, word in enumerate(TENS)}
_ORDINALS = {word: n for n, word in enumerate(ORDINALS)}
_ORDINALS |= {word: 20 + 10 * n for n, word in enumerate(TENTHS)}
_MONEY_SCALES = _SCALES | {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12}
_PARTS = {word: n for word, n in _ORDINALS.items() if 3 <= n <= 10} | {"quarter": 4}
_PARTS |= {f"{word}s": n for word, n in _PARTS.items()} | {"half": 2, "halves": 2}
_ORDINAL_SCALES = {f"{word}th": scale for word, scale in _SCALES.items()}
_VALUES = _CARDINALS | _ORDINALS

# Each unit: its name, then the other ways to write it.
_UNIT_FORMS = {
    "km": "kilometre km kilometer kilometers kilometres",
    "m": "metre m metres meter meters",
    "cm": "centimetre cm centimetres centimeter centimeters",
    "mm": "millimetre mm millimetres millimeter millimeters",
    "mi": "mile mi miles",
    "ft": "foot ft feet",
    "in": "inch inches",
    "kg": "kilogram kg kilograms kilogramme kilogrammes kilo kilos",
    "g": "gram grams gramme grammes",
    "t": "ton tons tonne tonnes",
    "lb": "pound lb lbs pounds £ gbp",
    "l": "litre litres liter liters",
    "h": "hour h hr hrs hours",
    "min": "minute min mins minutes",
    "s": "second sec secs seconds",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years yr yrs",
    "century": "century centuries",
    "%": "percent % ٪ ％ pct percents",
    "$": "dollar $ usd dollars",
    "€": "euro € eur euros",
    "°": "degree ° degrees",
    "bc": "bc bce",
    "ad": "ad ce",
}
_UNITS = {form: unit for unit, forms in _UNIT_FORMS.items() for form in forms.split()}
_UNIT_TERMS = {unit: fold(forms.split()[0]) for unit, forms in _UNIT_FORMS.items()}
NAMES = frozenset((*_UNIT_TERMS.values(), *map(fold, _MONTH_NAMES)))
"""The terms that units and months become, whatever stands for them in the text."""


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


# Gaps are bounded, and each pattern below is tried at one place only: no text takes more than one pass.
_GAP = r"\s{1,4}"
_MONTH = rf"(?P<month>{_either(_MONTHS)})\b"
_YEAR = rf"(?:,?{_GAP}(?:(?:of|in){_GAP})?(?P<year>\d{{4}})\b(?![.,]?\d))"
_WORDS = {*_CARDINALS, *_ORDINALS, *_SCALES, *_ORDINAL_SCALES, *_MONTHS}
# The look ahead changes nothing but the pace.
_START = re.compile(
    rf"[$€£]|\b(?=[\d{''.join(sorted({word[0] for word in _WORDS}))}])"
    rf"(?:\d|{_either({word[:3] for word in _WORDS})})"
)
_WORD = re.compile(r"[a-z]{3,12}\b")
_NEXT_WORD = re.compile(r"[\s-]{1,4}(and[\s-]{1,4})?([a-z]{3,12})\b")
_VAGUE = re.compile(r"\b(?:few|several|many|some|half|couple|quarter)(?:\s(?:an?|of))?\s{1,4}\Z")
_VAGUE_REACH = 16
# A hyphen between two things is no sign, nor is a minus that takes one number from another.
_SIGN = re.compile(r"(?:(?<![^\s(])[-\u2212]|(?<!\d\s)\bminus\s)\Z")
_SIGN_REACH = 8
_CURRENCY = re.compile(r"[$€£]\s?(?=\d)")
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\d/-])"
)
_YEAR_LAST = re.compile(r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4})(?![\d/-])")
_FRACTION = re.compile(r"(\d{1,3})/(\d{1,3})(?![\d/])")
_DECADE = re.compile(r"\d{3}0s\b")
_VERSION = re.compile(r"\d+(?:\.\d+){2,}")
# Thousands stand apart by commas, or by blanks at which no line breaks.
_APART = ",\u00a0\u2009\u202f"
_DIGITS = re.compile(rf"\d{{1,3}}(?:[{_APART}]\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?")
_GAPS = re.compile(f"[{_APART}]")
_ORDINAL_END = re.compile(r"(?:st|nd|rd|th)\b")
_MONTH_AFTER = re.compile(rf"{_GAP}(?:of{_GAP})?{_MONTH}(?:\.?{_YEAR})?")
_MONTH_FIRST = re.compile(
    rf"{_MONTH}\.?(?:{_GAP}(?:the{_GAP})?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.,]?\d))?{_YEAR}?"
)
_MONTH_ORDINAL = re.compile(rf"{_MONTH}{_GAP}(?:the{_GAP})?(?=[a-z])")
_YEAR_AFTER = re.compile(_YEAR)
_SCALE = re.compile(rf"(?:{_GAP}|-)({_either(_SCALES)})\b")
_MONEY_SCALE = re.compile(rf"(?:{_GAP}|-)?({_either(_MONEY_SCALES)})\b")
_PART = re.compile(rf"[\s-]{{1,4}}({_either(_PARTS)})\b(?!-)")
_NAMED_UNIT = _either(unit for unit in _UNITS if unit[0].isalpha())
_UNIT = re.compile(rf"\s?([%٪％°])|(?:\s{{1,4}}|-)?(?:(per[\s-]{{0,4}}cent(?:um)?)|({_NAMED_UNIT}))\b")
_CENTURY = re.compile(r"[\s-]{1,4}(?:century|centuries)\b")
_MOST_SCALES = 4
_LARGEST = 10**18
_MOST_DIGITS = 300


def quantities(text: str) -> Iterator[Quantity]:
    """Every number and date in the text, in order."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capitals lengthen when lowered; offsets must stay true
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    end = 0
    for anchor in _START.finditer(lowered):
        at = anchor.start()
        if at < end:
            continue
        if lowered[at] in "$€£":
            end, found = _money(lowered, at)
        elif lowered[at].isdigit():
            end, found = _figures(lowered, at)
        else:
            end, found = _words(lowered, at)
        if found is not None:
            yield _signed(lowered, found)


def canonical_terms(text: str) -> list[str]:
    """The terms of a text with every number and date in its one form.

    A number is its digits and the name of its unit; a date is a key for each of its parts that
    may be asked for, then its month and year as words.
    """
    found: list[str] = []
    end = 0
    for quantity in quantities(text):
        found += terms(text[end : quantity.start])
        found += _terms_of(quantity)
        end = quantity.end
    return found + terms(text[end:])


def canonical_terms_with_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The same terms with their character spans; all those of a number or date have its span."""
    end = 0
    for quantity in quantities(text):
        yield from _shifted(text, end, quantity.start)
        yield from ((term, quantity.start, quantity.end) for term in _terms_of(quantity))
        end = quantity.end
    yield from _shifted(text, end, len(text))


def _shifted(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for term, first, last in terms_with_spans(text[start:end]):
        yield term, start + first, start + last


def keys(quantity: Quantity) -> list[str]:
    """The terms any of which, as ``canonical_terms`` has them, states all of a quantity.

    A number with its unit is two terms with a blank between them.
    """
    if quantity.kind == "date":
        return list(
            dict.fromkeys(_date_keys(value)[0] for value in (quantity.value, quantity.other) if value)
        )
    return [" ".join(_terms_of(quantity))]


def _terms_of(quantity: Quantity) -> list[str]:
    if quantity.kind == "date":
        found = [key for value in (quantity.value, quantity.other) if value for key in _date_keys(value)]
        year, month, _ = quantity.value.split("-")
        named = [fold(_MONTH_NAMES[int(month) - 1]), *([str(int(year))] if int(year) else [])]
        return [*dict.fromkeys(found), *named]
    number = ordinal(int(quantity.value)) if quantity.kind == "ordinal" else quantity.value
    return [number, _UNIT_TERMS[quantity.unit]] if quantity.unit else [number]


def _date_keys(value: str) -> list[str]:
    """What a date states of itself, all of it first."""
    year, month, day = value.split("-")
    found = [f"ymd{year}{month}{day}"] if int(year) and int(day) else []
    found += [f"ym{year}{month}"] if int(year) else []
    return found + ([f"md{month}{day}"] if int(day) else [])


# From here on texts are in lower case, and each function reads what starts at a place: it gives
# the end of what it has looked at, and the quantity if there is one.
_Read = tuple[int, Quantity | None]


def _signed(text: str, found: Quantity) -> Quantity:
    """The number with the minus before it."""
    start = found.start
    sign = _SIGN.search(text, max(0, start - _SIGN_REACH), start) if found.kind == "number" else None
    return found._replace(start=sign.start(), value=f"-{found.value}") if sign else found


def _money(text: str, at: int) -> _Read:
    sign = _CURRENCY.match(text, at)
    if sign is None:
        return at + 1, None
    end, value = _scaled(text, sign.end(), _MONEY_SCALE)
    if unit := _UNIT.match(text, end):  # "$5 dollars"
        end = unit.end() if _unit_of(unit) == _UNITS[text[at]] else end
    return end, Quantity(at, end, "number", value, _UNITS[text[at]])


def _figures(text: str, at: int) -> _Read:
    """A number or date that starts with a digit."""
    digits = _DIGITS.match(text, at)
    assert digits is not None
    following = text[digits.end() : digits.end() + 1]
    if following and following in "-/.":
        if written := _YEAR_FIRST.match(text, at) or _YEAR_LAST.match(text, at):
            if date := _written_date(written):
                return date.end, date
        elif version := _VERSION.match(text, at):
            return version.end(), None
        elif fraction := _FRACTION.match(text, at):
            return _measured(text, at, fraction.end(), f"{int(fraction[1])}/{int(fraction[2])}")
    if decade := _DECADE.match(text, at):
        return decade.end(), Quantity(at, decade.end(), "number", decade.group())
    if digits.group().isdecimal() and (following.isspace() or following.isalpha()):
        suffix = _ORDINAL_END.match(text, digits.end())
        end = suffix.end() if suffix else digits.end()
        if date := _day_first(text, at, end, digits.group()):
            return date.end, date
        if suffix:
            return _ordinal(text, at, end, digits.group().lstrip("0") or "0")
    end, value = _scaled(text, at)
    return _measured(text, at, end, value)


def _words(text: str, at: int) -> _Read:
    """A number or date that starts with a word."""
    word = _WORD.match(text, at)
    if word is None or word.group() not in _WORDS:
        return at + 1, None
    if word.group() in _MONTHS:
        return _month_first(text, at)
    if (word.group() in _SCALES or word.group() in _ORDINAL_SCALES) and _VAGUE.search(
        text, max(0, at - _VAGUE_REACH), at
    ):
        return word.end(), None
    end, number, is_ordinal = _spelled(text, word)
    if not is_ordinal:
        if part := _PART.match(text, end):
            return _measured(text, at, part.end(), f"{number}/{_PARTS[part[1]]}")
        return _measured(text, at, end, str(number))
    if date := _day_first(text, at, end, str(number)):
        return date.end, date
    return _ordinal(text, at, end, str(number))


def _ordinal(text: str, at: int, end: int, value: str) -> _Read:
    century = _CENTURY.match(text, end)
    end = century.end() if century else end
    if len(value) > _MOST_DIGITS:
        return end, Quantity(at, end, "number", value)
    return end, Quantity(at, end, "ordinal", value, "century" if century else "")


def _measured(text: str, at: int, end: int, value: str) -> _Read:
    unit = _UNIT.match(text, end)
    if unit is None:
        return end, Quantity(at, end, "number", value)
    return unit.end(), Quantity(at, unit.end(), "number", value, _unit_of(unit))


def _unit_of(match: re.Match[str]) -> str:
    return "%" if match[2] else _UNITS[match[1] or match[3]]


def _scaled(text: str, at: int, scales: re.Pattern[str] = _SCALE) -> tuple[int, str]:
    """``2.5 million`` as digits; with the scales of money also ``2.5m``."""
    digits = _DIGITS.match(text, at)
    assert digits is not None
    end, scale = digits.end(), 1
    for _ in range(_MOST_SCALES):
        word = scales.match(text, end)
        if word is None:
            break
        end, scale = word.end(), scale * _MONEY_SCALES[word[1]]
    whole, _, fraction = _GAPS.sub("", digits.group()).partition(".")
    if len(whole) + len(fraction) > _MOST_DIGITS:
        return end, whole + fraction
    number, rest = divmod(int(whole + fraction) * scale, 10 ** len(fraction))
    return end, f"{number}.{rest:0{len(fraction)}}".rstrip("0") if rest else str(number)


def _spelled(text: str, first: re.Match[str]) -> tuple[int, int, bool]:
    """The number that starts with the word ``first``: its end, its value, whether it is an ordinal."""
    total, current, word, end = 0, -1, first.group(), first.end()
    while True:
        joined = _joined(total, current, word)
        assert joined is not None
        total, current = joined
        if word in _ORDINALS or word in _ORDINAL_SCALES:
            return end, total + max(current, 0), True
        following = _NEXT_WORD.match(text, end)
        if following is None:
            break
        linked, word_after = following[1], following[2]
        if linked and (word not in _SCALES or word_after not in _VALUES):
            break
        if _joined(total, current, word_after) is None:
            break
        word, end = word_after, following.end()
    return end, total + max(current, 0), False


def _joined(total: int, current: int, word: str) -> tuple[int, int] | None:
    """The number so far (``current`` -1: nothing below the last scale) with one more word, if it goes on."""
    value = _VALUES.get(word, -1)
    if value >= 0:
        if current < 0 or (current and current % 100 == 0 and value):
            return total, max(current, 0) + value
        if current % 100 >= 20 and current % 10 == 0 and 0 < value < 10:
            return total, current + value
        # "nineteen ninety" is said of years.
        return (total, current * 100 + value) if 10 <= current <= 20 and value >= 10 else None
    scale = _SCALES.get(word) or _ORDINAL_SCALES.get(word)
    if scale is None or total > _LARGEST or (current < 0 and total):
        return None
    if scale == _SCALES["hundred"]:
        return (total, (1 if current < 0 else current) * scale) if current < scale else None
    return total + (1 if current < 0 else current) * scale, -1


def _written_date(match: re.Match[str]) -> Quantity | None:
    """A date in figures; where day and month cannot be told apart both readings are kept."""
    year = match["year"]
    if "one" in match.groupdict():
        readings = [(match["two"], match["one"]), (match["one"], match["two"])]
    else:
        readings = [(match["month"], match["day"])]
    dates = [date for month, day in readings if (date := _date(year, int(month), day))]
    if not dates:
        return None
    other = dates[1] if len(dates) > 1 and dates[1] != dates[0] else ""
    return Quantity(match.start(), match.end(), "date", dates[0], "", other)


def _day_first(text: str, at: int, end: int, day: str) -> Quantity | None:
    """``3 May 1990``, ``the third of May``: a date whose day ends at ``end``."""
    month = _MONTH_AFTER.match(text, end) if len(day) <= 2 else None
    date = _date(month["year"], _MONTHS[month["month"]], day) if month else ""
    return Quantity(at, month.end(), "date", date) if month and date else None


def _month_first(text: str, at: int) -> _Read:
    """``May 3rd, 1990``, ``May the third``, ``May 1990``; a month alone is a word like others."""
    match = _MONTH_FIRST.match(text, at)
    told = match is not None and (match["day"] or match["year"])
    if match and told and (date := _date(match["year"], _MONTHS[match["month"]], match["day"])):
        return match.end(), Quantity(at, match.end(), "date", date)
    if match := _MONTH_ORDINAL.match(text, at):
        word = _WORD.match(text, match.end())
        if word and word.group() in _VALUES:
            end, number, is_ordinal = _spelled(text, word)
            year = _YEAR_AFTER.match(text, end)
            if is_ordinal and (date := _date(year and year["year"], _MONTHS[match["month"]], str(number))):
                end = year.end() if year else end
                return end, Quantity(at, end, "date", date)
    return at + 1, None


def _date(year: str | None, month: int, day: str | None) -> str:
    """``yyyy-mm-dd``; an empty string if there is no such day."""
    possible = 1 <= month <= 12 and (day is None or 1 <= int(day) <= 31)
    return f"{int(year or 0):04d}-{month:02d}-{int(day or 0):02d}" if possible else ""


def agreement(asked: Quantity, found: Quantity) -> float:
    """How far ``found`` states ``asked``, 0..1; partial for a missing unit or part of a date."""
    if asked.kind == "date":
        if found.kind != "date":
            return 0.3 if found.kind == "number" and asked.value[:4] == found.value else 0.0
        return max(
            _date_agreement(a.split("-"), f.split("-")) for a in _readings(asked) for f in _readings(found)
        )
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


def _readings(date: Quantity) -> list[str]:
    return [date.value, date.other] if date.other else [date.value]


def _date_agreement(asked: list[str], found: list[str]) -> float:
    wanted = [(a, f) for a, f in zip(asked, found, strict=True) if int(a)]
    if any(int(f) and a != f for a, f in wanted):
        return 0.0
    return sum(a == f for a, f in wanted) / len(wanted) if wanted else 0.0
