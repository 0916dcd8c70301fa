"""What the jobs of a study found: values by arm and question, with intervals of paired differences.

An interval is a bootstrap's: questions are drawn again 2,000 times, each with the seeds that all arms
compared have done, so that arms are compared on the same questions, by models tuned on the same others.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from examples.study.plan import Arm, Plan
from synthesis.evaluation.metrics import score
from synthesis.storage import replace_file

_DRAWS = 2000
_MARKS = {"F1": "f1", "EM": "exact-match", "contains": "contains"}
Values = Mapping[str, Mapping[int, float]]  # question -> seed -> value


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, or a share, with its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"

    def percent(self) -> str:
        """As a share."""
        return f"{self.mean:.0%} [{self.low:.0%}, {self.high:.0%}]"


def remember(out: Path, plan: Plan) -> None:
    """Write down the plan that the jobs of ``out`` belong to. It may have more arms than before.

    Raises:
        SystemExit: they belong to another one, which has other settings, or other settings of an arm.
    """
    out.mkdir(parents=True, exist_ok=True)
    file, new = out / "plan.json", _plain(plan)
    arms = {arm["name"]: arm for arm in new["arms"]}
    if file.exists():
        # What a plan or an arm can say now and could not when they were run, it had as it is by itself.
        old = _plain(Plan(**json.loads(file.read_text(encoding="utf-8"))))
        before = {arm["name"]: _plain(Arm(**arm)) for arm in old["arms"]}
        same = all(arms.get(name, arm) == arm for name, arm in before.items())
        if not same or {**old, "arms": 0} != {**new, "arms": 0}:
            raise SystemExit(f"{out} holds a study by another plan: give another folder, or remove this one")
        arms = before | arms
    replace_file(file, json.dumps({**new, "arms": list(arms.values())}, indent=1))


def _plain(told: Plan | Arm) -> dict[str, Any]:
    """As JSON gives it back."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(told)))
    return plain


def read_plan_of(out: Path) -> dict[str, Any]:
    """The plan that was written down."""
    if not (out / "plan.json").is_file():
        raise SystemExit(f"{out} holds no study: there is no plan.json in it")
    plan: dict[str, Any] = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    return plan


def read_jobs(out: Path) -> list[dict[str, Any]]:
    """All jobs that are done."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((out / "jobs").glob("*.json"))]


def measures_of(plan: Mapping[str, Any]) -> list[str]:
    """What a plan measures, as in ``F1 2k`` and ``NLL own``."""
    return [f"F1 {test}" for test in plan["written"]] + [f"NLL {test}" for test in plan["tests"]]


def values(
    jobs: Sequence[Mapping[str, Any]], measure: str, only: Collection[str] | None = None
) -> dict[str, dict[str, dict[int, float]]]:
    """Arm -> question -> seed -> value; of the questions ``only``, if given."""
    kind, _, test = measure.partition(" ")
    found: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for job in jobs:
        for id_, row in job["rows"].items():
            if only is not None and id_ not in only:
                continue
            if kind == "NLL" and f"nll {test}" in row:
                found[job["arm"]][id_][job["seed"]] = row[f"nll {test}"]
            elif kind in _MARKS and f"written {test}" in row:
                mark = score(_MARKS[kind], row[f"written {test}"], row["answers"])
                found[job["arm"]][id_][job["seed"]] = mark
    return found


def mean(arm: Values) -> float:
    """Over questions, each the mean of its seeds."""
    return fmean(fmean(one.values()) for one in arm.values())


def difference(arm: Values, other: Values, seed: int = 0) -> Interval:
    """Mean of ``arm`` less mean of ``other``, over the questions both have."""
    return _interval([arm, other], lambda own, base: own - base, seed)


def share(arm: Values, baseline: Values, ceiling: Values, seed: int = 0) -> Interval | None:
    """Which part of what ``ceiling`` gains over ``baseline`` the arm does, over the questions all have.

    None where the gain of ``ceiling`` is not told from nothing: a share of chance tells nothing.
    """
    gain = difference(ceiling, baseline, seed)
    if gain.low <= 0 <= gain.high:
        return None
    return _interval(
        [arm, baseline, ceiling], lambda own, base, top: (own - base) / (top - base or 1e-9), seed
    )


def _interval(arms: Sequence[Values], of: Callable[..., float], seed: int) -> Interval:
    rows = []
    for id_ in sorted(set.intersection(*(set(arm) for arm in arms))):
        if seeds := set.intersection(*(set(arm[id_]) for arm in arms)):
            rows.append(tuple(fmean(arm[id_][seed] for seed in sorted(seeds)) for arm in arms))

    def told(chosen: Sequence[tuple[float, ...]]) -> float:
        return of(*map(fmean, zip(*chosen, strict=True)))

    draw = Random(seed)
    drawn = sorted(told(draw.choices(rows, k=len(rows))) for _ in range(_DRAWS))
    return Interval(told(rows), drawn[round(0.025 * _DRAWS)], drawn[round(0.975 * _DRAWS) - 1])
