"""Contexts that give the game away: the question copied in, the answer pasted, prompt residue.

Each finding has a factor (what is left of the score) and a sentence for the reader.
Knows nothing of how well the context supports the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from synthesis.coherence.question import Question
from synthesis.coherence.view import View

_MILD = 0.9


class Leak(NamedTuple):
    """``factor`` in (0, 1) multiplies the overall score; ``what`` says what was found."""

    factor: float
    what: str

    @property
    def serious(self) -> bool:
        """Whether the answer can no longer be taken as found in a narrative."""
        return self.factor < _MILD


_MIN_ECHO = 3
_NATURAL = 5  # shorter runs of common words meet by chance
_MIN_BLOCK = 20
_MOST_TRIED = 500
_EDGE = 400
_MARKERS = (
    "<|",
    "|>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "</s>",
    "{instruction}",
    "{answer}",
    "{context}",
    "{{",
)
# Both are matched against lower-cased text.
_LABEL = re.compile(
    r"^[\s#*>_-]*(?:question|answer|instruction|response|prompt|assistant|context)"
    r"(?:\s+\d+)?\s*\**\s*[:：]",
    re.MULTILINE,
)
# Phrases of a reply about the task rather than of a text about its subject.
_TALK = (
    "as an ai ",
    "as an ai,",
    "ai language model",
    "i cannot help with",
    "i can't help with",
    "i cannot assist",
    "i can't assist",
    "i am unable to provide",
    "i'm unable to provide",
    "let me know if you",
    "word count:",
    "the correct answer is",
    "the answer to the question",
    "the context above",
    "the passage above",
    "given instruction",
    "following instruction",
    "provided instruction",
    "given question",
    "provided question",
)
_OFFER = re.compile(
    r"\A\W*(?:(?:sure|certainly|of course|okay)\b[,!.]?\s+)?"
    r"here(?:'s|’s| is| are) (?:the|a|an|your)\b[\w ,-]{0,60}"
    r"(?:context|passage|background|narrative|document)"
)


def _run_at(view: View, sequence: Sequence[str]) -> tuple[int, int]:
    """Longest stretch of the context (start, length) equal to a stretch through the sequence's middle."""
    # A run of more than half the sequence holds its middle; the nearest telling term anchors it.
    anchors = [i for i, term in enumerate(sequence) if term in view.places]
    middle = min(anchors, key=lambda i: (abs(2 * i - len(sequence)), i), default=0)
    best = (0, 0)
    for place in view.places.get(sequence[middle], [])[:_MOST_TRIED]:
        left = right = 0
        while left < min(middle, place) and view.terms[place - left - 1] == sequence[middle - left - 1]:
            left += 1
        room = min(len(sequence) - middle, view.size - place) - 1
        while right < room and view.terms[place + right + 1] == sequence[middle + right + 1]:
            right += 1
        if left + right + 1 > best[1]:
            best = (place - left, left + right + 1)
    return best


def _echo(view: View, question: Question, answer_places: Sequence[int]) -> Leak | None:
    """The instruction copied word for word, worse with the answer right behind or little else."""
    asked = len(question.instruction)
    if asked < _MIN_ECHO:
        return None
    start, length = _run_at(view, question.instruction)
    if length < max(_MIN_ECHO, 0.75 * asked):
        return None
    end, whole = start + length, length == asked
    # A statement ("Paris is the capital of France") repeats all but the question word.
    if whole and view.size < 3 * (asked + len(question.answer.terms)):
        return Leak(0.3, "the context is little more than the instruction and the answer over again")
    if whole and any(end <= p <= end + 8 for p in answer_places):
        return Leak(0.4, "the instruction is copied into the context with the answer right behind it")
    if length < _NATURAL:
        return None
    if not whole:
        return Leak(_MILD, "one sentence states the instruction almost word for word")
    return Leak(0.8, "the instruction is copied into the context word for word")


def _pasted(view: View, question: Question) -> Leak | None:
    """A long answer standing in the context as one block: nothing is left to summarise.

    One sentence of it, however long, may well be told in the answer's own words.
    """
    sequence = question.answer.terms
    if question.answer.kind != "summary" or len(sequence) < _MIN_BLOCK:
        return None
    _, length = _run_at(view, sequence)
    longest = max(map(len, question.answer.sentences), default=0)
    if length < 0.6 * len(sequence) or length <= longest + _NATURAL:
        return None
    return Leak(0.1, "the answer is pasted into the context as one block instead of being told by it")


def _residue(text: str) -> Leak | None:
    edges = (text if len(text) <= 2 * _EDGE else f"{text[:_EDGE]}\n{text[-_EDGE:]}").lower()
    found = next((m for m in _MARKERS if m in text), None)
    found = found or next((t for t in _TALK if t in edges), None)
    if found is None and (match := _LABEL.search(edges) or _OFFER.search(edges)):
        found = match.group().strip()
    return Leak(0.5, f"left over from a prompt or a chat: {found!r}") if found else None


def find_leaks(text: str, view: View, question: Question, answer_places: Sequence[int]) -> list[Leak]:
    """Everything found; an empty list when the context gives nothing away."""
    found = (_echo(view, question, answer_places), _pasted(view, question), _residue(text))
    return [leak for leak in found if leak is not None]
