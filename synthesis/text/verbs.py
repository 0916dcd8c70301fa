"""The irregular verbs of English, from one list: who writes sentences and who reads them share it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from synthesis.text.lists import entries


@cache
def irregular_verbs() -> tuple[tuple[str, str, str], ...]:
    """Base, simple past and past participle of each, in the order of the list."""
    rows = []
    for entry in entries(files("synthesis.text").joinpath("irregular_verbs.txt")):
        base, past, participle = entry.split()
        rows.append((base, past, participle))
    return tuple(rows)
