"""What, besides the texts, determines the samples of one call; checked before any work.

Knows nothing of items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Final

from synthesis.assembly.depth import DepthSpec, parse_depth
from synthesis.assembly.distractors import Choice, checked_distractors
from synthesis.assembly.wording import SEPARATOR, Style
from synthesis.data import content_hash
from synthesis.errors import UsageError

REFUSAL: Final = "The documents do not say."
"""What a sample answers whose context is left out, unless another text is given."""

OVERSIZE: Final = ("reject", "trim")


@dataclass(frozen=True, slots=True)
class Options:
    """Checked options. ``lengths`` are budgets in tokens with their shares, which sum to 1."""

    lengths: tuple[tuple[int, float], ...]
    depths: tuple[float, ...] | None
    choice: Choice
    seed: int
    max_reuse: int | None
    style: Style
    abstain: float
    refusal: str
    oversize: str
    repeat_questions: bool

    def identity(self, *parts: object) -> str:
        """A name for a sample made with these options from ``parts``."""
        style = (self.style.header, self.style.separator)
        extra = (self.abstain, self.refusal if self.abstain else "", self.oversize, self.repeat_questions)
        return content_hash(*parts, self.depths, str(self.choice), self.seed, self.max_reuse, style, extra)


def make_options(
    lengths: Mapping[int, float],
    depth: DepthSpec = "uniform",
    distractors: str = "same-task",
    seed: int = 0,
    max_reuse: int | None = None,
    corpus: str | Path | Sequence[tuple[str, str]] | None = None,
    header: str = "",
    separator: str = SEPARATOR,
    abstain: float = 0.0,
    refusal: str = REFUSAL,
    oversize: str = "reject",
    repeat_questions: bool = False,
) -> Options:
    """The options, if they are usable.

    Raises:
        UsageError: one is not, or two do not go together.
    """
    choice = checked_distractors(distractors, max_reuse, corpus is not None)
    style = Style(header, separator)
    style.check()
    if isinstance(abstain, bool) or not isinstance(abstain, int | float) or not 0.0 <= abstain <= 1.0:
        raise UsageError(f"abstain is {abstain!r}; it must be the share of samples, from 0 to 1.")
    if abstain and (choice.uses("none") or not refusal.strip()):
        raise UsageError(
            "samples that leave their context out need other documents and a refusal to answer with: choose "
            "distractors other than none, and a refusal that is not blank."
        )
    if oversize not in OVERSIZE:
        raise UsageError(f"oversize {oversize!r} is unknown. Choose one of: {', '.join(OVERSIZE)}.")
    return Options(
        tuple(lengths.items()),
        parse_depth(depth),
        choice,
        seed,
        max_reuse,
        style,
        float(abstain),
        refusal,
        oversize,
        repeat_questions,
    )


CHOICES: Final = tuple(
    name for name in signature(make_options).parameters if name not in ("lengths", "corpus")
)
"""The options by name, but for the lengths and the corpus."""
