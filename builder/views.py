"""Sequences over a run's contexts: some of them, or with their tokens counted. They hold no texts."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias, overload

from synthesis.data import Context, Pair
from synthesis.tokens import Tokenizer

Row: TypeAlias = tuple[Pair, Context]
_PARCEL = 64  # contexts held in memory while they are counted


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


class Counted(Sequence[Row]):
    """Contexts with their ``tokens``, each counted once however many configs need them."""

    def __init__(self, rows: Sequence[Row], tokenizer: Tokenizer) -> None:
        self._rows = rows
        self._tokenizer = tokenizer
        self._tokens = array("q")

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        pair, context = self._rows[index]
        if not self._tokens:
            self._count()
        return pair, replace(context, tokens=self._tokens[index])

    def _count(self) -> None:
        for start in range(0, len(self._rows), _PARCEL):
            texts = [context.text for _, context in self._rows[start : start + _PARCEL]]
            self._tokens.extend(self._tokenizer.count_batch(texts))
