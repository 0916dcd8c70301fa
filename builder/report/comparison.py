"""``compare``: runs side by side, as tables, figures and one HTML page.

Reads finished folders and writes another one. What is measured is in ``builder.report.sides``, how
figures look in ``builder.report.ranges``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from builder.folder.card import made_of
from builder.folder.figures.style import png, styled
from builder.folder.statistics import PARTS
from builder.report.page import Figure, fill, told_number, told_score
from builder.report.ranges import Range, RangeLine, draw_points, draw_ranges, median
from builder.report.sides import Side, find_sides, shared_tasks
from builder.report.tuned import TunedScores, performance, read_answered
from builder.report.write import PAGE, check_target
from synthesis.data import content_hash
from synthesis.evaluation.results import Mean, mean_of
from synthesis.storage import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

MARK = "context-synthesis comparison"
MOST_TASKS = 24
MOST_TEXTS = 1000

_TEXT = {
    "overlap": "instruction's terms in the evidence",
    "distance": "words between first and last evidence",
    "depth": "place of the evidence in its context",
    "diversity": "distinct words in 100",
    "repetition": "runs of six words said before",
}


class PageTable(NamedTuple):
    """A table of the page: what it shows, its heads, and its rows as they are printed."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was written: the page and the figures beside it, and the table to print."""

    page: Path
    figures: tuple[Path, ...]
    overview: PageTable


def compare(
    places: Sequence[str | Path],
    out: str | Path = "comparison",
    *,
    most_texts: int = MOST_TEXTS,
    scores: Sequence[str | Path] = (),
) -> Comparison:
    """Compare runs' folders or dataset folders.

    Args:
        places: two or more, each perhaps as ``NAME=FOLDER``; differences are taken against the first.
        out: the folder to write.
        most_texts: rows a side whose texts are read for what lengths and scores do not tell, 0 for all.
        scores: folders that ``evaluate`` wrote, each perhaps as ``NAME=FOLDER``: how models answer that
            were tuned on the sides, by task, beside the sides' lengths (as in figure 5 of the paper).

    Raises:
        SourceError: there is no dataset.
        FolderError: files are missing or damaged, or ``out`` holds a page that is not a comparison.
        UsageError: there is only one config, or a folder was given twice.
        StorageError: writing failed.
    """
    target = Path(out)
    check_target(target, MARK, "comparison")
    answered = [read_answered(one) for one in scores]
    sides = find_sides(places, most_texts)
    tasks = shared_tasks(sides, MOST_TASKS)
    figures = list(_figures(sides, tasks, answered))
    overview = _overview(sides)
    tables = [
        overview,
        *filter(None, (_by_task(sides, tasks), _paired(sides), _texts(sides), _leaks(sides))),
        *filter(None, (_samples(sides), _dropped(sides))),
    ]
    page = fill(
        "compare.html",
        mark=MARK,
        title=f"Comparison of {', '.join(side.name for side in sides)}",
        sides=[(side.name, _made(side)) for side in sides],
        tables=tables,
        figures=figures,
    )
    for figure in figures:
        replace_file(target / figure.file, figure.png)
    replace_file(target / PAGE, page)
    return Comparison(target / PAGE, tuple(target / one.file for one in figures), overview)


def _made(side: Side) -> str:
    """How a side came about, in a few words."""
    facts = side.manifest.facts
    asked = f"{side.asked:,} words asked for" if side.asked else ""
    told = (
        facts.get("engine"),
        facts.get("model"),
        facts.get("template"),
        asked,
        f"version {side.manifest.version}",
    )
    return ", ".join(str(one) for one in told if one)


# --- figures


def _figures(
    sides: Sequence[Side], tasks: Sequence[str], answered: Sequence[TunedScores]
) -> Iterator[Figure]:
    key = content_hash([side.manifest.digest for side in sides], [side.name for side in sides])
    title = " / ".join(side.name for side in sides)
    drawings: dict[str, tuple[str, Callable[[], Drawing]]] = {}
    if answered:
        lines = performance(answered, MOST_TASKS)
        drawings["performance"] = (
            "Scores by task of the models that were tuned on the sides.",
            lambda: draw_points("tuned models", "score by task", lines, "Lines: 95 % intervals."),
        )
    drawings |= {
        "lengths": (
            "Words of a context by task and side.",
            lambda: draw_ranges(
                title,
                "words of a context",
                _lines(sides, tasks, "words", marks=sorted({side.asked for side in sides if side.asked})),
                foot="Dashed: asked for.",
            ),
        ),
        "coherence-by-task": (
            "Coherence by task and side.",
            lambda: draw_ranges(title, "coherence", _lines(sides, tasks, "coherence"), unit=True, places=2),
        ),
        "coherence-by-part": (
            "The coherence score and its parts by side.",
            lambda: draw_ranges(
                title,
                "coherence and its parts",
                [RangeLine(part, [Range(side.name, side.values(part)) for side in sides]) for part in PARTS],
                unit=True,
                places=2,
            ),
        ),
        "evidence": (
            "Where the evidence stands and how much of the instruction's wording it has, by side.",
            lambda: draw_ranges(
                title,
                "evidence and wording",
                [
                    RangeLine(_SHORT[name], [Range(side.name, side.text_values(name)) for side in sides])
                    for name in ("overlap", "depth", "diversity", "repetition")
                ],
                unit=True,
                places=2,
            ),
        ),
    }
    with styled():
        for name, (told, draw) in drawings.items():
            yield Figure(f"{name}.png", told, png(draw(), key))


