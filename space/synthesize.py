"""The tab "Synthesize": inputs left, the result with its strip and score right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from space import handlers
from space.form import FIELDS, Form, lay_out
from space.panel import QUICK, Panel, make_panel, piece, pieces, wire_run
from space.results import Result, as_record, chat_record, json_text
from space.sessions import Runs
from space.view.drawing import code, draw_result, status


@dataclass(frozen=True, slots=True)
class Tab:
    """What other tabs may fill or read."""

    form: Form
    panel: Panel


def build(runs: Runs, opening: Result) -> Tab:
    """Lay out and wire the tab inside Gradio's current block."""
    drawn = draw_result("syn", opening)._replace(
        status=status("", f"An example to begin with. {handlers.described(opening)}")
    )
    with gr.Row(elem_classes="cs-columns"):
        with gr.Column(elem_classes="cs-left", min_width=300):
            form, buttons = lay_out(opening.inputs)
        with gr.Column(elem_classes="cs-right", min_width=300):
            panel = make_panel("syn", drawn)
            state = gr.State(opening, time_to_live=3600)
            parcel = gr.Textbox(visible="hidden", elem_id="syn-parcel", label="Download")
            _take_away(state, parcel)
            with gr.Accordion("Reproduce as code", open=False, elem_classes="cs-fold"):
                recipe = piece(code("syn", opening))
    _wire(runs, form, buttons, panel, state, recipe)
    return Tab(form, panel)


def _take_away(state: gr.State, parcel: gr.Textbox) -> None:
    """Buttons under the text. Files are made in the browser: none ever lies on the server."""
    with gr.Row(elem_classes="cs-takeaway"):
        piece('<button type="button" class="cs-small" data-copy-text="syn">Copy text</button>')
        for label, name in (("Download JSON", "json"), ("Download chat sample", "chat")):
            button = gr.Button(label, size="sm", elem_id=f"syn-{name}", min_width=120)
            button.click(_packer(name), state, parcel, **QUICK).then(
                None, parcel, None, js="(parcel) => { csDownload(parcel); }"
            )


def _packer(kind: str) -> Any:
    def pack(result: Result | None) -> str:
        return "" if result is None else parcel_of(kind, result)

    return pack


def parcel_of(kind: str, result: Result) -> str:
    """A file for the browser to save, as JSON with ``name``, ``type`` and ``text``."""
    name = f"{result.context.pair_id}-{result.inputs.length}{'-stopped' if result.stopped else ''}"
    if kind == "chat":
        file = {
            "name": f"{name}.jsonl",
            "type": "application/jsonl",
            "text": json_text(chat_record(result)) + "\n",
        }
    else:
        file = {
            "name": f"{name}.json",
            "type": "application/json",
            "text": json_text(as_record(result), indent=2) + "\n",
        }
    return json.dumps(file)


def _wire(
    runs: Runs,
    form: Form,
    buttons: tuple[gr.Button, gr.Button],
    panel: Panel,
    state: gr.State,
    recipe: gr.HTML,
) -> None:
    def run(request: gr.Request, token: gr.OAuthToken | None, *values: Any) -> Iterator[list[Any]]:
        given = dict(zip(FIELDS, values, strict=True))
        session = request.session_hash or ""
        with (
            runs.new(session, panel.name) as one,
            closing(handlers.synthesize(given, one, token.token if token else None)) as frames,
        ):
            begun = False
            for frame in frames:
                yield [*pieces(panel.name, frame, begun=begun), *_aside(frame, begun)]
                begun = True

    outputs = [*panel.outputs, state, recipe]
    wire_run(runs, panel.name, buttons, run, form.fields, outputs, panel.status)


def _aside(frame: handlers.Frame, begun: bool) -> list[Any]:
    """State, code and the two buttons, as the frame's stage wants them."""
    if frame.stage not in ("done", "stopped", "problem"):
        return [gr.skip(), gr.skip(), gr.update(interactive=False), gr.update(interactive=True)]
    ready = [gr.update(interactive=True), gr.update(interactive=False)]
    if frame.result is None and not begun:
        return [gr.skip(), gr.skip(), *ready]
    return [frame.result, code("syn", frame.result), *ready]
