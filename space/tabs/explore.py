"""The tab "Explore": a dataset's histograms, its rows by task and score, one row's evidence.

State: a session holds which dataset and config it looks at, the filter's page and the row on show, all
small; the rows themselves are kept once for everybody (``browse``), the least used of them given up.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import gradio as gr

from builder.folder.place import Place
from space.datasets import browse
from space.datasets.location import find, serves_this_machine_alone
from space.making.inputs import TASKS, bounded, keyless
from space.tabs.parts import QUICK, RUNS, ResultArea, piece, result_area
from space.tabs.synthesize import Tab
from space.view.dataset import PAGE, draw_entry, histograms, listed
from space.view.drawing import empty, status
from synthesis.errors import ContextSynthesisError
from synthesis.tasks import task_of

_NAME: Final = "exp"
_ANY: Final = ""
_MOST_NAME: Final = 200
_WHAT: Final = "dataset's name"
# What a press leads to must be seen; on a phone it is above or below what was pressed.
_SEEN: Final = (
    "() => document.querySelector('#{place}, .{place}')"
    "?.scrollIntoView({{block: '{block}', behavior: 'instant'}})"
)
_CHOOSE: Final = "Choose a row to read it."
_MAKING: Final = "Making the example dataset, which takes some seconds the first time."


@dataclass(frozen=True, slots=True)
class Selection:
    """What a session looks at; ``row`` is -1 before one is opened."""

    place: Place
    config: str
    task: str = _ANY
    low: float = 0.0
    page: int = 0
    row: int = -1

    def chosen(self) -> list[int]:
        """Numbers of the rows that pass the filter."""
        rows = browse.table(self.place, self.config).rows
        return [
            number
            for number, row in enumerate(rows)
            if self.task in (_ANY, row.task) and (not self.low or (row.coherence or 0.0) >= self.low)
        ]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The tab's components that events fill."""

    said: gr.HTML
    config: gr.Dropdown
    task: gr.Dropdown
    low: gr.Slider
    figures: gr.HTML
    rows: gr.HTML
    back: gr.Button
    on: gr.Button
    view: gr.State

    @property
    def listing(self) -> list[Any]:
        """What a filter or a page changes, in the order of ``_listing``."""
        return [self.said, self.figures, self.rows, self.back, self.on, self.view]


def build(tab: gr.Tab, tabs: gr.Tabs, first: Tab) -> None:
    """Lay out and wire the tab; rows are opened in ``first``, the tab "Synthesize"."""
    with gr.Row(elem_classes="cs-columns"):
        with gr.Column(elem_classes="cs-left", min_width=300):
            where = "Blank for the example; a public dataset of this tool as OWNER/NAME"
            name = gr.Textbox(
                label="Dataset",
                placeholder="OWNER/NAME",
                info=f"{where}, or a folder" if serves_this_machine_alone() else where,
                elem_id=f"{_NAME}-name",
            )
            with gr.Row(elem_classes="cs-actions"):
                go = gr.Button("Open", variant="primary", elem_id=f"{_NAME}-go", min_width=120)
            config = gr.Dropdown([], label="Config", filterable=False, elem_id=f"{_NAME}-config")
            task = gr.Dropdown([("Any", _ANY)], value=_ANY, label="Task", filterable=False)
            low = gr.Slider(0, 1, 0, step=0.05, label="Coherence of at least", elem_id=f"{_NAME}-low")
        with gr.Column(elem_classes="cs-right", min_width=300):
            said = piece(status("", _MAKING), elem_id=f"{_NAME}-set-status")
            figures = piece("")
            rows = piece("")
            with gr.Row(elem_classes="cs-pager"):
                back = gr.Button("Previous", size="sm", interactive=False, elem_id=f"{_NAME}-back")
                on = gr.Button("Next", size="sm", interactive=False, elem_id=f"{_NAME}-on")
            area = result_area(_NAME, empty(_NAME, status("", _CHOOSE)))
            with gr.Row(elem_classes="cs-takeaway"):
                carry = gr.Button(
                    "Open in Synthesize", size="sm", elem_id=f"{_NAME}-carry", interactive=False
                )
    pick = gr.Button("Open row", visible="hidden", elem_id=f"{_NAME}-pick")
    view = gr.State(None, time_to_live=3600)
    parts = _Parts(said, config, task, low, figures, rows, back, on, view)
    _wire_list(parts, name, go, tab, [*area.outputs, carry])
    _wire_row(parts, pick, area, carry, tabs, first)


