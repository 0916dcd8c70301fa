"""A text as plain words in one spelling, so that the same statement reads the same.

Case, width, accents, punctuation, articles and thousands separators go; English number words
become digits (``two hundred and five`` is ``205``, ``third`` and ``3rd`` are one) and dates, in
whatever order they are written, become keys. Knows nothing of answers or documents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

_WORD = re.compile(r"\d+\.\d+(?!\.?\d)|[0-9a-z]+|[^\W0-9a-z_]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_YEAR_FIRST = re.compile(r"(?<![\d./-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d/-])")
_YEAR_LAST = re.compile(r"(?<![\d./-])(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?![\d/-])")
_DIGIT = re.compile(r"\d")
_DATED = re.compile(r"\d[-/.]\d")
_ORDINAL_DIGITS = re.compile(r"(\d+)(?:st|nd|rd|th)")
ARTICLES: Final = frozenset(("a", "an", "the"))

# fmt: off
_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MONTH_NAMES: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)
# fmt: on
_CARDINALS: Final = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * place for place, word in enumerate(_TENS, 2)
}
_IRREGULAR: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_ORDINALS: Final = {
    _IRREGULAR.get(word, word.removesuffix("y") + ("ieth" if word.endswith("y") else "th")): value
    for word, value in _CARDINALS.items()
}
_SCALES: Final = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMBER_WORDS: Final = frozenset((*_CARDINALS, *_ORDINALS, *_SCALES))

_MONTHS: Final = {name: place for place, long in enumerate(_MONTH_NAMES, 1) for name in (long, long[:3])} | {
    "sept": 9
}
_DATE_FILLERS: Final = frozenset(("on", "in", "of", "since", "by", "at"))
_KEY = re.compile(r"(?:ymd\d{8}|ym\d{6}|md\d{4})")


def canonical_words(text: str) -> list[str]:
    """The words of ``text`` in their one spelling, in order."""
    plain = text.lower() if text.isascii() else _folded(text)
    if "," in plain:
        plain = _THOUSANDS.sub("", plain)
    if "%" in plain:
        plain = plain.replace("%", " percent ")
    digits = _DIGIT.search(plain) is not None
    if digits and _DATED.search(plain):
        plain = _YEAR_LAST.sub(_year_last, _YEAR_FIRST.sub(_year_first, plain))
    words = _WORD.findall(plain)
    known = set(words)
    if not known.isdisjoint(ARTICLES):
        words = [word for word in words if word not in ARTICLES]
    if digits or not known.isdisjoint(_NUMBER_WORDS):
        words = list(_with_digits(words))
    return words if known.isdisjoint(_MONTHS) else list(_with_dates(words))


def _folded(text: str) -> str:
    # Letters keep their base; what marks them (accents, points) is not compared.
    split = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    marks = [letter for letter in set(split) if letter >= "\x80" and unicodedata.category(letter) == "Mn"]
    return split.translate(dict.fromkeys(map(ord, marks))) if marks else split


def date_keys(words: Sequence[str]) -> list[str]:
    """The keys of the date that ``words``, canonical ones, are; none if they are anything else.

    More than one where day and month cannot be told apart.
    """
    keys = [word for word in words if _KEY.fullmatch(word)]
    rest = [word for word in words if word not in keys and word not in _DATE_FILLERS]
    if len(rest) > 3 or not all(word in _MONTHS or word.isdigit() for word in rest):
        return []
    return [key for key in keys if len(key) == max(map(len, keys))]


def _keys(year: int | None, month: int, day: int | None) -> Iterator[str]:
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return
    if year is not None and day is not None:
        yield f"ymd{year:04}{month:02}{day:02}"
    if year is not None:
        yield f"ym{year:04}{month:02}"
    if day is not None:
        yield f"md{month:02}{day:02}"


def _year_first(match: re.Match[str]) -> str:
    year, month, day = map(int, match.groups())
    return f" {' '.join(_keys(year, month, day))} {year} "


def _year_last(match: re.Match[str]) -> str:
    one, two, year = int(match[1]), int(match[3]), int(match[4])
    # Which of the two is the month cannot be told: both readings are kept.
    keys = dict.fromkeys(chain(_keys(year, two, one), _keys(year, one, two)))
    return f" {' '.join(keys)} {year} "


def _with_digits(words: Sequence[str]) -> Iterator[str]:
    place = 0
    for hit in (at for at, word in enumerate(words) if word in _NUMBER_WORDS or word[0].isdigit()):
        if hit >= place:
            yield from words[place:hit]
            place, number = _number(words, hit)
            yield number
    yield from words[place:]


def _ordinal(word: str) -> str:
    match = _ORDINAL_DIGITS.fullmatch(word)
    return f"{int(match[1])}th" if match else word


def _number(words: Sequence[str], place: int) -> tuple[int, str]:
    """The number that starts at ``place``: where it ends, and its digits."""
    first = words[place]
    if first[0].isdigit():
        return _scaled_digits(words, place)
    total, current, ordinal, start = 0, -1, False, place
    while place < len(words) and not ordinal:
        word = words[place]
        if word == "and" and place > start and words[place - 1] in _SCALES:
            follows = words[place + 1] if place + 1 < len(words) else ""
            if follows not in _CARDINALS and follows not in _ORDINALS:
                break
            place += 1
            continue
        joined = _joined(total, current, word)
        if joined is None:
            break
        total, current = joined
        ordinal = word in _ORDINALS
        place += 1
    value = total + max(current, 0)
    return place, f"{value}th" if ordinal else str(value)


def _joined(total: int, current: int, word: str) -> tuple[int, int] | None:
    """The number so far (``current`` -1: nothing below the last scale) with one more word, if it goes on."""
    value = _CARDINALS.get(word, _ORDINALS.get(word, -1))
    if value >= 0:
        if current < 0 or (current and current % 100 == 0 and value):
            return total, max(current, 0) + value
        if current % 100 >= 20 and current % 10 == 0 and 0 < value < 10:
            return total, current + value
        # "nineteen ninety" is said of years.
        return (total, current * 100 + value) if 10 <= current <= 20 and value >= 10 else None
    if word == "hundred":
        return (total, (1 if current < 0 else current) * 100) if current < 100 else None
    if word in _SCALES:
        return total + (1 if current < 0 else current) * _SCALES[word], -1
    return None


def _scaled_digits(words: Sequence[str], place: int) -> tuple[int, str]:
    """``2.5 million`` as digits; digits that no scale follows stay as they are."""
    word = words[place]
    scale = _SCALES.get(words[place + 1]) if place + 1 < len(words) else None
    whole, _, fraction = word.partition(".")
    if scale is None or not (whole + fraction).isdecimal() or len(word) > 15:
        return place + 1, _ordinal(word)
    value, rest = divmod(int(whole + fraction) * scale, 10 ** len(fraction))
    return (place + 1, word) if rest else (place + 2, str(value))


def _with_dates(words: Sequence[str]) -> Iterator[str]:
    """Each ``3 may 1990`` or ``may 3th 1990`` as its keys, then day, month and year."""
    place = 0
    while place < len(words):
        found = _day_and_month(words, place)
        if found is None:
            yield words[place]
            place += 1
            continue
        place, day, month = found
        year = _year(words, place)
        place += year is not None
        yield from _keys(year, _MONTHS[month], day)
        yield from (str(part) for part in (day, month, year) if part is not None)


def _day_and_month(words: Sequence[str], place: int) -> tuple[int, int | None, str] | None:
    """Where a date's day and month (or month before a year) end, and what they are."""
    if words[place] in _MONTHS:
        day = _day(words, place + 1)
        if day is not None:
            return place + 2, day, words[place]
        return (place + 1, None, words[place]) if _year(words, place + 1) is not None else None
    day = _day(words, place)
    after = place + 1 + (words[place + 1 : place + 2] == ["of"])
    if day is None or after >= len(words) or words[after] not in _MONTHS:
        return None
    return after + 1, day, words[after]


def _day(words: Sequence[str], place: int) -> int | None:
    word = words[place].removesuffix("th") if place < len(words) else ""
    return int(word) if word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= 31 else None


def _year(words: Sequence[str], place: int) -> int | None:
    word = words[place] if place < len(words) else ""
    return int(word) if word.isdecimal() and len(word) == 4 else None
