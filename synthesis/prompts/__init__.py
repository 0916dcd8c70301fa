"""Pairs to prompts: templates are text files filled by plain substitution.

A template is the user message, or a ``[user]`` part that a ``[system]`` part may stand before, and
examples, each a ``[user]`` and an ``[assistant]`` part.
``{instruction}``, ``{answer}`` and ``{words}`` must occur; ``{form}`` (what kind of text
to write), ``{genre}`` and ``{task}`` may; any other ``{name}`` is an error at load time.
Values are inserted once and never looked at again, so braces in a pair are just text.
The templates of later steps (asking again, an outline, a section) are files beside it; a
folder holds one for each kind of task (``synthesis.prompts.by_task``).
The ingredients asked for follow section 3 of arXiv 2502.15592; the wording is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from synthesis.data import Message, Pair, Prompt, content_hash
from synthesis.engines.base import Sampling
from synthesis.errors import TemplateError
from synthesis.tasks import task_of

MARKER = "Context:"

_BUILT_IN = Path(__file__).parent / "templates"
QUESTIONS_FOLDER = _BUILT_IN / "questions"
"""Where the template lies that asks for questions; see ``synthesis.prompts.questions``."""
REASONS_FOLDER = _BUILT_IN / "reasons"
"""Where those lie that ask for reasons; see ``synthesis.prompts.reasons``."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PART = re.compile(r"^\[(system|user|assistant)\]\n", re.MULTILINE)
_REQUIRED = frozenset({"instruction", "answer", "words"})
_OPTIONAL = frozenset({"form", "genre", "task"})

# Templates of the steps that follow a pair's own prompt, with what fills them.
_STEPS = {
    "repair": frozenset({"faults", "what"}),
    "outline": frozenset({"brief", "count", "words", "points"}),
    "section": frozenset({"brief", "plan", "before", "which", "words", "points"}),
    "judge": frozenset({"context", "instruction", "answer", "mark"}),
}

FORMS = {
    "story": "a story",
    "archive": "a narrative about the people, places and things concerned",
    "paper": "a scientific article",
    "meeting": "the record of a meeting, with what was said by whom",
    "report": "an official report",
    "news": "a piece of news coverage",
}


@dataclass(frozen=True, slots=True)
class Template:
    """A named template; ``parts`` are (role, text) with placeholders still in them."""

    name: str
    text: str
    parts: tuple[Message, ...]

    def of(self, pair: Pair) -> Template:
        """The template for a pair: this one, whichever pair it is."""
        return self

    def fill(self, variables: dict[str, Any]) -> tuple[Message, ...]:
        """The messages, every placeholder replaced exactly once."""
        return tuple(
            Message(role, _PLACEHOLDER.sub(lambda match: str(variables[match[1]]), text))
            for role, text in self.parts
        )


def built_in_templates() -> list[str]:
    """Names that ``load_template`` knows without a file."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.txt") if path.stem not in _STEPS)


def load_template(name: str) -> Template:
    """A bundled template by name, or a user's by file path.

    Raises:
        TemplateError: not found, or a placeholder is missing or unknown.
    """
    path = _BUILT_IN / f"{name}.txt" if name in built_in_templates() else Path(name)
    known = f"a folder of them by task, or a built-in name ({', '.join(built_in_templates())}, by-task)"
    return parse_template(path.stem, read_template(path, known))


def read_template(path: Path, known: str) -> str:
    """The text of a template's file; ``known`` is what could be given beside a file, for the message.

    Raises:
        TemplateError: there is none, or it is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise TemplateError(f"there is no template '{path}': give a text file, {known}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {path} cannot be read as UTF-8 text: {error}") from None


@cache
def step_template(name: str) -> Template:
    """The bundled template of a later step: ``repair``, ``outline``, ``section`` or ``judge``."""
    text = (_BUILT_IN / f"{name}.txt").read_text(encoding="utf-8")
    return parse_template(name, text, required=_STEPS[name], optional=frozenset())


