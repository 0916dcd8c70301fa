"""What the answers come to: means with intervals, by condition, length, depth and task; and one number.

That number is how much of what the evidence could give is got from the whole context:
``(full - closed) / (oracle - closed)``, over the questions that were answered under all three. Knows nothing
of files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Final, NamedTuple

from synthesis.evaluation.conditions import CLOSED, FULL, NONE_EVIDENCE, ORACLE
from synthesis.evaluation.questions import Prediction, Variant

if TYPE_CHECKING:
    from numpy import ndarray

DEPTHS: Final = 5
"""So many equal parts of a context's depth are told apart."""
_DRAWS = 1000
_TAIL = 0.025


class AnswerMark(NamedTuple):
    """What is kept of a prediction. ``score`` is None where it failed or no reply was asked for.

    ``length`` is what was asked for, else the power of two that holds what the source says; 0 without one.
    """

    id: str
    task: str
    score: float | None
    scores: Mapping[str, float]
    depth: float | None
    loglikelihood: tuple[float, int] | None
    finish_reason: str
    fingerprint: str
    tokens: int
    length: int = 0

    @property
    def nll(self) -> float | None:
        """Nats per token that the answer takes, negative log-likelihood."""
        return None if self.loglikelihood is None else -self.loglikelihood[0] / self.loglikelihood[1]


class Mean(NamedTuple):
    """A mean over so many ``questions``, and the 95 % interval of a bootstrap over them."""

    value: float
    low: float
    high: float
    questions: int


class Share(NamedTuple):
    """How much of what the evidence gives over no context is got under a condition, and its 95 % interval.

    None where the evidence gives nothing: then there is nothing to have a share of. The ends of the interval
    are None where so much of the bootstrap is without it that an end is not known.
    """

    condition: str
    length: int
    depth: float | None
    value: float | None
    low: float | None
    high: float | None
    questions: int


class DepthCell(NamedTuple):
    """The mean over the questions of a length whose own document stood at ``low`` to ``high`` (0..1)."""

    length: int
    low: float
    high: float
    mean: float
    questions: int