def _wire_list(parts: _Parts, name: gr.Textbox, go: gr.Button, tab: gr.Tab, row: list[Any]) -> None:
    filled = [*parts.listing, parts.config, parts.task, parts.low]
    once = {**RUNS, "show_progress_on": parts.said}
    for pressed in (go.click, name.submit):
        pressed(opened, name, filled, **once).then(cleared, parts.view, row, **QUICK)
    # The example is made when somebody looks, not while the page starts.
    # What is open is asked again after the wait: somebody may have opened another by then.
    tab.select(prepared, parts.view, parts.said, **once).then(
        lambda given, seen: [gr.skip()] * 9 if seen else opened(given), [name, parts.view], filled, **once
    )
    parts.config.input(chosen_config, [parts.view, parts.config], filled, **once).then(
        cleared, parts.view, row, **QUICK
    )
    for component in (parts.task, parts.low):
        component.input(filtered, [parts.view, parts.task, parts.low], parts.listing, **QUICK)
    parts.back.click(lambda view: turned(view, -1), parts.view, parts.listing, **QUICK)
    parts.on.click(lambda view: turned(view, 1), parts.view, parts.listing, **QUICK)


def _wire_row(
    parts: _Parts, pick: gr.Button, area: ResultArea, carry: gr.Button, tabs: gr.Tabs, first: Tab
) -> None:
    number = gr.Textbox(visible="hidden", label="Row")
    pick.click(
        picked,
        [parts.view, number],
        [*area.outputs, carry, parts.view],
        js="(view) => [view, window.csPicked]",
        show_progress_on=area.status,
        **RUNS,
    ).then(None, None, None, js=_SEEN.format(place=f"{_NAME}-status", block="nearest"))
    form = [*(first.form[name] for name in ("instruction", "answer", "task")), first.form.loaded]
    carry.click(carried, parts.view, [*form, tabs, first.area.status], **QUICK).then(
        None, None, None, js=_SEEN.format(place="cs-tabs", block="start")
    )


def opened(name: str) -> list[Any]:
    """A dataset's first config, or why it cannot be opened."""
    try:
        place = find(keyless(bounded(name, _WHAT, _MOST_NAME, needed=False), _WHAT))
        return _shown(Selection(place, _first(place)))
    except ContextSynthesisError as error:
        return _failed(str(error))


def prepared(view: Selection | None) -> Any:
    """Have the example made, unless something is open; shows nothing yet."""
    if view is None:
        # Whoever opens it says what is wrong.
        with suppress(ContextSynthesisError):
            find("")
    return gr.skip()


def chosen_config(view: Selection | None, config: str | None) -> list[Any]:
    """Another config of the same dataset."""
    # Gradio tells of a list that the Tab key has only passed, too: what is open stays as it is.
    if not config or (view is not None and config == view.config):
        return [gr.skip()] * 9
    if view is None:
        return opened("")
    try:
        return _shown(Selection(view.place, config))
    except ContextSynthesisError as error:
        return _failed(str(error))


def _failed(said: str) -> list[Any]:
    """Why there is nothing to see, and nothing of a dataset before beside it."""
    off = gr.update(interactive=False)
    none = gr.update(choices=[], value=None)
    any_task = gr.update(choices=[("Any", _ANY)], value=_ANY)
    return [status("problem", said), "", "", off, off, None, none, any_task, gr.update(value=0)]


