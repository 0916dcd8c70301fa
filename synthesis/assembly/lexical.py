"""The documents nearest in words to a question and its answer: distractors that are hard.

BM25 (Robertson and Zaragoza, 2009) over the words that occur in any question or answer.
Ranking one item looks at every document, so all items together take quadratic time. Knows
nothing of leaks or budgets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from synthesis.assembly.documents import Documents, Items, number
from synthesis.text.ngrams import plain_words

if TYPE_CHECKING:
    from array import array

# Of a long answer (a summary) only so many words are looked for: the first different ones.
_QUERY_WORDS: Final = 64
# So many of the best are sorted at first; the rest only if they are asked for.
_FIRST: Final = 256


class Lexical:
    """Proposes the documents of an item's own split, the nearest first."""

    def __init__(self, documents: Documents, seed: int) -> None:
        """Index the items' contexts."""
        import numpy as np

        index, items = documents.index, documents.items
        self._np: Any = np
        self._items = items
        self._ids = _vocabulary(items)
        self._splits = np.array(index.splits[: index.items])
        self._blank = np.array(index.tokens[: index.items]) == 0
        # Equal scores are ordered by chance, the same for everybody.
        ties = [number("lexical", seed, key) for key in index.keys[: index.items]]
        self._ties = np.argsort(np.argsort(np.array(ties, dtype=np.uint64), kind="stable"))
        self._scorer = _scorer(items, self._ids)
        self._none = np.zeros(index.items)

    def candidates(self, item: int) -> Iterator[int]:
        """Every other document of the split, by falling score."""
        np = self._np
        query = [self._ids[word] for word in _query(self._items, item)]
        scores = self._scorer.get_scores_from_ids(query) if query and self._scorer else self._none
        allowed = (self._splits == self._splits[item]) & ~self._blank
        allowed[item] = False
        places = np.flatnonzero(allowed)
        if len(places) > _FIRST:
            cut = np.partition(scores[places], -_FIRST)[-_FIRST]
            best = places[scores[places] > cut]
            yield from self._sorted(best, scores)
            places = places[scores[places] <= cut]
        yield from self._sorted(places, scores)

    def _sorted(self, places: Any, scores: Any) -> list[int]:
        order = self._np.lexsort((self._ties[places], -scores[places]))
        found: list[int] = places[order].tolist()
        return found


def _query(items: Items, item: int) -> list[str]:
    pair = items[item][0]
    return list(dict.fromkeys(plain_words(f"{pair.instruction}\n{pair.answer}")))[:_QUERY_WORDS]


def _vocabulary(items: Items) -> dict[str, int]:
    ids: dict[str, int] = {}
    for item in range(len(items)):
        for word in _query(items, item):
            ids.setdefault(word, len(ids))
    return ids


def _scorer(items: Items, ids: dict[str, int]) -> Any:
    bm25s = import_module("bm25s")  # it comes without types
    known: list[Sequence[int] | array[int]] = []
    for item in range(len(items)):
        words = plain_words(items[item][1].text)
        known.append([ids[word] for word in words if word in ids])
    if not any(known):
        return None  # no document has any of the words
    scorer = bm25s.BM25(backend="numpy")
    scorer.index((known, ids), create_empty_token=False, show_progress=False)
    return scorer
