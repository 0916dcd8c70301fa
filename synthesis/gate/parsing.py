"""Completions to contexts. A reply that is not clearly a context is rejected, never kept.

Knows the opening marker and what engines report; knows nothing of how good a context is.
"""

from __future__ import annotations

import re

from synthesis.data import Completion, Context, Evidence, Prompt, Rejected
from synthesis.text.words import count_words

# The marker alone or dressed up as Markdown, at the start of a line.
_MARKER = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]*)?[*_]{0,3}context[ \t]*[*_]{0,3}[ \t]*:[*_]{0,3}[ \t]*", re.I | re.M
)
_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.S)
_PREAMBLE_LIMIT = 300
_SHORTEST_SHARE = 0.25
_SHORTEST_PART = 25  # words


def parse(
    completion: Completion, prompt: Prompt, *, engine: str, model: str, seed: int, part: bool = False
) -> Context | Rejected:
    """The context a completion holds, without marker and surrounding blanks.

    Rejected (stage ``generate`` or ``parse``) when the engine failed or refused, the
    reply was cut off, has no marker near its start, or is under a quarter of the
    asked length. A ``part`` of a context may do without the marker and be as short as a few
    sentences. ``tokens`` is left 0: counting is the run's business.
    """

    def rejected(stage: str, reason: str) -> Rejected:
        return Rejected(prompt.pair_id, stage, reason, completion.text, prompt.fingerprint, 1)

    if completion.finish_reason in ("error", "refusal"):
        return rejected("generate", f"{completion.finish_reason}: {completion.detail or 'no detail given'}")
    if completion.finish_reason == "length":
        return rejected("generate", "length: the reply was cut off; raise max_tokens or lower words")
    start = _body_start(completion.text)
    if start is None and part:
        start = len(completion.text) - len(without_thinking(completion.text))
    if start is None:
        return rejected("parse", "marker: the reply does not open with 'Context:'")
    body = completion.text[start:]
    start += len(body) - len(body.lstrip())
    text = body.strip()
    words, asked = count_words(text), int(prompt.variables.get("words", 0))
    if words < (_SHORTEST_PART if part else max(1, _SHORTEST_SHARE * asked)):
        return rejected("parse", f"short: {words} words where {asked} were asked")
    evidence = tuple(Evidence(e.start - start, e.end - start, e.what) for e in completion.evidence)
    return Context(
        pair_id=prompt.pair_id,
        text=text,
        evidence=evidence,
        words=words,
        engine=engine,
        model=model,
        template=prompt.template,
        seed=seed,
        evidence_source="exact" if evidence else "none",
        fingerprint=prompt.fingerprint,
    )


def without_thinking(text: str) -> str:
    """A reply without what a reasoning model thought before it."""
    return _THINKING.sub("", text, count=1)


def _body_start(text: str) -> int | None:
    thinking = _THINKING.match(text)
    begin = thinking.end() if thinking else 0
    marker = _MARKER.search(text, begin)
    if marker is None or len(text[begin : marker.start()].strip()) > _PREAMBLE_LIMIT:
        return None
    return marker.end()
