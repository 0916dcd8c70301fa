"""A study as a picture, for light and for dark pages: shares of the human gain, and what length costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from examples.study.results import Interval, mean, measures_of, read_jobs, read_plan_of, share, values

_INKS = {"light": ("#1f2328", "#d0d7de"), "dark": ("#e6edf3", "#3d444d")}
_HUES = ["#0b6e99", "#d1742f", "#5a9e6f", "#b1446e", "#7a68c0", "#9a8b2c", "#4c9fc0", "#8a6350"]


def draw(out: Path, target: Path) -> list[Path]:
    """``TARGET-light.svg`` and ``TARGET-dark.svg`` of the study in ``out``.

    Left: for each arm the share of what the ceiling gains over the baseline, with 95 % intervals, in the
    measure with the longest context in which that gain is not chance. Right: the answer's NLL over the
    length of the test's context.

    Raises:
        SystemExit: baseline and ceiling are not done, or their difference may be chance everywhere.
    """
    import matplotlib

    plan, jobs = read_plan_of(out), read_jobs(out)
    found = {measure: values(jobs, measure) for measure in measures_of(plan)}
    measure, shares = _shares(plan, found)
    written = []
    for mode, (ink, grid) in _INKS.items():
        colours = {f"{name}.{part}color": ink for name in ("xtick", "ytick") for part in ("", "label")}
        style = {
            **colours,
            "text.color": ink,
            "axes.labelcolor": ink,
            "axes.edgecolor": grid,
            "font.size": 9,
            "svg.hashsalt": "study",
            "svg.fonttype": "none",
        }
        with matplotlib.rc_context(style):
            path = target.with_name(f"{target.name}-{mode}.svg")
            _figure(plan, found, measure, shares, (ink, grid), path)
            written.append(path)
    return written


def _shares(
    plan: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]
) -> tuple[str, dict[str, Interval]]:
    base, top = plan["baseline"], plan["ceiling"]
    for measure in reversed(measures_of(plan)):
        arms = found[measure]
        if base in arms and top in arms and share(arms[top], arms[base], arms[top]):
            told = {arm["name"]: arms[arm["name"]] for arm in plan["arms"] if arm["name"] in arms}
            return measure, {
                name: part
                for name, own in told.items()
                if name != base and (part := share(own, arms[base], arms[top]))
            }
    raise SystemExit(f"nothing to draw: '{base}' and '{top}' are not done, or may differ by chance alone")


def _figure(
    plan: Mapping[str, Any],
    found: Mapping[str, Mapping[str, Any]],
    measure: str,
    shares: Mapping[str, Interval],
    inks: Sequence[str],
    path: Path,
) -> None:
    from matplotlib.figure import Figure

    ink, grid = inks
    names = list(shares)
    picture = Figure(figsize=(9.6, 0.9 + 0.34 * max(7, len(names))), layout="constrained")
    left, right = picture.subplots(1, 2, width_ratios=(3, 2))
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
        axis.patch.set_alpha(0)
    hues = {name: _HUES[number % len(_HUES)] for number, name in enumerate(names)}
    places = range(len(names))
    means = [shares[name].mean for name in names]
    errors = [
        [max(0.0, shares[name].mean - shares[name].low) for name in names],
        [max(0.0, shares[name].high - shares[name].mean) for name in names],
    ]
    colours = [hues[name] for name in names]
    left.barh(places, means, xerr=errors, color=colours, height=0.62, error_kw={"ecolor": ink, "lw": 1})
    left.set_yticks(places, names)
    left.invert_yaxis()
    left.axvline(0, color=ink, lw=0.8)
    left.axvline(1, color=grid, lw=0.8, ls="--")
    left.set_xlim(max(-1.5, min(0.0, *(one.low for one in shares.values()))), None)
    left.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    left.set_title(f"share of the human gain over pairs alone ({measure})", fontsize=9, color=ink)
    tests = [test for test in plan["tests"] if test != "closed"]
    for name in [plan["baseline"], *names]:
        line = [mean(found[f"NLL {test}"][name]) for test in tests]
        hue = hues.get(name, ink)
        right.plot(range(len(tests)), line, marker="o", ms=3, lw=1.3, color=hue, label=name)
    right.set_xticks(range(len(tests)), tests)
    right.set_xlabel("context of the test: " + ", ".join(tests))
    right.set_title("NLL of the right answer (lower is better)", fontsize=9, color=ink)
    right.yaxis.grid(True, color=grid, lw=0.5)
    picture.patch.set_alpha(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, format="svg", metadata={"Date": None}, transparent=True)
