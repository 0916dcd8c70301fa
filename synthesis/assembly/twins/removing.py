"""What is cut out of a context so that it no longer supports the answer, or why that cannot be known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from synthesis.assembly.counting import Span
from synthesis.assembly.twins.editing import Edit, apply
from synthesis.assembly.twins.mentions import core_of, partly
from synthesis.coherence.facts.values import countries_in
from synthesis.data import Context, Pair
from synthesis.engines.composer.grammar.words import is_english
from synthesis.engines.composer.prose.placing import CORRECTIONS
from synthesis.text.answers import kind_of
from synthesis.text.sentences import sentence_spans
from synthesis.text.states import is_ordinary, places, states
from synthesis.text.words import terms

REFUSALS: Final = (
    "The documents do not say.",
    "That cannot be told from these documents.",
    "None of the documents gives the answer.",
    "The answer is not in the documents.",
    "The documents leave that open.",
    "I looked through the documents, and what is asked stands in none of them.",
    "There is nothing in these documents from which to answer that.",
    "These documents do not tell it.",
)
"""What is right to reply where the evidence is missing, unless another text is given."""

# A question, or a request for a fact: not a task that can be done without any document.
_ASKS: Final = re.compile(
    r"\?\s*$|^\s*(?:give|name|state|tell|say|identify|find|list|specify|indicate)\b"
    r"|^\s*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b"
    r"|^\s*(?:\S+\s+){0,3}(?:who|whom|whose|what|when|where|which|why|how)\b",
    re.IGNORECASE,
)
# Words with a capital, with small ones between them.
_CAPITAL: Final = r"[A-Z\u00c0-\u00de][\w.'’&-]*,?"
_NAME: Final = re.compile(
    rf"{_CAPITAL}(?: (?:(?:of|the|and|de|la|von|van|for|in|&) ){{0,2}}{_CAPITAL}){{0,7}}"
)
_LONGEST: Final = 200  # characters of an answer
_MOST: Final = 0.5  # of a context that may be cut
# Kinds of evidence of the composer that answer a question; its others do tasks.
_FACTS: Final = frozenset(("", "bridge", "alias", "comparison", "described", "number", "shared", "yes or no"))


def unanswerable(pair: Pair, context: Context) -> str:
    """Why a pair cannot be said to be without an answer where its evidence is missing; empty if it can."""
    if not _ASKS.search(pair.instruction):
        return "it is no question, and may be done without the evidence"
    if not is_english(pair.instruction):
        return "only questions in English have twins"
    if len(pair.answer) > _LONGEST or kind_of(pair.answer) == "summary" or context.form not in _FACTS:
        return "its answer is made from all of the context, or can be made without it"
    return ""


def removal(text: str, evidence: Sequence[Span], pair: Pair, context: Context) -> list[Edit] | str:
    """The sentences of ``text`` to cut, in order, or why there are none.

    Args:
        text: the pair's context as it stands in the sample.
        evidence: its pieces of evidence.
        pair: what is asked of it.
        context: who wrote it; only where its evidence is exact is all of it known.
    """
    if reason := unanswerable(pair, context):
        return reason
    if states(pair.instruction, pair.answer) and not is_ordinary(pair.answer) and context.hops < 2:
        return "the question holds the answer, and may be enough"
    if any(text[start:end].startswith(CORRECTIONS) for start, end in evidence):
        return "its evidence corrects an earlier account, which would be left"
    spans = list(sentence_spans(text))
    cut = [span for span in spans if any(span[0] < end and start < span[1] for start, end in evidence)]
    if context.evidence_source != "exact":
        if is_ordinary(pair.answer) or any(map(str.isdigit, pair.answer)):
            return "yes or no, and figures, may follow from more than is known to be evidence"
        if not _NAME.fullmatch(core_of(pair.answer)):
            return "only a name can be known to be told nowhere else"
        telling, stated = partly(pair.answer, pair.instruction), places(text, pair.answer)
        countries = set(countries_in(terms(pair.answer)))
        cut += [
            (start, end)
            for start, end in spans
            if any(start < last and first < end for first, last in stated)
            or any(word.search(text, start, end) for word in telling)
            or countries.intersection(countries_in(terms(text[start:end])))
        ]
    cut = sorted(set(cut))
    if not cut:
        return "its evidence is not known"
    if sum(end - start for start, end in cut) > _MOST * len(text):
        return "its context holds little but evidence"
    edits = [_edit(text, start, end) for start, end in _joined(cut, text)]
    rest = apply(text, edits)
    if (
        not is_ordinary(pair.answer)
        and not states(pair.instruction, pair.answer)
        and states(rest, pair.answer)
    ):
        return "more than its evidence states the answer"
    return edits


def _joined(spans: Sequence[Span], text: str) -> list[Span]:
    """Spans with nothing but white space between them as one."""
    joined = [spans[0]]
    for start, end in spans[1:]:
        if text[joined[-1][1] : start].isspace():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _edit(text: str, start: int, end: int) -> Edit:
    """A cut that leaves one blank, or one break of paragraphs, where there were two."""
    before, behind = text[:start], text[end:]
    if not before.strip() or before.endswith("\n"):
        return Edit(start, end + len(behind) - len(behind.lstrip()), "", "evidence")
    if not behind.strip() or behind.lstrip(" ").startswith("\n"):
        return Edit(len(before.rstrip(" ")), end, "", "evidence")
    return Edit(start, end + len(behind) - len(behind.lstrip(" ")), "", "evidence")
