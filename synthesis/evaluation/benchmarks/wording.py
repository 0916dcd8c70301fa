"""How a question of a benchmark is put where its own wording is not at hand: our words, by kind of task.

Benchmarks publish their prompts with their code; those files are read where the user has them, and nothing
of them stands here. Which of the two was used is recorded with each question (``wording``).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from synthesis.errors import SourceError
from synthesis.evaluation.questions import QuestionSource

OWN: Final = "our own"
"""``ContextQuestion.wording`` of the templates below."""
IN_ROW: Final = "the row's"
"""``ContextQuestion.wording`` of a row that holds its whole prompt."""

_SHOTS: Final = "{context}\n{input}"

TEMPLATES: Final = {
    "answer": "{context}\n\nAnswer this question from the text above, in a few words.\n\n"
    "Question: {input}\nAnswer:",
    "answer-zh": "{context}\n\n请根据上文用几个词回答问题。\n\n问题：{input}\n回答：",
    "query": "{context}\n\nRespond to this request from the record above, in a paragraph.\n\n"
    "Request: {input}\nResponse:",
    "summary": "{context}\n\nSummarize the text above in a few paragraphs.\n\nSummary:",
    "summary-zh": "{context}\n\n请用一段话概括上文的主要内容。\n\n概括：",
    # Examples come first, in the form that the reply is to have.
    "examples": "The examples show how to go on.\n\n" + _SHOTS,
    "examples-zh": "请按照示例的格式作答。\n\n" + _SHOTS,
    "count": "{context}\n\nSome of the paragraphs above stand there more than once. How many "
    "different ones are there? Reply with the number alone.\n\nNumber:",
    "which-paragraph": "{context}\n\nThe following is a summary of one of the paragraphs above.\n\n"
    '{input}\n\nWhich one? Reply with its number, as in "Paragraph 1".\n\nThe summary is of',
    "which-paragraph-zh": "{context}\n\n下面是上文某一个段落的摘要。\n\n{input}\n\n"
    "请只回答该段落的编号，例如“段落1”。\n\n该摘要属于",
    "code": "Write the line of code that comes next, and nothing else.\n\n{context}{input}",
    "choice": "{context}\n\n{input}\n\nChoose one of the four. End with the sentence "
    '"The correct answer is (X)", where X is its letter.',
    "key": "{context}\n\nWhat value has this key in the object above? Reply with the value alone.\n\n"
    "Key: {input}\nCorresponding value:",
    "label": "{context}\n\n{input}\nlabel:",
    "ranking": "{context}\n\nOrder the documents above by how well each answers the query, the best first. "
    "Reply with their IDs alone, as in 3 > 1 > 2.\n\nQuery: {input}\nRanking:",
}
CLOSED: Final = {
    "answer": "Answer this question in a few words.\n\nQuestion: {input}\nAnswer:",
    "answer-zh": "请用几个词回答问题。\n\n问题：{input}\n回答：",
    "query": "Respond to this request in a paragraph.\n\nRequest: {input}\nResponse:",
    "choice": TEMPLATES["choice"].removeprefix("{context}\n\n"),
    "examples": "{input}",
    "examples-zh": "{input}",
}
"""The same where no context is shown, of tasks that can be asked without."""
_SLOT: Final = re.compile(r"\{(?:context|input)\}")


def prompt_file(source: QuestionSource, name: str, folder: str) -> Path | None:
    """A benchmark's file of prompts: as given, else beside the data, in ``folder`` there or one above it.

    Raises:
        SourceError: what is given is not there.
    """
    if source.prompts:
        given = Path(source.prompts).expanduser()
        path = given / name if given.is_dir() else given
        if not path.is_file():
            raise SourceError(f"--prompts {path} was not found. Give the benchmark's file {name}.")
        return path
    at = Path(source.place.partition("?")[0]).expanduser()
    if not at.exists():
        return None
    data = at.resolve() if at.is_dir() else at.resolve().parent
    places = (above / inner / name for above in (data, data.parent) for inner in (folder, ""))
    return next((one for one in places if one.is_file()), None)


def read_text(path: Path) -> str:
    """A file of text.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not text in UTF-8. Give the benchmark's own file.") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}. Give another file.") from None


def read_json_object(path: Path) -> dict[str, object]:
    """A file that holds one JSON object.

    Raises:
        SourceError: it cannot be read, or holds something else.
    """
    try:
        value = json.loads(read_text(path))
    except ValueError as error:
        raise SourceError(f"{path} is not JSON ({error}). Give the benchmark's own file.") from None
    if not isinstance(value, dict):
        raise SourceError(f"{path} holds no JSON object of tasks. Give the benchmark's own file.")
    return value


def checked_template(text: object, path: Path, task: str) -> str:
    """A template of the user's file.

    Raises:
        SourceError: it is no text, or has no place for the context.
    """
    if not isinstance(text, str) or "{context}" not in _SLOT.findall(text):
        raise SourceError(f"{path}: the prompt of '{task}' has no {{context}}. Write it where the text goes.")
    return text
