"""What a run reads: pairs, or long texts to ask about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from synthesis.options.contexts import MIN_WORDS
from synthesis.settings import apart

TURNS: Final = ("one", "first", "last", "every")
"""What may be taken of a chat of several exchanges."""

QUESTIONS: Final = ("span", "number", "yes-no", "multi-hop", "summary")
"""The kinds of questions that can be asked of a text."""


@dataclass(frozen=True, slots=True)
class PairsConfig:
    """Where the pairs come from. An empty ``source`` means the bundled examples."""

    source: str = apart(
        "",
        "File, folder, glob, hf:// path or Hub dataset, as in ORG/NAME?config=en&split=test.",
        flag="--pairs",
        default="the bundled examples",
    )
    config: str = apart("", "Config of a Hub dataset.", flag="--pairs-config")
    split: str = apart("train", "Split of a Hub dataset, or of a folder, by its files' names.")
    task: str = apart("", "Task of all pairs.", default="a column's, else the file's name")
    limit: int = apart(0, "Use only the first N rows.", low=0, zero="all")
    turns: str = apart(
        "one",
        "Of a chat of several exchanges: first, last, every; one rejects it.",
        choices=TURNS,
    )
    columns: dict[str, str] = apart(
        {},
        "Map a column, as in instruction=question.",
        flag="--column",
        metavar="OURS=THEIRS",
        example="instruction=question",
    )


@dataclass(frozen=True, slots=True)
class QuestionsConfig:
    """What is asked of long texts with ``method`` instruction; the other tables mean what they always do.

    Each document gets ``per_document`` questions, their kinds in turn, each about ``window`` words of it: the
    windows lie spread over the document. The whole document is the context.
    """

    contexts: str = apart(
        "",
        "Long texts to ask about (--method instruction): file, folder (also of .txt and .md), glob, "
        "hf:// path or Hub dataset, as in ORG/NAME?split=test&columns=body.",
    )
    per_document: int = apart(4, "Questions for each document.", low=1, high=1000)
    window: int = apart(3000, "Words of the document that a question is about.", low=MIN_WORDS, high=100_000)
    kinds: tuple[str, ...] = apart(
        QUESTIONS,
        "Kinds of questions, in turn.",
        valid=lambda kinds: bool(kinds) and set(kinds) <= set(QUESTIONS),
        expected=f"any of {', '.join(QUESTIONS)}",
    )
