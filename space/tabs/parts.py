"""What tabs are built of: a result area, which shows a text with its verdict, and how events run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from space.handlers import Moment
from space.making.sessions import Runs
from space.view.drawing import Drawn, draw

AT_ONCE: Final = 8
"""Runs at once; the composer's are short, a model's mostly wait."""

RUNS: Final[dict[str, Any]] = {
    "api_visibility": "private",
    "concurrency_id": "writing",
    "concurrency_limit": AT_ONCE,
}
"""Arguments of every event that does work: one queue for all tabs, and no endpoint of its own."""

QUICK: Final[dict[str, Any]] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
"""Arguments of events that only look something up: they wait behind nobody's run."""


def piece(markup: str, **more: Any) -> gr.HTML:
    """Our own HTML, bare: without Gradio's frame and text styles."""
    return gr.HTML(markup, elem_classes="cs-piece", apply_default_css=False, **more)


def select(choices: Mapping[str, str], value: str, label: str, **more: Any) -> gr.Dropdown:
    """A choice by name; ``choices`` maps what is sent to what is shown."""
    pairs = [(shown, name) for name, shown in choices.items()]
    return gr.Dropdown(pairs, value=value, label=label, filterable=False, **more)


@dataclass(frozen=True, slots=True)
class ResultArea:
    """The components of one area; ``name`` is the prefix of the ids inside."""

    name: str
    status: gr.HTML
    verdict: gr.HTML
    strip: gr.HTML
    text: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        """In the order of ``Drawn``."""
        return [self.status, self.verdict, self.strip, self.text]


def pieces(name: str, moment: Moment, *, begun: bool) -> list[Any]:
    """Updates of a result area's four pieces for a moment of a run.

    A request taken back before anything of its run was shown (``begun``) changes the status line only: what
    stood there stays. Beside a failure nothing stays, which could be taken for what was asked for.
    """
    drawn = list(draw(name, moment))
    fruitless = moment.result is None and moment.stage == "stopped"
    return [drawn[0], *[gr.skip()] * 3] if fruitless and not begun else drawn


def wire_run(
    runs: Runs,
    name: str,
    buttons: tuple[gr.Button, gr.Button],
    run: Callable[..., Iterator[list[Any]]],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    progress: Any,
) -> None:
    """A button that begins ``run``, and one that stops it from the press on, also while it waits in line.

    Args:
        runs: where Stop finds it.
        name: the run's result area in ``runs``.
        buttons: the one that begins and the one that stops; added to ``outputs``.
        run: yields updates of ``outputs`` and of both buttons.
        inputs: components whose values ``run`` gets.
        outputs: components it changes.
        progress: the status lines that show the place in line.
    """
    go, stop = buttons

    def line_up(request: gr.Request) -> list[Any]:
        runs.expect(request.session_hash or "", name)
        return [gr.update(interactive=False), gr.update(interactive=True)]

    def halt(request: gr.Request) -> None:
        runs.stop(request.session_hash or "", name)

    pressed = go.click(line_up, None, [go, stop], **QUICK)
    begun = pressed.success(run, [*inputs], [*outputs, go, stop], show_progress_on=progress, **RUNS)
    # Where the line is full the run never begins: the buttons go back to where they were.
    begun.failure(
        lambda: [gr.update(interactive=True), gr.update(interactive=False)], None, [go, stop], **QUICK
    )
    stop.click(halt, None, None, **QUICK)


def result_area(name: str, start: Drawn) -> ResultArea:
    """Lay the result area out where Gradio's current block is."""
    return ResultArea(
        name,
        piece(start.status, elem_id=f"{name}-status"),
        piece(start.verdict),
        piece(start.strip),
        piece(start.text),
    )
