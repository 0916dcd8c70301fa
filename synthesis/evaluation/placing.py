"""Contexts of a given length: a question's own document among others' of the source, or cut in the middle.

Knows nothing of conditions, prompts or engines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from synthesis.assembly.documents import Documents
from synthesis.assembly.options import from_keywords, make_options
from synthesis.assembly.production import Assembly
from synthesis.assembly.rendering import lay_out
from synthesis.data import Evidence, Message, Pair, Sample
from synthesis.errors import UsageError
from synthesis.evaluation.conditions import asked
from synthesis.evaluation.questions import ContextQuestion
from synthesis.evaluation.store import OwnDocuments, QuestionStore
from synthesis.tokens import Tokenizer, format_length


@dataclass(frozen=True, slots=True)
class PlacedContext:
    """A context with its evidence; ``depth`` is where the own document stands, None beside no other.

    ``cut`` tells that its middle was left out.
    """

    context: str
    evidence: tuple[Evidence, ...]
    depth: float | None = None
    cut: bool = False


class Placement:
    """The contexts of a store's questions at any length and depth; documents are counted once for all."""

    def __init__(self, questions: QuestionStore, tokenizer: Tokenizer, distractors: str, seed: int) -> None:
        """Prepare; nothing is counted yet.

        Args:
            questions: the questions.
            tokenizer: what counts, with its chat template.
            distractors: as for ``synthesis.assemble``: from whose documents a context is filled.
            seed: with the contents, determines which.
        """
        self._questions, self._tokenizer = questions, tokenizer
        self._distractors, self._seed = distractors, seed
        self._documents = Documents(OwnDocuments(questions), tokenizer)

    def at(self, length: int, depth: float | None, places: range) -> Iterator[PlacedContext]:
        """The contexts of the questions at ``places``, in order, in prompts of ``length`` tokens.

        A prompt never exceeds it, the answer included. An own document that does not fit is cut in
        the middle.

        Raises:
            UsageError: the length leaves no room, or the distractors are not known.
        """
        budget = length - self._excess
        if budget <= 0:
            raise _too_short(length, length + self._excess)
        where = "uniform" if depth is None else depth
        samples = from_keywords({"depth": where, "distractors": self._distractors})
        assembly = Assembly(self._documents, make_options({budget: 1.0}, samples, self._seed), lambda _: None)
        for place, made in zip(places, assembly.outcomes(places.start, places.stop), strict=True):
            question = self._questions.read(place)
            yield (
                _taken_out(question, made) if isinstance(made, Sample) else self._shortened(question, length)
            )

    @cached_property
    def _excess(self) -> int:
        """How many tokens a question's own wording takes beyond that of our tasks, at most."""
        count, more = self._tokenizer.count_chat, [0]
        for template, system, task in self._questions.wordings:
            bare = ContextQuestion(
                context="-", instruction="-", answers=("-",), template=template, system=system, task=task
            )
            said = (*asked(bare, "-"), Message("assistant", "-"))
            more.append(count(said) - count(lay_out(Pair("", "-", "-", task), "-").messages))
        return max(more)

    def _shortened(self, question: ContextQuestion, length: int) -> PlacedContext:
        answer = Message("assistant", question.answer)
        around = self._tokenizer.count_chat((*asked(question, "-"), answer))
        if around >= length:
            raise _too_short(length, around)
        return cut_middle(question.context, question.evidence, length - around, self._tokenizer)


def _too_short(length: int, needed: int) -> UsageError:
    return UsageError(
        f"--lengths {format_length(length)} leaves no room for a context: question, answer and what stands "
        f"around them take {needed:,} tokens; give more"
    )


def cut_middle(text: str, evidence: tuple[Evidence, ...], most: int, tokenizer: Tokenizer) -> PlacedContext:
    """A text of at most about ``most`` tokens: as many of its first as of its last; evidence that is left."""
    if len(text) <= most or most <= 0:
        return PlacedContext(text if most > 0 else "", evidence if most > 0 else (), cut=most <= 0)
    offsets = tokenizer.offsets(text)
    half = most // 2
    if len(offsets) <= most:
        return PlacedContext(text, evidence)
    head, tail = offsets[half][0], offsets[-half][0] if half else len(text)
    before = (piece for piece in evidence if piece.end <= head)
    after = (
        Evidence(head + piece.start - tail, head + piece.end - tail, piece.what)
        for piece in evidence
        if piece.start >= tail
    )
    return PlacedContext(text[:head] + text[tail:], (*before, *after), cut=True)


def _taken_out(question: ContextQuestion, sample: Sample) -> PlacedContext:
    """The documents of a sample, without the wording around them."""
    frame = lay_out(Pair("", question.instruction, "", question.task), "")
    start = frame.starts[0]
    content = sample.messages[0].content
    context = content[start : len(content) - (len(frame.messages[0].content) - start)]
    evidence = tuple(
        Evidence(piece.start - start, piece.end - start, piece.what) for piece in sample.evidence
    )
    return PlacedContext(context, evidence, sample.depth if len(sample.documents) > 1 else None)