def writing_templates() -> list[str]:
    """The texts of all built-in templates that the writer of a context may be asked with, in any step."""
    others = (path for path in _BUILT_IN.rglob("*.txt") if path.stem != "judge")
    paths = (path for path in others if path.parent not in (QUESTIONS_FOLDER, REASONS_FOLDER))
    return [path.read_text(encoding="utf-8") for path in sorted(paths)]


def parse_template(
    name: str, text: str, *, required: frozenset[str] = _REQUIRED, optional: frozenset[str] = _OPTIONAL
) -> Template:
    """Check a template's text and split it into its parts.

    Raises:
        TemplateError: a placeholder is missing or unknown, or the parts are not as they should be.
    """
    found = set(_PLACEHOLDER.findall(text))
    missing, unknown = required - found, found - required - optional
    if missing:
        raise TemplateError(f"template '{name}' lacks {_names(missing)}; add it where the value should stand")
    if unknown:
        raise TemplateError(
            f"template '{name}' has {_names(unknown)}, which nothing fills; "
            f"known: {_names(required | optional)}"
        )
    return Template(name, text, _turns(name, text))


def _turns(name: str, text: str) -> tuple[Message, ...]:
    """The messages of a template: all of its text, or its parts, the last of them what is asked."""
    before, *found = _PART.split(text)
    if not found:
        return (Message("user", text.strip()),)
    roles = found[::2]
    parts = tuple(Message(role, part.strip()) for role, part in zip(roles, found[1::2], strict=True))
    turns = [role for role in roles if role != "system"]
    if before.strip():
        raise TemplateError(f"template '{name}' has text before its [user] part that is not a [system] part")
    if (
        "system" in roles[1:]
        or len(turns) % 2 == 0
        or turns != (["user", "assistant"] * len(turns))[: len(turns)]
    ):
        raise TemplateError(
            f"template '{name}' has its parts in an order that is no conversation: a [system] part may come "
            "first, then examples, each a [user] and an [assistant] part, and a [user] part last"
        )
    return parts


def build_prompt(
    pair: Pair,
    template: Template,
    *,
    words: int,
    engine: str,
    model: str,
    sampling: Sampling,
    settings: Mapping[str, Any] | None = None,
    writer: str = "",
) -> Prompt:
    """The prompt for one pair. Its fingerprint changes with anything that could change the reply.

    ``settings`` are the engine's own (see ``Engine``), ``writer`` what it is called among several, which
    changes no reply.
    """
    task = task_of(pair.task)
    variables: dict[str, Any] = {
        "instruction": pair.instruction,
        "answer": pair.answer,
        "words": words,
        "task": pair.task,
        "genre": task.genre,
        "form": FORMS[task.genre],
    }
    fingerprint = content_hash(
        pair.id, variables, template.text, engine, model, sampling.to_dict(), dict(settings or {})
    )
    messages = template.fill(variables)
    return Prompt(fingerprint, pair.id, template.name, variables, messages, fingerprint, MARKER, writer)


def mark_of(*texts: str) -> str:
    """A code for the marks around some texts, which none of them holds, whoever wrote them.

    It follows from the first alone, so that all that is asked about one context begins alike and an engine
    that remembers beginnings reads them once.
    """
    mark = content_hash(texts[0])[:12]
    while any(mark in text for text in texts):
        mark = content_hash(mark)[:12]
    return mark


def next_prompt(earlier: Prompt, step: object, messages: tuple[Message, ...], /, **variables: Any) -> Prompt:
    """A further prompt of the work that ``earlier`` belongs to.

    Args:
        earlier: what it follows from; its fingerprint is part of the new one, as ``step`` and the
            messages are, so that equal works ask equal prompts and no two steps share a seed.
        step: tells it from other steps with the same messages.
        messages: the chat.
        variables: what changes among those of ``earlier``.
    """
    fingerprint = content_hash(earlier.fingerprint, step, messages)
    return replace(
        earlier,
        id=fingerprint,
        fingerprint=fingerprint,
        messages=messages,
        variables={**earlier.variables, **variables},
    )


def _names(placeholders: set[str] | frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(placeholders))
