"""The kinds of task: what each is called, which genre suits its context, how it is asked.

A pair's ``task`` comes from a column or from its file's name; ``task_of`` finds the
kind behind it. The task string itself is kept as the user gave it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of task. ``wording`` is filled with ``{documents}`` and ``{instruction}``."""

    name: str
    genre: str
    aliases: tuple[str, ...]
    wording: str


_ONE = "{documents}\n\n"

TASKS: tuple[Task, ...] = (
    Task(
        "story_qa",
        "story",
        ("narrativeqa", "story", "fiction", "novelqa", "bookqa"),
        "Here are several stories.\n\n" + _ONE + "Answer the question from what the stories tell, "
        "in as few words as it takes.\n\nQuestion: {instruction}",
    ),
    Task(
        "paper_qa",
        "paper",
        ("qasper", "paper", "science", "scientific", "articleqa"),
        "Below are excerpts from scientific writing.\n\n" + _ONE + "Using only these excerpts, answer the "
        "question briefly; reply yes or no where that is what is asked.\n\nQuestion: {instruction}",
    ),
    Task(
        "multihop_bridge",
        "archive",
        ("hotpotqa", "hotpot", "multihop"),
        "Read the passages.\n\n" + _ONE + "The answer may need facts from more than one place in them. "
        "Give the answer alone.\n\nQuestion: {instruction}",
    ),
    Task(
        "multihop_compare",
        "archive",
        ("2wikimqa", "2wikimultihopqa", "2wikimultihop", "2wiki"),
        "Study the following passages.\n\n" + _ONE + "Compare what they say where the question calls for it, "
        "and answer with a name, a date, or yes or no.\n\nQuestion: {instruction}",
    ),
    Task(
        "multihop_compose",
        "archive",
        ("musique", "musiqueans"),
        "The passages below belong together.\n\n"
        + _ONE
        + "Work through them step by step in your head, then "
        "state only the final answer.\n\nQuestion: {instruction}",
    ),
    Task(
        "meeting_query",
        "meeting",
        ("qmsum", "meeting", "meetings"),
        "These are records of meetings.\n\n"
        + _ONE
        + "Respond to the request with what was said and decided.\n\n"
        "Request: {instruction}",
    ),
    Task(
        "report_summary",
        "report",
        ("govreport", "report", "reports"),
        "Government and audit reports follow.\n\n" + _ONE + "{instruction}\n\n"
        "Write the summary in full paragraphs and keep its figures.",
    ),
    Task(
        "news_summary",
        "news",
        ("multinews", "news", "cnndailymail"),
        "News coverage follows.\n\n"
        + _ONE
        + "{instruction}\n\nBring what the coverage says together in one summary.",
    ),
)

GENERIC = Task("generic", "archive", (), "{documents}\n\n{instruction}")


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
