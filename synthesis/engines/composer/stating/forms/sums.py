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
    (r"\*|×|·|x(?= ?\d)|times|multiplied by", lambda a, b: a * b),
    (r"\+|plus", lambda a, b: a + b),
    (r"-|−|minus", lambda a, b: a - b),
)
_BINARY = re.compile(r"(?P<a>\d[\d,]*)(?P<gap>\s*)(?P<op>[-+*/×÷·−]|x|times|plus|minus|multiplied by|divided by)\s*(?P<b>\d[\d,]*)")
_PERCENT = re.compile(r"\d+(?:\.\d+)?\s*(?P<sign>%|percent) of", re.IGNORECASE)
_ROOT = re.compile(r"square root of \d+", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def other_sum(task: str, answer: str, rng: random.Random) -> tuple[str, str]:
    """Another entry of the same kind: what was to be worked out, and what came of it."""
    found = _BINARY.search(task)
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
    work = next(work for pattern, work in _OPERATORS if re.fullmatch(pattern.replace("(?= ?\\d)", ""), op))
    return f"{high}{gap}{op}{gap}{low}", f"{work(high, low):,}" if "," in found["a"] else str(work(high, low))


def _near(figure: str, rng: random.Random) -> int:
    """A number of about the same size."""
    digits = len(figure.replace(",", ""))
    least = 10 ** (digits - 1)
    return max(2, least + int(rng.random() * 9 * least))


def _converted(task: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """The same conversion of another quantity, where the pair shows what one unit comes to."""
    given, made = _NUMBER.search(task), _NUMBER.search(answer)
    if not given or not made:
        return None
    one, other = (Fraction(text.replace(",", "")) for text in (given[0], made[0]))
    scaled = re.search(r"degree|°|fahrenheit|celsius|binary|decimal|hexadecimal|roman|fraction|percent", task, re.I)
    if scaled or not one or not other or len(_NUMBER.findall(task)) > 1:
        return None
    amount = 2 + int(rng.random() * 88)
    result = Fraction(amount) * other / one
    # What stands before and after the figure is the same for any amount but one.
    what = f"{task[: given.start()]}{amount}{task[given.end() :]}"
    told = f"{answer[: made.start()]}{_plain(result)}{answer[made.end() :]}"
    return what, told.replace(given[0], str(amount)) if given[0] != made[0] else told


def _stores(rng: random.Random) -> tuple[str, str]:
    thing, other = (_GOODS[int(rng.random() * len(_GOODS))] for _ in range(2))
    count, price = 3 + int(rng.random() * 90), 2 + int(rng.random() * 40)
    if rng.random() < 0.5:
        return f"{count} {thing} at {price} shillings each", f"{count * price} shillings"
    return f"{count} {thing} and {price} {other} in one load", f"{count + price} pieces"


_GOODS = ("sacks", "lanterns", "oars", "planks", "crates", "barrels", "coils of rope", "panes", "kettles")


def _plain(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0").rstrip(".")
