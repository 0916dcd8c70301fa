"""The ways to choose distractors by the names users write, alone or mixed, and their selectors.

Knows nothing of how a selector chooses.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

from synthesis.assembly.documents import Documents
from synthesis.assembly.index import Index
from synthesis.assembly.lexical import Lexical
from synthesis.assembly.selectors import (
    Capped,
    Distinct,
    Mixed,
    Nobody,
    Outside,
    Pools,
    Selector,
    shared_questions,
)
from synthesis.errors import UsageError

if TYPE_CHECKING:
    from synthesis.assembly.options import Options

SELECTORS: Final = ("same-task", "random", "lexical", "corpus", "none")
"""Every way to choose distractors, by the name users write."""

# What an item is offered beyond its room when documents are dealt out under a cap: some will
# turn out to give the answer away or to repeat one another.
_MARGIN: Final = 1.2
_SPARE_DOCUMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """Names of selectors with the share of each, which sum to 1."""

    parts: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        if len(self.parts) == 1:
            return self.parts[0][0]
        return ",".join(f"{name}:{share:g}" for name, share in self.parts)

    def uses(self, name: str) -> bool:
        """Whether the selector of that name is among them."""
        return any(name == part for part, _ in self.parts)


def parse_distractors(text: str) -> Choice:
    """The choice written as ``lexical`` or as ``lexical:0.5,random:0.5``.

    Shares are proportions of the distractors' tokens; they are scaled to sum to 1.

    Raises:
        UsageError: a name is unknown or repeated, or a share is missing or not positive.
    """
    parts = [part.strip().partition(":") for part in text.split(",")] if isinstance(text, str) else []
    found: dict[str, float] = {}
    for name, colon, share in parts:
        if name not in SELECTORS or name in found:
            raise UsageError(
                f"distractors {text!r}: {name!r} is unknown or stands twice. Choose one of "
                f"{', '.join(SELECTORS)}, or mix them, as in lexical:0.5,random:0.5."
            )
        found[name] = _share(share) if colon else (1.0 if len(parts) == 1 else 0.0)
    if not found or not all(share > 0 for share in found.values()) or ("none" in found and len(found) > 1):
        raise UsageError(
            f"distractors {text!r} is not a mix. Give each name a share above 0, as in "
            "lexical:0.5,random:0.5; none cannot be mixed."
        )
    total = sum(found.values())
    return Choice(tuple((name, share / total) for name, share in found.items()))


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        return 0.0
    return share if isfinite(share) else 0.0


def checked_distractors(name: str, max_reuse: int | None, corpus: bool) -> Choice:
    """As ``parse_distractors``, but a useless cap or a missing corpus is refused, too.

    Raises:
        UsageError: naming what would be accepted.
    """
    choice = parse_distractors(name)
    if choice.uses("corpus") and not corpus:
        raise UsageError(
            f"distractors {name!r} takes documents from a corpus and none is given. Give one with --corpus "
            "(in Python corpus=): a file, folder, glob or Hub dataset of texts; in Python also a sequence "
            "of (id, text)."
        )
    if max_reuse is not None and (isinstance(max_reuse, bool) or max_reuse < 1):
        raise UsageError(
            f"max_reuse is {max_reuse!r}; it must be a whole number from 1, or None for no cap. "
            "For samples without other contexts use distractors='none'."
        )
    return choice


def make_selector(options: Options, documents: Documents, rooms: Sequence[int]) -> Selector:
    """The selector that options ask for. ``rooms`` are the tokens each item has for other documents."""
    index, parts = documents.index, options.choice.parts
    shared = frozenset() if options.repeat_questions else shared_questions(index)
    # Rings keep a cap by themselves, unless there are two.
    even = len(parts) == 1 and parts[0][0] in ("random", "none", *(() if shared else ("same-task",)))
    cap = options.max_reuse if even else None
    made = [(_plain(name, documents, options.seed, cap, shared), share) for name, share in parts]
    selector = made[0][0] if len(made) == 1 else Mixed(index, made)
    if options.max_reuse is None or even:
        return selector
    return Capped(index, selector, _needed(index, rooms), options.seed, options.max_reuse)


def _plain(
    name: str, documents: Documents, seed: int, max_reuse: int | None, shared: frozenset[int]
) -> Selector:
    index = documents.index
    if name == "corpus":
        return Outside(index, seed)
    if name == "none":
        return Nobody()
    splits = index.splits[: index.items]
    further: Selector = Nobody()
    if name == "lexical":
        selector: Selector = Lexical(documents, seed)
    elif name == "same-task":
        selector = Pools(index, list(zip(index.pools, splits, strict=False)), seed, max_reuse)
        further = Pools(index, splits, seed, None) if shared else further
    else:
        selector = Pools(index, splits, seed, max_reuse)
    return Distinct(index, shared, selector, further) if shared else selector


def _needed(index: Index, rooms: Sequence[int]) -> array[int]:
    typical = sum(index.tokens) // max(1, len(index))
    return array("q", (int(room * _MARGIN) + _SPARE_DOCUMENTS * typical if room > 0 else 0 for room in rooms))
