"""Contexts that give the game away, or are none: echoes, the answer pasted, residue, the prompt, loops.

Each finding has a factor (what is left of the score) and a sentence for the reader.
Knows nothing of how well the context supports the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.reading import Question, View
from synthesis.coherence.restating import PromptWords, restated
from synthesis.text.code import is_code
from synthesis.text.repetition import Repetition, repetition
from synthesis.text.sentences import sentence_spans
from synthesis.text.words import terms

_MILD = 0.9


class Leak(NamedTuple):
    """``factor`` in (0, 1) multiplies the overall score; ``what`` says what was found, ``kind`` in a word.

    Kinds: ``echo``, ``pasted answer``, ``answer first``, ``residue``, ``prompt`` (it came back),
    ``repetition``, ``refusal``.
    """

    factor: float
    what: str
    kind: str

    @property
    def serious(self) -> bool:
        """Whether the answer can no longer be taken as found in a narrative."""
        return self.factor < _MILD


_MIN_ECHO = 3
_NATURAL = 5  # shorter runs of common words meet by chance
_RESTATED = 0.75  # of the terms of an instruction
_BRIEF = 8  # terms of an answer that a question may simply be asked for
_BEHIND = 3  # terms that may stand around the answer
_QUESTION_MARKS = ("?", "？", "؟")
# Words that ask, as terms: a statement of the same has none of them.
_ASKING = frozenset(
    terms(
        "which what who whom whose when where why how welche welcher welches welchem welchen was wer wen wem "
        "wann wo warum wie wieviel quel quelle quels quelles qui quoi quand où pourquoi comment combien qué "
        "quién cuándo dónde cuál cómo cuánto cuántos quale quali chi cosa dove quando perché come quanto"
    )
)
_MIN_BLOCK = 20
_MOST_TRIED = 500
_MOST_COMPARED, _MOST_TIMES = 10_000, 20
_EDGE = 400
_QUOTE = 60
_MARKERS = (
    "<|",
    "|>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "</s>",
    "<｜",
    "<think",
    "</think",
    "[THINK]",
    "[/THINK]",
    "_of_turn>",
    "{instruction}",
    "{answer}",
    "{context}",
    "{{",
)
# Both are matched against lower-cased text.
_LABEL_MARKS = (":", "：")
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
    "let me know if you",
    "word count:",
    "i hope this helps",
    "i hope this text",
    "i hope this story",
    "i hope this meets",
    "i hope that helps",
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
# How a writer's last line begins that is no more part of the text, and a count of words at the very end.
_CLOSING = re.compile(
    r"^[\s#*>_(\[-]*(?:(?:please )?(?:let me know\b|feel free to\b|note that this\b)"
    r"|i hope (?:this|that|you|it)\b|would you like me to\b|do you want me to\b|is there anything else\b"
    r"|(?:please )?note\W{0,3}[:：]|end of (?:the )?(?:text|context|passage|narrative)\b)"
    r"|[(\[](?:about |approximately |~ ?)?[\d,.]+ words[)\]]\W*\Z"
)
_OFFER = re.compile(
    r"\A\W*(?:(?:sure|certainly|of course|okay)\b[,!.]?\s+)?"
    r"here(?:'s|’s| is| are) (?:the|a|an|your)\b[\w ,-]{0,60}"
    r"(?:context|passage|background|narrative|document)"
)
# A writer's own words at the start of a line; people in a story speak inside quotation marks.
_REFUSAL = re.compile(
    r"^[\s#*>_-]*(?:(?:i['’]m|i am) (?:\w+ )?sorry,? (?:but )?(?:i|as an)\b"
    r"|(?:i apologi[sz]e,? but|unfortunately,) i (?:can(?:no|['’])t|am unable|am not able)\b"
    r"|(?:sorry, |no, )?(?:i can(?:no|['’])t|i(?:['’]m| am) (?:unable|not able) to|i won['’]t be able to)"
    r" (?:(?:help|assist|comply|continue)\b(?: (?:you )?with (?:that|this|your)|[.,])"
    r"|(?:create|write|generate|produce|provide|fulfil+) (?:\w+ ){0,3}"
    r"(?:content|context|text|passage|story|narrative|information|response|request|background)))",
    re.MULTILINE,
)
_REFUSING = ("sorry", "i can't", "i can’t", "i cannot", "unable", "not able", "i won't", "i won’t")
# What may stand around an answer that is put before the text.
_FRAMES = frozenset(map(tuple, map(terms, ("the answer is", "answer", "short answer", "it is", "it was"))))
_FRAMED = 80
_POLAR_FIRST = re.compile(r"[\s#*>_-]*(?:yes|no|true|false)\b[*_]*\s*(?:[.,:;!–—]|\n|$)", re.IGNORECASE)


def _run_at(view: View, sequence: Sequence[str]) -> tuple[int, int]:
    """Longest stretch of the context (start, length) equal to a stretch through the sequence's middle."""
    # A run of more than half the sequence holds its middle; the nearest telling term anchors it.
    anchors = [i for i, term in enumerate(sequence) if term in view.places]
    middle = min(anchors, key=lambda i: (abs(2 * i - len(sequence)), i), default=0)
    best = (0, 0)
    left_to_compare = _MOST_COMPARED + _MOST_TIMES * len(sequence)
    for place in view.places.get(sequence[middle], [])[:_MOST_TRIED]:
        if left_to_compare < 0:  # only a text that repeats itself without end gets here
            break
        left = right = 0
        while left < min(middle, place) and view.terms[place - left - 1] == sequence[middle - left - 1]:
            left += 1
        room = min(len(sequence) - middle, view.size - place) - 1
        while right < room and view.terms[place + right + 1] == sequence[middle + right + 1]:
            right += 1
        left_to_compare -= left + right + 1
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
        return Leak(0.3, "the context is little more than the instruction and the answer over again", "echo")
    answer = question.answer
    polar = answer.kind == "yes/no" and tuple(view.terms[end : end + len(answer.terms)]) == answer.terms
    if whole and (polar or any(end <= p <= end + 8 for p in answer_places)):
        return Leak(0.4, "the instruction is copied into the context with the answer right behind it", "echo")
    if length < _NATURAL:
        return None
    if not whole:
        return Leak(_MILD, "one sentence states the instruction almost word for word", "echo")
    return Leak(0.8, "the instruction is copied into the context word for word", "echo")


