"""The tab "Synthesize": inputs left, the result with its strip and score right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from space import handlers
from space.making.results import Result, as_record, chat_record, json_text
from space.making.sessions import Runs
from space.tabs.form import FIELDS, Form, lay_out
from space.tabs.parts import QUICK, ResultArea, piece, pieces, result_area, wire_run
from space.view.drawing import code, draw_result, status


@dataclass(frozen=True, slots=True)
class Tab:
    """What other tabs may fill or read."""

    form: Form
    area: ResultArea


def build(runs: Runs, opening: Result) -> Tab:
    """Lay out and wire the tab inside Gradio's current block."""
    drawn = draw_result("syn", opening)._replace(
        status=status("", f"An example to begin with. {handlers.described(opening)}")
    )
    with gr.Row(elem_classes="cs-columns"):
        with gr.Column(elem_classes="cs-left", min_width=300):
            form, buttons = lay_out(opening.inputs)
        with gr.Column(elem_classes="cs-right", min_width=300):
            area = result_area("syn", drawn)
            state = gr.State(opening, time_to_live=3600)
            download = gr.Textbox(visible="hidden", elem_id="syn-download", label="Download")
            _take_away(state, download)
            with gr.Accordion("Reproduce as code", open=False, elem_classes="cs-fold"):
                recipe = piece(code("syn", opening))
    _wire(runs, form, buttons, area, state, recipe)
    return Tab(form, area)


def _take_away(state: gr.State, download: gr.Textbox) -> None:
    """Buttons under the text. Files are made in the browser: none ever lies on the server."""
    with gr.Row(elem_classes="cs-takeaway"):
        piece('<button type="button" class="cs-small" data-copy-text="syn">Copy text</button>')
        for label, name in (("Download JSON", "json"), ("Download chat sample", "chat")):
            button = gr.Button(label, size="sm", elem_id=f"syn-{name}", min_width=120)
            button.click(_packer(name), state, download, **QUICK).then(
                None, download, None, js="(file) => { csDownload(file); }"
            )


def _packer(kind: str) -> Any:
    def pack(result: Result | None) -> str:
        return "" if result is None else file_of(kind, result)

    return pack


def file_of(kind: str, result: Result) -> str:
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
    area: ResultArea,
    state: gr.State,
    recipe: gr.HTML,
) -> None:
    def run(request: gr.Request, token: gr.OAuthToken | None, *values: Any) -> Iterator[list[Any]]:
        given = dict(zip(FIELDS, values, strict=True))
        session = request.session_hash or ""
        with (
            runs.new(session, area.name) as one,
            closing(handlers.synthesize(given, one, token.token if token else None)) as moments,
        ):
            begun = False
            for moment in moments:
                yield [*pieces(area.name, moment, begun=begun), *_aside(moment, begun)]
                begun = True

    outputs = [*area.outputs, state, recipe]
    wire_run(runs, area.name, buttons, run, form.fields, outputs, area.status)


def _aside(moment: handlers.Moment, begun: bool) -> list[Any]:
    """State, code and the two buttons, as the moment's stage wants them."""
    if moment.stage not in ("done", "stopped", "problem"):
        return [gr.skip(), gr.skip(), gr.update(interactive=False), gr.update(interactive=True)]
    ready = [gr.update(interactive=True), gr.update(interactive=False)]
    if moment.stage == "stopped" and moment.result is None and not begun:
        return [gr.skip(), gr.skip(), *ready]
    return [moment.result, code("syn", moment.result), *ready]
