"""Where a sample's evidence stands: in the user message, and in the rendered tokens.

Knows nothing of how the sample was made; the context tells what is evidence.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from synthesis.assembly.trimming import kept_spans
from synthesis.data import Context, Evidence, Sample
from synthesis.tokens import Tokenizer


def evidence_in(sample: Sample, context: Context) -> tuple[Evidence, ...]:
    """The context's evidence as character spans of the sample's user message.

    Also where the sample holds a trimmed form of the context. Empty for a sample that leaves
    its context out.
    """
    start, end = sample.evidence_span
    own = sample.messages[0].content[start:end]
    if own == context.text:
        return tuple(
            Evidence(start + piece.start, start + piece.end, piece.what) for piece in context.evidence
        )
    if not own:
        return ()
    found = []
    kept = kept_spans(context.text, own)
    for piece in context.evidence:
        inside = [part for part in kept if part[0] < piece.end and piece.start < part[1]]
        if inside:
            (first, _, moved), (last, last_end, last_moved) = inside[0], inside[-1]
            begin = start + moved + max(0, piece.start - first)
            found.append(Evidence(begin, start + last_moved + min(piece.end, last_end) - last, piece.what))
    return tuple(found)


def evidence_tokens(sample: Sample, context: Context, tokenizer: Tokenizer) -> tuple[tuple[int, int], ...]:
    """The same spans as positions of tokens (end exclusive) in the rendered conversation.

    The text is tokenized anew. A token that only touches a span with white space counts as
    part of it if the tokenizer counts the white space as part of the token.
    """
    content = sample.messages[0].content
    rendered = tokenizer.render(sample.messages)
    stripped = content.strip()
    shift = rendered.find(stripped) - (len(content) - len(content.lstrip()))
    offsets = tokenizer.offsets(rendered)
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]
    return tuple(
        (bisect_right(ends, piece.start + shift), bisect_left(starts, piece.end + shift))
        for piece in evidence_in(sample, context)
    )
