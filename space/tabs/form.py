"""The form of the tab "Synthesize": what a visitor fills in, by hand, from an example or from a link."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

import gradio as gr

from space.making.engines import EMBEDDED, PROVIDERS, PROVIDERS_MODEL, can_log_in, offers
from space.making.inputs import (
    DISTRACTORS,
    LENGTHS,
    MODES,
    MOST_SEED,
    TASK_CHOICES,
    Inputs,
    from_link,
    read_inputs,
)
from space.making.writing import bundled
from space.tabs.parts import QUICK, piece, select
from space.view.drawing import status
from synthesis.errors import ContextSynthesisError

# Labels of the example chips and the bundled pairs behind them.
_CHIPS: Final = {
    "Two facts": 25,
    "Story": 1,
    "Paper": 16,
    "Comparison": 29,
    "Chain": 38,
    "Meeting": 47,
    "Report": 55,
    "News": 64,
}

# In the order in which the form sends them.
FIELDS: Final = (
    "instruction",
    "answer",
    "task",
    "length",
    "engine",
    "model",
    "seed",
    "depth",
    "distractors",
    "mode",
    "template",
)


@dataclass(frozen=True, slots=True)
class Form:
    """The inputs as components, in the order of ``FIELDS``; ``loaded`` as ``task_of_its_pair`` gives it."""

    fields: tuple[Any, ...]
    loaded: gr.Textbox

    def __getitem__(self, name: str) -> Any:
        return self.fields[FIELDS.index(name)]


def lay_out(start: Inputs) -> tuple[Form, tuple[gr.Button, gr.Button]]:
    """The form in Gradio's current block, and its buttons Synthesize and Stop."""
    offered = offers()
    piece('<h2 class="cs-head">Start from an example</h2>')
    chips = gr.Column(elem_classes="cs-chip-place")
    asks = "cs-asks-syn"
    instruction = gr.Textbox(start.instruction, label="Instruction", lines=3, max_lines=8, elem_classes=asks)
    answer = gr.Textbox(start.answer, label="Answer", lines=1, max_lines=8, elem_classes=asks)
    with gr.Row(elem_classes="cs-pair"):
        task = select(TASK_CHOICES, start.task, "Task")
        length = select(LENGTHS, start.length, "Length")
    engine = select({one.name: one.label for one in offered}, EMBEDDED, "Engine")
    with gr.Column(visible=False, elem_classes="cs-model") as visitors:
        model = gr.Textbox(
            "",
            label="Model",
            placeholder=PROVIDERS_MODEL,
            info="Its full name on the Hub",
        )
        if can_log_in():
            gr.LoginButton(size="sm")
        else:
            piece('<p class="cs-hint">Signing in works where this page runs as a Hugging Face Space.</p>')
    with gr.Accordion("More settings", open=False, elem_classes="cs-fold"):
        depth = gr.Slider(
            0, 1, start.depth, step=0.05, label="Evidence depth", info="0 is the start, 1 the end"
        )
        distractors = select(DISTRACTORS, "same-task", "Other documents")
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MOST_SEED)
        mode = select(MODES, "woven", "Composition", info="What the composer puts around the evidence")
        template = gr.Textbox(
            "",
            label="Your own prompt template",
            info="For engines that run a model; with {instruction}, {answer} and {words}",
            lines=3,
            max_lines=12,
            visible=False,
        )
    with gr.Row(elem_classes="cs-actions"):
        go = gr.Button("Synthesize", variant="primary", elem_id="syn-go", scale=3, min_width=120)
        stop = gr.Button("Stop", elem_id="syn-stop", interactive=False, scale=1, min_width=80)
    loaded = task_of_its_pair(instruction, task, start.instruction)
    engine.change(_fitting, engine, [visitors, mode, template], **QUICK)
    fields = (instruction, answer, task, length, engine, model, seed, depth, distractors, mode, template)
    form = Form(fields, loaded)
    with chips:
        _chips([instruction, answer, task, loaded])
    return form, (go, stop)


def task_of_its_pair(instruction: gr.Textbox, task: gr.Dropdown, start: str) -> gr.Textbox:
    """Have ``task`` found anew where a visitor writes their own pair in the place of one that was loaded.

    Returns:
        The hidden field for the instruction that the task was loaded with, which whoever loads another fills;
        empty where the task is the visitor's own choice.
    """
    loaded = gr.Textbox(start, visible="hidden", label="Loaded with")
    instruction.change(
        None, [instruction, task, loaded], [task, loaded], js="(...given) => csTask(...given)", **QUICK
    )
    task.select(None, None, loaded, js="() => ''", **QUICK)
    return loaded


def _fitting(engine: str) -> list[Any]:
    """Which inputs matter to an engine: the visitor's model, the composition, the template."""
    embedded = engine == EMBEDDED
    return [gr.update(visible=shown) for shown in (engine == PROVIDERS, embedded, not embedded)]


def _chips(targets: list[Any]) -> None:
    """Examples as buttons that fill the form in the browser, at once."""
    with gr.Row(elem_classes="cs-chips"):
        for label, number in _CHIPS.items():
            pair = bundled()[number]
            values = json.dumps([pair.instruction, pair.answer, pair.task, pair.instruction])
            gr.Button(label, size="sm", min_width=0, elem_classes="cs-chip").click(
                None, None, targets, js=f"() => {values}"
            )


def restored(fragment: str) -> list[Any]:
    """The form's values for a link's fragment, what its task belongs to, and a status.

    Nothing changes without a link of ours.
    """
    found = from_link(fragment or "")
    if found is None:
        return [gr.skip()] * (len(FIELDS) + 2)
    try:
        inputs = read_inputs(**found)
    except ContextSynthesisError as error:
        said = status("problem", f"The link cannot be used as it is. {error}")
        return [*[gr.skip()] * (len(FIELDS) + 1), said]
    note = "Inputs restored from the link. Press Synthesize to make the sample."
    if inputs.engine not in {one.name for one in offers()}:
        note = f"Inputs restored, but the engine {inputs.engine} is not offered here: the composer is chosen."
        inputs = replace(inputs, engine=EMBEDDED)
    return [*(getattr(inputs, name) for name in FIELDS), inputs.instruction, status("", note)]
