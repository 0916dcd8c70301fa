"""The tab "Batch": up to twenty rows of JSON Lines, the state of each, and a dataset folder to take away."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import gradio as gr

from space.datasets import archive
from space.making import processes, rows
from space.making.inputs import DISTRACTORS, MOST_SEED
from space.making.sessions import Runs
from space.tabs.parts import QUICK, piece, select, wire_run
from space.view.drawing import status
from space.view.table import batch_table
from synthesis.errors import ContextSynthesisError

_NAME: Final = "bat"
_HINT: Final = (
    "Each row is checked, gets its context and its score, and ends in a dataset folder that "
    "datasets.load_dataset opens. Begin with the example, or bring rows of your own."
)
_FIELDS: Final = ("length", "distractors", "depth", "seed")


def build(runs: Runs) -> None:
    """Lay out and wire the tab inside Gradio's current block."""
    with gr.Row(elem_classes="cs-columns"):
        with gr.Column(elem_classes="cs-left", min_width=300):
            text, upload, given, buttons = _lay_out()
        with gr.Column(elem_classes="cs-right", min_width=300):
            said = piece(status("", _HINT), elem_id=f"{_NAME}-status")
            with gr.Row(elem_classes="cs-takeaway", visible=False) as away:
                take = gr.Button("Download zip", size="sm", elem_id=f"{_NAME}-zip", min_width=120)
                piece('<p class="cs-hint">Dataset folder and samples.jsonl, packed in memory</p>')
            table = piece("")
    archive = gr.State(b"", time_to_live=3600)
    box = gr.Textbox(visible="hidden", elem_id=f"{_NAME}-download", label="Download")
    take.click(file_of, archive, box, **QUICK).then(None, box, None, js="(file) => { csDownload(file); }")
    upload.upload(read_file, upload, [text, said], **QUICK)
    _wire(runs, [text, *given], [said, table, archive, away], buttons)


def _lay_out() -> tuple[gr.Textbox, gr.UploadButton, tuple[Any, ...], tuple[gr.Button, gr.Button]]:
    text = gr.Textbox(
        label="Rows, as JSON Lines",
        info=f'One {{"instruction": ..., "answer": ...}} a line; "task" if you like. '
        f"Up to {rows.MOST_ROWS} rows and {rows.MOST_BYTES // 1_000_000} MB.",
        lines=9,
        max_lines=9,
        elem_classes=["cs-lines", "cs-asks-bat"],
    )
    with gr.Row(elem_classes="cs-takeaway"):
        example = gr.Button("Example", size="sm", elem_id=f"{_NAME}-example", min_width=80)
        upload = gr.UploadButton(
            "Choose a file",
            size="sm",
            file_types=[".jsonl", ".json", ".ndjson", ".txt"],
            elem_id=f"{_NAME}-file",
            min_width=110,
        )
        clear = gr.Button("Clear", size="sm", elem_id=f"{_NAME}-clear", min_width=60)
    with gr.Row(elem_classes="cs-pair"):
        length = select(rows.BATCH_LENGTHS, "4k", "Length")
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MOST_SEED)
    others = select(DISTRACTORS, "same-task", "Other documents")
    depth = gr.Slider(0, 1, 0.5, step=0.05, label="Evidence depth", info="0 is the start, 1 the end")
    with gr.Row(elem_classes="cs-actions"):
        go = gr.Button("Run", variant="primary", elem_id=f"{_NAME}-go", scale=3, min_width=120)
        stop = gr.Button("Stop", elem_id=f"{_NAME}-stop", interactive=False, scale=1, min_width=80)
    example.click(None, None, text, js=f"() => {json.dumps(rows.example())}")
    clear.click(None, None, text, js="() => ''")
    return text, upload, (length, others, depth, seed), (go, stop)


def _wire(runs: Runs, inputs: list[Any], outputs: list[Any], buttons: tuple[gr.Button, gr.Button]) -> None:
    def run(request: gr.Request, text: str, *values: Any) -> Iterator[list[Any]]:
        settings = dict(zip(_FIELDS, values, strict=True))
        with runs.new(request.session_hash or "", _NAME) as one:
            for board in rows.work(text, settings, one):
                yield drawn(board)

    wire_run(runs, _NAME, buttons, run, inputs, outputs, outputs[0])


def drawn(board: rows.Board) -> list[Any]:
    """A moment of a batch: status, table, archive, its button, and the two buttons of the form.

    Where rows are refused as a whole, none of a batch before stand beside it.
    """
    going = board.stage == "writing"
    ready = [gr.update(interactive=not going), gr.update(interactive=going)]
    said = status(board.stage, board.note, f"{_NAME}-stop" if going else "")
    if board.stage == "problem":
        return [said, "", b"", gr.update(visible=False), *ready]
    if going:
        return [said, batch_table(board.lines), b"", gr.update(visible=False), *ready]
    packed = b""
    try:
        packed = processes.call(archive.pack, board.lines)
    except ContextSynthesisError as error:
        said = status("problem", f"The rows are done, but could not be packed: {error}")
    return [said, batch_table(board.lines), packed, gr.update(visible=bool(packed)), *ready]


def file_of(archive: bytes) -> str:
    """The archive for the browser to save; nothing of it lies on the server."""
    if not archive:
        return ""
    coded = base64.b64encode(archive).decode("ascii")
    return json.dumps(
        {"name": "context-synthesis-batch.zip", "type": "application/zip", "text": "", "base64": coded}
    )


def read_file(path: str | None) -> list[Any]:
    """A chosen file's text, for the form, and what to say.

    The copy that came to the server is deleted at once.
    """
    if not path:
        return [gr.skip(), gr.skip()]
    file = Path(path)
    try:
        content = file.read_bytes()[: rows.MOST_BYTES + 1]
    finally:
        file.unlink(missing_ok=True)
    try:
        return [rows.decoded(content), status("", "The file is in the form. Press Run.")]
    except ContextSynthesisError as error:
        return [gr.skip(), status("problem", str(error))]
