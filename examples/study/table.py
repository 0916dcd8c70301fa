"""What a study found: means over questions and seeds, with intervals of the paired differences.

An interval is a bootstrap's: questions are drawn again 2,000 times, each with all its seeds, so that
an arm and the baseline are always compared on the same questions.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from examples.study.marks import contains, exact, f1
from examples.study.plan import Plan
from synthesis.storage import replace_file

_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference to another arm, with its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def remember(out: Path, plan: Plan) -> None:
    """Write down the plan that the jobs of ``out`` belong to. It may have more arms than before.

    Raises:
        SystemExit: they belong to another one, which has other settings, or other settings of an arm.
    """
    out.mkdir(parents=True, exist_ok=True)
    file, new = out / "plan.json", json.loads(json.dumps(asdict(plan)))
    arms = {arm["name"]: arm for arm in new["arms"]}
    if file.exists():
        old = json.loads(file.read_text(encoding="utf-8"))
        before = {arm["name"]: arm for arm in old["arms"]}
        same = all(arms.get(name, arm) == arm for name, arm in before.items())
        if not same or {**old, "arms": 0} != {**new, "arms": 0}:
            raise SystemExit(f"{out} holds a study by another plan: give another folder, or remove this one")
        arms = before | arms
    replace_file(file, json.dumps({**new, "arms": list(arms.values())}, indent=1))


def read_jobs(out: Path) -> list[dict[str, Any]]:
    """All jobs that are done."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((out / "jobs").glob("*.json"))]


def values(jobs: Sequence[Mapping[str, Any]], measure: str) -> dict[str, dict[str, list[float]]]:
    """Arm -> question -> one value for each seed. ``measure`` is as in ``F1 2k`` or ``NLL own``."""
    kind, _, length = measure.partition(" ")
    marks: dict[str, Callable[[str, Sequence[str]], float]] = {"F1": f1, "EM": exact, "contains": contains}
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for job in jobs:
        for id_, row in job["rows"].items():
            if kind == "NLL" and f"nll {length}" in row:
                found[job["arm"]][id_].append(row[f"nll {length}"])
            elif kind in marks and f"written {length}" in row:
                found[job["arm"]][id_].append(marks[kind](row[f"written {length}"], row["answers"]))
    return found


def difference(
    arm: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]], seed: int = 0
) -> Difference:
    """Mean of ``arm`` less mean of ``other``, over the questions both have."""
    pairs = [fmean(arm[id_]) - fmean(other[id_]) for id_ in sorted(arm.keys() & other.keys())]
    draw = Random(seed)
    means = sorted(fmean(draw.choices(pairs, k=len(pairs))) for _ in range(_DRAWS))
    return Difference(fmean(pairs), means[round(0.025 * _DRAWS)], means[round(0.975 * _DRAWS) - 1])


def mean(arm: Mapping[str, Sequence[float]]) -> float:
    """Over questions, each the mean of its seeds."""
    return fmean(fmean(one) for one in arm.values())


def markdown(out: Path) -> str:
    """The tables of all that is done."""
    jobs = read_jobs(out)
    if not jobs:
        return f"{out} holds no job that is done."
    plan = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    done = defaultdict(list)
    for job in jobs:
        done[job["arm"]].append(job)
    arms = [arm["name"] for arm in plan["arms"] if arm["name"] in done]
    measures = [f"F1 {length}" for length in plan["written"]] + [f"NLL {length}" for length in plan["tests"]]
    found = {measure: values(jobs, measure) for measure in measures}
    lines = [_line(["arm", *measures, "loss", "words", "runs"]), _line(["---"] * (len(measures) + 4))]
    for arm in arms:
        losses = [job["loss"] for job in done[arm] if job["loss"] is not None]
        samples = sum(job["samples"] for job in done[arm])
        cells = [f"{mean(found[measure][arm]):.3f}" for measure in measures]
        loss = f"{fmean(losses):.2f}" if losses else ""
        words = f"{sum(job['words'] for job in done[arm]) / samples:.0f}" if samples else ""
        lines.append(_line([arm, *cells, loss, words, str(len(done[arm]))]))
    for other in (plan["baseline"], plan["ceiling"]):
        if other in arms:
            lines += ["", f"Against {other}, over the same questions:", ""]
            lines += [_line(["arm", *measures]), _line(["---"] * (len(measures) + 1))]
            for arm in arms:
                if arm != other:
                    cells = [str(difference(found[one][arm], found[one][other])) for one in measures]
                    lines.append(_line([arm, *cells]))
    if plan["baseline"] in arms and plan["ceiling"] in arms:
        lines += ["", f"Share of what '{plan['ceiling']}' gains over '{plan['baseline']}':", ""]
        lines += [_line(["arm", *measures]), _line(["---"] * (len(measures) + 1))]
        for arm in arms:
            shares = [_share(found[one], arm, plan["baseline"], plan["ceiling"]) for one in measures]
            lines.append(_line([arm, *shares]))
    return "\n".join(lines)


def _share(found: Mapping[str, Mapping[str, Sequence[float]]], arm: str, baseline: str, ceiling: str) -> str:
    whole = mean(found[ceiling]) - mean(found[baseline])
    return f"{(mean(found[arm]) - mean(found[baseline])) / whole:.0%}" if abs(whole) > 1e-9 else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
