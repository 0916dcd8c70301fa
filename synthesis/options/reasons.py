"""Whether a model writes the steps from each context to its answer, and which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from synthesis.settings import apart

REASONS: Final = ("none", "model")
"""Who writes the reasons of a context."""


@dataclass(frozen=True, slots=True)
class ReasonsConfig:
    """The steps from a context to its answer, each quoting the context; see ``synthesis.run.reasons``.

    As it is, nobody writes any. Without an ``engine`` and a ``model`` those that write the contexts are
    asked; ``options`` are the engine's. How often a reply is asked for again, by which seed and temperature,
    is as for contexts.
    """

    by: str = apart(
        "none",
        "Who writes the steps from each context to its answer, with quotations that are checked against it: "
        "none, or model. Samples with --answers reasoned use them.",
        flag="--reasons",
        choices=REASONS,
    )
    engine: str = apart(
        "", "Who is asked for --reasons.", flag="--reasons-engine", default="the one that writes"
    )
    model: str = apart("", "Its model.", flag="--reasons-model", default="that of the engine that writes")
    template: str = apart(
        "",
        "What asks for reasons: built-in name (reasons, short) or text file.",
        flag="--reasons-template",
        default="reasons",
    )
    options: dict[str, Any] = apart(
        {},
        "Setting of that engine, as in base_url=http://localhost:8000/v1.",
        flag="--reasons-option",
        metavar="KEY=VALUE",
        example="concurrency=64",
    )

    @property
    def wanted(self) -> bool:
        """Whether any are."""
        return self.by == "model"
