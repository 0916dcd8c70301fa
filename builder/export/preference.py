"""A sample as rows for preference learning: one prompt, a right reply, and one that is wrong.

A row serves TRL's ``DPOTrainer`` and methods of its kind, which read ``prompt``, ``chosen`` and ``rejected``
as lists of turns. What is wrong was found when twins were made (``synthesis.assembly.twins``). Knows nothing
of files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from builder.export.files import Kind, Row
from builder.export.source import Conversation
from synthesis.errors import SourceError, UsageError
from synthesis.evaluation.chats import parted
from synthesis.sources.values import BadRow

COLUMNS: dict[str, Kind] = {
    "id": "text",
    "group": "text",
    "prompt": "turns",
    "short_prompt": "turns",
    "chosen": "turns",
    "rejected": "turns",
    "rejected_source": "text",
    "chosen_places": "spans",
    "rejected_places": "spans",
    "twin": "text",
    "twin_of": "text",
    "changes": "changes",
    "model": "text",
    "evidence": "evidence",
    "task": "text",
    "form": "text",
    "hops": "integer",
    "depth": "number",
    "tokens": "integer",
    "budget": "integer",
}

_PIECE = ("start", "end", "what", "token_start", "token_end", "document")


CLOSED_BOOK = "closed-book"
_WRONG = 0.5
"""A reply whose best score is less is taken to be wrong."""


def read_guesses(path: Path) -> dict[str, str]:
    """Wrong replies of a model that saw no context, by pair id, of what ``evaluate`` wrote.

    Args:
        path: its ``predictions.jsonl``, or the folder that holds it. Of its lines those count whose
            condition is ``closed``, that say something, and that score less than 0.5 by every metric.

    Raises:
        SourceError: it cannot be read, a line is no prediction, or none is such a guess.
    """
    file = path / "predictions.jsonl" if path.is_dir() else path
    found: dict[str, str] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file} cannot be read: {error}. Name what evaluate wrote.") from error
    for number, line in enumerate(lines, start=1):
        try:
            said = json.loads(line)
            if said["condition"] != "closed":
                continue
            name, reply, scores = str(said["id"]), said["reply"], said["scores"].values()
            wrong = bool(reply.strip()) and bool(scores) and max(scores) < _WRONG
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(
                f"{file}, line {number} is no prediction as evaluate writes it: mend or remove it."
            ) from error
        if wrong:
            found[name] = reply.strip()
    if not found:
        raise SourceError(
            f"{file} has no wrong answer given without a context. Make some: context-synthesis evaluate "
            "--condition closed."
        )
    return found


def preference_rows(sample: Conversation, guesses: Mapping[str, str] = MappingProxyType({})) -> Iterator[Row]:
    """A row for each reply that is known to be wrong for a sample; none where none is.

    ``group`` is the same for a sample and its twins, which belong into one split. ``chosen_places`` and
    ``rejected_places`` are where the user's last message has the replies word for word; ``changes`` are all
    that differs from the prompt of the sample ``twin_of``. ``guesses`` are wrong replies by pair id, as
    ``read_guesses`` gives them; those of a sample's pair are rejected beside it. ``short_prompt`` is the
    prompt with the document of the evidence alone, and empty where the same reply would not be right for it.

    Raises:
        UsageError: the samples were made without twins.
    """
    *before, answer = sample.messages
    known = sample.columns
    if "wrong" not in known and not guesses:
        raise UsageError(
            "These samples know no wrong replies. Make them with twins: "
            "context-synthesis assemble DIR --twins removed,changed,decoy."
        )
    prompt = [message._asdict() for message in before]
    short = _short_prompt(prompt, known)
    asked = before[-1].content
    twin_of = str(known.get("twin_of") or "")
    told = [(wrong["text"], wrong["source"]) for wrong in known.get("wrong") or ()]
    guess = None if twin_of else guesses.get(str(known.get("pair_id") or ""))
    if guess is not None and guess not in (answer.content, *(text for text, _ in told)):
        told.append((guess, CLOSED_BOOK))
    for text, source in told:
        yield {
            "id": f"{sample.id}-{source}",
            "group": twin_of or sample.id,
            "prompt": prompt,
            "short_prompt": short,
            "chosen": [answer._asdict()],
            "rejected": [answer._replace(content=text)._asdict()],
            "rejected_source": source,
            "chosen_places": _places(asked, answer.content),
            "rejected_places": _places(asked, text),
            "twin": str(known.get("twin") or ""),
            "twin_of": twin_of,
            "changes": list(known.get("changes") or ()),
            "model": str(known.get("model") or ""),
            "evidence": [{name: piece.get(name) for name in _PIECE} for piece in known.get("evidence") or ()],
            "task": str(known.get("task") or ""),
            "form": str(known.get("form") or ""),
            "hops": known.get("hops") or 0,
            "depth": known.get("depth"),
            "tokens": known.get("tokens"),
            "budget": known.get("budget"),
        }


def _short_prompt(prompt: Sequence[dict[str, str]], known: Mapping[str, Any]) -> list[dict[str, str]]:
    """The prompt with only the pair's own document; none where that does not hold all that a reply takes.

    Not where the evidence is left out, where keys among the documents lead to the question, or where a
    reply names documents by their numbers.
    """
    first, last = (known.get(f"evidence_{end}") or 0 for end in ("start", "end"))
    if first >= last or known.get("rings") or known.get("answer_form", "plain") != "plain":
        return []
    *before, asked = prompt
    content = asked["content"]
    try:
        found = parted(content, str(known.get("task") or "generic"), last)
    except BadRow:  # worded by others
        return []
    alone = content[: found.start] + content[first:last] + content[found.end :]
    return [*before, {**asked, "content": alone}]


def _places(text: str, reply: str) -> list[dict[str, int]]:
    """Where a text has a reply as whole words, in order."""
    found: list[dict[str, int]] = []
    at = text.find(reply) if reply.strip() else -1
    while at >= 0:
        end = at + len(reply)
        if not (_WORD.match(text[at - 1 : at]) or _WORD.match(text[end : end + 1])):
            found.append({"start": at, "end": end})
        at = text.find(reply, end)
    return found


_WORD = re.compile(r"\w")
