"""Moments and results as the four pieces of a result area: status, verdict, strip, text.

A result area is a place on the page that shows a text with its verdict; its name is the prefix of every
id in it (``syn``, ``cmp-a``, ``cmp-b``, ``own``).
"""

from __future__ import annotations

from typing import NamedTuple

from space.handlers import Moment, OwnScore
from space.making import recipe
from space.making.inputs import to_link
from space.making.results import Result
from space.view import html
from space.view.reader import reader
from space.view.strip import growing, make_cells, strip
from space.view.verdict import verdict


class Drawn(NamedTuple):
    """HTML of a result area's pieces, top to bottom."""

    status: str
    verdict: str
    strip: str
    text: str


def status(stage: str, note: str, stop: str = "") -> str:
    """The status line, read out when it changes; the growing word counts are not.

    ``stop`` is the id of the button that stops the run, offered here as well: on a phone the form
    is out of sight by then.
    """
    quiet = ' aria-live="off"' if stage == "writing" else ' aria-live="polite"'
    role = ' role="alert"' if stage == "problem" else ' role="status"'
    words = {"problem": "Not done", "stopped": "Stopped", "done": "Done"}.get(stage, "")
    lead = f"<b>{words}</b>" if words else '<i class="cs-pulse" aria-hidden="true"></i>' if stage else ""
    halt = f'<button type="button" class="cs-small" data-press="{stop}">Stop</button>' if stop else ""
    return (
        f'<div class="cs-status cs-{stage or "idle"}"{role}{quiet}>{lead}'
        f"<span>{html.text(html.without_places(note))}</span>{halt}</div>"
    )


def empty(area: str, said: str) -> Drawn:
    """A result area without a text: a status, if any, and where the text will stand."""
    return Drawn(said, "", "", reader(area, ""))


def draw(area: str, moment: Moment) -> Drawn:
    """A moment of a run."""
    going = moment.stage in ("writing", "assembling")
    said = status(moment.stage, moment.note, f"{area.partition('-')[0]}-stop" if going else "")
    if moment.result is not None:
        return draw_result(area, moment.result)._replace(status=said)
    if moment.stage in ("problem", "stopped"):
        return empty(area, said)
    text = reader(area, moment.text, moment.marks, growing=True)
    return Drawn(said, verdict(None), growing(moment.share, len(moment.text), moment.marks), text)


def draw_result(area: str, result: Result) -> Drawn:
    """A finished run, without its status."""
    marks = [(start, end) for start, end, _ in result.evidence]
    cells = make_cells(result.verdict.cells, marks)
    own = result.own if result.sample is not None else None
    return Drawn(
        "",
        verdict(result.verdict),
        strip(area, cells, result.asked, own),
        reader(area, result.text, marks, own=own, asked=result.asked, places=[cell.start for cell in cells]),
    )


def draw_own_score(area: str, scored: OwnScore) -> Drawn:
    """A visitor's own context."""
    if scored.verdict is None:
        return empty(area, status("problem", scored.problem))
    marks = [(start, end) for start, end, _ in scored.evidence]
    cells = make_cells(scored.verdict.cells, marks)
    places = len(marks)
    note = f"{places} place{'s' if places != 1 else ''} of support found" if places else "No support found"
    return Drawn(
        status("done", f"{note} in {len(scored.text.split()):,} words."),
        verdict(scored.verdict),
        strip(area, cells, len(scored.text)),
        reader(area, scored.text, marks, places=[cell.start for cell in cells]),
    )


def code(area: str, result: Result | None) -> str:
    """How to get the same on one's own machine, and a link that restores the inputs."""
    if result is None:
        return '<p class="cs-hint">Code and link appear with the next result.</p>'
    inputs = result.inputs
    note = (
        "Prints exactly the text above, on any machine."
        if recipe.is_exact(inputs)
        else "Makes the same request; a model may word its reply differently. Needs your key in HF_TOKEN."
    )
    if result.stopped:
        note += " It goes on to the end, where you stopped."
    return (
        f'<p class="cs-hint">{note}</p>'
        f"{_block(f'{area}-python', 'Python', recipe.python_code(inputs))}"
        f"{_block(f'{area}-shell', 'Command line', recipe.command_line(inputs))}"
        f'<p class="cs-link"><button type="button" class="cs-small" data-link="{html.text(to_link(inputs))}">'
        "Copy a link to these inputs</button> <span>The link holds what you wrote, in a part of "
        "the address that servers do not log.</span></p>"
    )


def _block(name: str, title: str, lines: str) -> str:
    return (
        f'<div class="cs-code"><div class="cs-code-head"><span>{title}</span>'
        f'<button type="button" class="cs-small" data-copy="{name}">Copy</button></div>'
        f'<pre id="{name}" tabindex="0" aria-label="{title}">{html.text(lines)}</pre></div>'
    )