def _asked_again(passages: Passages, question: Question) -> Leak | None:
    """The instruction asked in other words, or in another language, with little but the answer behind it."""
    answer = question.answer
    if not passages.sentences or not 0 < len(answer.terms) <= _BRIEF:
        return None
    said, whole = f" {' '.join(answer.terms)} ", set(question.instruction)
    # The word that asks, not one that relates ("the mayor who"); a German "was" opens its question.
    asking = next(
        (t for n, t in enumerate(question.instruction) if t in _ASKING and (t != "was" or not n)), ""
    )
    for sentence, following in zip(passages.sentences, [*passages.sentences[1:], None], strict=True):
        if sentence.words.endswith(said):
            told = sentence.words[: -len(said)].split()
        elif following is not None and following.words.endswith(said):
            behind = len(following.words.split()) - len(answer.terms)
            told = sentence.words.split() if behind <= _BEHIND else []
        else:
            continue
        held = whole & set(told)
        if len(held) < _MIN_ECHO - 1 or len(told) > 2 * len(question.instruction) + _BEHIND:
            continue
        mark = passages.text[sentence.start : sentence.end].rstrip("\"'”’»)]")[-1:] in _QUESTION_MARKS
        again = asking in held and len(held) >= _RESTATED * len(whole)
        if again or (
            mark and sum(question.asked.get(t, 0.0) for t in held) >= 0.5 * sum(question.asked.values())
        ):
            return Leak(
                0.5, "the instruction is asked again in the context with the answer right behind it", "echo"
            )
    return None


