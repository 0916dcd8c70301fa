"""Replies that hold a question, its answer and its evidence: reading them, and what is wrong with them.

The evidence must stand in the text word for word and state the answer; the question must stand on its own
and keep its answer to itself. Knows nothing of engines, nor of how good a pair is beyond that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from synthesis.data import Completion, Evidence
from synthesis.gate.faults import Fault, unread
from synthesis.gate.quotations import FEWEST, Found, located, lost_faults, one_line, quotations, short
from synthesis.gate.replies import without_thinking
from synthesis.text.numbers import quantities
from synthesis.text.states import is_ordinary, states
from synthesis.text.words import count_words

_LABEL = re.compile(
    r"^[ \t>#*_-]*(?:\d{1,2}[.)][ \t]*)?(question|request|answer|response|evidence|quotes?|quotation)"
    r"[ \t]*\d{0,2}[ \t]*[*_]*[ \t]*[:：][*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_PART = {"question": "question", "request": "question", "answer": "answer", "response": "answer"}
_MOST_WORDS: Final = {"span": 16, "number": 12, "multi-hop": 16}
_SUMMARY: Final = (15, 400)  # words
_LONGEST_QUESTION: Final = 90  # words
_EXCERPTS = (
    r"passages?|excerpts?|texts?|documents?|articles?|paragraphs?|snippets?|sections?|context|narrators?"
    r"|authors?"
)
_ABOUT_TEXT = re.compile(
    rf"\b(?:this|that|the|these|those|given|above|following|provided) (?:\w+ ){{0,2}}?(?:{_EXCERPTS})\b"
    r"|\baccording to (?:the|this) (?:\w+ )?(?:passage|text|document|article|author|context|information)"
    r"|\b(?:passage|evidence|paragraph|sentence) \d"
    r"|\b(?:mentioned|described|stated|quoted) (?:above|below)\b",
    re.IGNORECASE,
)
# Only such as point at something to read; "the author of Emma" is somebody.
_NAMED_THERE = re.compile(
    rf"(?:{_EXCERPTS}) (?:of|by|on|about|that|which|in which|called|titled)\b", re.IGNORECASE
)
_PRONOUN = re.compile(r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|theirs)\b", re.IGNORECASE)
# "Was it Kell who ...", "how long does it take to ...": such a word stands for nothing.
_EMPTY_IT = re.compile(
    r"\b(?:is|was) it\b(?=.{1,80}\b(?:that|who|which|when|where|to)\b)|\bit (?:takes?|took|costs?|means?)\b"
    r"|\bit (?:is|was) (?:\w+ ){0,2}(?:that|to|when)\b",
    re.IGNORECASE,
)
_POINTER = re.compile(r"\b(?:[Tt]his|[Tt]hese) (?!(?:is|was|are|were|of|which|who)\b)[a-z]+")
_ASKING_WORD = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how)\b|\A\W*(?:name|give|state|list|complete|fill|tell|sum|"
    r"summari[sz]e|describe|explain|outline|recount|report|say)\b",
    re.IGNORECASE,
)
_PLACEHOLDERS = ("the question, on one line", "a sentence, copied from above", "the answer alone, in at most")


class QuestionReply(NamedTuple):
    """What a reply holds: a question, its answer, and quotations that are to prove it."""

    question: str
    answer: str
    quotes: tuple[str, ...]


class Judged(NamedTuple):
    """A reply read: what it holds, where its evidence stands, and what is wrong.

    ``written`` is None where nothing could be read.
    """

    written: QuestionReply | None
    evidence: tuple[Evidence, ...] = ()
    faults: tuple[Fault, ...] = ()


def judged(completion: Completion, asked: Mapping[str, Any]) -> Judged:
    """Read a reply to a request (``asked``: see ``synthesis.run.windows``) and say what is wrong with it.

    An engine that made a question of another kind says so as the reply's ``form``.
    """
    asked = {**asked, "kind": completion.form or asked["kind"]}
    written = None if completion.declined else read_reply(completion.text)
    if written is None:
        say = (
            "- It does not have the form that was asked for: a line that begins with Question:, then one "
            "with Answer:, then Evidence: with a quotation."
        )
        return Judged(None, (), (unread(completion, "no question with an answer", say),))
    places, lost = located(written.quotes, asked["text"], asked["windows"])
    faults = [*lost_faults(lost), *_question_faults(written, asked), *_answer_faults(written, asked)]
    if places and not lost:
        faults += _proof_faults(written, asked, places)
    if not written.quotes:
        say = (
            "- It quotes nothing. Copy the sentence that the answer rests on behind Evidence:, word for word."
        )
        faults.append(Fault("evidence", "no quotation", say))
    evidence = tuple(Evidence(place.start, place.end, written.answer[:200]) for place in sorted(set(places)))
    return Judged(written, evidence, tuple(faults))


def read_reply(text: str) -> QuestionReply | None:
    """The first question of a reply with its answer and quotations; None where one of the two is missing."""
    body = without_thinking(text).strip()
    return _of_json(body) or _of_labels(body)


def _of_json(body: str) -> QuestionReply | None:
    start, end = body.find("{"), body.rfind("}")
    if not 0 <= start < 40 or end < start:
        return None
    try:
        found = json.loads(body[start : end + 1])
    except (ValueError, RecursionError):
        return None
    named = {str(key).casefold(): value for key, value in found.items()} if isinstance(found, dict) else {}
    quotes = named.get("evidence") or named.get("quotes") or ()
    listed = quotes if isinstance(quotes, list) else [quotes]
    question, answer = (str(named.get(key) or "").strip() for key in ("question", "answer"))
    texts = tuple(one.strip() for one in listed if isinstance(one, str) and one.strip())
    return QuestionReply(one_line(question), answer, texts) if question and answer else None


def _of_labels(body: str) -> QuestionReply | None:
    parts: dict[str, list[str]] = {}
    marks = list(_LABEL.finditer(body))
    ends = [*(mark.start() for mark in marks[1:]), len(body)]
    for mark, end in zip(marks, ends[: len(marks)], strict=True):
        part = _PART.get(mark[1].casefold(), "evidence")
        if part == "question" and "question" in parts:
            break  # several were given; the first counts
        parts.setdefault(part, []).append(body[mark.end() : end].strip())
    question, answer = (_bare(parts.get(part, [""])[0]) for part in ("question", "answer"))
    quotes = tuple(quote for told in parts.get("evidence", ()) for quote in quotations(told))
    if not question or not answer or any(one in f"{question} {answer}" for one in _PLACEHOLDERS):
        return None
    return QuestionReply(one_line(question), answer, quotes)


def _bare(text: str) -> str:
    """A text without marks of emphasis around it, and without quotation marks that are around all of it."""
    text = text.strip().strip("*_").strip()
    if len(text) > 2 and text[0] in '"“' and text[-1] in '"”' and not re.search('["“”]', text[1:-1]):
        text = text[1:-1].strip()
    return text


def _question_faults(written: QuestionReply, asked: Mapping[str, Any]) -> Iterator[Fault]:
    question, kind = written.question, asked["kind"]
    if count_words(question) > _LONGEST_QUESTION or count_words(question) < FEWEST:
        say = "- The question is not one sentence that asks. Ask one thing."
        yield Fault("question", f"{count_words(question)} words", say, anew=True)
    elif not ("?" in question or "？" in question or _ASKING_WORD.search(question)):
        yield Fault("question", "it asks nothing", "- What stands behind Question: asks nothing.", anew=True)
    if (found := _ABOUT_TEXT.search(question)) and not _NAMED_THERE.match(question, _last_word(found)):
        say = f"- The question speaks of “{found[0]}”. Ask about the matter itself."
        yield Fault("reference", f"it speaks of “{found[0]}”", say)
    elif dangling := _dangling(question):
        say = f"- In the question nobody knows what “{dangling}” is. Name it."
        yield Fault("dangling", f"“{dangling}” stands for something unnamed", say)
    brief = kind in ("span", "number", "multi-hop") and not is_ordinary(written.answer)
    if brief and not _offered(question, written.answer) and states(question, written.answer):
        say = "- The question gives its answer away. Ask so that it does not."
        yield Fault("gives-away", "the question states the answer", say, anew=True)


def _offered(question: str, answer: str) -> bool:
    """Whether a question gives its answer among others, to choose from: "A or B?"."""
    said = re.escape(" ".join(answer.split()).strip(" ."))
    return re.search(rf"\bor (?:the )?{said}\s*[?,]|{said},? or\b", question, re.IGNORECASE) is not None


def _last_word(found: re.Match[str]) -> int:
    """Where the last word of a match begins."""
    return found.start() + found[0].rfind(" ") + 1


def _dangling(question: str) -> str:
    """A pronoun, or "this ...", before anything that it could stand for; empty if there is none."""
    question = _EMPTY_IT.sub("", question)
    found = _PRONOUN.search(question) or _POINTER.search(question)
    if not found:
        return ""
    before = question[: found.start()].split()
    # A name, or a noun behind an article, is what it stands for.
    named = any(word[:1].isupper() or word[:1].isdigit() or word[:1] in "\"“'‘" for word in before[1:])
    described = any(word.casefold() in ("the", "a", "an") for word in before[:-1])
    return "" if named or described else found[0].strip()


def _answer_faults(written: QuestionReply, asked: Mapping[str, Any]) -> Iterator[Fault]:
    answer, kind = written.answer, asked["kind"]
    words = count_words(answer)
    if kind == "yes-no":
        if _plain(answer) not in (["yes"], ["no"]):
            yield Fault(
                "answer", f"“{short(answer)}” is not yes or no", "- The answer is neither yes nor no."
            )
    elif kind == "summary":
        low, high = _SUMMARY
        if not low <= words <= high:
            say = f"- The answer has {words} words. Sum up in three to six sentences."
            yield Fault("answer", f"a summary of {words} words", say)
    elif words > _MOST_WORDS[kind]:
        say = f"- The answer has {words} words. Give the bare answer, as short as the text allows."
        yield Fault("answer", f"{words} words", say)
    elif kind == "number" and next(quantities(answer), None) is None:
        yield Fault("answer", f"“{short(answer)}” is no number", "- The answer is neither number nor date.")


def _proof_faults(
    written: QuestionReply, asked: Mapping[str, Any], places: Sequence[Found]
) -> Iterator[Fault]:
    """What is wrong with evidence that stands in the text."""
    kind = asked["kind"]
    told = " ".join(asked["text"][place.start : place.end] for place in places)
    if kind in ("span", "number", "multi-hop") and not states(told, written.answer):
        say = "- No sentence quoted as evidence states the answer. Quote the one that does, or put it right."
        yield Fault("unproved", f"the evidence does not state “{short(written.answer)}”", say)
    if kind == "multi-hop":
        windows = len(asked["windows"])
        apart = {place.window for place in places} if windows > 1 else {place.start for place in places}
        if len(apart) < 2:
            say = "- The evidence is of one passage alone. Ask what takes both, and quote a sentence of each."
            yield Fault("one-passage", "the evidence is of one passage alone", say, anew=True)


def _plain(text: str) -> list[str]:
    return text.casefold().strip(" .!*_").split()
