"""What a run writes, and which options go with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from synthesis.errors import ConfigError
from synthesis.settings import Setting, settings

METHODS: Final = ("context", "instruction")
"""What a run writes: contexts for pairs, or pairs for contexts."""

_WRITES: Final = {"context": "contexts are written", "instruction": "questions are written"}

_LONG: Final = (
    "leave it out; a question is as long as its kind wants, and --window says how much of a text is shown"
)
_BEHIND: Final = "name that of the texts behind their source, as in --contexts '{}'"
_ASKING: Final = "give --method instruction --contexts SRC, or leave it out"

_MEANINGLESS: Final[Mapping[str, Mapping[str, str]]] = {
    "instruction": {
        "pairs.source": "leave it out, or leave out --method to have contexts written for the pairs",
        "pairs.config": _BEHIND.format("ORG/NAME?config=en"),
        "pairs.split": _BEHIND.format("ORG/NAME?split=test"),
        "pairs.turns": "texts have no turns; leave it out",
        "pairs.columns": _BEHIND.format("books.jsonl?columns=body"),
        "generation.words": _LONG,
        "generation.section_words": _LONG,
        "filters.near_duplicates": "it would leave one question of each text, as they share it as their "
        "context; leave it out: questions that ask the same are dropped anyway",
    },
    "context": {
        "questions.contexts": "it gives texts to ask about, which takes 'method' (--method) instruction; "
        "add it, or leave the texts out",
        "questions.per_document": _ASKING,
        "questions.window": _ASKING,
        "questions.kinds": _ASKING,
    },
}
"""By method the options that have no meaning with it, and what to do instead."""

_OF_WORDS: Final = ("filters.min_words", "filters.max_words")


def check_method(method: str, tables: Mapping[str, Any]) -> None:
    """Refuse what has no meaning for what is written; ``tables`` are those of a run, by name.

    Raises:
        ConfigError: naming each such option, and what to do.
    """
    if method == "instruction" and not tables["questions"].contexts:
        raise ConfigError(
            "'method' (--method) is instruction, and no texts are given to ask about; name them with "
            "'questions.contexts' (--contexts)"
        )
    given: dict[str, Setting] = {}
    for name, table in tables.items():
        kind: Any = type(table)
        given |= {one.key: one for one in settings(kind, name) if getattr(table, one.name) != one.default}
    found = [(given[key], advice) for key, advice in _MEANINGLESS[method].items() if key in given]
    if found:
        # What is to be done about the first is so for all that are told with it.
        advice = found[0][1]
        named = [_named(one) for one, other in found if other == advice]
        has = "has" if len(named) == 1 else "have"
        raise ConfigError(
            f"{' and '.join(named)} {has} no meaning where {_WRITES[method]} (--method {method}): {advice}"
        )
    if method == "instruction":
        _check_instruction(tables, given)


def _check_instruction(tables: Mapping[str, Any], given: Mapping[str, Setting]) -> None:
    """Options of which some values have no meaning where questions are written."""
    if tables["generation"].template == "by-task":
        raise ConfigError(
            "'generation.template' (--template) is by-task, which writes contexts; for --method instruction "
            "give short or a text file, or leave it out"
        )
    for key in _OF_WORDS:
        one = given.get(key)
        share = getattr(tables["filters"], one.name) if one else ""
        if one and share.endswith("%"):
            raise ConfigError(
                f"{_named(one)} is {share}, a share of --words, which has no meaning where questions are "
                "written (--method instruction): give a number of words, as in 800"
            )


def _named(one: Setting) -> str:
    return f"'{one.key}' ({one.flag.split('/')[0]})"
