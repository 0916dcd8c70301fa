"""From parts to the calibrated overall score: ``score_context`` is the one way there.

Knows nothing of files or runs: a pair and its context in, a ``Coherence`` and its reasons out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from synthesis.coherence import evidence as places
from synthesis.coherence.background import calibration
from synthesis.coherence.facts.derived import derive
from synthesis.coherence.facts.keyfacts import key_facts
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.facts.verifier import verify
from synthesis.coherence.kin import look
from synthesis.coherence.leaks import Leak, find_leaks
from synthesis.coherence.parts import Parts, grounded, measure
from synthesis.coherence.pieces import Given, judged_on
from synthesis.coherence.reading import HALF, Question, View, read_question
from synthesis.coherence.restating import PromptWords, built_in_words
from synthesis.coherence.wording import sentences_for
from synthesis.data import Coherence, Context, Evidence, Pair
from synthesis.text.words import terms_with_spans

SCORE_VERSION = 4
"""To be raised when the same context gets another score: kept ones are not compared with those of another."""
_FLOOR = 1e-3
_BALANCE = 0.5  # below it nothing counts as verified: the context speaks of something else
# In a passage as brief as any: of what relevance weighs, and of all log-odds; what the facts weigh besides.
_LESS, _TEMPERED, _FACTS_MORE = 0.6, 0.35, 2.0


class Examined(NamedTuple):
    """A pair and a context, read, and what was measured of them."""

    question: Question
    view: View
    passages: Passages
    parts: Parts
    leaks: list[Leak]


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of a context for its pair, what gives the pair away in it, and what was ``read`` for both."""

    coherence: Coherence
    read: Examined
    instruction: str

    @property
    def leaks(self) -> list[Leak]:
        """What gives the pair away in the context, worst or not."""
        return self.read.leaks

    def explain(self) -> list[str]:
        """The score in plain sentences: support, places, what is missing, leaks, what cannot be known."""
        question, view, passages, parts, leaks = self.read
        return sentences_for(passages, self.instruction, question, view, parts, leaks, self.coherence)


def score_context(
    pair: Pair, context: Context, *, evidence: Given | None = None, prompt: PromptWords | None = None
) -> Scored:
    """How well a context carries its pair, from words alone.

    Whoever scores a context does it here, so that it has one score wherever it is looked at: where its
    engine recorded the evidence (``evidence_source`` is ``exact``), that is known.

    Args:
        pair: What it was written for.
        context: Of which the text and, if recorded, the evidence count.
        evidence: Known otherwise, in any form that ``score`` takes; goes before what is recorded.
        prompt: The words that were asked with, if they are known; else those of the built-in prompts.

    Raises:
        UsageError: The evidence has no such form, or a span of it lies outside the context.
    """
    if evidence is None and context.evidence_source == "exact":
        evidence = context.evidence or None
    read = examine(context.text, pair.instruction, pair.answer, prompt, evidence)
    return Scored(combine(read.question, read.parts, read.leaks), read, pair.instruction)


def _scored(context: str, instruction: str, answer: str, evidence: Given | None) -> Scored:
    pair = Pair("given", instruction, answer)
    return score_context(pair, Context(pair.id, context), evidence=evidence)


def examine(
    context: str,
    instruction: str,
    answer: str,
    prompt: PromptWords | None = None,
    known: Given | None = None,
) -> Examined:
    """Everything the score and its explanation are made of; ``prompt`` is what was asked with, if known.

    ``known`` is the evidence that the caller knows (see ``score``).
    """
    question = read_question(instruction, answer)
    passages = Passages(context)
    view = look(context, question, passages.terms)
    reckoned = derive(passages, instruction, question.asked, question.answer)
    parts = measure(context, view, question, reckoned)
    if question.answer.kind == "summary":
        parts = replace(parts, facts=key_facts(passages, question))
    else:
        spans = places.answer_spans(context, question, parts) if view.size else []
        parts = grounded(parts, verify(passages, question, instruction, spans, parts.derived, parts.stated))
    if known is not None:
        parts = judged_on(view, passages, question, instruction, parts, known)
    starts = [start for start, _ in parts.spans]
    leaks = find_leaks(context, view, passages, question, starts, prompt or built_in_words())
    return Examined(question, view, passages, parts, leaks)


