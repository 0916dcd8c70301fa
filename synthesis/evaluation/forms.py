"""The forms by name, and which of them a source has. A form is imported only when it is looked at."""

from __future__ import annotations

import difflib
import importlib
from itertools import islice
from typing import cast

from synthesis.errors import SourceError, UsageError
from synthesis.evaluation.questions import QuestionForm, QuestionSource
from synthesis.evaluation.rows import tables_of

_ROOM = "synthesis.evaluation"
_PROMPTED = ("longbench", "longbench-v2")  # forms whose benchmark has files of prompts that are read
# Name -> module with a ``FORM``. The first that fits is taken: from the most particular to the most general.
_FORMS: dict[str, str] = {
    "longbench": "benchmarks.longbench",
    "longbench-v2": "benchmarks.longbench_v2",
    "ruler": "benchmarks.ruler",
    "zeroscrolls": "benchmarks.zeroscrolls",
    "helmet": "benchmarks.helmet",
    "chat": "chats",
    "table": "tables",
}


def form_named(name: str) -> QuestionForm:
    """The form of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in _FORMS:
        near = difflib.get_close_matches(name, _FORMS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(_FORMS)}"
        raise UsageError(f"--form {name!r} is not known; {hint}")
    return cast(QuestionForm, importlib.import_module(f"{_ROOM}.{_FORMS[name]}").FORM)


def form_of(source: QuestionSource, name: str = "") -> QuestionForm:
    """The form that a source has: the one named, else the first that fits.

    Raises:
        UsageError: none does, or there is none of that name.
        SourceError: it has no rows, or cannot be read.
    """
    found = form_named(name) if name else _fitting(source)
    if source.prompts and found.name not in _PROMPTED:
        raise UsageError(
            f"--prompts {source.prompts} is for {' and '.join(_PROMPTED)}; no prompts are read for questions "
            f"in the form '{found.name}'"
        )
    return found


def _fitting(source: QuestionSource) -> QuestionForm:
    for known in _FORMS:
        form = form_named(known)
        if form.fits(source):
            return form
    # What is wrong with one that is not there, or cannot be read, is said here.
    if not [row for table in tables_of(source) for row in islice(table.rows(), 1)]:
        raise SourceError(f"{source.place} is empty: it has no rows. Give a source with questions in it.")
    forms = "; ".join(f"{known} ({form_named(known).told})" for known in _FORMS)
    raise UsageError(
        f"{source.place} is in no form of questions that is known: {forms}. Name one with --form, or the "
        "columns with --column context=NAME and so on"
    )
