"""The kinds of task: what each is called, which genre suits its context, how it is asked.

A pair's ``task`` comes from a column or from its file's name; ``task_of`` finds the
kind behind it. The task string itself is kept as the user gave it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of task. ``wording`` is filled with ``{documents}`` and ``{instruction}``.

    ``hidden`` is the wording for an instruction that stands at the end of a chain among the documents; it
    is filled with ``{documents}`` and the ``{key}`` that the chain begins with. Empty: as ``GENERIC`` has it.
    """

    name: str
    genre: str
    aliases: tuple[str, ...]
    wording: str
    hidden: str = ""


ALONE = (
    " Give the answer alone.",
    " step by step in your head, then state only the final answer",
)
"""What of the wordings below asks for the answer and nothing else."""

_ONE = "{documents}\n\n"
_FOLLOW = 'Begin with the key "{key}" and follow it from key to key to the end of its chain. '

TASKS: tuple[Task, ...] = (
    Task(
        "story_qa",
        "story",
        ("narrativeqa", "story", "fiction", "novelqa", "bookqa"),
        "Here are several stories.\n\n" + _ONE + "Answer the question from what the stories tell, "
        "in as few words as it takes.\n\nQuestion: {instruction}",
        "Here are several stories, and between their lines stand sentences about keys.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands a question. Answer it from what the stories tell, in as few words as it takes.",
    ),
    Task(
        "paper_qa",
        "paper",
        ("qasper", "paper", "science", "scientific", "articleqa"),
        "Below are excerpts from scientific writing.\n\n" + _ONE + "Using only these excerpts, answer the "
        "question briefly; reply yes or no where that is what is asked.\n\nQuestion: {instruction}",
        "Below are excerpts from scientific writing; sentences about keys stand among them.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands a question. Using only these excerpts, answer it briefly; reply yes or no "
        "where that is what it asks.",
    ),
    Task(
        "multihop_bridge",
        "archive",
        ("hotpotqa", "hotpot", "multihop"),
        "Read the passages.\n\n" + _ONE + "The answer may need facts from more than one place in them. "
        "Give the answer alone.\n\nQuestion: {instruction}",
        "Read the passages. Sentences about keys stand among them.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands a question, and the answer to it may need facts from more than one place "
        "in the passages. Give the answer alone.",
    ),
    Task(
        "multihop_compare",
        "archive",
        ("2wikimqa", "2wikimultihopqa", "2wikimultihop", "2wiki"),
        "Study the following passages.\n\n" + _ONE + "Compare what they say where the question calls for it, "
        "and answer with a name, a date, or yes or no.\n\nQuestion: {instruction}",
        "Study the following passages and the sentences about keys in them.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands a question. Compare what the passages say where it calls for that, and "
        "answer with a name, a date, or yes or no.",
    ),
    Task(
        "multihop_compose",
        "archive",
        ("musique", "musiqueans"),
        "The passages below belong together.\n\n"
        + _ONE
        + "Work through them step by step in your head, then "
        "state only the final answer.\n\nQuestion: {instruction}",
        "The passages below belong together; sentences about keys are strewn over them.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands a question. Work through the passages step by step in your head, then "
        "state only the final answer.",
    ),
    Task(
        "meeting_query",
        "meeting",
        ("qmsum", "meeting", "meetings"),
        "These are records of meetings.\n\n"
        + _ONE
        + "Respond to the request with what was said and decided.\n\n"
        "Request: {instruction}",
        "These are records of meetings, with sentences about keys among them.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands a request. Respond to it with what was said and decided.",
    ),
    Task(
        "report_summary",
        "report",
        ("govreport", "report", "reports"),
        "Government and audit reports follow.\n\n" + _ONE + "{instruction}\n\n"
        "Write the summary in full paragraphs and keep its figures.",
        "Government and audit reports follow, with sentences about keys among them.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands what to do. Do it, in full paragraphs, and keep the figures.",
    ),
    Task(
        "news_summary",
        "news",
        ("multinews", "news", "cnndailymail"),
        "News coverage follows.\n\n"
        + _ONE
        + "{instruction}\n\nBring what the coverage says together in one summary.",
        "News coverage follows, with sentences about keys among it.\n\n"
        + _ONE
        + _FOLLOW
        + "There stands what to do. Do it, and bring what the coverage says together in one summary.",
    ),
)

GENERIC = Task(
    "generic",
    "archive",
    (),
    "{documents}\n\n{instruction}",
    _ONE + _FOLLOW + "There stands what is asked of you. Answer it.",
)


def task_key(label: str) -> str:
    """A label without what may be written either way: ``HotpotQA-dev`` and ``hotpotqa_dev`` are one."""
    return re.sub(r"[\W_]+", "", label.casefold())


_BY_KEY = {key: task for task in TASKS for key in (task_key(task.name), *task.aliases)}


def task_of(label: str) -> Task:
    """The kind of task behind a label such as ``hotpotqa``, ``HotpotQA-dev`` or ``story_qa``."""
    key = task_key(label)
    if key in _BY_KEY:
        return _BY_KEY[key]
    # A label that starts with a known name ("qasper_train") still means that task.
    known = [name for name in _BY_KEY if key.startswith(name)]
    return _BY_KEY[max(known, key=len)] if known else GENERIC
