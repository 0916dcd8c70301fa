"""The score in plain sentences: what supports the answer, where, what is missing, what leaks.

Knows nothing of how the numbers are shown.
"""

from __future__ import annotations

from synthesis.coherence.evidence import answer_spans, locate
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.leaks import Leak
from synthesis.coherence.parts import Parts
from synthesis.coherence.reading import Question, View
from synthesis.data import Coherence
from synthesis.text.words import terms, terms_with_spans

_MOST_WORDS = 6
_QUOTE = 160


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= _QUOTE else flat[: _QUOTE - 1] + '…'}”"


def _listed(words: list[str]) -> str:
    shown = ", ".join(words[:_MOST_WORDS])
    return shown + (f" and {len(words) - _MOST_WORDS} more" if len(words) > _MOST_WORDS else "")


def _spelled(source: str, wanted: set[str]) -> list[str]:
    """The words behind the terms, as the source writes them, each once, in order."""
    found: dict[str, str] = {}
    for term, start, end in terms_with_spans(source):
        if term in wanted:
            found.setdefault(term, source[start:end])
    return list(found.values())


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _support(text: str, question: Question, parts: Parts) -> str:
    kind = question.answer.kind
    if not terms(question.answer.text):
        return "The answer holds no words, so nothing can support it."
    if (decision := parts.verified.decision) is not None and decision.follows is not None:
        told = "The answer follows" if decision.follows else "The opposite of the answer follows"
        return f"{told}: {decision.why}."
    if kind == "yes/no":
        return (
            "A yes/no answer is not stated by words of its own; what was checked is what the question asks."
        )
    if kind == "summary":
        return f"The context carries {parts.support:.0%} of the summary's sentences and names, by weight."
    spans = answer_spans(text, question, parts)
    if parts.derived is not None:
        return f"The answer follows from figures that are stated: {parts.derived.why}."
    if parts.stated:
        return f"The answer is stated {_times(len(parts.spans))}."
    if spans:
        return f"Part of the answer is stated, {_times(len(spans))}; all of it is not."
    return "The answer is not stated in the context; at most some of its words stand together."


def _places(passages: Passages, question: Question, parts: Parts) -> list[str]:
    text = passages.text
    return [
        f"At {place.start / len(text):.0%} of the context: {_quoted(text[place.start : place.end])}"
        for place in locate(passages, question, parts)[:3]
    ]


def _missing(instruction: str, view: View, question: Question, parts: Parts) -> list[str]:
    lines = []
    if absent := {t for t, w in question.asked.items() if t not in view.spoken and w >= 1}:
        lines.append(f"Asked about but not mentioned: {_listed(_spelled(instruction, absent))}.")
    lost = {t for t in question.names if t not in view.places}
    if lost:
        names = _listed(_spelled(question.answer.text, lost))
        lines.append(f"Names or figures of the answer that the context lacks: {names}.")
    if astray := set(parts.facts.astray) - lost:
        names = _listed(_spelled(question.answer.text, astray))
        lines.append(f"Names or figures that the context tells elsewhere than the answer does: {names}.")
    return lines


def _unknown(question: Question, parts: Parts, leaks: list[Leak], verdict: Coherence) -> str | None:
    decision = parts.verified.decision
    if decision is not None and decision.follows is not None:
        if decision.sure or not decision.follows:
            return None
        return (
            "Cannot be known from words: whether the answer follows. It was told by words that one side has "
            "and the other has not, so it is not verified."
        )
    if question.answer.kind == "yes/no":
        return (
            "Cannot be known from words: whether the answer is yes or no. "
            "The context speaks of what is asked; its polarity is not verified."
        )
    if question.answer.kind == "summary":
        return "Cannot be known from words: whether the summary relates its names as the context does."
    if parts.stated and not verdict.verified and not any(leak.serious for leak in leaks):
        return (
            "Cannot be known from words: whether this or another name or figure of the same context "
            "is the answer; it does not stand out among them, so it is not verified."
        )
    return None


def sentences_for(
    passages: Passages,
    instruction: str,
    question: Question,
    view: View,
    parts: Parts,
    leaks: list[Leak],
    verdict: Coherence,
) -> list[str]:
    """A few sentences, most important first."""
    left = f" Leaks left {verdict.leaks:.2f} of it." if verdict.leaks < 1 else ""
    lines = [f"Coherence {verdict.overall:.2f} for a {verdict.kind} answer.{left}"]
    if not view.size:
        return [*lines, "The context holds no words, so nothing supports the answer."]
    lines.append(_support(passages.text, question, parts))
    lines.extend(_places(passages, question, parts))
    lines.extend(_missing(instruction, view, question, parts))
    lines.extend(f"Marked down: {leak.what}." for leak in leaks)
    if unknown := _unknown(question, parts, leaks, verdict):
        lines.append(unknown)
    return lines
