"""Draw ``docs/sample.svg`` from a real run: a pair, its context, the sample made of it.

    python scripts/make_picture.py

Everything shown is computed by the project: the text, the evidence spans, the score per
window and the places of the documents in the sample.
"""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path

from synthesis import Context, Pair, Sample, assemble, read_pairs, score, synthesize

ROOT = Path(__file__).parent.parent
CHOSEN, WORDS, LENGTH, SEED = 19, 900, "8k", 4
WIDTH, HEIGHT = 960, 560
TEXT_X, TEXT_Y, LINE, COLUMNS, LINES = 330, 92, 19, 70, 17

STYLE = """
:root { --paper: #fbfaf7; --ink: #22262b; --soft: #6b7280; --rule: #d8d5cc; --deep: #8f4e00; --own: #d98f1f;
        --fact: #e7e4da; --other: #c9c5b8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181c; --ink: #e6e3dc; --soft: #9aa0a9; --rule: #343840; --deep: #f0b557; --own: #e8a33d;
          --fact: #272b32; --other: #454a54; } }
text { font-family: Georgia, 'DejaVu Serif', serif; font-size: 13.5px; fill: var(--ink); }
.small { font-family: system-ui, 'DejaVu Sans', sans-serif; font-size: 11.5px; fill: var(--soft); }
.head { font-family: system-ui, 'DejaVu Sans', sans-serif; font-size: 12px; font-weight: 600;
        letter-spacing: .06em; fill: var(--soft); }
.own { fill: var(--deep); text-decoration: underline; text-decoration-thickness: 1px; }
"""


def main() -> None:
    """Write the picture."""
    pairs = [pair for pair in read_pairs(ROOT / "examples" / "pairs.jsonl") if isinstance(pair, Pair)]
    contexts = [c for c in synthesize(pairs, words=WORDS, seed=SEED) if isinstance(c, Context)]
    items = list(zip(pairs, contexts, strict=True))
    pair, context = items[CHOSEN]
    samples = {s.pair_id: s for s in assemble(items, LENGTH, seed=SEED) if isinstance(s, Sample)}
    texts = {pair.id: context.text for pair, context in items}
    parts = [*_pair(pair), *_context(pair, context), *_sample(samples[pair.id], texts)]
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="A pair, the context written for it, and the sample made from it">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="var(--paper)"/>\n'
    )
    target = ROOT / "docs" / "sample.svg"
    target.write_text(picture + "\n".join(parts) + "\n</svg>\n", encoding="utf-8")


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" xml:space="preserve">{escape(text)}</text>'


def _bar(x: float, y: float, width: float, height: float, fill: str, rounding: float = 2) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{rounding}" '
        f'fill="var({fill})"/>'
    )


def _pair(pair: Pair) -> list[str]:
    parts = [_text(32, 48, "A SHORT PAIR", "head"), _text(32, 72, f"task {pair.task}", "small")]
    y = 104
    for label, value in (("instruction", pair.instruction), ("answer", pair.answer)):
        parts.append(_text(32, y, label, "small"))
        for line in textwrap.wrap(value, 36):
            y += LINE
            parts.append(_text(32, y, line))
        y += 34
    parts.append(_text(32, y + 8, "both stay as they are", "small"))
    return parts


def _context(pair: Pair, context: Context) -> list[str]:
    found = score(context.text, pair.instruction, pair.answer)
    head = f"THE CONTEXT WRITTEN FOR IT   {context.words:,} words, coherence {found.overall:.2f}"
    parts = [
        _text(TEXT_X, 48, head, "head"),
        _text(TEXT_X, 68, "evidence highlighted, spans recorded", "small"),
    ]
    for number, (line, spans) in enumerate(_lines(context)):
        y = TEXT_Y + 10 + number * LINE
        parts.append(f'<text x="{TEXT_X}" y="{y}" xml:space="preserve">{_marked(line, spans)}</text>')
    top, cell = TEXT_Y, (LINES * LINE) / len(found.windows)
    for number, value in enumerate(found.windows):
        parts.append(_bar(904, top + number * cell, 24, cell - 2, "--fact"))
        parts.append(_bar(904, top + number * cell, 24 * value, cell - 2, "--own"))
    parts.append(_text(888, top + LINES * LINE + 16, "score per", "small"))
    parts.append(_text(888, top + LINES * LINE + 30, "window", "small"))
    return parts


def _marked(line: str, spans: list[tuple[int, int]]) -> str:
    """A line with its evidence in colour and underlined."""
    out, at = "", 0
    for start, end in spans:
        out += f'{escape(line[at:start])}<tspan class="own">{escape(line[start:end])}</tspan>'
        at = end
    return out + escape(line[at:])


def _lines(context: Context) -> list[tuple[str, list[tuple[int, int]]]]:
    """Lines around the first evidence, each with the parts of it that are evidence."""
    text = context.text
    first = context.evidence[0]
    begin = 0
    if first.start > 420:
        # The paragraph before the evidence, its own, or a sentence before it: the evidence is to be seen.
        before = (text.rfind(end, 0, first.start - back) + 2 for end, back in (("\n\n", 420), ("\n\n", 0)))
        begin = next(
            (at for at in before if first.start - at < 800), text.rfind(". ", 0, first.start - 300) + 2
        )
    lines, at = [], begin
    if begin > 0:
        lines.append(("[...]", []))
    for paragraph in text[begin:].split("\n\n"):
        for line in textwrap.wrap(paragraph, COLUMNS, break_long_words=False):
            start = text.index(line, at)
            at = start + len(line)
            spans = [
                (max(e.start, start) - start, min(e.end, at) - start)
                for e in context.evidence
                if e.start < at and e.end > start
            ]
            lines.append((line, spans))
        lines.append(("", []))
        if len(lines) > LINES:
            break
    return [*lines[: LINES - 1], ("[...]", [])]


def _sample(sample: Sample, texts: dict[str, str]) -> list[str]:
    top, left, width = 466, 32, 896
    head = f"THE SAMPLE   {sample.tokens:,} of {sample.budget:,} tokens, evidence at depth {sample.depth:.2f}"
    parts = [_text(left, top, head, "head")]
    content = sample.messages[0].content
    # A document may be cut short at either end: the sentence found first tells where it is.
    starts = sorted((_place(content, texts[name]), name) for name in sample.documents)
    scale = width / len(content)
    for (start, name), end in zip(starts, [*(at for at, _ in starts[1:]), len(content)], strict=True):
        fill = "--own" if name == sample.pair_id else "--other"
        parts.append(_bar(left + start * scale, top + 14, max(1, (end - start) * scale - 2), 26, fill, 3))
    note = "the pair's own context among contexts of the same task that do not give the answer away;"
    parts.append(_text(left, top + 60, note, "small"))
    parts.append(_text(left, top + 76, "chat template, question and answer are counted in.", "small"))
    return parts


def _place(content: str, text: str) -> int:
    sentences = (
        sentence for part in text.split("\n\n") for sentence in part.split(". ") if len(sentence) > 30
    )
    return next(at for sentence in sentences if (at := content.find(sentence)) >= 0)


if __name__ == "__main__":
    main()
