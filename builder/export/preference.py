"""A sample as rows for preference learning: one prompt, a right reply, and one that is wrong.

A row serves TRL's ``DPOTrainer`` and methods of its kind, which read ``prompt``, ``chosen`` and ``rejected``
as lists of turns. What is wrong was found when twins were made (``synthesis.assembly.twins``). Knows nothing
of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.export.files import Kind, Row
from builder.export.source import Conversation
from synthesis.errors import UsageError

COLUMNS: dict[str, Kind] = {
    "id": "text",
    "group": "text",
    "prompt": "turns",
    "chosen": "turns",
    "rejected": "turns",
    "rejected_source": "text",
    "chosen_places": "spans",
    "rejected_places": "spans",
    "twin": "text",
    "twin_of": "text",
    "changes": "changes",
    "evidence": "evidence",
    "task": "text",
    "form": "text",
    "hops": "integer",
    "depth": "number",
    "tokens": "integer",
    "budget": "integer",
}

_PIECE = ("start", "end", "what", "token_start", "token_end", "document")


def preference_rows(sample: Conversation) -> Iterator[Row]:
    """A row for each reply that is known to be wrong for a sample; none where none is.

    ``group`` is the same for a sample and its twins, which belong into one split. ``chosen_places`` and
    ``rejected_places`` are where the user's last message has the replies word for word; ``changes`` are all
    that differs from the prompt of the sample ``twin_of``.

    Raises:
        UsageError: the samples were made without twins.
    """
    *before, answer = sample.messages
    known = sample.columns
    if "wrong" not in known:
        raise UsageError(
            "These samples know no wrong replies. Make them with twins: "
            "context-synthesis assemble DIR --twins removed,changed,decoy."
        )
    prompt = [message._asdict() for message in before]
    asked = before[-1].content
    twin_of = str(known.get("twin_of") or "")
    for wrong in known["wrong"] or ():
        yield {
            "id": f"{sample.id}-{wrong['source']}",
            "group": twin_of or sample.id,
            "prompt": prompt,
            "chosen": [answer._asdict()],
            "rejected": [answer._replace(content=wrong["text"])._asdict()],
            "rejected_source": wrong["source"],
            "chosen_places": _places(asked, answer.content),
            "rejected_places": _places(asked, wrong["text"]),
            "twin": str(known.get("twin") or ""),
            "twin_of": twin_of,
            "changes": list(known.get("changes") or ()),
            "evidence": [{name: piece.get(name) for name in _PIECE} for piece in known.get("evidence") or ()],
            "task": str(known.get("task") or ""),
            "form": str(known.get("form") or ""),
            "hops": known.get("hops") or 0,
            "depth": known.get("depth"),
            "tokens": known.get("tokens"),
            "budget": known.get("budget"),
        }


def _places(text: str, reply: str) -> list[dict[str, int]]:
    """Where a text has a reply as whole words; for yes and no, that is nowhere in particular."""
    found = re.finditer(rf"(?<!\w){re.escape(reply)}(?!\w)", text) if reply.strip() else ()
    return [{"start": match.start(), "end": match.end()} for match in found]