@dataclass
class Tally:
    """The marks of predictions, by the question's place in the source and how it was asked."""

    marks: dict[Variant, dict[int, AnswerMark]] = field(default_factory=dict)
    failure: str = ""
    """Why the first that failed did."""

    def add(self, one: Prediction) -> None:
        """Count a prediction."""
        if one.finish_reason == "error":
            self.failure = self.failure or one.detail or "no detail given"
        self.marks.setdefault(one.variant, {})[one.place] = AnswerMark(
            one.question.id,
            one.question.task,
            one.score if one.scores else None,
            one.scores,
            one.depth,
            one.loglikelihood,
            one.finish_reason,
            one.fingerprint,
            one.tokens,
            one.variant.length or _rounded_up(one.question.length),
        )

    def variants(self) -> list[Variant]:
        """Every way of asking that was counted, whole contexts and shorter ones first."""
        order = {name: place for place, name in enumerate((FULL, NONE_EVIDENCE, ORACLE, CLOSED))}
        return sorted(self.marks, key=lambda one: (order[one.condition], one.length, one.depth or 0.0))

    def mean(self, variant: Variant) -> Mean | None:
        """The mean score of a way of asking; None where nothing was scored."""
        return mean_of([mark.score for mark in self.marks[variant].values()])

    def nll(self, variant: Variant) -> Mean | None:
        """The mean negative log-likelihood per token of the answers; None where none was asked for."""
        return mean_of([mark.nll for mark in self.marks[variant].values()])

    def by_metric(self, variant: Variant) -> dict[str, float]:
        """The mean of each metric over the replies that have it."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for mark in self.marks[variant].values():
            for name, value in mark.scores.items():
                found[name].append(value)
        return {name: fmean(values) for name, values in sorted(found.items())}

    def by_task(self, variant: Variant) -> dict[str, Mean]:
        """The mean score of each task."""
        found: defaultdict[str, list[float | None]] = defaultdict(list)
        for mark in self.marks[variant].values():
            found[mark.task].append(mark.score)
        means = {task: mean_of(values) for task, values in sorted(found.items())}
        return {task: mean for task, mean in means.items() if mean is not None}

    def failed(self, variant: Variant) -> int:
        """How many questions have no reply, as the engine failed."""
        return sum(mark.finish_reason == "error" for mark in self.marks[variant].values())

    def cut(self) -> tuple[int, int]:
        """How many replies ended only where they could be no longer, and of how many."""
        ended = {
            mark.fingerprint: mark.finish_reason for marks in self.marks.values() for mark in marks.values()
        }
        ended.pop("", None)
        return sum(reason == "length" for reason in ended.values()), len(ended)

    def shown_whole(self) -> int:
        """How many questions were asked the same over the evidence alone as over the whole context."""
        full, oracle = (self.marks.get(Variant(name), {}) for name in (FULL, ORACLE))
        return sum(_asked_alike(full[place], oracle[place]) for place in full.keys() & oracle.keys())

    def shares(self, of: Callable[[AnswerMark], float | None] = lambda mark: mark.score) -> list[Share]:
        """What is got of the evidence under every condition that shows a context, at every length and depth.

        Questions that are asked the very same over the evidence alone count for none: their share is 1,
        whatever a model makes of them. ``of`` is what a mark counts for: higher is better.
        """
        closed, oracle = (self.marks.get(Variant(name)) for name in (CLOSED, ORACLE))
        if not closed or not oracle:
            return []
        found = []
        for variant in self.variants():
            if variant.condition not in (FULL, NONE_EVIDENCE):
                continue
            shown = {
                place: mark
                for place, mark in self.marks[variant].items()
                if place not in oracle or not _asked_alike(mark, oracle[place])
            }
            rows = list(_paired((shown, closed, oracle), of))
            if rows:
                found.append(_share(variant, rows))
        return found

    def cells(self, condition: str = FULL) -> list[DepthCell]:
        """Mean scores by length and depth, where the own document stands among others."""
        found: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
        for variant, marks in self.marks.items():
            for mark in marks.values():
                if variant.condition == condition and mark.depth is not None and mark.score is not None:
                    part = min(DEPTHS - 1, int(mark.depth * DEPTHS))
                    found[mark.length, part].append(mark.score)
        return [
            DepthCell(length, part / DEPTHS, (part + 1) / DEPTHS, fmean(values), len(values))
            for (length, part), values in sorted(found.items())
        ]


def _asked_alike(one: AnswerMark, other: AnswerMark) -> bool:
    return bool(one.fingerprint) and one.fingerprint == other.fingerprint


def _rounded_up(length: int) -> int:
    return 1 << (length - 1).bit_length() if length > 1 else length


def _paired(
    columns: Sequence[Mapping[int, AnswerMark]], of: Callable[[AnswerMark], float | None]
) -> Iterator[tuple[float, ...]]:
    """The values of the questions that have one in every column."""
    for place in sorted(set(columns[0]).intersection(*columns[1:])):
        values = [of(column[place]) for column in columns]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            yield tuple(known)


def mean_of(values: Iterable[float | None]) -> Mean | None:
    """The mean of what is known; None where nothing is."""
    import numpy as np

    known = np.array([value for value in values if value is not None])
    if not len(known):
        return None
    means = _drawn(known)
    low, high = (float(np.quantile(means, share)) for share in (_TAIL, 1 - _TAIL))
    return Mean(float(known.mean()), low, high, len(known))


def _share(variant: Variant, rows: Sequence[tuple[float, ...]]) -> Share:
    import numpy as np

    values = np.array(rows)
    shown, closed, oracle = values.mean(axis=0)
    if oracle <= closed:
        return Share(*_named(variant), None, None, None, len(rows))
    drawn = _drawn(values)
    given = drawn[:, 2] - drawn[:, 1]
    known = given > 0
    shares = np.sort((drawn[known, 0] - drawn[known, 1]) / given[known])
    # Where the evidence gave nothing the share may be anything: such draws stand beyond both ends.
    unknown = int(len(drawn) - known.sum())
    first, last = round(_TAIL * len(drawn)) - unknown, round((1 - _TAIL) * len(drawn)) - 1
    low = float(shares[first]) if first >= 0 else None
    high = float(shares[last]) if last < len(shares) else None
    return Share(*_named(variant), float((shown - closed) / (oracle - closed)), low, high, len(rows))


def _named(variant: Variant) -> tuple[str, int, float | None]:
    return variant.condition, variant.length, variant.depth


def _drawn(values: ndarray) -> ndarray:
    """Means of so many samples of as many rows, drawn with replacement; the same ones for the same rows."""
    import numpy as np

    chance = np.random.default_rng(len(values))
    return np.array(
        [values[chance.integers(0, len(values), len(values))].mean(axis=0) for _ in range(_DRAWS)]
    )
