"""The tab "Score your own": a pasted context gets its coherence, strip and places of support."""

from __future__ import annotations

import json
from typing import Final

import gradio as gr

from space import handlers
from space.making.inputs import MOST_CONTEXT
from space.making.results import Result
from space.tabs.parts import RUNS, result_area
from space.view.drawing import draw_own_score, empty, status

_HINT: Final = "Paste a context with its instruction and answer, or begin with the example."


def build(example: Result) -> None:
    """Lay out and wire the tab inside Gradio's current block."""
    values = json.dumps([example.inputs.instruction, example.inputs.answer, example.context.text])
    with gr.Row(elem_classes="cs-columns"):
        with gr.Column(elem_classes="cs-left", min_width=300):
            asks = "cs-asks-own"
            instruction = gr.Textbox(label="Instruction", lines=2, max_lines=8, elem_classes=asks)
            answer = gr.Textbox(label="Answer", lines=1, max_lines=8, elem_classes=asks)
            context = gr.Textbox(
                label="Context",
                lines=14,
                max_lines=14,
                elem_classes=asks,
                info=f"Any text, up to {MOST_CONTEXT:,} characters; it is not kept",
            )
            with gr.Row(elem_classes="cs-actions"):
                go = gr.Button("Score", variant="primary", elem_id="own-go", scale=3, min_width=120)
                fill = gr.Button("Example", elem_id="own-example", scale=1, min_width=80)
            fill.click(None, None, [instruction, answer, context], js=f"() => {values}")
        with gr.Column(elem_classes="cs-right", min_width=300):
            area = result_area("own", empty("own", status("", _HINT)))
    go.click(
        lambda *texts: list(draw_own_score("own", handlers.score_own(*texts))),
        [instruction, answer, context],
        area.outputs,
        show_progress_on=area.status,
        **RUNS,
    )
