"""The tables of a study, as Markdown: means, differences, shares, and questions by their steps."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from examples.study.plan import Plan
from examples.study.questions import read_questions
from examples.study.results import (
    difference,
    mean,
    measures_of,
    read_jobs,
    read_plan_of,
    share,
    values,
)
from examples.study.traits import COLUMNS, traits

_FEWEST = 8  # questions of a number of steps that are worth a column


def markdown(out: Path) -> str:
    """The tables of all that is done."""
    jobs = read_jobs(out)
    if not jobs:
        return f"{out} holds no job that is done."
    plan = read_plan_of(out)
    done = defaultdict(list)
    for job in jobs:
        done[job["arm"]].append(job)
    arms = [arm["name"] for arm in plan["arms"] if arm["name"] in done]
    measures = measures_of(plan)
    found = {measure: values(jobs, measure) for measure in measures}
    lines = [*_head([*measures, "loss", "steps", "in place", "words", "runs"])]
    for arm in arms:
        cells = [f"{mean(found[measure][arm]):.3f}" for measure in measures]
        lines.append(_line([arm, *cells, *_tuning(done[arm])]))
    base, top = plan["baseline"], plan["ceiling"]
    for other in (base, top):
        if other in arms:
            lines += ["", f"Against {other}, over the same questions:", "", *_head(measures)]
            lines += _rows(
                [arm for arm in arms if arm != other],
                measures,
                lambda arm, one, other=other: str(difference(found[one][arm], found[one][other])),  # type: ignore[misc]
            )
    if base in arms and top in arms:
        lines += ["", f"Share of what '{top}' gains over '{base}' (none where that may be chance):", ""]
        lines += _head(measures)

        def told(arm: str, one: str) -> str:
            part = share(found[one][arm], found[one][base], found[one][top])
            return part.percent() if part else ""

        tuned = {arm["name"] for arm in plan["arms"] if arm["contexts"] != "none"} - {base}
        lines += _rows([arm for arm in arms if arm in tuned], measures, told)
    return "\n".join(lines + _by_hops(jobs, arms, plan))


def traits_table(plan: Plan, sources: Sequence[str]) -> str:
    """What the contexts of each arm are like; asks no model."""
    questions = [one for source in sources for one in read_questions(source, plan.limit, plan.human_words)]
    told = [(arm.name, traits(arm, questions)) for arm in plan.arms]
    return "\n".join([*_head(COLUMNS), *(_line([name, *cells]) for name, cells in told if cells)])


def _tuning(jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    losses = [job["loss"] for job in jobs if job["loss"] is not None]
    samples = sum(job["samples"] for job in jobs)
    steps = [job["steps"] for job in jobs if "steps" in job]  # older jobs do not tell
    kinds: Counter[str] = Counter()
    for job in jobs:
        kinds.update(job.get("kinds", {}))
    others = kinds.total() - kinds["sample"]
    return [
        f"{fmean(losses):.2f}" if losses else "",
        f"{fmean(steps):.0f}" if steps else "",
        f"{others / kinds.total():.0%}" if others else "",
        f"{sum(job['words'] for job in jobs) / samples:.0f}" if samples else "",
        str(len(jobs)),
    ]


def _by_hops(jobs: Sequence[Mapping[str, Any]], arms: Sequence[str], plan: Mapping[str, Any]) -> list[str]:
    """The first test (and the first written one) by the steps that the composer takes for a question."""
    steps = {id_: row.get("hops") for job in jobs for id_, row in job["rows"].items()}
    counts = Counter(one for one in steps.values() if one)
    groups = sorted(one for one, count in counts.items() if count >= _FEWEST)
    if len(groups) < 2:
        return []
    tests = [one for one in plan["tests"] if one not in ("closed", "needle")] or plan["tests"]
    measures = [f"F1 {test}" for test in plan["written"][:1]] + [f"NLL {test}" for test in tests[:1]]
    heads = [f"{measure}, {hops} hops ({counts[hops]})" for measure in measures for hops in groups]
    lines = ["", "By the steps that the composer takes for a question (their number):", "", *_head(heads)]
    # Jobs of one study may have been run while the composer changed: a question is in one group.
    of = {hops: {id_ for id_, one in steps.items() if one == hops} for hops in groups}
    found = {(measure, hops): values(jobs, measure, of[hops]) for measure in measures for hops in groups}
    for arm in arms:
        cells = [f"{mean(one[arm]):.3f}" if one[arm] else "" for one in found.values()]
        lines.append(_line([arm, *cells]))
    return lines


def _head(columns: Sequence[str]) -> list[str]:
    return [_line(["arm", *columns]), _line(["---"] * (len(columns) + 1))]


def _rows(arms: Sequence[str], measures: Sequence[str], cell: Callable[[str, str], str]) -> list[str]:
    return [_line([arm, *(cell(arm, measure) for measure in measures)]) for arm in arms]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
