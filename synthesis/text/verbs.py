"""The irregular verbs of English, from one list: who writes sentences and who reads them share it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def irregular_verbs() -> tuple[tuple[str, str, str], ...]:
    """Base, simple past and past participle of each, in the order of the list."""
    listed = files("synthesis.text").joinpath("irregular_verbs.txt").read_text(encoding="utf-8").splitlines()
    rows = []
    for line in listed:
        if line and not line.startswith("#"):
            base, past, participle = line.split()
            rows.append((base, past, participle))
    return tuple(rows)
