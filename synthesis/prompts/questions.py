"""Requests for questions to prompts: what each kind of question is to be, in words.

One template for all kinds. ``{shown}`` (the stretches of the text), ``{wanted}`` and ``{form}`` (what the
question and its answer are to be) must occur; ``{near}`` (about what part), ``{kind}`` and ``{task}`` may.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from synthesis.data import Pair, Prompt, content_hash
from synthesis.engines.base import Sampling
from synthesis.prompts import QUESTIONS_FOLDER, Template, parse_template, read_template

OPENING: Final = "Question:"
"""What a reply begins with."""

WORDS: Final = 80
"""About how many words a reply has."""

_REQUIRED = frozenset({"shown", "wanted", "form"})
_OPTIONAL = frozenset({"near", "kind", "task"})

_WANTED: Final = {
    "span": "one question whose answer is a name, a term or a short phrase that stands in the text",
    "number": "one question whose answer is a number, an amount or a date that stands in the text",
    "yes-no": 'one question that is answered with yes or no, and to which "{polarity}" is right by the text',
    "multi-hop": "one question that takes both passages: what is asked stands in one of them, about "
    "something that the question does not name but describes by what the other one tells of it. Whoever has "
    "only one of them cannot answer",
    "summary": "one request to sum up what the text says about a person, an event or a matter that it names, "
    "in a few sentences",
}
_FORM: Final = {
    "span": "the answer alone, in at most ten words, as the text puts it",
    "number": "the number or date alone, with its unit",
    "yes-no": "{polarity}",
    "multi-hop": "the answer alone, in at most ten words, as the text puts it",
    "summary": "three to six sentences that hold all that matters and nothing that the text does not say",
}


def load_question_template(name: str) -> Template:
    """A built-in template (``questions``, ``short``; the first for an empty name), or that of a text file.

    Raises:
        TemplateError: not found, or a placeholder is missing or unknown.
    """
    built_in = {path.stem: path for path in QUESTIONS_FOLDER.glob("*.txt")}
    path = built_in.get(name or "questions") or Path(name)
    known = f"or a built-in name for questions ({', '.join(sorted(built_in))})"
    return parse_template(path.stem, read_template(path, known), required=_REQUIRED, optional=_OPTIONAL)


def build_question_prompt(
    request: Pair,
    asked: Mapping[str, Any],
    template: Template,
    *,
    engine: str,
    model: str,
    sampling: Sampling,
    settings: Mapping[str, Any],
    writer: str = "",
) -> Prompt:
    """The prompt for a request; ``asked`` has its kind, text, windows and so on.

    Its fingerprint changes with anything that could change the reply; ``writer`` is as in ``build_prompt``.
    """
    kind, text = asked["kind"], asked["text"]
    passages = [text[start:end] for start, end in asked["windows"]]
    first, last = asked["focus"]
    filled = {"polarity": asked["polarity"]}
    variables: dict[str, Any] = {
        "shown": _shown(passages),
        "wanted": _WANTED[kind].format(**filled),
        "form": _FORM[kind].format(**filled),
        "near": _near(kind, text[first:last]),
        "kind": kind,
        "kinds": list(asked["kinds"]),
        "task": request.task,
        "words": WORDS,
        "passages": passages,
        "place": asked["place"],
        **filled,
    }
    fingerprint = content_hash(
        request.id, variables, template.text, engine, model, sampling.to_dict(), dict(settings)
    )
    messages = template.fill(variables)
    return Prompt(fingerprint, request.id, template.name, variables, messages, fingerprint, OPENING, writer)


def _shown(passages: list[str]) -> str:
    if len(passages) == 1:
        return f"<passage>\n{passages[0]}\n</passage>"
    return "\n\n".join(
        f"<passage {number}>\n{passage}\n</passage {number}>" for number, passage in enumerate(passages, 1)
    )


def _near(kind: str, focus: str) -> str:
    """What tells apart the questions about one stretch: each is about another part of it."""
    if kind in ("multi-hop", "summary"):
        return ""
    opening = " ".join(focus.split()[:12])
    return f"- Choose something that is told in or near the paragraph that begins: “{opening} …”\n"
