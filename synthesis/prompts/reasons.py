"""A context and its pair to the prompt that asks for the steps from the one to the answer of the other.

``{context}``, ``{instruction}`` and ``{answer}`` must occur; ``{mark}`` (a code that none of the three
holds), ``{task}`` and ``{words}`` (of the context) may.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from synthesis.data import Context, Pair, Prompt
from synthesis.prompts import REASONS_FOLDER, Template, mark_of, parse_template, read_template

OPENING: Final = "Quote:"
"""What a reply begins with."""

_REQUIRED = frozenset({"context", "instruction", "answer"})
_OPTIONAL = frozenset({"mark", "task", "words"})


def load_reasons_template(name: str = "") -> Template:
    """A built-in template (``reasons``, ``short``; the first for an empty name), or that of a text file.

    Raises:
        TemplateError: not found, or a placeholder is missing or unknown.
    """
    built_in = {path.stem: path for path in REASONS_FOLDER.glob("*.txt")}
    path = built_in.get(name or "reasons") or Path(name)
    known = f"or a built-in name ({', '.join(sorted(built_in))})"
    return parse_template(path.stem, read_template(path, known), required=_REQUIRED, optional=_OPTIONAL)


def build_reasons_prompt(pair: Pair, context: Context, template: Template, name: str) -> Prompt:
    """The prompt for a context; ``name`` is its fingerprint, to which all that shapes the reply has gone."""
    told: dict[str, Any] = {
        "context": context.text,
        "instruction": pair.instruction,
        "answer": pair.answer,
        "mark": mark_of(context.text, pair.instruction, pair.answer),
        "task": pair.task,
        "words": context.words,
    }
    messages = template.fill(told)
    del told["context"]  # it is in the messages
    return Prompt(name, pair.id, template.name, told, messages, name, OPENING)
