"""Some of a run's contexts as a sequence that holds no texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from synthesis.data import Context, Pair
from synthesis.ondemand import OnDemand

Row: TypeAlias = tuple[Pair, Context]


class Chosen(OnDemand[Row]):
    """The rows at some places of a sequence."""

    def __init__(self, rows: Sequence[Row], places: Sequence[int]) -> None:
        self._rows = rows
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def read(self, place: int) -> Row:
        """The row at one of the places."""
        return self._rows[self._places[place]]
