"""The Space: layout and wiring. Start it with ``python -m space.app``; ``build`` gives the app itself.

Where things are. A tab is a module of ``tabs`` with a ``build`` that lays out its components and wires
them; add one by adding a line to ``build`` below. What a button does is in ``handlers``, as plain
functions without Gradio, on what ``making`` makes of a request and ``datasets`` finds; ``making.inputs``
checks and bounds all that comes from outside. Looks are in ``view``: pure functions from records to HTML,
one style sheet, one script.

Streaming: handlers yield moments, ``view.drawing`` turns each into the four pieces of a ``ResultArea``, and
the tab's generator yields those. State: ``gr.State`` holds the last ``Result`` of a session, at most
``SESSIONS`` of them, each for an hour; what runs is in one ``Runs``, so that Stop finds it. Errors:
what a visitor can mend is a status line that says how; files are made in the browser, none here.
"""

from __future__ import annotations

import os
from typing import Any, Final

import gradio as gr

from space import handlers
from space.guard import HostGuard
from space.making import processes
from space.making.sessions import Runs
from space.tabs import about, batch, compare, explore, form, score, synthesize
from space.tabs.parts import AT_ONCE, QUICK, RUNS, piece
from space.view.html import without_places
from space.view.theme import css, head, theme
from synthesis.errors import ContextSynthesisError

QUEUE: Final = 64
"""Visitors who may wait; the next is told to come back."""

SESSIONS: Final = 200
"""Sessions whose last result is kept in memory, at some 300 KB each at most."""

_TITLE: Final = "Context Synthesis"


def build() -> gr.Blocks:
    """The app, ready for ``launch(**launching())``."""
    runs, opening = Runs(), handlers.opening()
    with gr.Blocks(title=_TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as app:
        piece(_masthead())
        with gr.Tabs(elem_classes="cs-tabs") as tabs:
            with gr.Tab("Synthesize", id="synthesize"):
                first = synthesize.build(runs, opening)
            with gr.Tab("Compare", id="compare"):
                compare.build(runs, opening.inputs)
            with gr.Tab("Score your own", id="score"):
                score.build(opening)
            with gr.Tab("Batch", id="batch"):
                batch.build(runs)
            with gr.Tab("Explore", id="explore") as tab:
                explore.build(tab, tabs, first)
            with gr.Tab("About", id="about"):
                about.build()
        piece(_footer())
        fragment = gr.Textbox(visible="hidden", label="Link")
        app.load(
            form.restored,
            fragment,
            [*first.form.fields, first.form.loaded, first.area.status],
            js="() => location.hash.slice(1) || location.search.slice(1)",
            **QUICK,
        )
        _endpoints()
    app.queue(max_size=QUEUE, default_concurrency_limit=AT_ONCE)
    return app


def launching() -> dict[str, Any]:
    """Arguments of ``launch``: our look, nothing that reports home, nothing that shows inner errors."""
    return {
        "theme": theme(),
        "css": css(),
        "head": head(),
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "state_session_capacity": SESSIONS,
        "max_file_size": "2mb",
        "ssr_mode": False,
        "mcp_server": False,
        "pwa": False,
    }


def main() -> None:
    """Serve the page; ``GRADIO_SERVER_NAME`` and ``GRADIO_SERVER_PORT`` say where, as on the Hub."""
    from starlette.middleware import Middleware

    processes.start()
    build().launch(**launching(), app_kwargs={"middleware": [Middleware(HostGuard)]})


def _endpoints() -> None:
    """The two named endpoints for ``gradio_client``; the composer only, and no login."""

    def synthesize_endpoint(
        instruction: str,
        answer: str,
        task: str = "generic",
        length: str = "8k",
        seed: int = 0,
        depth: float = 0.5,
        distractors: str = "same-task",
        mode: str = "woven",
    ) -> dict[str, Any]:
        """Write a context for an instruction and its answer, with its score and, in tokens, the sample."""
        try:
            return handlers.synthesize_once(
                instruction=instruction,
                answer=answer,
                task=task,
                length=length,
                seed=seed,
                depth=depth,
                distractors=distractors,
                mode=mode,
            )
        except ContextSynthesisError as error:
            raise gr.Error(without_places(str(error)), print_exception=False) from None

    def score_endpoint(context: str, instruction: str, answer: str) -> dict[str, Any]:
        """The coherence of a context with an instruction and its answer, its parts and windows."""
        try:
            return handlers.score_once(context, instruction, answer)
        except ContextSynthesisError as error:
            raise gr.Error(without_places(str(error)), print_exception=False) from None

    gr.api(
        synthesize_endpoint,
        api_name="synthesize",
        concurrency_id=RUNS["concurrency_id"],
        concurrency_limit=AT_ONCE,
    )
    gr.api(score_endpoint, api_name="score", concurrency_id=RUNS["concurrency_id"], concurrency_limit=AT_ONCE)


def _masthead() -> str:
    space = os.environ.get("SPACE_ID", "")
    home = (
        f' data-home="https://huggingface.co/spaces/{space}"'
        if space.replace("/", "").isascii() and space
        else ""
    )
    return (
        f'<header class="cs-masthead"{home}><h1>Context <em>Synthesis</em></h1>'
        "<p>From a short instruction and its answer to a long training sample: the missing background "
        "is written, the evidence for the answer stays marked.</p></header>"
    )


def _footer() -> str:
    return (
        '<footer class="cs-footer"><p>Method: Zhu et al., 2025, '
        '<a href="https://arxiv.org/abs/2502.15592" rel="noopener" target="_blank">arXiv 2502.15592</a>. '
        "Texts are invented. What you enter stays in memory while your session lasts; "
        "nothing of it is stored.</p></footer>"
    )


if __name__ == "__main__":
    main()
