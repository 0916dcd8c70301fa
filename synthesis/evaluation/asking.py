"""Every way in which every question is asked, one after the other, with the messages that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from synthesis.assembly import parse_lengths
from synthesis.assembly.options import parse_depth, parse_distractors
from synthesis.data import Message
from synthesis.errors import UsageError
from synthesis.evaluation.conditions import (
    CLOSED,
    FULL,
    NONE_EVIDENCE,
    ORACLE,
    asked,
    can_be_asked,
    check_conditions,
    evidence_alone,
    without_evidence,
)
from synthesis.evaluation.placing import PlacedContext, Placement, cut_middle
from synthesis.evaluation.questions import ContextQuestion, Variant
from synthesis.evaluation.store import QuestionStore
from synthesis.tokens import Tokenizer
from synthesis.wording import counted

OWN = "own"
"""The length that a question has by itself."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which conditions questions are asked, at which lengths and depths.

    Attributes:
        names: of ``CONDITIONS``.
        lengths: of the prompt with its answer, in tokens; 0 is the question's own.
        depths: each question is asked at each of them (0..1) at every length but its own; None is one
            depth for each question, spread evenly over all.
        distractors: whose documents fill a length: as for ``synthesis.assemble``.
        window: prompts of more tokens are cut in the middle where their form has it so; 0 for never.
        seed: with the contents, determines which documents are taken.
    """

    names: tuple[str, ...] = (FULL,)
    lengths: tuple[int, ...] = (0,)
    depths: tuple[float | None, ...] = (None,)
    distractors: str = "same-task"
    window: int = 0
    seed: int = 0

    def variants(self) -> tuple[Variant, ...]:
        """Every way of asking, in the order in which they are asked."""
        found: list[Variant] = []
        for name in self.names:
            if name in (CLOSED, ORACLE):
                found.append(Variant(name))
                continue
            for length in self.lengths:
                found += [Variant(name, length, depth) for depth in (self.depths if length else (None,))]
        return tuple(found)


def conditions_of(
    names: str, lengths: str, depth: str, distractors: str = "same-task", window: int = 0, seed: int = 0
) -> Conditions:
    """Conditions as users write them: ``full,closed``, ``own,4k,8k``, ``uniform`` or ``0,0.5,1``.

    Raises:
        UsageError: one of them cannot be used.
    """
    parts = [part.strip() for part in lengths.split(",") if part.strip()]
    own = [0] * parts.count(OWN)
    others = ",".join(part for part in parts if part != OWN)
    if not parts or len(own) > 1 or ":" in others:
        raise UsageError(
            f"lengths {lengths!r} cannot be used; give own, numbers of tokens, or both: own,4k,8k"
        )
    told = [*own, *(tokens for tokens, _ in parse_lengths(others))] if others else own
    depths = parse_depth(depth)
    if depths is not None and not others:
        raise UsageError(
            f"depth {depth} is about questions among others' documents; give --lengths as well, as in own,4k"
        )
    if parse_distractors(distractors).uses("corpus"):
        raise UsageError(
            f"distractors {distractors!r} cannot be used here: around a question's own document stand those "
            "of the source's other questions; give same-task, random, lexical or none"
        )
    return Conditions(
        check_conditions([part.strip() for part in names.split(",") if part.strip()]),
        tuple(told),
        (None,) if depths is None else tuple(dict.fromkeys(depths)),
        distractors,
        window,
        seed,
    )


@dataclass(frozen=True, slots=True)
class Case:
    """A question asked in one way. ``depth`` is where its own document stands, None beside no other.

    ``context`` is what is shown of its context; ``cut`` tells that a part in the middle did not fit.
    """

    question: ContextQuestion
    place: int
    variant: Variant
    context: str
    messages: tuple[Message, ...]
    depth: float | None = None
    cut: bool = False


class Cases:
    """The cases of a store's questions. A question is left out where its evidence is not known enough."""

    def __init__(self, questions: QuestionStore, conditions: Conditions, tokenizer: Tokenizer) -> None:
        """Check that every condition can be had of some question.

        Raises:
            UsageError: one cannot, or there are no questions.
        """
        self._questions, self._conditions, self._tokenizer = questions, conditions, tokenizer
        if not questions:
            raise UsageError("there is no question to ask; give a source that has some")
        for name in conditions.names:
            if not questions.able[name]:
                raise UsageError(
                    f"condition {name!r} needs to know the evidence, and it is known for none of "
                    f"{counted(len(questions), 'question')}; leave the condition out, or give a source that "
                    "says where it stands: a dataset of this tool, or a column of texts (--column "
                    "evidence=NAME)"
                )

    def lacking(self) -> dict[str, int]:
        """How many questions each condition leaves out, as their evidence is not known, where it does."""
        able = self._questions.able
        missing = {name: len(self._questions) - able[name] for name in self._conditions.names}
        return {name: count for name, count in missing.items() if count}

    def of(self, places: range) -> Iterator[list[Case]]:
        """The cases of the questions at some places, those of one question together, in order."""
        asked_for = {
            (variant.length, variant.depth) for variant in self._conditions.variants() if variant.length
        }
        streams = {key: self._placement.at(*key, places) for key in sorted(asked_for, key=str)}
        for place in places:
            question = self._questions.read(place)
            placed = {key: next(stream) for key, stream in streams.items()}
            found = [
                self._case(question, place, variant, placed.get((variant.length, variant.depth)))
                for variant in self._conditions.variants()
                if can_be_asked(question, variant.condition)
            ]
            if found:
                yield found

    @cached_property
    def _placement(self) -> Placement:
        made = self._conditions
        self._tokenizer.check_chat()
        return Placement(self._questions, self._tokenizer, made.distractors, made.seed)

    def _case(
        self, question: ContextQuestion, place: int, variant: Variant, placed: PlacedContext | None
    ) -> Case:
        shown = _shown(
            question,
            variant.condition,
            placed or PlacedContext(question.context, question.evidence, question.depth),
        )
        messages, cut = self._within(question, asked(question, shown.context))
        return Case(question, place, variant, shown.context, messages, shown.depth, cut or shown.cut)

    def _within(
        self, question: ContextQuestion, messages: tuple[Message, ...]
    ) -> tuple[tuple[Message, ...], bool]:
        """The messages, the last of them cut in the middle if it is longer than the window."""
        window = self._conditions.window
        if not window or question.truncation == "none":
            return messages, False
        *before, last = messages
        fitted = cut_middle(last.content, (), window, self._tokenizer)
        return (*before, last._replace(content=fitted.context)), fitted.cut


def _shown(question: ContextQuestion, condition: str, placed: PlacedContext) -> PlacedContext:
    """What is shown under a condition of a context as it is placed."""
    if condition == CLOSED:
        return PlacedContext("", ())
    if condition == ORACLE:
        return PlacedContext(evidence_alone(question), ())
    if condition == NONE_EVIDENCE:
        return PlacedContext(
            without_evidence(placed.context, placed.evidence, question.answers), (), placed.depth, placed.cut
        )
    return placed
