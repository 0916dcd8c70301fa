"""Sums and conversions like a given one, with other figures: worked out, so that each of them is right.

Reads an expression of one operator, a percentage, a root, or a quantity to be converted; anything else
gets sums of shops and stores. Knows nothing of how they are told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from fractions import Fraction

_OPERATORS: tuple[tuple[str, Callable[[int, int], int]], ...] = (
    (r"\*|×|·|x|times|multiplied by", lambda a, b: a * b),
    (r"\+|plus", lambda a, b: a + b),
    (r"-|−|minus", lambda a, b: a - b),
)
_BINARY = re.compile(
    r"(?P<a>\d[\d,]*)(?P<gap>\s*)(?P<op>[-+*/×÷·−]|x|times|plus|minus|multiplied by|divided by)"
    r"\s*(?P<b>\d[\d,]*)"
)
_PERCENT = re.compile(r"\d+(?:\.\d+)?\s*(?P<sign>%|percent) of", re.IGNORECASE)
_ROOT = re.compile(r"square root of \d+", re.IGNORECASE)
_UNIT = re.compile(r"\d[\d,.]*(?P<rest>\s*\w[^,]*)")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def other_sum(task: str, answer: str, rng: random.Random) -> tuple[str, str]:
    """Another entry of the same kind: what was to be worked out, and what came of it."""
    found = _BINARY.search(task)
    for cue, make in _SCALES:
        if cue in task.casefold():
            return make(rng)
    if _PERCENT.search(task):
        share, whole = 5 * (1 + int(rng.random() * 18)), 20 * (2 + int(rng.random() * 48))
        sign = "percent" if "percent" in task.casefold() else "%"
        return f"{share}{' ' if sign != '%' else ''}{sign} of {whole}", _plain(Fraction(share * whole, 100))
    if _ROOT.search(task):
        side = 3 + int(rng.random() * 60)
        return f"the square root of {side * side}", str(side)
    if found:
        return _like(found, rng)
    return _converted(task, answer, rng) or _stores(rng)


def _like(found: re.Match[str], rng: random.Random) -> tuple[str, str]:
    gap, op = found["gap"] and " ", found["op"]
    low, high = sorted((_near(found["a"], rng), _near(found["b"], rng)))
    if re.fullmatch(r"[/÷]|divided by", op):
        low = max(2, low)
        return f"{low * high}{gap}{op}{gap}{low}", str(high)
    work: Callable[[int, int], int] = next(work for pattern, work in _OPERATORS if re.fullmatch(pattern, op))
    result = work(high, low)
    return f"{high}{gap}{op}{gap}{low}", f"{result:,}" if "," in found["a"] else str(result)


def _near(figure: str, rng: random.Random) -> int:
    """A number of about the same size."""
    least = int("1".ljust(min(9, len(figure.replace(",", ""))), "0"))
    return max(2, least + int(rng.random() * 9 * least))


def _converted(task: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """The same conversion of another quantity, where the pair shows what one unit comes to."""
    given = _NUMBER.search(task)
    made = given and next((m for m in _NUMBER.finditer(answer) if m[0] != given[0]), None)
    if not given or not made:
        return None
    one, other = (Fraction(text.replace(",", "")) for text in (given[0], made[0]))
    scaled = re.search(r"degree|°|fahrenheit|celsius|percent", task, re.I)
    if scaled or not one or not other or len(_NUMBER.findall(task)) > 1:
        return None
    amount = 2 + int(rng.random() * 88)
    result = Fraction(amount) * other / one
    unit = _UNIT.match(task, given.start())
    if not unit:
        return None
    # What stands before and after the figure is the same for any amount but one.
    told = f"{answer[: made.start()]}{_plain(result)}{answer[made.end() :]}"
    return f"{amount}{unit['rest']}", re.sub(rf"(?<![\d.]){re.escape(given[0])}(?![\d.])", str(amount), told)


def _stores(rng: random.Random) -> tuple[str, str]:
    thing, other = (_GOODS[int(rng.random() * len(_GOODS))] for _ in range(2))
    count, price = 3 + int(rng.random() * 90), 2 + int(rng.random() * 40)
    if rng.random() < 0.5:
        return f"{count} {thing} at {price} shillings each", f"{count * price} shillings"
    return f"{count} {thing} and {price} {other} in one load", f"{count + price} pieces"


def _roman(number: int) -> str:
    signs = (
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    )
    told = ""
    for value, sign in signs:
        told += sign * (number // value)
        number %= value
    return told


def _binary(rng: random.Random) -> tuple[str, str]:
    number = 5 + int(rng.random() * 250)
    return f"the decimal number {number} in binary", f"{number:b}"


def _hexadecimal(rng: random.Random) -> tuple[str, str]:
    number = 20 + int(rng.random() * 900)
    return f"the decimal number {number} in hexadecimal", f"{number:X}"


def _numeral(rng: random.Random) -> tuple[str, str]:
    number = 11 + int(rng.random() * 280)
    return f"the number {number} in Roman numerals", _roman(number)


def _degrees(rng: random.Random) -> tuple[str, str]:
    celsius = 5 * int(rng.random() * 20)
    return f"{celsius * 9 // 5 + 32} degrees Fahrenheit in Celsius", f"{celsius} °C"


def _part(rng: random.Random) -> tuple[str, str]:
    over = (4, 5, 8, 16, 20)[int(rng.random() * 5)]
    part = Fraction(1 + 2 * int(rng.random() * 7), over)
    return f"{float(part):g} as a fraction", str(part)


_SCALES: tuple[tuple[str, Callable[[random.Random], tuple[str, str]]], ...] = (
    ("binary", _binary),
    ("hexadecimal", _hexadecimal),
    ("roman", _numeral),
    ("fahrenheit", _degrees),
    ("celsius", _degrees),
    ("fraction", _part),
)
_GOODS = ("sacks", "lanterns", "oars", "planks", "crates", "barrels", "coils of rope", "panes", "kettles")


def _plain(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0").rstrip(".")