def _pasted(view: View, question: Question) -> Leak | None:
    """A long answer standing in the context as one block: nothing is left to summarise.

    One sentence of it, however long, may well be told in the answer's own words, and code has no others.
    """
    sequence = question.answer.terms
    if question.answer.kind != "summary" or len(sequence) < _MIN_BLOCK or is_code(question.answer.text):
        return None
    _, length = _run_at(view, sequence)
    longest = max(map(len, question.answer.sentences), default=0)
    if length < 0.6 * len(sequence) or length <= longest + _NATURAL:
        return None
    what = "the answer is pasted into the context as one block instead of being told by it"
    return Leak(0.1, what, "pasted answer")


def _answer_first(text: str, question: Question) -> Leak | None:
    """The answer given outright in the first sentence, before anything is told."""
    answer = question.answer
    if answer.kind == "yes/no":
        found = _POLAR_FIRST.match(text) is not None
    elif answer.kind == "summary" or not answer.terms:
        return None  # a summary's first sentence may well open a text; a block of it is "pasted"
    else:
        opening = text.lstrip()[: 2 * len(answer.text) + _FRAMED]
        start, end = next(sentence_spans(opening), (0, 0))
        said = tuple(terms(opening[start:end]))
        before = said[: len(said) - len(answer.terms)]
        # A bare line is a heading: many a text is called after what it is about.
        stated = opening[start:end].rstrip("*_")[-1:] in tuple(".!。！") if not before else before in _FRAMES
        found = stated and said[len(before) :] == answer.terms
    if not found:
        return None
    return Leak(0.5, "the context opens with the answer, before anything is told", "answer first")


def _refusal(text: str) -> Leak | None:
    plain = text.lower()
    # Most texts hold none of these, and looking for them is a tenth of the pattern's work.
    match = _REFUSAL.search(plain) if any(word in plain for word in _REFUSING) else None
    if match is None:
        return None
    return Leak(0.3, f"a refusal instead of a text: {match.group().strip()!r}", "refusal")


def _residue(text: str) -> Leak | None:
    edges = (text if len(text) <= 2 * _EDGE else f"{text[:_EDGE]}\n{text[-_EDGE:]}").lower()
    found = next((m for m in _MARKERS if m in text), None)
    found = found or next((t for t in _TALK if t in edges), None)
    last = edges[edges.rstrip().rfind("\n") + 1 :]
    labelled = any(mark in edges for mark in _LABEL_MARKS)  # what most texts have none of
    match = (labelled and _LABEL.search(edges)) or _OFFER.search(edges) or _CLOSING.search(last)
    if found is None and match:
        found = match.group().strip()
    return Leak(0.3, f"left over from a prompt or a chat: {found!r}", "residue") if found else None


def _repetition(text: str) -> Leak | None:
    found = repetition(text)
    return Leak(0.1, repeated(found), "repetition") if found.excessive else None


def repeated(found: Repetition) -> str:
    """An excessive repetition in words."""
    if found.looped >= found.share:
        phrase = found.phrase if len(found.phrase) <= _QUOTE else f"{found.phrase[:_QUOTE]}…"
        return f"{found.looped:.0%} of the text is “{phrase}” over and over"
    return f"{found.share:.0%} of the text says again, word for word, what stands before it"


def _prompt(text: str, view: View, question: Question, prompt: PromptWords) -> list[Leak]:
    own = (question.instruction, question.answer.terms)
    return [
        Leak(0.3, f"the prompt came back: {what}", "prompt")
        for what in restated(text, view.terms, own, prompt)
    ]


def find_leaks(
    text: str,
    view: View,
    passages: Passages,
    question: Question,
    answer_places: Sequence[int],
    prompt: PromptWords,
) -> list[Leak]:
    """Everything found; an empty list when the context gives nothing away."""
    found = (
        _echo(view, question, answer_places) or _asked_again(passages, question),
        _pasted(view, question),
        _answer_first(text, question),
        _residue(text),
        *_prompt(text, view, question, prompt),
        _repetition(text),
        _refusal(text),
    )
    return [leak for leak in found if leak is not None]
