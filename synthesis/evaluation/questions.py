"""What is asked of a model and what of it counts as right, whatever form the source has.

A form is a way in which questions are written down: a benchmark's own files, a dataset of ours, any
table with a context. Its reader makes questions of a source, its writer the files that the benchmark's own
scorer reads. Knows no form by name; ``synthesis.evaluation.forms`` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from synthesis.data import Evidence, Rejected, content_hash

EvidenceSource: TypeAlias = Literal["exact", "located", "none"]
STAGE = "questions"
"""The stage of a ``Rejected`` row of a source of questions; its ``pair_id`` is ``FILE:LINE``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextQuestion:
    """One question over a context.

    Attributes:
        id: its name, the same in every condition; a hash of the contents if none is given.
        context: the text it is asked over, all documents of it.
        instruction: what is asked.
        answers: every answer that counts as right; none where a server keeps them, and there is no score.
        task: the benchmark's own name of the task, or the kind of task of ours.
        metric: the name of what scores it, a key of ``synthesis.evaluation.metrics.METRICS``.
        classes: all labels, where the answer is one of several.
        evidence: spans of ``context`` that support the answer; ``evidence_source`` says whether they are
            ``exact`` (recorded by whoever wrote the text), ``located`` (found by the answer) or ``none``.
        own: the span of ``context`` that is the question's own document (all of it where there is no
            other), (0, 0) where that is not known.
        depth: where the own document stands in the context (0 = start, 1 = end), if recorded.
        length: how long the source says it is, in the source's unit; 0 where it does not.
        record: the source's row, as far as a prediction file repeats it.
        template: the prompt with ``{context}`` and ``{input}``; empty for the wording of our own tasks.
        closed: the same without a context, with ``{input}``; empty for ``template`` with an empty context
            (where that is empty, the instruction alone).
        system: a system message before it.
        wording: where the template is from: a file of the benchmark, the row, our own; "" for our tasks'.
        most_tokens: how long a reply may be, as the benchmark sets it; 0 for the default.
        truncation: what becomes of a prompt that is longer than the window: ``middle`` cuts the prompt's
            tokens in the middle as LongBench does, ``none`` leaves it to the engine to refuse.
    """

    id: str = ""
    context: str
    instruction: str
    answers: tuple[str, ...]
    task: str = "generic"
    metric: str = "f1"
    classes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    evidence_source: EvidenceSource = "none"
    own: tuple[int, int] = (0, 0)
    depth: float | None = None
    length: int = 0
    record: Mapping[str, Any] = field(default_factory=dict, hash=False)
    template: str = ""
    closed: str = ""
    system: str = ""
    wording: str = ""
    most_tokens: int = 0
    truncation: Literal["middle", "none"] = "middle"

    def __post_init__(self) -> None:
        if not self.id:
            name = content_hash(self.context, self.instruction, *self.answers)[:16]
            object.__setattr__(self, "id", name)

    @property
    def answer(self) -> str:
        """The first answer; empty where they are not known."""
        return self.answers[0] if self.answers else ""


@dataclass(frozen=True, slots=True)
class Variant:
    """How a question is asked: the condition, and where lengths were asked for tokens and depth.

    ``length`` is the most tokens of the prompt with its answer, 0 for the question's own length; ``depth``
    is what was asked for (0..1), None where it is not chosen.
    """

    condition: str
    length: int = 0
    depth: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question, how it was asked, and what came of it.

    Attributes:
        question: the question.
        variant: how it was asked.
        reply: the answer without a model's thoughts; ``text`` is the reply as it came.
        finish_reason: as in ``Completion``; ``error`` where there is none.
        depth: where the own document stood (0 = start, 1 = end); None where there was none, or no other.
        tokens: tokens of the prompt by the tokenizer in use; 0 where none was counted.
        scores: each in 0..1 by the name of the metric; that of ``question.metric`` is among them.
        loglikelihood: sum over the tokens of the first answer (nats) and their number, if asked for.
        fingerprint: names everything that determines the reply.
        place: the question's place among those of the source, from 0.
    """

    question: ContextQuestion
    variant: Variant
    reply: str
    text: str = ""
    finish_reason: str = "stop"
    detail: str = ""
    depth: float | None = None
    tokens: int = 0
    scores: Mapping[str, float] = field(default_factory=dict, hash=False)
    loglikelihood: tuple[float, int] | None = None
    fingerprint: str = ""
    place: int = 0

    @property
    def score(self) -> float:
        """By the question's own metric."""
        return self.scores.get(self.question.metric, 0.0)


@dataclass(frozen=True, slots=True)
class QuestionSource:
    """Where questions are to be read from, as given by the user.

    ``place`` is a file, folder, glob or Hub dataset as for ``synthesis.read_pairs``; ``columns`` are ours
    -> theirs; ``task`` overrides the source's; ``tasks`` are those wanted of a benchmark, all if empty.
    ``prompts`` is a file or folder with the benchmark's own prompts, if they are not beside the data.
    """

    place: str
    config: str | None = None
    split: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    task: str = ""
    tasks: tuple[str, ...] = ()
    prompts: str = ""


class QuestionForm(Protocol):
    """A form of questions. A module of ``synthesis.evaluation.benchmarks`` holds one, called ``FORM``."""

    name: str
    """How users call it with ``--form``."""
    told: str
    """What it is and which files it has, in a few words, for help and errors."""

    def fits(self, source: QuestionSource) -> bool:
        """Whether a source is written in this form. Looks at names and a first row; never raises."""
        ...

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """The questions of a source; a bad row is a ``Rejected`` of stage ``questions``.

        Raises:
            SourceError: it cannot be read as a whole, or files of the benchmark are missing (named).
        """
        ...

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """The prediction files for the benchmark's own scorer, below ``folder``; none if it has none.

        Args:
            folder: an empty folder for one variant; files are named as the scorer expects.
            model: what to call the model in paths: letters, digits, ``.``, ``_`` and ``-`` only.
            answered: all answers of one variant, in the order of the source.
        """
        ...
