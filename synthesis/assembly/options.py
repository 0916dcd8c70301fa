"""What, besides the texts, determines the samples of one call; checked before any work.

Lengths (one, or shares of several), depth, distractors and the rest, as users write them.
Knows nothing of items.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from math import floor, fsum, isfinite
from pathlib import Path
from typing import Final, TypeAlias

from synthesis.assembly.rendering import SEPARATOR, Style
from synthesis.data import content_hash
from synthesis.errors import UsageError
from synthesis.tokens import parse_length

SELECTORS: Final = ("same-task", "random", "lexical", "corpus", "none")
"""Every way to choose distractors, by the name users write."""


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
        found[name] = _portion(share) if colon else (1.0 if len(parts) == 1 else 0.0)
    if not found or not all(share > 0 for share in found.values()) or ("none" in found and len(found) > 1):
        raise UsageError(
            f"distractors {text!r} is not a mix. Give each name a share above 0, as in "
            "lexical:0.5,random:0.5; none cannot be mixed."
        )
    total = sum(found.values())
    return Choice(tuple((name, share / total) for name, share in found.items()))


def _portion(text: str) -> float:
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


Length: TypeAlias = int | str | Mapping[int | str, float] | Mapping[str, float]
"""Tokens, as 8192 or ``8k``, or shares of several lengths, as ``4k:0.2,32k:0.8`` or a mapping."""

_NEAR_ONE: Final = 1e-9


def parse_lengths(lengths: str) -> list[tuple[int, float | None]]:
    """Tokens and share of each length in ``4k:0.2,32k:0.5,128k:0.3`` or ``4k,8k`` (shares None).

    Shares are proportions: they are scaled to sum to 1 where they do not.

    Raises:
        UsageError: a length or share is unusable, a length stands twice, or only some have shares.
    """
    parts = [part.strip() for part in lengths.split(",")]
    named = [part.partition(":") for part in parts if part]
    with_share = [bool(colon) for _, colon, _ in named]
    tokens = [parse_length(length.strip()) for length, _, _ in named]
    if not named or len(set(tokens)) < len(tokens) or any(with_share) != all(with_share):
        raise UsageError(
            f"lengths {lengths!r} cannot be used. Name each length once, and give a share to all or to none, "
            "as in 4k,8k or 4k:0.2,32k:0.8."
        )
    if not with_share[0]:
        return [(length, None) for length in tokens]
    shares = _scaled(
        {length: _share(share, lengths) for length, (_, _, share) in zip(tokens, named, strict=True)}
    )
    return [(length, share) for length, share in shares.items()]


def parse_mixture(length: Length) -> dict[int, float]:
    """Shares, summing to 1, by tokens; one length has all of it.

    Raises:
        UsageError: as ``parse_lengths``, there is no length, or there are several without shares.
    """
    if isinstance(length, Mapping):
        shares = {parse_length(one): _share(share, length) for one, share in length.items()}
        if not shares or len(shares) < len(length):
            raise UsageError(f"lengths {length!r} cannot be used. Name each length once, with its share.")
        return _scaled(shares)
    parsed = parse_lengths(length) if isinstance(length, str) else [(parse_length(length), None)]
    if len(parsed) > 1 and parsed[0][1] is None:
        raise UsageError(
            f"lengths {length!r} have no shares. Write 4k:0.5,8k:0.5 for samples of mixed lengths, "
            "or call once for each length."
        )
    return {tokens: share or 1.0 for tokens, share in parsed}


def _share(share: object, whole: object) -> float:
    try:
        value = float(share) if isinstance(share, str | int | float) else 0.0
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0.0) or isinstance(share, bool):
        raise UsageError(
            f"{whole!r}: the share {share!r} is not a number above 0. Write it as in 4k:0.2,32k:0.8."
        )
    return value


def _scaled(shares: dict[int, float]) -> dict[int, float]:
    total = fsum(shares.values())
    if abs(total - 1.0) < _NEAR_ONE:
        return shares
    return {length: share / total for length, share in shares.items()}


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """``total`` divided by ``shares`` into whole numbers (largest remainders first)."""
    exact = [total * share for share in shares]
    counts = [floor(value + _NEAR_ONE) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda part: (counts[part] - exact[part], part))
    for part in by_remainder[: total - sum(counts)]:
        counts[part] += 1
    return counts


def assign(groups: Sequence[int], keys: Sequence[int], shares: Sequence[float]) -> array[int]:
    """Which share each item falls to: exactly proportional in all, nearly so in every group.

    Items are lined up by group and random key, and the shares dealt out along the line so that
    none ever lags far behind (largest deficit first). An item's share depends on the set of items,
    not on their order.
    """
    line = sorted(range(len(keys)), key=lambda item: (groups[item], keys[item]))
    counts = apportion(len(line), shares)
    given = [0] * len(shares)
    assigned = array("L", [0]) * len(line)
    for rank, item in enumerate(line, 1):
        open_ones = [part for part in range(len(shares)) if given[part] < counts[part]]
        part = max(open_ones, key=lambda each: (counts[each] * rank / len(line) - given[each], -each))
        given[part] += 1
        assigned[item] = part
    return assigned


DepthSpec = str | float | Sequence[float]

_NAMED: Final = {"start": 0.0, "middle": 0.5, "end": 1.0}
_FRACTION_BITS: Final = 20


def parse_depth(depth: DepthSpec) -> tuple[float, ...] | None:
    """The depths to take in turn, or ``None`` for depths spread evenly over [0, 1].

    Accepts ``uniform``, ``start``, ``middle``, ``end``, a number, a sequence of numbers, or
    their text (``"0.25"``, ``"0,0.5,1"``).

    Raises:
        UsageError: it is none of these, or a number lies outside [0, 1].
    """
    if depth == "uniform":
        return None
    if isinstance(depth, str):
        parts: Sequence[object] = depth.split(",")
    else:
        parts = list(depth) if isinstance(depth, Sequence) else [depth]
    values = tuple(_value(part) for part in parts)
    if not values or any(value is None for value in values):
        raise UsageError(
            f"depth {depth!r} is not usable. Write uniform, start, middle, end, a number from 0 to 1, "
            "or several such numbers."
        )
    return tuple(value for value in values if value is not None)


def _value(part: object) -> float | None:
    if isinstance(part, str) and part.strip() in _NAMED:
        return _NAMED[part.strip()]
    if isinstance(part, bool) or not isinstance(part, str | int | float):
        return None
    try:
        value = float(part)
    except ValueError:
        return None
    return value if 0.0 <= value <= 1.0 else None


def assign_depths(values: tuple[float, ...] | None, keys: Sequence[int]) -> array[float]:
    """A depth for each sample, from its 64-bit random ``key``.

    Samples are ranked by key. Without ``values`` the sample of rank r among n gets a depth
    inside the r-th of n equal strata, so every interval of depths receives its exact share;
    with them, the values are dealt out in turn, so each is used equally often.
    """
    depths = array("d", bytes(8 * len(keys)))
    for rank, sample in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
        if values is None:
            # The rank uses a key's high bits; its low bits are free to place it in its stratum.
            within = (keys[sample] % (1 << _FRACTION_BITS)) / (1 << _FRACTION_BITS)
            depths[sample] = (rank + within) / len(keys)
        else:
            depths[sample] = values[rank % len(values)]
    return depths


REFUSAL: Final = "The documents do not say."
"""What a sample answers whose context is left out, unless another text is given."""

OVERSIZE: Final = ("reject", "trim")


@dataclass(frozen=True, slots=True)
class Options:
    """Checked options. ``lengths`` are budgets in tokens with their shares, which sum to 1."""

    lengths: tuple[tuple[int, float], ...]
    depths: tuple[float, ...] | None
    choice: Choice
    seed: int
    max_reuse: int | None
    style: Style
    abstain: float
    refusal: str
    oversize: str
    repeat_questions: bool

    def identity(self, *parts: object) -> str:
        """A name for a sample made with these options from ``parts``."""
        style = (self.style.header, self.style.separator)
        extra = (self.abstain, self.refusal if self.abstain else "", self.oversize, self.repeat_questions)
        return content_hash(*parts, self.depths, str(self.choice), self.seed, self.max_reuse, style, extra)


def make_options(
    lengths: Mapping[int, float],
    depth: DepthSpec = "uniform",
    distractors: str = "same-task",
    seed: int = 0,
    max_reuse: int | None = None,
    corpus: str | Path | Sequence[tuple[str, str]] | None = None,
    header: str = "",
    separator: str = SEPARATOR,
    abstain: float = 0.0,
    refusal: str = REFUSAL,
    oversize: str = "reject",
    repeat_questions: bool = False,
) -> Options:
    """The options, if they are usable.

    Raises:
        UsageError: one is not, or two do not go together.
    """
    choice = checked_distractors(distractors, max_reuse, corpus is not None)
    style = Style(header, separator)
    style.check()
    if isinstance(abstain, bool) or not isinstance(abstain, int | float) or not 0.0 <= abstain <= 1.0:
        raise UsageError(f"abstain is {abstain!r}; it must be the share of samples, from 0 to 1.")
    if abstain and (choice.uses("none") or not refusal.strip()):
        raise UsageError(
            "samples that leave their context out need other documents and a refusal to answer with: choose "
            "distractors other than none, and a refusal that is not blank."
        )
    if oversize not in OVERSIZE:
        raise UsageError(f"oversize {oversize!r} is unknown. Choose one of: {', '.join(OVERSIZE)}.")
    return Options(
        tuple(lengths.items()),
        parse_depth(depth),
        choice,
        seed,
        max_reuse,
        style,
        float(abstain),
        refusal,
        oversize,
        repeat_questions,
    )


CHOICES: Final = tuple(
    name for name in signature(make_options).parameters if name not in ("lengths", "corpus")
)
"""The options by name, but for the lengths and the corpus."""
