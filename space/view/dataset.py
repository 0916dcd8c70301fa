"""A dataset to look into: its histograms, the list of its rows, and one row's text with its verdict."""

from __future__ import annotations

from collections.abc import Sequence

from space.datasets.browse import ListedConfig, RowTexts
from space.making.results import assess
from space.view.drawing import Drawn, status
from space.view.histogram import histogram
from space.view.reader import reader
from space.view.strip import make_cells, strip
from space.view.table import rows_table
from space.view.verdict import verdict
from synthesis.data import Pair

PAGE = 12
MOST_SHOWN = 200_000
"""Characters of a row's text on the page; of a longer one, the part around its evidence."""


def histograms(table: ListedConfig, chosen: Sequence[int]) -> str:
    """Length, depth and coherence of all rows that were read, and of those that pass the filter."""
    every, part = table.rows, [table.rows[number] for number in chosen]
    lengths = histogram(
        "Length in tokens",
        [row.tokens for row in every],
        [row.tokens for row in part],
        lambda value: f"{value:,.0f}",
    )
    depths = histogram(
        "Evidence depth",
        [row.depth for row in every],
        [row.depth for row in part],
        lambda value: f"{value:.2g}",
        bounds=(0.0, 1.0),
        without="A context alone has no depth: it is chosen when samples are assembled. "
        "See a chat config, where there is one.",
    )
    scores = histogram(
        "Coherence",
        [row.coherence for row in every],
        [row.coherence for row in part],
        lambda value: f"{int(value * 100) / 100:.2g}",
        bounds=(0.0, 1.0),
        without="These rows were not scored.",
    )
    return f'<div class="cs-histograms">{lengths}{depths}{scores}</div>'


def listed(table: ListedConfig, chosen: Sequence[int], page: int, target: str) -> str:
    """One page of the rows that pass the filter."""
    numbers = chosen[page * PAGE : (page + 1) * PAGE]
    if not numbers:
        return '<p class="cs-hint">No row passes the filter. Lower the score, or choose another task.</p>'
    rows = [(number, table.rows[number]) for number in numbers]
    return rows_table(rows, target, titled=any(row.title for _, row in rows))


def draw_entry(area: str, number: int, entry: RowTexts) -> Drawn:
    """One row: scored anew here, so that the strip shows where its support lies."""
    first, last = _shown(entry)
    text = entry.text[first:last]
    own = (max(0, entry.own[0] - first), min(last, entry.own[1]) - first)
    pair = Pair("row", entry.instruction, entry.answer)
    asked = min(entry.asked, last) - first
    marks = [
        (one.start - first, one.end - first)
        for one in entry.evidence
        if first <= one.start and one.end <= last
    ]
    found = assess(pair, entry.context(first, last), text[:asked] if entry.chat else None)
    cells = make_cells(found.cells, marks)
    apart = own if entry.chat else None
    cut = (
        f" The {last - first:,} characters around its evidence are shown."
        if len(text) < len(entry.text)
        else ""
    )
    said = f"Row {number + 1}: {entry.instruction[:240]} Answer: {entry.answer[:240]}{cut}"
    return Drawn(
        status("done", said).replace("<b>Done</b>", ""),
        verdict(found),
        strip(area, cells, asked, apart),
        reader(area, text, marks, own=apart, asked=asked, places=[cell.start for cell in cells]),
    )


def _shown(entry: RowTexts) -> tuple[int, int]:
    if len(entry.text) <= MOST_SHOWN:
        return 0, len(entry.text)
    first = min(max(0, entry.own[0] - MOST_SHOWN // 4), len(entry.text) - MOST_SHOWN)
    return first, first + MOST_SHOWN
