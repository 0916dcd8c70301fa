"""Sequences whose rows are read when they are asked for. Knows nothing of what the rows are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

Row = TypeVar("Row")


class OnDemand(Sequence[Row]):
    """A sequence by its length and ``read``, which gives the row at a place from 0 on."""

    @abstractmethod
    def read(self, place: int) -> Row:
        """The row at ``place``, which is within the sequence."""

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        places = range(len(self))[index]
        return self.read(places) if isinstance(places, int) else [self.read(place) for place in places]
