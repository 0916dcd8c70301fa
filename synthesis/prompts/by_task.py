"""A template for each kind of task: a folder of text files, and which of them a pair gets.

The name of a file says what it is for: a task as the pairs call it (``hotpotqa``), a kind of task
(``multihop_bridge``; see ``synthesis.tasks``), a kind of answer (``yes_no``), or ``default`` for all
others. The first of these that the folder holds is taken; without a ``default``, the built-in one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from synthesis.data import Pair
from synthesis.errors import TemplateError
from synthesis.prompts import Template, load_template, parse_template, read_template
from synthesis.tasks import GENERIC, TASKS, task_key, task_of
from synthesis.text.answers import KINDS, kind_of

BY_TASK = "by-task"
"""The name of the built-in folder."""

_BUILT_IN = Path(__file__).parent / "templates" / BY_TASK
_DEFAULTS = ("default", "narrative")
_KNOWN = {
    task_key(name): name
    for name in (
        *_DEFAULTS,
        *KINDS,
        *(name for task in (*TASKS, GENERIC) for name in (task.name, *task.aliases)),
    )
}
_CLOSE = 0.85  # a file's name so like one that means something, and yet another, is a slip


@dataclass(frozen=True, slots=True)
class TemplatesByTask:
    """The templates of a folder, by the key of what they are for (see ``synthesis.tasks.task_key``)."""

    templates: dict[str, Template]
    others: Template

    def of(self, pair: Pair) -> Template:
        """The template for a pair: by its task as it is called, its kind of task, its kind of answer."""
        kind = task_of(pair.task)
        for name in (pair.task, kind.name, *kind.aliases, kind_of(pair.answer)):
            if (found := self.templates.get(task_key(name))) is not None:
                return found
        return self.others


def load_templates(name: str) -> Template | TemplatesByTask:
    """What ``--template`` names: a built-in template or folder, a text file, or a folder of them.

    Raises:
        TemplateError: not found, empty, a file that no pair can get, or one that is no template.
    """
    if name == BY_TASK:
        return _read(_BUILT_IN, BY_TASK)
    return _read(Path(name), Path(name).resolve().name) if Path(name).is_dir() else load_template(name)


def _read(folder: Path, called: str) -> TemplatesByTask:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".txt")
    except OSError as error:
        raise TemplateError(f"the templates in {folder} cannot be read: {error}") from None
    if not files:
        raise TemplateError(
            f"{folder} holds no template: put text files there that are named after tasks, as in "
            "multihop_bridge.txt, and default.txt for all others"
        )
    found: dict[str, Template] = {}
    for path in files:
        key = task_key(path.stem)
        if key in found:
            raise TemplateError(f"{path} and another file there are both for '{path.stem}'; keep one of them")
        _check_name(path, key)
        found[key] = parse_template(
            f"{called}/{path.stem}", read_template(path, "or take it out of the folder")
        )
    others = next((found[name] for name in _DEFAULTS if name in found), None)
    return TemplatesByTask(found, others or load_template(_DEFAULTS[-1]))


def _check_name(path: Path, key: str) -> None:
    near = difflib.get_close_matches(key, _KNOWN, n=1, cutoff=_CLOSE)
    # One that only adds to a known name is of that kind, as with tasks: ``hotpotqa_dev``.
    if near and not key.startswith(near[0]):
        raise TemplateError(
            f"{path} is for no task that is known; did you mean {_KNOWN[near[0]].replace('/', '_')}.txt? "
            "A task of your own needs a name less like it, here and in the pairs"
        )
