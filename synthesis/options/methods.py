"""What a run writes, and which options go with it."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from synthesis.errors import ConfigError
from synthesis.options.contexts import GenerationConfig
from synthesis.options.sources import PairsConfig, QuestionsConfig

METHODS: Final = ("context", "instruction")
"""What a run writes: contexts for pairs, or pairs for contexts."""


def check_method(method: str, pairs: PairsConfig, questions: QuestionsConfig, made: GenerationConfig) -> None:
    """Each method has a source of its own."""
    asks = method == "instruction"
    if asks and not questions.contexts:
        raise ConfigError(
            "'method' (--method) is instruction, and no texts are given to ask about; name them with "
            "'questions.contexts' (--contexts)"
        )
    if asks and pairs.source:
        raise ConfigError(
            "'pairs.source' (--pairs) is not read where questions are written (--method instruction); leave "
            "it out, or leave out --method to have contexts written for the pairs"
        )
    if asks and pairs.columns:
        raise ConfigError(
            "'pairs.columns' (--column) names columns of pairs; for --method instruction name that of the "
            "texts behind their source, as in --contexts 'books.jsonl?columns=body'"
        )
    if questions.contexts and not asks:
        raise ConfigError(
            "'questions.contexts' (--contexts) gives texts to ask about, which takes 'method' (--method) "
            "instruction; add it, or leave the texts out"
        )
    unused = [
        f"'questions.{one.name}' (--{one.name.replace('_', '-')})"
        for one in fields(questions)
        if one.name != "contexts" and getattr(questions, one.name) != one.default
    ]
    if unused and not asks:
        raise ConfigError(
            f"{', '.join(unused)} goes with questions for texts, and 'method' (--method) is {method}; "
            "give --method instruction --contexts SRC, or leave it out"
        )
    if asks and made.template == "by-task":
        raise ConfigError(
            "'generation.template' (--template) is by-task, which writes contexts; for --method instruction "
            "give short or a text file, or leave it out"
        )
