"""One pass over a run's contexts: which stay, and for what reason each other one goes.

What is decided depends on the contexts and the settings, never on their order: of two that
nearly repeat each other the one with the better score stays, then the one with the smaller id.
Knows nothing of where contexts are kept or what is made of them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from synthesis.coherence import Leak
from synthesis.config import FiltersConfig
from synthesis.contamination import Benchmarks, Overlap, reason_to_drop
from synthesis.data import Coherence, Context, Pair
from synthesis.filters.near import Sketches
from synthesis.filters.rules import Rules

Judge: TypeAlias = Callable[[int, Pair, Context], tuple[Coherence, list[Leak]]]


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a context goes: the ``stage`` and ``reason`` of its ``Rejected``."""

    stage: str
    reason: str

    @property
    def kind(self) -> str:
        """What the drop is counted under: ``support`` for ``support: 0.12 under 0.30``."""
        return self.reason.partition(":")[0]


@dataclass(slots=True)
class Sifted:
    """The places (positions in the order given) of the contexts that ``kept`` lists, and the rest.

    ``overlaps`` holds, by place, what a context kept or dropped shares with benchmarks.
    """

    kept: array[int] = field(default_factory=lambda: array("q"))
    dropped: dict[int, Drop] = field(default_factory=dict)
    overlaps: dict[int, tuple[Overlap, ...]] = field(default_factory=dict)
    checked: int = 0

    def counts(self, stage: str) -> dict[str, int]:
        """How many a stage dropped, by kind of reason."""
        return dict(sorted(Counter(d.kind for d in self.dropped.values() if d.stage == stage).items()))


@dataclass(frozen=True, slots=True)
class Settings:
    """What contexts are sifted by. ``asked`` is the number of words they were asked to have."""

    filters: FiltersConfig
    asked: int
    benchmarks: Benchmarks | None = None
    drop_contaminated: bool = False


def sift(rows: Iterable[tuple[Pair, Context]], settings: Settings, judge: Judge) -> Sifted:
    """Look at every context once, then at those that nearly repeat one another.

    Memory: 8 bytes for a context that stays, about 200 for one that goes, and some 600 for
    each while near-duplicates are looked for.

    Args:
        rows: Pairs with their contexts; each is read once and not kept.
        settings: By what.
        judge: The score of a context (by place, pair and context) and its leaks.

    Raises:
        ConfigError, MissingExtraError: the filters cannot be used.
    """
    rules = Rules(settings.filters, settings.asked)
    near = Sketches(settings.filters.near_duplicates) if settings.filters.near_duplicates else None
    sifted, ranks = Sifted(), list[tuple[float, str]]()
    for place, (pair, context) in enumerate(rows):
        coherence, leaks = judge(place, pair, context)
        drop = _drop(sifted, place, pair, context, rules.reason(pair, context, coherence, leaks), settings)
        if drop is not None:
            sifted.dropped[place] = drop
            continue
        sifted.kept.append(place)
        if near is not None:
            near.add(context.text)
            ranks.append((-coherence.overall, pair.id))
    if near is not None:
        _drop_twins(sifted, near, ranks)
    return sifted


def _drop(
    sifted: Sifted, place: int, pair: Pair, context: Context, reason: str | None, settings: Settings
) -> Drop | None:
    if reason is not None:
        return Drop("filter", reason)
    if settings.benchmarks is None:
        return None
    sifted.checked += 1
    found = settings.benchmarks.check(pair.instruction, pair.answer, context.text)
    if found:
        sifted.overlaps[place] = found
    contaminated = reason_to_drop(found, settings.benchmarks.ngram) if settings.drop_contaminated else None
    return None if contaminated is None else Drop("contamination", contaminated)


def _drop_twins(sifted: Sifted, near: Sketches, ranks: list[tuple[float, str]]) -> None:
    twins = near.twins(sorted(range(len(ranks)), key=ranks.__getitem__))
    for number, twin in twins.items():
        kept = f"{twin.share:.2f} in common with the context of {ranks[twin.of][1]}"
        sifted.dropped[sifted.kept[number]] = Drop("filter", f"near-duplicate: {kept}")
    sifted.kept = array("q", (place for n, place in enumerate(sifted.kept) if n not in twins))
