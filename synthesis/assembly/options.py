"""What, besides the texts, determines the samples of one call; checked before any work.

Lengths (one, or shares of several), depth, distractors and the rest, as users write them.
Knows nothing of items.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, fsum, isfinite
from typing import Any, Final, TypeAlias, TypedDict

from synthesis.assembly.rendering import Style
from synthesis.assembly.replying import NUMBERED, PLAIN
from synthesis.data import content_hash
from synthesis.errors import UsageError
from synthesis.options import SamplesConfig
from synthesis.settings import build, changed, check, settings
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
            f"depth {depth} is not usable. Write uniform, start, middle, end, a number from 0 to 1, "
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


@dataclass(frozen=True, slots=True)
class Options:
    """The ``samples`` asked for, checked, and what their texts say.

    ``lengths`` are budgets in tokens with their shares, which sum to 1; ``depths`` is what ``parse_depth``
    gives.
    """

    samples: SamplesConfig
    seed: int
    lengths: tuple[tuple[int, float], ...]
    depths: tuple[float, ...] | None
    choice: Choice

    @property
    def style(self) -> Style:
        """What stands around documents."""
        numbered = NUMBERED if self.words_answers else ""
        return Style(self.samples.header or numbered, self.samples.separator)

    @property
    def words_answers(self) -> bool:
        """Whether answers are more than the pair's."""
        return self.samples.answers != PLAIN

    @property
    def max_reuse(self) -> int | None:
        """How often a document serves at most; None for any number."""
        return self.samples.max_reuse or None

    def identity(self, *parts: object) -> str:
        """A name for a sample made with these options from ``parts``."""
        asked = self.samples
        style = (asked.header, asked.separator)
        refusal = asked.refusal if asked.abstain else ""
        extra = (asked.abstain, refusal, asked.oversize, asked.repeat_questions)
        # Options that came later are told only where they are used, so that older names stay.
        later = {name: value for name, value in changed(asked).items() if name != "refusal"}
        return content_hash(
            *parts,
            self.depths,
            str(self.choice),
            self.seed,
            self.max_reuse,
            style,
            extra,
            *filter(None, [later]),
        )


def make_options(
    lengths: Mapping[int, float], samples: SamplesConfig, seed: int = 0, corpus: bool = False
) -> Options:
    """The options, if they are usable. ``corpus`` says that there is one besides ``samples.corpus``.

    Raises:
        UsageError: one is not, or two do not go together.
    """
    check(samples)
    choice = parse_distractors(samples.distractors)
    if choice.uses("corpus") and not (corpus or samples.corpus):
        raise UsageError(
            f"distractors {samples.distractors!r} takes documents from a corpus and none is given. Give one "
            "with --corpus (in Python corpus=): a file, folder, glob or Hub dataset of texts; in Python also "
            "a sequence of (id, text)."
        )
    if samples.abstain and (choice.uses("none") or not samples.refusal.strip()):
        raise UsageError(
            "samples that leave their context out need other documents and a refusal to answer with: choose "
            "distractors other than none, and a refusal that is not blank."
        )
    made = Options(samples, seed, tuple(lengths.items()), parse_depth(samples.depth), choice)
    made.style.check()
    if made.words_answers and "{n}" not in made.style.header:
        raise UsageError(
            f"answers that are {samples.answers} name documents by number, and header {samples.header!r} "
            f"gives none. Write the number as {{n}}, or leave the header out for {NUMBERED!r}."
        )
    return made


KEYWORDS: Final = tuple(
    one.name for one in settings(SamplesConfig) if one.name not in ("lengths", "kinds", "tokenizer", "corpus")
)
"""The options of samples that Python takes as keywords and that are no texts of the user's."""


class SampleOptions(TypedDict, total=False):
    """The types of these options in Python, where some may be given in more ways than in a file.

    What each does stands at ``synthesis.assemble``, its default in ``synthesis.options.SamplesConfig``.
    """

    depth: DepthSpec
    distractors: str
    max_reuse: int | None
    header: str
    separator: str
    abstain: float
    refusal: str
    oversize: str
    repeat_questions: bool
    keychain: int
    keychain_links: int
    answers: str
    twins: str | Sequence[str]


def from_keywords(given: Mapping[str, Any]) -> SamplesConfig:
    """The options of samples as Python gives them: ``depth`` also as numbers, ``max_reuse`` also None.

    Raises:
        UsageError: there is no such option, or its value cannot be used.
    """
    values = dict(given)
    depth, reuse = values.get("depth", ""), values.pop("max_reuse", None)
    if not isinstance(depth, str):
        values["depth"] = ",".join(map(str, depth if isinstance(depth, Sequence) else [depth]))
    if isinstance(twins := values.get("twins", ()), str):
        values["twins"] = [kind.strip() for kind in twins.split(",") if kind.strip()]
    if reuse is not None:
        if isinstance(reuse, bool) or not isinstance(reuse, int) or reuse < 1:
            raise UsageError(
                f"max_reuse is {reuse!r}; it must be a whole number from 1, or None for no cap. "
                "For samples without other contexts use distractors='none'."
            )
        values["max_reuse"] = reuse
    samples = build(SamplesConfig, values)
    check(samples)
    return samples
