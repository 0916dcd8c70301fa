"""The method as a drawing: a pair, the context written for it, and the sample made from it."""

from __future__ import annotations

from collections.abc import Sequence

_INSTRUCTION = ("Who kept the Harrow light", "in 1911?")
_ANSWER = "Ilse Brandt"
# Where a line of the context is lit: (line, start, end) as shares of its width.
_LIT = ((2, 0.34, 1.0), (3, 0.0, 0.22), (6, 0.1, 0.66))
_SHARES = (1.0, 0.94, 1.0, 0.97, 0.9, 1.0, 0.95, 1.0, 0.55)
_DOCUMENTS = 8
_OWN = 3

_TITLE = "From a pair to a sample"
_TOLD = (
    "On the left an instruction, Who kept the Harrow light in 1911, and its answer, Ilse Brandt. An arrow "
    "leads to "
    "a page of text, the context written for them, in which the sentences that support the answer are "
    "highlighted. "
    "A second arrow leads to a column of eight documents, the sample: the context stands fourth among "
    "them, at a "
    "chosen depth, with the instruction below and the answer after it."
)


def picture() -> str:
    """An SVG in the page's colours, with its title and description."""
    return (
        '<figure class="cs-picture" tabindex="0"><svg viewBox="0 0 1100 300" role="img" '
        'aria-labelledby="cs-pic-t cs-pic-d">'
        f'<title id="cs-pic-t">{_TITLE}</title><desc id="cs-pic-d">{_TOLD}</desc>'
        f"{_pair()}{_arrow(296, 'write')}{_context()}{_arrow(700, 'place')}{_sample()}</svg></figure>"
    )


def _pair() -> str:
    says = "".join(_text(18, 78 + 20 * line, words, "cs-says") for line, words in enumerate(_INSTRUCTION))
    return (
        f"{_text(0, 16, 'A short pair', 'cs-name')}{_card(0, 32, 264, 92)}"
        f"{_text(18, 56, 'instruction', 'cs-quiet')}{says}"
        f"{_card(0, 136, 264, 66)}{_text(18, 160, 'answer', 'cs-quiet')}{_text(18, 184, _ANSWER, 'cs-says')}"
        f"{_text(0, 230, 'Neither is ever changed', 'cs-quiet')}"
    )


def _context() -> str:
    left, top, width, step = 394, 56, 252, 21
    lines = "".join(
        f'<rect class="cs-line" x="{left}" y="{top + step * line}" width="{width * share:.0f}" height="9" '
        'rx="2"/>'
        for line, share in enumerate(_SHARES)
    )
    lit = "".join(
        f'<rect class="cs-lit" x="{left + width * start:.0f}" y="{top - 3 + step * line}" '
        f'width="{width * (end - start):.0f}" height="15" rx="2"/>'
        f'<rect class="cs-under" x="{left + width * start:.0f}" y="{top + 11 + step * line}" '
        f'width="{width * (end - start):.0f}" height="2"/>'
        for line, start, end in _LIT
    )
    return (
        f"{_text(372, 16, 'Its missing context, written', 'cs-name')}{_card(372, 32, 296, 224)}{lines}{lit}"
        f"{_text(372, 282, 'Evidence recorded, distracting facts around it', 'cs-quiet')}"
    )


def _sample() -> str:
    left, top, width = 776, 32, 150
    documents = "".join(
        f'<rect class="{"cs-lit" if place == _OWN else "cs-doc"}" x="{left}" y="{top + 22 * place}" '
        f'width="{width}" height="18" rx="2"/>'
        for place in range(_DOCUMENTS)
    )
    own = top + 22 * _OWN
    return (
        f"{_text(left, 16, 'A sample of so many tokens', 'cs-name')}{documents}"
        f'<rect class="cs-under" x="{left}" y="{own}" width="3" height="18"/>'
        f"{_text(left + width + 16, top + 14, 'depth 0', 'cs-quiet')}"
        f"{_text(left + width + 16, own + 14, 'the context, at 0.4', '')}"
        f"{_text(left + width + 16, top + 22 * _DOCUMENTS - 8, 'depth 1', 'cs-quiet')}"
        f"{_card(left, 214, width, 18)}{_text(left + width + 16, 228, 'instruction', '')}"
        f"{_card(left, 238, width, 18)}{_text(left + width + 16, 252, 'answer', '')}"
        f"{_text(left, 282, 'Scored, counted, ready to train on', 'cs-quiet')}"
    )


def _card(x: int, y: int, width: int, height: int) -> str:
    return f'<rect class="cs-card" x="{x + 0.5}" y="{y + 0.5}" width="{width}" height="{height}" rx="5"/>'


def _arrow(x: int, verb: str) -> str:
    tip: Sequence[str] = (f"{x + 44},144", f"{x + 36},139", f"{x + 36},149")
    return (
        f'<path class="cs-arrow" d="M{x} 144H{x + 38}"/><polygon class="cs-tip" points="{" ".join(tip)}"/>'
        f"{_text(x + 4, 132, verb, 'cs-quiet')}"
    )


def _text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{words}</text>'