def filtered(view: Selection | None, task: str, low: float) -> list[Any]:
    """The rows of a task with at least a score; the page stays where the filter is the same."""
    if view is not None and (task or _ANY, low or 0.0) == (view.task, view.low):
        return [gr.skip()] * 6
    return _turned_to(view and replace(view, task=task or _ANY, low=low or 0.0, page=0))


def turned(view: Selection | None, step: int) -> list[Any]:
    """Another page of the rows."""
    return _turned_to(view and replace(view, page=max(0, view.page + step)))


def _turned_to(view: Selection | None) -> list[Any]:
    if view is None:
        return [gr.skip()] * 6
    try:
        return _listing(view)
    except ContextSynthesisError as error:
        return _failed(str(error))[:6]


def cleared(view: Selection | None) -> list[Any]:
    """The row on show, where it is of another dataset or config than is open now."""
    if view is not None and view.row >= 0:
        return [gr.skip()] * 5
    return [*empty(_NAME, status("", _CHOOSE)), gr.update(interactive=False)]


def picked(view: Selection | None, number: str) -> list[Any]:
    """One row, its evidence marked; the button that carries it over, and the view with it."""
    if view is None or not number.isascii() or not number.isdecimal() or len(number) > 6:
        return [gr.skip()] * 6
    try:
        entry = browse.entry(browse.table(view.place, view.config), int(number))
    except ContextSynthesisError as error:
        return [*empty(_NAME, status("problem", str(error))), gr.update(interactive=False), gr.skip()]
    drawn = draw_entry(_NAME, int(number), entry)
    return [*drawn, gr.update(interactive=True), replace(view, row=int(number))]


def carried(view: Selection | None) -> list[Any]:
    """The row's pair in the form of the tab "Synthesize", and that tab in front."""
    if view is None or view.row < 0:
        return [gr.skip()] * 6
    try:
        entry = browse.entry(browse.table(view.place, view.config), view.row)
    except ContextSynthesisError as error:
        return [*[gr.skip()] * 5, status("problem", str(error))]
    note = f"The pair of row {view.row + 1} is in the form. Press Synthesize to make a sample of it."
    task = entry.task if entry.task in TASKS else "generic"
    pair = [entry.instruction, entry.answer, task, entry.instruction]
    return [*pair, gr.Tabs(selected="synthesize"), status("", note)]


def _first(place: Place) -> str:
    """The config to begin with: chat, which has all three figures, where there is one."""
    known = browse.configs(place)
    return next((one.config for one in known if one.kind == "chat"), known[0].config)


def _shown(view: Selection) -> list[Any]:
    """Everything about a config, from its first page, and the choices that fit it."""
    table = browse.table(view.place, view.config)
    names = [one.config for one in browse.configs(view.place)]
    known = sorted({row.task for row in table.rows})[:100]
    labels = [
        ("Any", _ANY),
        *((TASKS.get(task_of(one).name, one) if one in TASKS else one, one) for one in known),
    ]
    return [
        *_listing(view),
        gr.update(choices=names, value=view.config),
        gr.update(choices=labels, value=_ANY),
        gr.update(value=0),
    ]


def _listing(view: Selection) -> list[Any]:
    table, chosen = browse.table(view.place, view.config), view.chosen()
    last = max(0, (len(chosen) - 1) // PAGE)
    view = replace(view, page=min(view.page, last))
    read = (
        f"the first {len(table.rows):,} of {table.total:,}"
        if len(table.rows) < table.total
        else f"{table.total:,}"
    )
    passed = "" if len(chosen) == len(table.rows) else f" {len(chosen):,} pass the filter."
    pages = f" Page {view.page + 1} of {last + 1}." if last else ""
    name = "The example dataset" if not view.place.repo and view.place.name == "example" else view.place.name
    note = f"{name}, {table.config} {table.version}: {read} rows.{passed}{pages}"
    return [
        status("", note),
        histograms(table, chosen),
        listed(table, chosen, view.page, f"{_NAME}-pick"),
        gr.update(interactive=view.page > 0),
        gr.update(interactive=view.page < last),
        view,
    ]
