"""Some of a run's contexts as a sequence that holds no texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, overload

from synthesis.data import Context, Pair

Row: TypeAlias = tuple[Pair, Context]


class Chosen(Sequence[Row]):
    """The rows at some places of a sequence."""

    def __init__(self, rows: Sequence[Row], places: Sequence[int]) -> None:
        self._rows = rows
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._rows[place] for place in self._places[index]]
        return self._rows[self._places[index]]
