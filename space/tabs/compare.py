"""The tab "Compare": one pair, two requests, side by side with their scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from space import handlers
from space.making.engines import EMBEDDED, PROVIDERS_MODEL, offers
from space.making.inputs import (
    DISTRACTORS,
    LENGTHS,
    MODES,
    MOST_SEED,
    TASK_CHOICES,
    Inputs,
)
from space.making.sessions import Run, Runs
from space.tabs.form import task_of_its_pair
from space.tabs.parts import ResultArea, piece, pieces, result_area, select, wire_run
from space.view.drawing import empty, status

_PAIR: Final = ("instruction", "answer", "task")
_SIDE: Final = ("engine", "length", "mode", "distractors", "seed", "model", "template")


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two requests: its inputs in the order of ``_SIDE``, and its area."""

    inputs: tuple[Any, ...]
    area: ResultArea


def build(runs: Runs, start: Inputs) -> None:
    """Lay out and wire the tab inside Gradio's current block."""
    with gr.Row(elem_classes="cs-shared"):
        looks: dict[str, Any] = {"lines": 2, "max_lines": 8, "elem_classes": "cs-asks-cmp"}
        instruction = gr.Textbox(start.instruction, label="Instruction", scale=5, **looks)
        answer = gr.Textbox(start.answer, label="Answer", scale=3, **looks)
        task = select(TASK_CHOICES, start.task, "Task", scale=2)
    task_of_its_pair(instruction, task, start.instruction)
    with gr.Row(elem_classes="cs-columns cs-sides"):
        left = _side("A", "1000w", "woven")
        right = _side("B", "1000w", "needle")
    with gr.Row(elem_classes="cs-actions"):
        go = gr.Button("Compare", variant="primary", elem_id="cmp-go", scale=0, min_width=180)
        stop = gr.Button("Stop", elem_id="cmp-stop", interactive=False, scale=0, min_width=90)
    with gr.Row(elem_classes="cs-columns cs-sides"):
        areas = [_place("cmp-a", "Result A"), _place("cmp-b", "Result B")]
    _wire(runs, (instruction, answer, task), [_Side(left, areas[0]), _Side(right, areas[1])], go, stop)


def _side(title: str, length: str, mode: str) -> tuple[Any, ...]:
    with gr.Column(min_width=280, elem_classes="cs-side"):
        piece(f'<h2 class="cs-head">{title}</h2>')
        with gr.Row(elem_classes="cs-pair"):
            engine = select({one.name: one.label for one in offers()}, EMBEDDED, "Engine")
            longer = select(LENGTHS, length, "Length")
        with gr.Row(elem_classes="cs-pair"):
            composed = select(MODES, mode, "Composition")
            others = select(DISTRACTORS, "same-task", "Other documents")
        with gr.Accordion("Seed, model and template", open=False, elem_classes="cs-fold"):
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MOST_SEED)
            model = gr.Textbox("", label="Model", placeholder=PROVIDERS_MODEL)
            template = gr.Textbox("", label="Your own prompt template", lines=3, max_lines=10)
    return (engine, longer, composed, others, seed, model, template)


def _place(name: str, title: str) -> ResultArea:
    with gr.Column(min_width=280, elem_classes="cs-side"):
        piece(f'<h2 class="cs-head">{title}</h2>')
        return result_area(name, empty(name, status("", "")))


def _wire(runs: Runs, pair: tuple[Any, ...], sides: list[_Side], go: gr.Button, stop: gr.Button) -> None:
    def run(request: gr.Request, token: gr.OAuthToken | None, *values: Any) -> Iterator[list[Any]]:
        shared = dict(zip(_PAIR, values, strict=False))
        rest = values[len(_PAIR) :]
        asked = [
            shared | dict(zip(_SIDE, rest[place * len(_SIDE) : (place + 1) * len(_SIDE)], strict=True))
            for place in range(len(sides))
        ]
        with runs.new(request.session_hash or "", "compare") as one:
            begun: set[int] = set()
            for place, moment in in_turns(asked, one, token.token if token else None):
                shown: list[Any] = [gr.skip()] * (4 * len(sides))
                name = sides[place].area.name
                shown[4 * place : 4 * place + 4] = pieces(name, moment, begun=place in begun)
                begun.add(place)
                yield [*shown, gr.update(interactive=False), gr.update(interactive=True)]
        yield [gr.skip()] * (4 * len(sides)) + [gr.update(interactive=True), gr.update(interactive=False)]

    inputs = [*pair, *(field for side in sides for field in side.inputs)]
    outputs = [piece for side in sides for piece in side.area.outputs]
    wire_run(runs, "compare", (go, stop), run, inputs, outputs, [side.area.status for side in sides])


def in_turns(
    asked: Sequence[Mapping[str, Any]], run: Run, token: str | None = None
) -> Iterator[tuple[int, handlers.Moment]]:
    """The moments of several requests, each with its place, one moment of each in turn."""
    with ExitStack() as stack:
        going = {
            place: stack.enter_context(closing(handlers.synthesize(given, run, token)))
            for place, given in enumerate(asked)
        }
        while going:
            for place in list(going):
                moment = next(going[place], None)
                if moment is None:
                    del going[place]
                else:
                    yield place, moment
