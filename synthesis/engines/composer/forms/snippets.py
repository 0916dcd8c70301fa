"""Snippets of other programs, for the repository around a pair's own: short, plain, of our own writing."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "texts" / "snippets.txt"
_NOUNS = (
    "barge",
    "crate",
    "parcel",
    "lantern",
    "ticket",
    "pallet",
    "wagon",
    "mooring",
    "permit",
    "buoy",
    "seal",
)
_OFTEN = 0.7  # of the entries are in the language of the pair's own


@cache
def _all() -> dict[str, list[tuple[str, str]]]:
    """Per language: what each snippet is for, and its lines."""
    found: dict[str, list[tuple[str, str]]] = {}
    for section in _FILE.read_text(encoding="utf-8").split("\n[")[1:]:
        language, _, rest = section.partition("]\n")
        entries = (entry.partition("\n") for entry in rest.strip("\n").removeprefix("= ").split("\n= "))
        found[language] = [(thing, code) for thing, _, code in entries]
    return found


def snippet(language: str, rng: random.Random) -> tuple[str, str]:
    """What it is for, and its lines; mostly in the language asked for."""
    known = _all()
    names = sorted(known)
    draw = rng.random()
    pool = known[language if draw < _OFTEN else names[int(rng.random() * len(names))]]
    thing, code = pool[int(rng.random() * len(pool))]
    noun = _NOUNS[int(rng.random() * len(_NOUNS))]
    number = str(13 + int(rng.random() * 80))
    return thing.replace("NOUN", noun), code.replace("NOUN", noun).replace("@", number)
