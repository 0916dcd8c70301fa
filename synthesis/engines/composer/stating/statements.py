"""From an instruction and its answer to the statements a background text must carry.

The safest form that fits is taken: the question turned into a statement, the answer's own
sentence tied to what was asked, a plain report, or, for a language other than English, the
pair in quotes. Knows nothing of narratives or lengths, and never changes the answer's words.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from synthesis.engines.composer.grammar.sentences import split
from synthesis.engines.composer.grammar.wording import (
    finish,
    is_plural,
    lower_first,
    squash,
    trimmed,
    upper_first,
)
from synthesis.engines.composer.grammar.words import PREPOSITIONS, core, is_english
from synthesis.engines.composer.reading.answers import affirms, is_clause, is_polar, names_person, shape
from synthesis.engines.composer.reading.doubled import single
from synthesis.engines.composer.reading.frames import Frame
from synthesis.engines.composer.reading.questions import read
from synthesis.engines.composer.reading.topics import STOPWORDS, asked
from synthesis.engines.composer.stating.choices import is_polar_question, state_choice, state_polar
from synthesis.engines.composer.stating.plain import denied, on_topic, quoted, reported, tied
from synthesis.engines.composer.stating.proof import Triple
from synthesis.engines.composer.stating.rewrite import render

# Longer answers are told sentence by sentence; shorter ones are tied to the question.
_LONG_ANSWER = 320


#: The form of a pair that could only be put in quotation marks.
QUOTED = "quoted"


@dataclass(frozen=True, slots=True)
class Statement:
    """One piece of evidence: ``text`` is one or two whole sentences, ``what`` a short label.

    ``form`` is ``QUOTED`` where the pair could only be put in quotation marks, else empty.
    ``says`` are the triples in it, where they are known; with no label it is no evidence.
    """

    text: str
    what: str
    form: str = ""
    says: tuple[Triple, ...] = ()


def state(instruction: str, answer: str, rng: random.Random) -> list[Statement]:
    """The statements from which the answer to the instruction follows, in reading order.

    Args:
        instruction: the question or task, in any language.
        answer: its answer, from one word to a long summary.
        rng: chooses among equivalent forms; the only source of variety.

    Returns:
        Statements that together hold the answer verbatim up to white space, the case of its
        first letter and its closing stop (for yes and no: that affirm or deny the question).
        Empty when the answer is empty.
    """
    if len(answer) > _LONG_ANSWER:
        return _verbatim(answer)
    text = squash(answer)
    if not text:
        return []
    if len(split(answer)) > 2:
        return _verbatim(answer)
    question = asked(instruction)
    if not question:
        return _verbatim(answer)
    if not is_english(question):
        return [_quoted(question, instruction, text, rng)]
    if is_polar(text):
        return _polar(question, text, rng)
    told = _short(question, text, rng)
    return [Statement(told, "answer") if told else _quoted(question, instruction, text, rng)]


def _quoted(question: str, instruction: str, answer: str, rng: random.Random) -> Statement:
    return Statement(quoted(_marked(question, instruction), answer, rng), "answer", QUOTED)


def _verbatim(answer: str) -> list[Statement]:
    sentences = split(answer)
    count = len(sentences)
    labels = ["answer"] if count == 1 else [f"answer {at}/{count}" for at in range(1, count + 1)]
    return [Statement(_closed(text), label) for text, label in zip(sentences, labels, strict=True)]


def _closed(sentence: str) -> str:
    """The sentence as it is, with a full stop if nothing ends it."""
    bare = sentence.rstrip("\"'”’)]」』")
    return (
        sentence if bare.endswith((".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔")) else sentence + "."
    )


def _marked(question: str, instruction: str) -> str:
    """The question with the mark it came with, for quoting."""
    mark = re.search(r"[?？؟]\s*$", instruction[-20:])
    return question if question.endswith(("?", "？", "؟")) or not mark else question + mark[0].strip()


def _polar(question: str, answer: str, rng: random.Random) -> list[Statement]:
    told = state_polar(question, affirms(answer)) if is_polar_question(question) else None
    if told:
        return [Statement(finish(text), what) for text, what in told]
    return [Statement(denied(question + "?", core(answer), rng), "answer", QUOTED)]


def _short(question: str, answer: str, rng: random.Random) -> str:
    """One statement for a short answer to a question in English; empty where no form fits."""
    question = single(question, answer)
    if sum(1 for char in question if char.isupper()) > 8 and question.upper() == question:
        return _shouted(question, answer, rng)
    if is_polar_question(question):
        chosen = state_choice(question, trimmed(answer))
        if chosen:
            return finish(chosen)
    told = re.match(r"(?:please )?(?:explain|say|state|tell me) why (?P<fact>.+)", question, re.IGNORECASE)
    if told and shape(trimmed(answer)) in ("because", "infinitive", "prepositional"):
        return finish(f"{told['fact']} {lower_first(answer)}")
    frame = read(_as_question(question))
    alone = len(split(answer)) == 1
    if frame and alone:
        text = render(frame, answer, rng)
        if text and len(text) < 4 * (len(question) + len(answer)):
            return finish(text)
    if is_clause(answer) or not alone:
        return _tied(question, frame, answer, rng)
    clause = indirect(frame) if frame else None
    return reported(clause, answer, rng) if clause else on_topic(question, answer, False, rng)


def _shouted(question: str, answer: str, rng: random.Random) -> str:
    """A question all in capitals: read in lower case, answered in capitals."""
    text = _short(question.casefold(), answer.casefold(), rng).upper()
    at = text.find(trimmed(answer).upper())
    given = trimmed(answer)
    return text if at < 0 else text[:at] + given + text[at + len(given) :]


_RECEIVING = frozenset(["traveller", "traveler", "reader", "guest", "visitor", "customer", "patient", "user"])


def _as_question(question: str) -> str:
    """``Name the capital of Peru`` asks what the capital of Peru is."""
    order = re.match(
        r"(?:please )?(?:name|give|state|identify|tell me|provide) (?=(?:the|his|her|its|their) )",
        question,
        re.I,
    )
    if not order:
        return question
    asked = question[order.end() :]
    to_whom = re.match(r"(?:the|his|her|their) (?P<whom>[a-z]+) (?P<what>[a-z]+.*)", asked)
    if (
        to_whom
        and (names_person(to_whom["whom"]) or to_whom["whom"] in _RECEIVING)
        and core(to_whom["what"].split()[0]) not in PREPOSITIONS
    ):
        asked = f"the {to_whom['what']}"  # "give the traveller directions"
    head = re.split(r" (?:of|from|for|to|in|that|who|which)\b", asked, maxsplit=1)[0]
    return f"What {'are' if is_plural(head) else 'is'} {asked}"


def indirect(frame: Frame) -> str | None:
    """The question as a subordinate clause: ``what Nina Sayers does for a living``."""
    wh = f"{frame.preposition} {frame.wh} {frame.noun}".strip().replace("  ", " ")
    if frame.lead or frame.choices or not frame.wh:
        return None
    if frame.role == "subject":
        return f"{wh} {frame.predicate}"
    if frame.clause is None:
        return None
    if frame.role == "happened":
        return f"what happened to {frame.clause.subject}"
    return f"{wh} {lower_first(frame.clause.subject)} {frame.clause.predicate}"


def _tied(question: str, frame: Frame | None, answer: str, rng: random.Random) -> str:
    """An answer that is a sentence of its own, tied to what was asked."""
    if frame and frame.choices:
        return finish(
            f"Between {frame.choices[0]} and {frame.choices[1]} one fact decides: {upper_first(answer)}"
        )
    if _covers(question, answer):
        return finish(answer)
    clause = indirect(frame) if frame else None
    return tied(clause, answer, rng) if clause else on_topic(question, answer, True, rng)


def _content(text: str) -> set[str]:
    return {word[:5] for word in map(core, text.split()) if word and word not in STOPWORDS}


def _covers(question: str, answer: str) -> bool:
    """Whether a sentence repeats so much of the question that it stands by itself."""
    asked = _content(question)
    return bool(asked) and len(asked & _content(answer)) >= 0.6 * len(asked)
