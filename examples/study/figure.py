"""A study as a picture, for light and for dark pages: what each arm gains, and what length costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from examples.study.results import (
    Interval,
    difference,
    mean,
    measures_of,
    read_jobs,
    read_plan_of,
    share,
    values,
)

_INKS = {"light": ("#1f2328", "#d0d7de"), "dark": ("#e6edf3", "#3d444d")}
_HUES = ["#0b6e99", "#d1742f", "#5a9e6f", "#b1446e", "#7a68c0", "#9a8b2c", "#4c9fc0", "#8a6350"]


class Gain(NamedTuple):
    """What an arm gains over the baseline, more being better, and its share of the ceiling's gain."""

    over: Interval
    share: Interval


def draw(out: Path, target: Path) -> list[Path]:
    """``TARGET-light.svg`` and ``TARGET-dark.svg`` of the study in ``out``.

    Left: what each arm gains over the baseline, with 95 % intervals, and which share of the ceiling's gain
    that is, in the last measure of the plan in which the ceiling's gain is not chance. Right: the answer's
    NLL over the context of the test.

    Raises:
        SystemExit: baseline and ceiling are not done, or their difference may be chance everywhere.
    """
    import matplotlib

    plan, jobs = read_plan_of(out), read_jobs(out)
    found = {measure: values(jobs, measure) for measure in measures_of(plan)}
    measure, gains = _gains(plan, found)
    written = []
    for mode, (ink, grid) in _INKS.items():
        style = {
            **{f"{axis}tick.{part}": ink for axis in "xy" for part in ("color", "labelcolor")},
            "text.color": ink,
            "axes.labelcolor": ink,
            "axes.edgecolor": grid,
            "font.size": 9,
            "svg.hashsalt": "study",
        }
        with matplotlib.rc_context(style):
            path = target.with_name(f"{target.name}-{mode}.svg")
            _figure(plan, found, measure, gains, (ink, grid), path)
            written.append(path)
    return written


def _gains(plan: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, Gain]]:
    base, top = plan["baseline"], plan["ceiling"]
    tuned = [arm["name"] for arm in plan["arms"] if arm["contexts"] != "none" and arm["name"] != base]
    for measure in reversed(measures_of(plan)):
        arms, sign = found[measure], -1 if measure.startswith("NLL") else 1
        if base in arms and top in arms and share(arms[top], arms[base], arms[top]):
            gains = {}
            for name in tuned:
                part = share(arms[name], arms[base], arms[top]) if name in arms else None
                if part:
                    over = difference(arms[name], arms[base])
                    ends = sorted((sign * over.low, sign * over.high))
                    gains[name] = Gain(Interval(sign * over.mean, *ends), part)
            return measure, gains
    raise SystemExit(f"nothing to draw: '{base}' and '{top}' are not done, or may differ by chance alone")


def _figure(
    plan: Mapping[str, Any],
    found: Mapping[str, Mapping[str, Any]],
    measure: str,
    gains: Mapping[str, Gain],
    inks: Sequence[str],
    path: Path,
) -> None:
    from matplotlib.figure import Figure

    ink, grid = inks
    names = list(gains)
    hues = {name: _HUES[number % len(_HUES)] for number, name in enumerate(names)}
    picture = Figure(figsize=(9.6, 1.1 + 0.34 * max(6, len(names))), layout="constrained")
    left, right = picture.subplots(1, 2, width_ratios=(3, 2))
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
        axis.patch.set_alpha(0)
    _bars(left, gains, hues, plan["ceiling"], ink)
    kind, _, test = measure.partition(" ")
    unit = "nats of the answer's NLL" if kind == "NLL" else kind
    left.set_title(f"gain over {plan['baseline']} ({unit}, test: {test})", fontsize=9, color=ink)
    tests = [test for test in plan["tests"] if test != "closed"]
    for name in [plan["baseline"], *names]:
        line = [mean(found[f"NLL {test}"][name]) for test in tests]
        right.plot(range(len(tests)), line, marker="o", ms=3, lw=1.3, color=hues.get(name, ink))
    label = plan["baseline"], (0, mean(found[f"NLL {tests[0]}"][plan["baseline"]]))
    right.annotate(*label, (0, 8), textcoords="offset points", fontsize=8)
    right.set_xticks(range(len(tests)), tests)
    right.set_xlabel("context of the test")
    right.set_title("NLL of the right answer (lower is better)", fontsize=9, color=ink)
    right.yaxis.grid(True, color=grid, lw=0.5)
    picture.patch.set_alpha(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, format="svg", metadata={"Date": None}, transparent=True)


def _bars(axis: Any, gains: Mapping[str, Gain], hues: Mapping[str, str], ceiling: str, ink: str) -> None:
    places = range(len(gains))
    overs = [gain.over for gain in gains.values()]
    axis.barh(
        places,
        [one.mean for one in overs],
        xerr=[[one.mean - one.low for one in overs], [one.high - one.mean for one in overs]],
        color=[hues[name] for name in gains],
        height=0.62,
        error_kw={"ecolor": ink, "lw": 1},
    )
    axis.set_yticks(places, list(gains))
    axis.invert_yaxis()
    axis.axvline(0, color=ink, lw=0.8)
    if ceiling in gains:
        axis.axvline(gains[ceiling].over.mean, color=ink, lw=0.8, ls="--")
    most = max(one.high for one in overs)
    for place, gain in zip(places, gains.values(), strict=True):
        axis.annotate(
            f"{gain.share.mean:.0%}",
            (max(gain.over.high, 0.0), place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axis.set_xlim(min(0.0, *(one.low for one in overs)) * 1.05, most * 1.2)