def combine(question: Question, parts: Parts, leaks: list[Leak]) -> Coherence:
    """Combine parts with the calibration of the answer's kind."""
    kind = question.answer.kind
    fitted = calibration()[kind]
    values = (parts.support * parts.facts.factor, parts.relevance, parts.uniqueness)
    overall = 0.0
    if parts.support > 0 and (parts.relevance > 0 or parts.stated):
        weights = (fitted.support, fitted.relevance * (1 - _LESS * parts.brief), fitted.uniqueness)
        measured = (parts.support, parts.relevance, parts.uniqueness)
        logs = (math.log(max(value, _FLOOR)) for value in measured)
        odds = fitted.bias + sum(w * x for w, x in zip(weights, logs, strict=True))
        odds += fitted.verdict * parts.verified.value * (1 + _FACTS_MORE * parts.brief)
        odds *= 1 - _TEMPERED * parts.brief
        overall = 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))
    # They take from what there is: a context that tells little of a summary has lost them already.
    overall *= 1 - (1 - parts.facts.factor) * overall
    left = math.prod(leak.factor for leak in leaks)
    overall *= left
    known = overall >= _BALANCE and _told(parts, kind) and not any(leak.serious for leak in leaks)
    overall, support, relevance, uniqueness = (round(min(1.0, v), 4) for v in (overall, *values))
    return Coherence(overall, support, relevance, uniqueness, kind, known, parts.windows, round(left, 4))


def _told(parts: Parts, kind: str) -> bool:
    """Whether words or facts tell that this is the answer."""
    if kind == "summary":
        return parts.stated and not parts.facts.astray
    if parts.verified.decision is not None:
        return parts.verified.right
    return parts.verified.right and parts.stated


def score(context: str, instruction: str, answer: str, evidence: Given | None = None) -> Coherence:
    """How well a context carries an instruction and its answer, from words alone.

    Args:
        context: The background text, any length, any script.
        instruction: What is asked.
        answer: The answer that should follow from the context.
        evidence: Where the support stands, if that is known: spans ``(start, end)`` or ``Evidence``,
            sentences or titles of the context as text, ``(title, n)`` for a titled passage's n-th sentence
            from 0, or ``{"title": [...], "sent_id": [...]}``. They are then judged as if they stood
            together, as far as they are in the context, state the answer (or the values that decide it)
            and lead to one another. Never lowers a score.

    Returns:
        ``overall``, ``support``, ``relevance`` and ``uniqueness``, each in [0, 1]; the
        answer's ``kind``; ``windows``, one number per 80 terms of the context (about 80
        words), in order. ``overall`` is a calibrated probability: 0.5 is the balance
        between a true context and a spoilt one. ``leaks`` is what giveaways left of it. ``verified``
        is True where the facts tell that the answer follows rather than another: from values of
        two things that are compared, or because it stands out among the names it might have been.

    Raises:
        UsageError: The evidence has no such form, or a span of it lies outside the context.
    """
    return _scored(context, instruction, answer, evidence).coherence


def score_batch(triples: Iterable[tuple[str, str, str]]) -> Iterator[Coherence]:
    """``score`` for many (context, instruction, answer) triples, one at a time, in order.

    Nothing is read ahead and nothing is kept: memory does not grow with their number.
    """
    for context, instruction, answer in triples:
        yield score(context, instruction, answer)


def locate(context: str, instruction: str, answer: str) -> list[Evidence]:
    """Where the answer's support stands, for contexts whose engine did not record it.

    Returns:
        Non-overlapping spans in the order of the text: sentences that state the answer
        (at most three, those closest to what is asked) and the one that speaks most of
        what is asked; for a summary the strongest sentence for each of its sentences.
        Empty when nothing supports it.
    """
    question, _, passages, parts, _ = examine(context, instruction, answer)
    return places.locate(passages, question, parts)


def explain(context: str, instruction: str, answer: str, evidence: Given | None = None) -> list[str]:
    """The score in a few plain sentences: support, places, what is missing, leaks, what cannot be known.

    ``evidence`` as for ``score``.
    """
    return _scored(context, instruction, answer, evidence).explain()


def window_spans(context: str) -> list[tuple[int, int]]:
    """Character spans of the windows that ``Coherence.windows`` scores, in the same order."""
    places = list(terms_with_spans(context))
    starts = [places[i][1] for i in range(0, len(places), 2 * HALF)]
    ends = [*starts[1:], places[-1][2]] if places else []
    return list(zip(starts, ends, strict=True))