_SHORT = {
    "overlap": "question in evidence",
    "depth": "depth of evidence",
    "diversity": "distinct words",
    "repetition": "repetition",
}


def _lines(
    sides: Sequence[Side], tasks: Sequence[str], measure: str, marks: Sequence[float] = ()
) -> list[RangeLine]:
    lines = [
        RangeLine(task, [Range(side.name, side.values(measure, task)) for side in sides], marks)
        for task in tasks
    ]
    everything = RangeLine("all", [Range(side.name, side.values(measure)) for side in sides], marks)
    return [*lines, everything] if len(lines) > 1 else [everything]


# --- tables


def _overview(sides: Sequence[Side]) -> PageTable:
    first = set(sides[0].ids)
    rows = []
    for side in sides:
        usage = side.run.get("usage", {})
        dropped = sum(side.dropped.values())
        share = f"{dropped / (dropped + side.manifest.rows):.0%}" if dropped else "0"
        rows.append(
            [
                side.name,
                f"{side.manifest.rows:,}",
                f"{len(first & set(side.ids)):,}",
                share,
                told_number(_mean(side.values("words"))),
                told_number(_mean(side.values("tokens"))),
                told_score(_mean(side.values("coherence"))),
                f"{usage['output_tokens']:,}" if usage.get("output_tokens") else "–",
                told_number(side.run.get("seconds")) if side.run.get("seconds") else "–",
            ]
        )
    heads = [
        "side",
        _what(sides),
        "shared",
        "dropped",
        "words",
        "tokens",
        "coherence",
        "tokens written",
        "seconds",
    ]
    return PageTable(
        "Means of all rows of a side. Shared: pairs it has in common with the first. Dropped: of all "
        "that were written. Tokens written and seconds: of the last run.",
        heads,
        rows,
    )


def _by_task(sides: Sequence[Side], tasks: Sequence[str]) -> PageTable:
    rows = []
    for task in tasks:
        for side in sides:
            words = side.values("words", task)
            if words:
                ends = f"{min(words):,.0f} / {fmean(words):,.0f} / {max(words):,.0f}"
                parts = [told_score(_mean(side.values(part, task))) for part in PARTS]
                rows.append([task, side.name, f"{len(words):,}", ends, *parts])
    return PageTable(
        "By task. Words: least / mean / most; coherence and its parts: means.",
        ["task", "side", _what(sides), "words", *PARTS],
        rows,
    )


def _what(sides: Sequence[Side]) -> str:
    """What the rows of all sides are, in one word."""
    kinds = {made_of(side.manifest) for side in sides}
    return kinds.pop() if len(kinds) == 1 else "rows"


def _paired(sides: Sequence[Side]) -> PageTable | None:
    rows = []
    base = sides[0]
    for side in sides[1:]:
        cells = [_difference(paired(side.by_pair(part), base.by_pair(part))) for part in PARTS]
        shared = len(set(side.ids) & set(base.ids))
        if shared:
            rows.append([side.name, f"{shared:,}", *cells])
    if not rows:
        return None
    return PageTable(
        f"Mean differences to {base.name} over the pairs both have, with 95 % intervals (paired bootstrap).",
        ["side", "pairs", *PARTS],
        rows,
    )


def _texts(sides: Sequence[Side]) -> PageTable:
    rows = []
    for name, told in _TEXT.items():
        found = [median(side.text_values(name)) for side in sides]
        rows.append([told, *(told_number(one) if name == "distance" else told_score(one) for one in found)])
    rows.append(
        ["runs of eight words that another context holds", *(told_score(side.shared) for side in sides)]
    )
    read = ", ".join(f"{side.read:,}" for side in sides)
    return PageTable(
        f"Medians over {read} contexts whose texts were read.", ["", *(side.name for side in sides)], rows
    )


def _leaks(sides: Sequence[Side]) -> PageTable | None:
    kinds = sorted({kind for side in sides for kind in side.leaks})
    rows = [[kind, *(f"{side.leaks.get(kind, 0) / side.read:.1%}" for side in sides)] for kind in kinds]
    return PageTable(
        "Share of those contexts that give the answer away, or are no narrative, by what they do.",
        ["", *(side.name for side in sides)],
        rows,
    ) if rows else None  # fmt: skip


def _samples(sides: Sequence[Side]) -> PageTable | None:
    rows = [
        [side.name, one.label, f"{one.rows:,}", f"{one.budget:,}", told_number(one.tokens), f"{one.full:.1%}"]
        for side in sides
        for one in side.chats
    ]
    return PageTable(
        "Samples. Full: those that fill their budget to 99.5 % or more.",
        ["side", "config", "samples", "budget", "tokens", "full"],
        rows,
    ) if rows else None  # fmt: skip


def _dropped(sides: Sequence[Side]) -> PageTable | None:
    reasons = sorted(
        {reason for side in sides for reason in side.dropped},
        key=lambda reason: (-sum(side.dropped.get(reason, 0) for side in sides), reason),
    )
    rows = [[reason, *(f"{side.dropped.get(reason, 0):,}" for side in sides)] for reason in reasons[:40]]
    heads = ["stage and reason", *(side.name for side in sides)]
    return PageTable("Rows that were dropped.", heads, rows) if rows else None


def paired(one: dict[str, float], other: dict[str, float]) -> Mean | None:
    """Mean of ``one`` less that of ``other`` over the keys both have; None with fewer than two of these."""
    keys = sorted(one.keys() & other.keys())
    return mean_of([one[key] - other[key] for key in keys]) if len(keys) > 1 else None


def _difference(found: Mean | None) -> str:
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]" if found else "–"


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
