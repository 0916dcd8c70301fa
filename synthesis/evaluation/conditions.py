"""What of a context is shown under each condition, and the messages that ask over it.

``full``: all of it. ``closed``: nothing. ``oracle``: the evidence alone, the sentences that hold the spans
where whoever wrote the text recorded them, else the question's own document. ``none-evidence``: all but the
evidence, and but any other sentence that states the answer. Knows nothing of tokens or engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from synthesis.assembly.rendering import lay_out
from synthesis.data import Evidence, Message, Pair
from synthesis.errors import UsageError
from synthesis.evaluation.questions import ContextQuestion
from synthesis.text.sentences import sentence_spans
from synthesis.text.states import is_ordinary, places

FULL: Final = "full"
CLOSED: Final = "closed"
ORACLE: Final = "oracle"
NONE_EVIDENCE: Final = "none-evidence"
CONDITIONS: Final = (FULL, CLOSED, ORACLE, NONE_EVIDENCE)

_ROUNDS = 8  # a list's answer may be told again by what is left
_BLANKS = re.compile(r"[ \t]*")
_SLOT = re.compile(r"\{(context|input)\}")
Span = tuple[int, int]


def check_conditions(names: Sequence[str]) -> tuple[str, ...]:
    """The conditions, each once.

    Raises:
        UsageError: one is unknown, stands twice, or there is none.
    """
    for name in names:
        if name not in CONDITIONS or names.count(name) > 1:
            raise UsageError(
                f"condition {name!r} is unknown or stands twice; give some of {', '.join(CONDITIONS)}"
            )
    if not names:
        raise UsageError(f"no condition is given; give some of {', '.join(CONDITIONS)}")
    return tuple(names)


def can_be_asked(question: ContextQuestion, condition: str) -> bool:
    """Whether enough is known of a question's evidence for a condition."""
    if condition == ORACLE:
        return _is_exact(question) or question.own[1] > question.own[0]
    return condition != NONE_EVIDENCE or bool(question.evidence)


def own_document(question: ContextQuestion) -> tuple[str, tuple[Evidence, ...]]:
    """The text that is the question's own, without others' around it, and the evidence in it."""
    start, end = question.own if question.own[1] > question.own[0] else (0, len(question.context))
    inside = [piece for piece in question.evidence if start <= piece.start and piece.end <= end]
    moved = (Evidence(piece.start - start, piece.end - start, piece.what) for piece in inside)
    return question.context[start:end], tuple(moved)


def evidence_alone(question: ContextQuestion) -> str:
    """What is shown under ``oracle``: see above."""
    if not _is_exact(question):
        return own_document(question)[0]
    kept = _holding(question.context, ((piece.start, piece.end) for piece in question.evidence))
    return "\n".join(question.context[start:end] for start, end in kept)


def without_evidence(text: str, evidence: Iterable[Evidence], answers: Sequence[str]) -> str:
    """A text without the sentences that hold evidence, and without any that states one of the answers.

    An ordinary answer (yes, no) is stated by any text, so that only its evidence goes.
    """
    left = _without(text, _holding(text, ((piece.start, piece.end) for piece in evidence)))
    for answer in answers:
        for _ in range(0 if is_ordinary(answer) else _ROUNDS):
            told = places(left, answer)
            if not told:
                break
            left = _without(left, _holding(left, told))
    return left


def stating(text: str, answers: Sequence[str]) -> tuple[Evidence, ...]:
    """Where a text states one of the answers, as evidence that was located; none of ordinary ones."""
    found = {span: answer for answer in answers if not is_ordinary(answer) for span in places(text, answer)}
    return tuple(Evidence(*span, what) for span, what in sorted(found.items()))


def asked(question: ContextQuestion, context: str) -> tuple[Message, ...]:
    """The messages that ask a question over a context; without one if it is blank."""
    told = (Message("system", question.system),) if question.system else ()
    filling = {"context": context, "input": question.instruction}
    if not context.strip():
        if question.closed or question.template:
            text = _filled(question.closed or question.template, {**filling, "context": ""})
        else:
            text = question.instruction
    elif question.template:
        text = _filled(question.template, filling)
    else:
        pair = Pair(question.id, question.instruction, question.answer, question.task)
        text = lay_out(pair, context).messages[0].content
    return *told, Message("user", text)


def _is_exact(question: ContextQuestion) -> bool:
    return question.evidence_source == "exact" and bool(question.evidence)


def _filled(template: str, filling: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: filling[slot[1]], template)


def _holding(text: str, spans: Iterable[Span]) -> list[Span]:
    """The sentences of a text that hold any of the spans, in order."""
    wanted = sorted(spans)
    found: list[Span] = []
    place = 0
    for start, end in sentence_spans(text) if wanted else ():
        while place < len(wanted) and wanted[place][1] <= start:
            place += 1
        if place == len(wanted):
            break
        # Longer spans may begin before shorter ones that end before them.
        if any(a < end and start < b for a, b in _from(wanted, place, end)):
            found.append((start, end))
    return found


def _from(spans: Sequence[Span], place: int, end: int) -> Iterable[Span]:
    while place < len(spans) and spans[place][0] < end:
        yield spans[place]
        place += 1


def _without(text: str, cut: Sequence[Span]) -> str:
    """A text without some of its sentences, and without the white space that followed each."""
    parts, at = [], 0
    for start, end in cut:
        parts.append(text[at:start])
        blanks = _BLANKS.match(text, end)
        at = blanks.end() if blanks else end
    return "".join([*parts, text[at:]])
