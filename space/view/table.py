"""Tables of rows: a batch with the state of each, and the rows of a dataset to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from space.datasets.browse import ListedRow
from space.making.inputs import to_link
from space.making.rows import BatchRow
from space.view import html

_STATES = {
    "waiting": "waiting",
    "writing": "writing",
    "done": "done",
    "rejected": "rejected",
    "left": "not begun",
}
_SHOWN = 180
"""Characters of an instruction in a table; a style sheet cuts it to the width there is."""


def batch_table(lines: Sequence[BatchRow]) -> str:
    """One row per line of the file, with its state and what came of it."""
    if not lines:
        return ""
    body = "".join(_batch_row(line) for line in lines)
    return _table(
        "State of each row",
        (
            ("Line", "num"),
            ("Row", ""),
            ("State", ""),
            ("Tokens", "num cs-minor"),
            ("Coherence", "num"),
        ),
        body,
    )


def rows_table(rows: Sequence[tuple[int, ListedRow]], target: str, titled: bool) -> str:
    """Rows of a dataset, each with a button that sends its number by the hidden button ``target``.

    ``titled`` says whether the rows know their instruction; those of a chat config do not.
    """
    depth = any(row.depth is not None for _, row in rows)
    heads = [
        ("Row", "num"),
        ("Instruction" if titled else "Sample", ""),
        ("Task", "task cs-minor"),
        ("Tokens", "num cs-minor"),
    ]
    heads += [("Depth", "num")] if depth else []
    body = "".join(_pick_row(number, row, target, titled, depth) for number, row in rows)
    return _table("Rows of the dataset", (*heads, ("Coherence", "num")), body)


def _batch_row(line: BatchRow) -> str:
    asked = line.pair.instruction if line.pair else line.source
    state = f'<span class="cs-state cs-state-{line.stage}">{_STATES[line.stage]}</span>'
    made = line.made
    tokens = "" if made is None else f"{made.sample.tokens if made.sample else made.context.tokens:,}"
    coherence = "" if made is None else _score(made.coherence.overall)
    if made is not None and line.inputs is not None:
        link = html.text(to_link(line.inputs))
        label = f"Open line {line.number} in Synthesize, in a new tab"
        coherence += f' <a href="?#{link}" target="_blank" rel="noopener" aria-label="{label}">Open</a>'
    why = f'<p class="cs-why">{html.text(line.note)}</p>' if line.note else ""
    return (
        f'<tr><td class="cs-num">{line.number}</td>'
        f'<td class="cs-wide"><span>{html.text(asked[:_SHOWN])}</span>{why}</td>'
        f'<td>{state}</td><td class="cs-num cs-minor">{tokens}</td><td class="cs-num">{coherence}</td></tr>'
    )


def _pick_row(number: int, row: ListedRow, target: str, titled: bool, depth: bool) -> str:
    name = row.title if titled and row.title else row.id
    button = (
        f'<button type="button" class="cs-pick" data-pick="{target}" data-value="{number}">'
        f"{html.text(name[:_SHOWN])}</button>"
    )
    placed = f'<td class="cs-num">{"" if row.depth is None else f"{row.depth:.2f}"}</td>' if depth else ""
    return (
        f'<tr><td class="cs-num">{number + 1:,}</td><td class="cs-wide">{button}</td>'
        f'<td class="cs-task cs-minor">{html.text(row.task[:40])}</td>'
        f'<td class="cs-num cs-minor">{row.tokens:,}</td>{placed}'
        f'<td class="cs-num">{"–" if row.coherence is None else _score(row.coherence)}</td></tr>'
    )


def _table(caption: str, heads: Sequence[tuple[str, str]], body: str) -> str:
    cells = "".join(f'<th scope="col" class="cs-{kind or "text"}">{name}</th>' for name, kind in heads)
    return (
        f'<div class="cs-rows" role="region" tabindex="0" aria-label="{caption}"><table>'
        f"<caption>{caption}</caption><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _score(value: float) -> str:
    # Cut, not rounded, as beside the text: no context is certain to be right.
    return f"{int(value * 100) / 100:.2f}"
