"""Whether the answer is the one that follows, from the facts of a context: the score's fourth weight.

A comparison, a yes or a no is decided from what is stated of its two sides; any other answer is placed
among the names or figures it might have been. Knows nothing of calibration.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from synthesis.coherence.facts.candidates import Candidate, candidates
from synthesis.coherence.facts.chain import Chain
from synthesis.coherence.facts.decided import Decision, decide
from synthesis.coherence.facts.derived import Derived
from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.kinds import kind_asked
from synthesis.coherence.facts.passages import Passages, spaced
from synthesis.coherence.facts.rivals import chosen, place_among
from synthesis.coherence.reading import Question

Span = tuple[int, int]

_SURE, _LIKELY = 3.0, 1.5  # log-odds of what was decided from values, and from words that one side lacks
_OTHER_SIDE = 5.0  # an answer that has its words in the context, and yet is the wrong one of two
_UNSTATED = -1.0
_UNTOLD = 1.5  # a yes or no that nothing speaks for or against: few that are given are wrong
_NOT_FOUND = -0.5  # two things are compared, and a value of one isn't there: mostly it is
_AGAINST = 0.5  # what log-odds below 0 count for
_VERIFIED = 1.0  # log-odds from which an answer counts as the one asked for
_MOST_PLACES = 8  # places of an answer that are looked at


class Verified(NamedTuple):
    """``value``: log-odds that the answer follows rather than another, 0 where it cannot be told.

    ``decision`` is there where two things are compared.
    """

    value: float = 0.0
    decision: Decision | None = None

    @property
    def right(self) -> bool:
        """Whether it can be told, and is so."""
        if self.decision is not None:
            return bool(self.decision.follows) and self.decision.sure
        return self.value >= _VERIFIED


def verify(
    passages: Passages,
    question: Question,
    instruction: str,
    spans: Sequence[Span],
    derived: Derived | None = None,
    stated: bool = True,
) -> Verified:
    """What the facts say; ``spans`` are the characters where a short answer stands, in order.

    ``derived``: the answer only follows from figures, which stand there. ``stated``: all of it stands there
    rather than a part.
    """
    if derived is not None:
        return Verified(_LIKELY if derived.sure else 0.0)
    decision = decide(passages, instruction, question.answer)
    if decision is not None and decision.follows is not None:
        strength = _SURE if decision.sure else _LIKELY
        against = strength if question.answer.kind == "yes/no" or not decision.sure else _OTHER_SIDE
        return Verified(strength if decision.follows else -against, decision)
    if question.answer.kind == "yes/no":
        return Verified(_UNTOLD if decision is None else _NOT_FOUND, decision)
    # Where only a part stands ("Munich" for "Munich, Bavaria"), its place tells nothing of the whole.
    among = _among(passages, question, instruction, spans if stated else ())
    return Verified(among, decision)


def _among(passages: Passages, question: Question, instruction: str, spans: Sequence[Span]) -> float:
    if not spans:
        return _UNSTATED
    names = candidates(passages, False)
    found = names + candidates(passages, True)
    field = Field(passages, question.asked, names)
    mine = placed(passages, question.answer.text, spans)
    others = chosen(field, found, f" {' '.join(question.instruction)} ", mine.words)
    value = place_among(Chain(field, instruction), mine, others, kind_asked(instruction))
    # What speaks for an answer is surer than what speaks against it: the right one may be told from afar.
    return value if value > 0 else _AGAINST * value


def placed(passages: Passages, answer: str, spans: Sequence[Span]) -> Candidate:
    """An answer as a candidate, with the sentences that hold it."""
    starts = [sentence.start for sentence in passages.sentences]
    at = ((bisect_right(starts, start) - 1, start, end) for start, end in spans[:_MOST_PLACES])
    return Candidate(spaced(answer), tuple(place for place in at if place[0] >= 0), False)
