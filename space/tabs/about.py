"""The tab "About": the method in a picture, what the numbers mean, limits, how to call and how to cite."""

from __future__ import annotations

import os
from typing import Final

from space.tabs.parts import piece
from space.view import html
from space.view.picture import picture

_PAPER: Final = "https://arxiv.org/abs/2502.15592"
_NUMBERS: Final = (
    (
        "Coherence",
        "How well a text carries a pair, 0 to 1: the three parts joined and calibrated per kind of answer.",
    ),
    ("Support", "Does the text carry the answer? Its phrase, its words, or, of a summary, its sentences."),
    (
        "Relevance",
        "Does the text speak of what the instruction asks? Judged by its two best windows of 80 words.",
    ),
    ("Uniqueness", "Does it answer this pair, rather than any text of the kind? Compared with 64 others."),
    ("Depth", "Where the pair's own context stands in a sample: 0 is the start, 1 the end."),
    ("Tokens", "Of the whole sample, chat template and answer included; never more than was asked for."),
)
_LIMITS: Final = (
    "The composer is no language model. Its prose is invented, in English, and knows nothing of your "
    "pair's world; "
    "it is for trying the method, for tests and for controlled studies.",
    "The score compares words. It cannot tell a yes from a no, or notice a name put in place of another "
    "that occurs "
    "in the same text.",
    "A context is written to fit its answer. Nothing here checks that the answer is true.",
    "This page takes texts of some thousand characters, twenty rows and 32k tokens; the command line has "
    "no such limits.",
)
_CITATION: Final = """@misc{zhu2025contextsynthesis,
  title  = {Generalizing From Short to Long: Effective Data Synthesis
            for Long-Context Instruction Tuning},
  author = {Zhu, Wenhao and others},
  year   = {2025},
  eprint = {2502.15592},
  archivePrefix = {arXiv}
}
"""


def build() -> None:
    """Lay out the tab inside Gradio's current block."""
    piece(page(address()))


def address() -> str:
    """What ``gradio_client`` calls this page by: the Space's name, or where it runs on this machine."""
    return os.environ.get("SPACE_ID") or (f"http://127.0.0.1:{os.environ.get('GRADIO_SERVER_PORT', '7860')}/")


def snippets(place: str) -> dict[str, str]:
    """Programs that call the two endpoints, by the endpoint's name."""
    return {
        "synthesize": (
            "from gradio_client import Client\n\n"
            f"client = Client({place!r})\n"
            "record = client.predict(\n"
            '    instruction="Who kept the Harrow light in 1911?",\n'
            '    answer="Ilse Brandt",\n'
            '    task="story_qa",      # see the form for others; "generic" by default\n'
            '    length="4k",          # 500w, 1000w, 2000w, 4k, 8k, 16k or 32k\n'
            "    depth=0.25,\n"
            "    seed=7,\n"
            '    api_name="/synthesize",\n'
            ")\n"
            'print(record["sample"]["tokens"], record["coherence"]["overall"])\n'
            'print(record["context"])\n'
        ),
        "score": (
            "from gradio_client import Client\n\n"
            f"client = Client({place!r})\n"
            "verdict = client.predict(\n"
            '    context="In 1911 the Harrow light was kept by Ilse Brandt.",\n'
            '    instruction="Who kept the Harrow light in 1911?",\n'
            '    answer="Ilse Brandt",\n'
            '    api_name="/score",\n'
            ")\n"
            'print(verdict["overall"], verdict["evidence"])\n'
        ),
    }


def page(place: str) -> str:
    """The whole tab as HTML."""
    code = snippets(place)
    numbers = "".join(f"<dt>{name}</dt><dd>{html.text(meaning)}</dd>" for name, meaning in _NUMBERS)
    limits = "".join(f"<li>{html.text(limit)}</li>" for limit in _LIMITS)
    link = f'<a href="{_PAPER}" rel="noopener" target="_blank">Zhu et al., 2025</a>'
    return (
        '<div class="cs-about">'
        '<section class="cs-full"><h2>The missing background is written, not found</h2>'
        "<p>Short instructions with their answers are plentiful; long texts that such an instruction "
        "could be "
        f"asked about are not. Context synthesis ({link}) goes backwards: it leaves instruction and "
        "answer as they "
        "are and writes the text from which the answer follows. Only part of the input is synthetic.</p>"
        f"{picture()}</section>"
        f"<section><h2>What the numbers mean</h2><dl>{numbers}</dl></section>"
        f"<section><h2>Limits</h2><ul>{limits}</ul></section>"
        '<section class="cs-full"><h2>Call it from Python</h2>'
        "<p>Two endpoints, without a login, with the composer alone: <code>pip install gradio_client</code>. "
        "What cannot be used is refused with a sentence that says why.</p>"
        f"{_block('about-synthesize', '/synthesize: context, score and sample', code['synthesize'])}"
        f"{_block('about-score', '/score: the coherence of a text you have', code['score'])}</section>"
        '<section class="cs-full"><h2>Cite</h2><p>If it serves you, cite the paper whose method this is.</p>'
        f"{_block('about-cite', 'BibTeX', _CITATION)}</section></div>"
    )


def _block(name: str, title: str, lines: str) -> str:
    return (
        f'<div class="cs-code"><div class="cs-code-head"><span>{html.text(title)}</span>'
        f'<button type="button" class="cs-small" data-copy="{name}">Copy</button></div>'
        f'<pre id="{name}" tabindex="0" aria-label="{html.text(title)}">{html.text(lines)}</pre></div>'
    )
