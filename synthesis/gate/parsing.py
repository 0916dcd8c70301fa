"""Completions to contexts. A reply that is not clearly a context is rejected, never kept.

Knows what engines report; where a reply's text stands is ``synthesis.gate.replies``, and how good it
is the business of ``synthesis.gate.faults``.
"""

from __future__ import annotations

from synthesis.data import Completion, Context, Evidence, Prompt, Rejected
from synthesis.gate.replies import find_body
from synthesis.text.words import count_words

_SHORTEST_SHARE = 0.25
_SHORTEST_PART = 25  # words
_THOUGHTS = (
    "the reply ends in the model's thoughts; serve it with a reasoning parser or without thinking, "
    "or raise max_tokens"
)


def parse(
    completion: Completion, prompt: Prompt, *, engine: str, model: str, seed: int, part: bool = False
) -> Context | Rejected:
    """The context a completion holds, without marker, thoughts, end tokens and surrounding blanks.

    A reply need not have the marker. Rejected (stage ``generate`` or ``parse``) when the engine
    failed or refused, the reply was cut off or is all thoughts, its marker stands far inside, or
    it is under a quarter of the asked length. A ``part`` of a context may be as short as a few
    sentences. ``tokens`` is left 0: counting is the run's business.
    """

    def rejected(stage: str, reason: str) -> Rejected:
        return Rejected(prompt.pair_id, stage, reason, completion.text, prompt.fingerprint, 1)

    if told := completion.declined:
        return rejected("generate", f"{completion.finish_reason}: {told}")
    body, cut = find_body(completion.text), completion.finish_reason == "length"
    text = completion.text[body.start : body.end]
    if body.unfinished or (not text and (cut or completion.detail)):
        told = "" if body.unfinished else completion.detail
        return rejected("generate", f"thinking: {told or _THOUGHTS}")
    if cut:
        return rejected("generate", "length: the reply was cut off; raise max_tokens or lower words")
    if body.late >= 0:
        where = f"{body.late - body.start:,} characters into the reply"
        return rejected("parse", f"marker: 'Context:' does not open the text but stands {where}")
    if "\0" in text:
        return rejected("parse", "nul: the reply holds a NUL character")
    words, asked = count_words(text), int(prompt.variables.get("words", 0))
    if words < (_SHORTEST_PART if part else max(1, _SHORTEST_SHARE * asked)):
        return rejected("parse", f"short: {words} words where {asked} were asked")
    evidence = tuple(Evidence(e.start - body.start, e.end - body.start, e.what) for e in completion.evidence)
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
        form=completion.form,
        hops=completion.hops,
    )
